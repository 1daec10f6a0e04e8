package reassembly

import (
	"bytes"
	"time"

	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

// fragPageSize divides a datagram: a piece of Ethernet's size fits, and a lone piece far behind costs one page only.
const fragPageSize = 2048

// fragPages is how many pages the largest datagram has.
const fragPages = (1<<16 + fragPageSize - 1) / fragPageSize

type fragPage [fragPageSize]byte

// datagram is what has come of an IP packet.
type datagram struct {
	key          fragKey
	chain        *datagram // of the same hash
	newer, older *datagram // in the order of their first fragments
	since        time.Time
	pages        [fragPages]*fragPage
	spans        []fragSpan // what is there: in order, apart from each other
	have         int        // bytes in spans
	end          int        // where the datagram ends, if last
	last         bool       // the last fragment has come
	dead         bool       // given up: the rest of it is ignored until it expires
	header       []byte     // of the first fragment
	charged      int64      // memory
}

// fragSpan is a range of bytes that are there, and the range of the fragment that brought them.
type fragSpan struct{ from, to, lo, hi int }

// fragSpanSize is what a fragSpan counts for, bytes.
const fragSpanSize = 32

// fragment is a fragment in hand.
type fragment struct {
	lo, hi int // of its data in the datagram
	more   bool
	data   []byte
	header []byte
}

// fragmentOf reads a fragment. Of an uneven one that is not the last the odd bytes are cut off, as Linux does.
func fragmentOf(h *packet.Headers) fragment {
	data := h.Payload
	if h.MoreFragments {
		data = data[:len(data)&^7]
	}
	return fragment{h.Offset, h.Offset + len(data), h.MoreFragments, data, h.Network}
}

// tiny says that the transport header is not in the first fragment, so that a filter without memory cannot see it.
func (f *fragment) tiny(h *packet.Headers) bool {
	least := 8
	proto := h.Tuple.Proto
	if h.IPVersion == 6 {
		proto = flow.Proto(h.Network[len(h.Network)-8])
	}
	if proto == flow.TCP {
		least = 20
	}
	return f.more && f.hi < least
}

// touched is the range of spans that a fragment overlaps.
func (g *datagram) touched(f *fragment) (i, j int) {
	n := len(g.spans)
	if n == 0 || g.spans[n-1].to <= f.lo {
		return n, n // in order
	}
	for low, high := 0, n; low < high; i = low {
		if mid := (low + high) / 2; g.spans[mid].to <= f.lo {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for j = i; j < n && g.spans[j].from < f.hi; j++ {
	}
	return i, j
}

// same says whether the bytes that are there from from to to are those of the fragment.
func (g *datagram) same(f *fragment, from, to int) bool {
	for at := from; at < to; {
		page := g.pages[at/fragPageSize]
		off := at % fragPageSize
		n := min(to-at, fragPageSize-off)
		if !bytes.Equal(page[off:off+n], f.data[at-f.lo:at-f.lo+n]) {
			return false
		}
		at += n
	}
	return true
}

// write copies bytes of the fragment into the pages, which reserve has made.
func (g *datagram) write(f *fragment, from, to int) {
	for at := from; at < to; {
		at += copy(g.pages[at/fragPageSize][at%fragPageSize:], f.data[at-f.lo:to-f.lo])
	}
}

// overlap looks at what the fragment covers that is there already. It reports whether to store the fragment.
func (d *Defragmenter) overlap(h *packet.Headers, g *datagram, f *fragment, r *DefragResult) bool {
	i, j := g.touched(f)
	if i == j {
		return true
	}
	d.count.Overlaps++
	r.Events.Add(overlapEvent(h))
	same := true
	for _, s := range g.spans[i:j] {
		same = same && g.same(f, max(s.from, f.lo), min(s.to, f.hi))
	}
	if !same {
		d.count.Differing++
	}
	again := same && j == i+1 && g.spans[i].lo == f.lo && g.spans[i].hi == f.hi
	if again {
		d.count.Duplicates++
	}
	if !d.c.Inline {
		return !again || !f.more // nothing new, but perhaps the end
	}
	return d.overlapInline(h, g, r, same, again)
}

// overlapInline decides for a receiver that gets what passes here. Of a datagram whose pieces never differ every stack
// makes the same, so that in IPv4 the equal ones may pass.
func (d *Defragmenter) overlapInline(h *packet.Headers, g *datagram, r *DefragResult, same, again bool) bool {
	if h.IPVersion == 4 {
		r.Drop = !same
		return same
	}
	r.Drop = true
	if !again { // RFC 5722; RFC 8200, 4.5 lets an exact duplicate be dropped alone
		d.kill(g)
	}
	return false
}

func overlapEvent(h *packet.Headers) packet.Event {
	if h.IPVersion == 4 {
		return packet.IPv4FragOverlap
	}
	return packet.IPv6FragOverlap
}

// insert puts the fragment among the spans. Where it meets others the policy decides.
func (d *Defragmenter) insert(g *datagram, f *fragment) {
	i, j := g.touched(f)
	d.fresh = d.fresh[:0]
	at, first := f.lo, true
	for _, s := range g.spans[i:j] {
		from, to := max(s.from, f.lo), min(s.to, f.hi)
		d.gain(g, f, at, from)
		if d.c.Policy.newer(f, s) {
			d.keep(s, s.from, from)
			g.have -= to - from
			d.gain(g, f, from, to)
			d.keep(s, to, s.to)
		} else {
			d.keep(s, s.from, s.to)
			first = first && from != 0
		}
		at = to
	}
	d.gain(g, f, at, f.hi)
	g.replace(i, j, d.fresh)
	if f.lo == 0 && first {
		g.header = append(g.header[:0], f.header...)
	}
}

// gain gives the fragment a range.
func (d *Defragmenter) gain(g *datagram, f *fragment, from, to int) {
	if from >= to {
		return
	}
	g.write(f, from, to)
	g.have += to - from
	if n := len(d.fresh); n > 0 && d.fresh[n-1].to == from && d.fresh[n-1].lo == f.lo && d.fresh[n-1].hi == f.hi {
		d.fresh[n-1].to = to
		return
	}
	d.fresh = append(d.fresh, fragSpan{from, to, f.lo, f.hi})
}

// keep leaves a part of an older span.
func (d *Defragmenter) keep(s fragSpan, from, to int) {
	if from < to {
		d.fresh = append(d.fresh, fragSpan{from, to, s.lo, s.hi})
	}
}

// replace puts others in the place of the spans from i to j.
func (g *datagram) replace(i, j int, others []fragSpan) {
	n, grow := len(g.spans), len(others)-(j-i)
	for range grow {
		g.spans = append(g.spans, fragSpan{})
	}
	copy(g.spans[j+grow:], g.spans[j:n])
	g.spans = g.spans[:n+grow]
	copy(g.spans[i:], others)
}
