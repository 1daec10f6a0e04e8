package reassembly

import (
	"time"

	"citygate/pkg/packet"
)

// Limits of a Defragmenter that its configuration leaves at 0.
const (
	DefaultFragmentTimeout = 60 * time.Second // the longest that common stacks keep fragments
	DefaultMaxDatagrams    = 8192             // each holds a page at least: with it the memory is the limit
	DefaultMaxFragments    = 1024             // 8 bytes each is the smallest; 64 KiB in packets of 1500 bytes are 45
	DefaultFragmentMemory  = 32 << 20         // Suricata's defrag.memcap
)

// DefragConfig says how fragments are put together. A limit of 0 is the default above.
type DefragConfig struct {
	// Inline is for a defragmenter whose Drop is obeyed. Then the receiver gets just what was put together here: the
	// first copy wins whatever Policy says, an IPv4 fragment that differs from it is dropped, an IPv6 datagram with an
	// overlap is dropped from there on (RFC 5722), and what does not fit the limits is dropped too.
	Inline bool
	Policy Policy
	// Checksums ignores fragments whose IPv4 header has a wrong checksum, as every receiver does.
	Checksums    bool
	Timeout      time.Duration // of a datagram, from its first fragment on
	MaxDatagrams int           // that wait for fragments
	MaxFragments int           // pieces of one datagram
	MaxMemory    int64         // bytes, in all
}

// DefragCounters count what happened to fragments, and what is held.
type DefragCounters struct {
	Fragments   uint64 // seen
	Reassembled uint64 // datagrams that became whole
	Overlaps    uint64 // fragments that cover bytes which were there
	Differing   uint64 // of these, with other bytes
	Duplicates  uint64 // of these, the same fragment again
	Conflicts   uint64 // fragments that contradict where the datagram ends
	TooLarge    uint64 // fragments or datagrams beyond 65,535 bytes
	Empty       uint64 // fragments without data
	Uneven      uint64 // fragments but the last whose length is not a multiple of 8
	Tiny        uint64 // first fragments that do not hold the transport header (RFC 1858, 3; RFC 7112, 5)
	TooMany     uint64 // datagrams given up because they came in too many pieces
	BadChecksum uint64 // fragments ignored for their header's checksum
	Evicted     uint64 // datagrams that made room for newer ones
	Refused     uint64 // fragments for which there was no room
	Expired     uint64 // datagrams that did not become whole in time
	Dead        uint64 // fragments of a datagram that was given up
	Dropped     uint64 // results with Drop
	Datagrams   int    // held now
	Memory      int64  // bytes held now
}

// DefragResult is what became of a fragment.
type DefragResult struct {
	// Datagram is the whole IP packet that the fragment completed: its header is that of the first fragment without what
	// told of the fragmentation, with its length and checksum set. It is valid until the next Add; nil if there is none.
	Datagram []byte
	Events   packet.Events
	// Drop says that the fragment must not pass; only in line.
	Drop bool
}

// Defragmenter puts fragments of IPv4 and IPv6 together. It is not safe for concurrent use.
type Defragmenter struct {
	c     DefragConfig
	now   time.Time // of the call in hand
	count DefragCounters
	table fragTable
	pool  fragPool
	fresh []fragSpan // scratch of insert
	out   []byte     // scratch of build
}

// NewDefragmenter makes a defragmenter.
func NewDefragmenter(c DefragConfig) *Defragmenter {
	if c.Timeout <= 0 {
		c.Timeout = DefaultFragmentTimeout
	}
	if c.MaxDatagrams <= 0 {
		c.MaxDatagrams = DefaultMaxDatagrams
	}
	if c.MaxFragments <= 0 {
		c.MaxFragments = DefaultMaxFragments
	}
	if c.MaxMemory <= 0 {
		c.MaxMemory = DefaultFragmentMemory
	}
	if c.Inline {
		c.Policy = PolicyFirst
	}
	return &Defragmenter{c: c, table: newFragTable(c.MaxDatagrams), out: make([]byte, 0, 40+1<<16)}
}

// Counters gives the counters.
func (d *Defragmenter) Counters() DefragCounters {
	c := d.count
	c.Datagrams, c.Memory = d.table.n, d.pool.used
	return c
}

// Add takes a fragment, as packet.Decoder.DecodeLink gives it: h.Fragment is set. Anything else gives the zero result,
// an atomic IPv6 fragment too, which stands for itself (RFC 6946).
func (d *Defragmenter) Add(h *packet.Headers, now time.Time) (r DefragResult) {
	if !h.Fragment || len(h.Network) < 20 {
		return r
	}
	d.count.Fragments++
	d.now = now
	if !d.sound(h, &r) {
		r.Drop = d.c.Inline
	} else {
		d.place(h, &r)
	}
	if r.Drop {
		d.count.Dropped++
	}
	return r
}

// sound looks at the fragment alone. It reports whether a receiver would take it.
func (d *Defragmenter) sound(h *packet.Headers, r *DefragResult) bool {
	end := h.Offset + len(h.Payload)
	switch {
	case d.c.Checksums && h.IPv4Checksum() == packet.ChecksumInvalid:
		d.count.BadChecksum++
	case len(h.Payload) == 0:
		d.count.Empty++
	case h.IPVersion == 4 && end > 65535-20:
		d.count.TooLarge++
		r.Events.Add(packet.IPv4FragTooLarge)
	case h.IPVersion == 6 && end > 65535:
		d.count.TooLarge++
		r.Events.Add(packet.IPv6FragTooLarge)
	case h.MoreFragments && end%8 != 0:
		d.count.Uneven++
		if h.IPVersion == 6 { // RFC 8200, 4.5: discarded
			r.Events.Add(packet.IPv6FragInvalidLength)
			return false
		}
		return !d.c.Inline && len(h.Payload) >= 8 // Linux cuts it, others discard it
	default:
		return true
	}
	return false
}

// place adds a sound fragment to its datagram.
func (d *Defragmenter) place(h *packet.Headers, r *DefragResult) {
	key := keyOf(h)
	g := d.table.find(&key)
	if g != nil && d.old(g) {
		d.count.Expired++
		d.free(g)
		g = nil
	}
	if g == nil {
		if g = d.open(&key); g == nil {
			d.refuse(h, r)
			return
		}
	}
	if g.dead {
		d.count.Dead++
		r.Drop = d.c.Inline
		return
	}
	f := fragmentOf(h)
	if d.conflicts(g, &f) {
		d.count.Conflicts++
		d.ignored(h, r)
		d.overlap(h, g, &f, r)
		r.Drop = d.c.Inline
		return
	}
	if !d.overlap(h, g, &f, r) {
		return
	}
	d.store(h, g, &f, r)
}

// store puts a fragment into its datagram, and builds the packet if that is whole.
func (d *Defragmenter) store(h *packet.Headers, g *datagram, f *fragment, r *DefragResult) {
	if len(g.spans) >= d.c.MaxFragments {
		d.count.TooMany++
		d.kill(g)
		d.ignored(h, r)
		r.Drop = d.c.Inline
		return
	}
	if !d.reserve(g, f) {
		d.refuse(h, r)
		return
	}
	d.insert(g, f)
	if f.lo == 0 && f.tiny(h) {
		d.count.Tiny++
	}
	if !f.more {
		g.end, g.last = f.hi, true
	}
	if g.last && g.have == g.end {
		d.build(g, h, r)
		d.free(g)
	}
}

// conflicts says whether a fragment contradicts where the datagram ends: there is one end, and nothing lies beyond it.
func (d *Defragmenter) conflicts(g *datagram, f *fragment) bool {
	if g.last && (f.hi > g.end || !f.more && f.hi != g.end) {
		return true
	}
	return !f.more && len(g.spans) > 0 && g.spans[len(g.spans)-1].to > f.hi
}

// refuse answers a fragment for which there is no room.
func (d *Defragmenter) refuse(h *packet.Headers, r *DefragResult) {
	d.count.Refused++
	d.ignored(h, r)
	r.Drop = d.c.Inline
}

func (d *Defragmenter) ignored(h *packet.Headers, r *DefragResult) {
	if h.IPVersion == 4 {
		r.Events.Add(packet.IPv4FragIgnored)
	} else {
		r.Events.Add(packet.IPv6FragIgnored)
	}
}

// old says whether a datagram has waited too long.
func (d *Defragmenter) old(g *datagram) bool { return d.now.Sub(g.since) > d.c.Timeout }

// Expire gives up the datagrams that have waited too long.
func (d *Defragmenter) Expire(now time.Time) {
	d.now = now
	for g := d.table.oldest; g != nil && d.old(g); g = d.table.oldest {
		d.count.Expired++
		d.free(g)
	}
}
