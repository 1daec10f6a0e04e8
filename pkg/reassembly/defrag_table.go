package reassembly

import (
	"encoding/binary"
	"hash/maphash"

	"citygate/pkg/packet"
)

// fragKey names a datagram: addresses, identification, VLAN, and for IPv4 the protocol (RFC 791, 3.2; RFC 8200, 4.5).
type fragKey [16 + 16 + 4 + 4 + 2]byte

func keyOf(h *packet.Headers) (k fragKey) {
	src, dst := h.Tuple.Src.As16(), h.Tuple.Dst.As16()
	copy(k[:16], src[:])
	copy(k[16:32], dst[:])
	binary.BigEndian.PutUint32(k[32:], h.ID)
	binary.BigEndian.PutUint32(k[36:], uint32(h.VLAN))
	k[40] = h.IPVersion
	if h.IPVersion == 4 {
		k[41] = byte(h.Tuple.Proto)
	}
	return k
}

// fragTable finds datagrams, and knows which is the oldest. Its hash is seeded: nobody can aim at one chain. Nothing
// that shows depends on the seed.
type fragTable struct {
	seed           maphash.Seed
	heads          []*datagram
	oldest, newest *datagram
	n              int
}

// newFragTable has a chain for each of n datagrams.
func newFragTable(n int) fragTable {
	size := 1
	for size < n {
		size *= 2
	}
	return fragTable{seed: maphash.MakeSeed(), heads: make([]*datagram, size)}
}

func (t *fragTable) head(k *fragKey) **datagram {
	return &t.heads[maphash.Bytes(t.seed, k[:])&uint64(len(t.heads)-1)]
}

func (t *fragTable) find(k *fragKey) *datagram {
	g := *t.head(k)
	for g != nil && g.key != *k {
		g = g.chain
	}
	return g
}

func (t *fragTable) add(g *datagram) {
	head := t.head(&g.key)
	g.chain, *head = *head, g
	g.older, g.newer = t.newest, nil
	if t.newest != nil {
		t.newest.newer = g
	} else {
		t.oldest = g
	}
	t.newest = g
	t.n++
}

func (t *fragTable) remove(g *datagram) {
	p := t.head(&g.key)
	for *p != g {
		p = &(*p).chain
	}
	*p = g.chain
	if g.older != nil {
		g.older.newer = g.newer
	} else {
		t.oldest = g.newer
	}
	if g.newer != nil {
		g.newer.older = g.older
	} else {
		t.newest = g.older
	}
	g.chain, g.older, g.newer = nil, nil, nil
	t.n--
}

// fragPool keeps datagrams and pages for the next ones, so that nothing is allocated once it is warm.
type fragPool struct {
	datagrams []*datagram
	pages     []*fragPage
	used      int64 // bytes of what is handed out
}

// What a datagram keeps of what a large one needed, and what it costs with that, beside its pages.
const (
	spansKept     = 16
	headerKept    = 128
	datagramSize  = 512 + spansKept*fragSpanSize + headerKept
	maxFragHeader = fragPageSize // of the headers before an IPv6 fragment header; more is no honest packet
)

// open makes the datagram of a key. In line it gives nil if there is no room: what passed unseen might be completed at
// the receiver. Else the oldest makes room.
func (d *Defragmenter) open(key *fragKey) *datagram {
	for d.table.n >= d.c.MaxDatagrams || !d.room(datagramSize) {
		if !d.evict(nil) {
			return nil
		}
	}
	var g *datagram
	if n := len(d.pool.datagrams); n > 0 {
		g = d.pool.datagrams[n-1]
		d.pool.datagrams = d.pool.datagrams[:n-1]
	} else {
		g = new(datagram)
	}
	g.key, g.since = *key, d.now
	d.charge(g, datagramSize)
	d.table.add(g)
	return g
}

// evict gives up the oldest datagram but one. It reports whether there was one to give up: in line only those that have
// waited too long.
func (d *Defragmenter) evict(but *datagram) bool {
	g := d.table.oldest
	if g != nil && g == but {
		g = g.newer
	}
	switch {
	case g == nil:
		return false
	case d.old(g):
		d.count.Expired++
	case d.c.Inline:
		return false
	default:
		d.count.Evicted++
	}
	d.free(g)
	return true
}

func (d *Defragmenter) room(n int64) bool { return d.pool.used+n <= d.c.MaxMemory }

func (d *Defragmenter) charge(g *datagram, n int64) {
	g.charged += n
	d.pool.used += n
}

// reserve makes the pages of a fragment and counts what it may add. It reports whether there is room.
func (d *Defragmenter) reserve(g *datagram, f *fragment) bool {
	if f.lo == 0 && len(f.header) > maxFragHeader {
		return false
	}
	missing := 0
	for i := f.lo / fragPageSize; i <= (f.hi-1)/fragPageSize; i++ {
		if g.pages[i] == nil {
			missing++
		}
	}
	i, j := g.touched(f) // it may split a span in two, or lie itself in pieces between them
	cost := int64(missing)*fragPageSize + int64(j-i+2)*fragSpanSize
	if f.lo == 0 {
		cost += int64(max(len(f.header)-cap(g.header), 0))
	}
	for !d.room(cost) {
		if !d.evict(g) {
			return false
		}
	}
	d.charge(g, cost)
	for i := f.lo / fragPageSize; i <= (f.hi-1)/fragPageSize; i++ {
		if g.pages[i] == nil {
			g.pages[i] = d.newPage()
		}
	}
	return true
}

func (d *Defragmenter) newPage() *fragPage {
	if n := len(d.pool.pages); n > 0 {
		p := d.pool.pages[n-1]
		d.pool.pages = d.pool.pages[:n-1]
		return p
	}
	return new(fragPage)
}

// kill gives a datagram up: its memory goes, but it stays known until it expires, so that its other fragments do not
// begin anew.
func (d *Defragmenter) kill(g *datagram) {
	d.strip(g)
	d.charge(g, datagramSize)
	g.dead = true
}

// free forgets a datagram.
func (d *Defragmenter) free(g *datagram) {
	d.table.remove(g)
	d.strip(g)
	g.dead = false
	d.pool.datagrams = append(d.pool.datagrams, g)
}

// strip gives back what a datagram holds.
func (d *Defragmenter) strip(g *datagram) {
	for i, p := range g.pages {
		if p != nil {
			d.pool.pages = append(d.pool.pages, p)
			g.pages[i] = nil
		}
	}
	d.pool.used -= g.charged
	g.charged, g.have, g.end, g.last = 0, 0, 0, false
	g.spans, g.header = g.spans[:0], g.header[:0]
	if cap(g.spans) > spansKept {
		g.spans = nil
	}
	if cap(g.header) > headerKept {
		g.header = nil
	}
}
