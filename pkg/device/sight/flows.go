package sight

import (
	"net/netip"
	"time"

	"citygate/pkg/datapath/reader"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/verdict"
)

// Idle is how long a flow is silent before its event is written.
const Idle = 60 * time.Second

// maxFlows bounds the flows of a bridge that are followed; flows beyond it have no event, and are counted.
const maxFlows = 8192

// Flows follows a bridge's flows from one scan of the data path's cache to the next.
type Flows struct {
	bridge Bridge
	names  *Names
	rows   map[flowKey]*conversation
	scan   uint32
	total  uint32 // directions in the cache at the last scan
	missed uint64 // directions that found no room in the last scan
}

// NewFlows makes an empty table.
func NewFlows(b Bridge, n *Names) *Flows {
	return &Flows{bridge: b, names: n, rows: map[flowKey]*conversation{}}
}

// flowKey is both directions of a flow: lo is the lesser end.
type flowKey struct {
	lo, hi netip.AddrPort
	vlan   flow.VLAN
	proto  flow.Proto
}

// keyOf gives a direction's key, and 0 if it goes from lo to hi, else 1. The port of an echo is its identifier, which
// both directions have as source port.
func keyOf(f *reader.Flow) (flowKey, int) {
	t := f.Tuple
	if t.Proto == flow.ICMP || t.Proto == flow.ICMPv6 {
		t.DstPort = t.SrcPort
	}
	k := flowKey{netip.AddrPortFrom(t.Src, t.SrcPort), netip.AddrPortFrom(t.Dst, t.DstPort), f.VLAN, t.Proto}
	if k.lo.Compare(k.hi) > 0 {
		k.lo, k.hi = k.hi, k.lo
		return k, 1
	}
	return k, 0
}

// conversation is a flow since its last event.
type conversation struct {
	way  [2]direction
	scan uint32 // when it was last in the cache
}

// direction is what the kernel counted of one direction (now), and what of it no event has told yet.
type direction struct {
	now           reader.Flow
	frames, bytes uint64
	first         time.Duration // CLOCK_MONOTONIC of the first frame that is not told
}

// Scan reads all flows and gives the events of those that ended: silent for Idle, or gone from the cache.
func (fs *Flows) Scan(read func(func(reader.Flow) bool) error, now Moment) ([]event.Event, error) {
	fs.scan++
	fs.total, fs.missed = 0, 0
	err := read(func(f reader.Flow) bool {
		fs.total++
		fs.take(&f, now)
		return true
	})
	if err != nil { // what was not read is not gone
		return nil, err
	}
	var ended []event.Event
	for key, c := range fs.rows {
		gone := c.scan != fs.scan
		if c.untold() && (gone || now.Boot-c.last() > Idle) {
			ended = append(ended, fs.event(c, now))
			c.forget()
		}
		if gone {
			delete(fs.rows, key)
		}
	}
	return ended, nil
}

// take adds what a direction moved since the last scan. The kernel begins anew when it takes a flow into its cache again.
func (fs *Flows) take(f *reader.Flow, now Moment) {
	key, i := keyOf(f)
	c := fs.rows[key]
	if c == nil {
		if len(fs.rows) >= maxFlows {
			fs.missed++
			return
		}
		c = &conversation{}
		fs.rows[key] = c
	}
	c.scan = fs.scan
	d := &c.way[i]
	before := d.now
	d.now = *f
	switch {
	case before.First != f.First || before.Frames > f.Frames:
		if before.Frames == 0 && now.Boot-f.Last > Idle {
			return // it ended before this process began, which may have told it
		}
		before.Frames, before.Bytes = 0, 0
		if d.frames == 0 {
			d.first = f.First
		}
	case f.Frames == before.Frames:
		return
	case d.frames == 0:
		d.first = f.Last
	}
	d.frames += f.Frames - before.Frames
	d.bytes += f.Bytes - before.Bytes
}

func (c *conversation) untold() bool { return c.way[0].frames > 0 || c.way[1].frames > 0 }

func (c *conversation) last() time.Duration { return max(c.way[0].now.Last, c.way[1].now.Last) }

func (c *conversation) forget() {
	for i := range c.way {
		c.way[i].frames, c.way[i].bytes = 0, 0
	}
}

// client says which way goes from client to server: the one that is no answer; of two such, the one that came first.
func (c *conversation) client() int {
	a, b := c.way[0].now, c.way[1].now
	switch {
	case b.Frames == 0:
		return answer(a, 0)
	case a.Frames == 0:
		return answer(b, 1)
	case a.Reply != b.Reply:
		return answer(a, 0)
	case b.First < a.First:
		return 1
	}
	return 0
}

// answer is the other way if f is an answer.
func answer(f reader.Flow, way int) int {
	if f.Reply {
		return 1 - way
	}
	return way
}

// reverse is the other direction's tuple; an echo's identifier stays where it is.
func reverse(t flow.FiveTuple) flow.FiveTuple {
	if t.Proto == flow.ICMP || t.Proto == flow.ICMPv6 {
		t.Src, t.Dst = t.Dst, t.Src
		return t
	}
	return t.Reverse()
}

// event tells a conversation.
func (fs *Flows) event(c *conversation, now Moment) event.Event {
	client := c.client()
	to, from := c.way[client], c.way[1-client]
	e := &event.Flow{
		Tuple: to.now.Tuple, VLAN: to.now.VLAN, Side: to.now.Side, Generation: to.now.Generation,
		FramesToServer: to.frames, BytesToServer: to.bytes, FramesToClient: from.frames, BytesToClient: from.bytes,
		State: event.FlowEstablished, EndReason: event.FlowTimeout, Verdict: verdict.Pass, Reason: verdict.ReasonPolicy,
		TCPToServer: to.now.TCPFlags, TCPToClient: from.now.TCPFlags,
	}
	if to.now.Frames == 0 { // only the answer is in the cache
		e.Tuple, e.VLAN, e.Side, e.Generation = reverse(from.now.Tuple), from.now.VLAN, 1-from.now.Side, from.now.Generation
		e.Reason = verdict.ReasonReply
	}
	if to.frames == 0 || from.frames == 0 {
		e.State = event.FlowNew
	}
	if (to.now.TCPFlags|from.now.TCPFlags)&(packet.FIN|packet.RST) != 0 {
		e.State = event.FlowClosed
	}
	start, end := to.first, c.last()
	if to.frames == 0 || from.frames > 0 && from.first < start {
		start = from.first
	}
	fs.name(e, to.now, from.now)
	e.Header = fs.bridge.head(now, e.Side)
	e.Start, e.End = now.at(start).Wall, now.at(end).Wall
	return e
}

// name fills in what the policy calls the ends, the service and the line.
func (fs *Flows) name(e *event.Flow, to, from reader.Flow) {
	client, server, known := to.From, to.To, to
	if to.Frames == 0 {
		client, server, known = from.To, from.From, from
	}
	e.Client, e.Server = fs.names.Device(client), fs.names.Device(server)
	e.Service = fs.names.Service(known.Service, known.Generation)
	e.PolicyLine = fs.names.Rule(known.Rule, known.Generation)
}
