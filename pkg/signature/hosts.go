package signature

import (
	"hash/maphash"
	"net/netip"
)

// MaxHosts is how many bits of addresses and pairs of addresses are remembered by default: at 80 bytes each, 5 MiB.
const MaxHosts = 1 << 16

// Hosts remembers xbits and hostbits: which bit is set for which address or pair of addresses, and until when. It holds at
// most its cap; then the bit that was set or looked for the longest time ago is forgotten, which Forgotten counts. It is
// not safe for concurrent use.
type Hosts struct {
	// Forgotten counts bits that had to go before their time for want of room.
	Forgotten uint64

	seed    maphash.Seed
	cap     int
	buckets []int32 // the first entry of a chain, plus 1
	entries []hostEntry
	free    int32 // the first of the entries that are not in use, chained by next
	newest  int32
	oldest  int32
}

// HostKey is what a bit is set for.
type HostKey struct {
	A, B [16]byte // B is zero for a single address; of a pair A is the lower one
	Bit  uint32   // number of the name
	Kind uint8    // hostBit or xBit
}

// kinds of bits: the two keywords have names of their own.
const (
	xBit uint8 = iota + 1
	hostBit
)

type hostEntry struct {
	key          HostKey
	until        int64 // nanoseconds since 1970
	next         int32 // in the chain or in the free list, plus 1
	newer, older int32 // by use, plus 1
}

// NewHosts makes a table of at most limit bits; it grows to that as it is needed.
func NewHosts(limit int) *Hosts {
	return &Hosts{seed: maphash.MakeSeed(), cap: max(limit, 1), buckets: make([]int32, 64)}
}

// HostKeyOf is the key of a bit of one address.
func HostKeyOf(kind uint8, bit uint32, a netip.Addr) HostKey {
	return HostKey{A: a.As16(), Bit: bit, Kind: kind}
}

// PairKeyOf is the key of a bit of two addresses, in whichever order they come.
func PairKeyOf(kind uint8, bit uint32, a, b netip.Addr) HostKey {
	x, y := a.As16(), b.As16()
	if string(x[:]) > string(y[:]) {
		x, y = y, x
	}
	return HostKey{A: x, B: y, Bit: bit, Kind: kind}
}

// Set sets a bit until a time.
func (h *Hosts) Set(k HostKey, until int64) {
	if i := h.find(k); i != 0 {
		h.entries[i-1].until = until
		h.touch(i)
		return
	}
	i := h.room()
	e := &h.entries[i-1]
	slot := h.slot(k)
	*e = hostEntry{key: k, until: until, next: h.buckets[slot]}
	h.buckets[slot] = i
	h.link(i)
}

// Unset forgets a bit.
func (h *Hosts) Unset(k HostKey) {
	if i := h.find(k); i != 0 {
		h.remove(i)
	}
}

// IsSet says whether a bit is set at a time. One whose time is over is forgotten.
func (h *Hosts) IsSet(k HostKey, now int64) bool {
	i := h.find(k)
	if i == 0 {
		return false
	}
	if h.entries[i-1].until < now {
		h.remove(i)
		return false
	}
	h.touch(i)
	return true
}

// Len is how many bits are remembered, those whose time is over and that nobody asked for since included.
func (h *Hosts) Len() int {
	n := len(h.entries)
	for i := h.free; i != 0; i = h.entries[i-1].next {
		n--
	}
	return n
}

func (h *Hosts) slot(k HostKey) int {
	return int(maphash.Comparable(h.seed, k) & uint64(len(h.buckets)-1))
}

func (h *Hosts) find(k HostKey) int32 {
	for i := h.buckets[h.slot(k)]; i != 0; i = h.entries[i-1].next {
		if h.entries[i-1].key == k {
			return i
		}
	}
	return 0
}

// room gives an entry that is in no chain.
func (h *Hosts) room() int32 {
	switch {
	case h.free != 0:
	case len(h.entries) < h.cap:
		if len(h.entries) >= len(h.buckets) {
			h.grow()
		}
		h.entries = append(h.entries, hostEntry{})
		return int32(len(h.entries))
	default:
		h.remove(h.oldest)
		h.Forgotten++
	}
	i := h.free
	h.free = h.entries[i-1].next
	return i
}

func (h *Hosts) grow() {
	h.buckets = make([]int32, 2*len(h.buckets))
	for i := h.newest; i != 0; i = h.entries[i-1].older {
		e := &h.entries[i-1]
		slot := h.slot(e.key)
		e.next, h.buckets[slot] = h.buckets[slot], i
	}
}

func (h *Hosts) remove(i int32) {
	h.unlink(i)
	e := &h.entries[i-1]
	p := &h.buckets[h.slot(e.key)]
	for *p != i {
		p = &h.entries[*p-1].next
	}
	*p = e.next
	e.next, h.free = h.free, i
}

func (h *Hosts) touch(i int32) {
	if h.newest != i {
		h.unlink(i)
		h.link(i)
	}
}

func (h *Hosts) link(i int32) {
	e := &h.entries[i-1]
	e.newer, e.older = 0, h.newest
	if h.newest != 0 {
		h.entries[h.newest-1].newer = i
	} else {
		h.oldest = i
	}
	h.newest = i
}

func (h *Hosts) unlink(i int32) {
	e := &h.entries[i-1]
	if e.newer != 0 {
		h.entries[e.newer-1].older = e.older
	} else {
		h.newest = e.older
	}
	if e.older != 0 {
		h.entries[e.older-1].newer = e.newer
	} else {
		h.oldest = e.newer
	}
}
