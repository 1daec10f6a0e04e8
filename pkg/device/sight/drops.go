package sight

import (
	"citygate/pkg/datapath/reader"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/verdict"
)

// maxDrops bounds the events that are gathered in a Window.
const maxDrops = 4096

// drops gathers dropped frames: those alike but for the source port are one event. When the table is full, a frame is
// counted as suppressed by the last event of its reason; a reason that has none may still add one, so none is lost.
type drops struct {
	held  []event.Event
	alike map[dropKey]*event.Drop
	last  map[reasonKey]*event.Drop
}

type dropKey struct {
	reasonKey
	src, dst flow.MAC
	vlan     flow.VLAN
	tuple    flow.FiveTuple // without the source port
}

type reasonKey struct {
	bridge string
	reason verdict.Reason
	would  bool
}

func newDrops() drops {
	return drops{alike: map[dropKey]*event.Drop{}, last: map[reasonKey]*event.Drop{}}
}

func (ds *drops) add(b Bridge, when Moment, s reader.Sample, h *packet.Headers, device string) {
	tuple := h.Tuple
	if h.ARP.Op != 0 {
		tuple = flow.FiveTuple{Src: h.ARP.Sender, Dst: h.ARP.Target}
	}
	key := dropKey{
		reasonKey: reasonKey{b.Name, s.Reason, s.Kind == reader.SampleWouldDrop},
		src:       h.Src, dst: h.Dst, vlan: h.VLAN, tuple: tuple,
	}
	key.tuple.SrcPort = 0
	if d := ds.alike[key]; d != nil {
		d.Count++
		d.Suppressed += s.Suppressed
		return
	}
	if d := ds.last[key.reasonKey]; d != nil && len(ds.held) >= maxDrops {
		d.Suppressed += 1 + s.Suppressed
		return
	}
	d := &event.Drop{
		Header: b.head(when, s.Side), Tuple: tuple, VLAN: h.VLAN, SrcMAC: h.Src, DstMAC: h.Dst, EtherType: h.EtherType,
		Side: s.Side, Reason: s.Reason, WouldDrop: key.would, Count: 1, Suppressed: s.Suppressed, Length: s.Length,
		Device: device, TTL: h.TTL, ICMPType: h.ICMPType, ICMPCode: h.ICMPCode, TCPFlags: h.TCP.Flags,
	}
	ds.held = append(ds.held, d)
	ds.alike[key], ds.last[key.reasonKey] = d, d
}

// take empties the table, in the order of arrival.
func (ds *drops) take() []event.Event {
	held := ds.held
	ds.held = nil
	clear(ds.alike)
	clear(ds.last)
	return held
}
