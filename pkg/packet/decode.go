package packet

import (
	"encoding/binary"
	"net/netip"

	"citygate/pkg/flow"
)

// maxLayers bounds the headers that one decoding follows: MPLS may carry Ethernet again and again.
const maxLayers = 16

// Decoder decodes one frame after the other without allocating. It is not safe for concurrent use.
type Decoder struct {
	malformed Malformed

	// Of the frame in hand: the headers so far, what follows them as far as it was captured, how long that was on the
	// wire, and what ended the decoding. In the engine's view nothing but the captured bytes counts.
	h      Headers
	rest   []byte
	left   int
	fault  Event
	strict bool
	layers int
}

// NewDecoder makes a decoder.
func NewDecoder() *Decoder { return new(Decoder) }

// Decode reads the headers of an Ethernet frame in the strict view. Data are its first bytes, length is how many it had
// on the wire: a header that goes on beyond data is Cut, one that goes on beyond the wire is an error. It follows at
// most two VLAN tags and no tunnel, and refuses what the data path refuses. The error is a *Malformed.
func (d *Decoder) Decode(data []byte, length int) (Headers, error) {
	d.start(data, max(length, len(data)), true)
	d.ethernet()
	if d.fault != EventNone {
		return d.fail()
	}
	d.ports()
	d.h.Payload = d.rest
	return d.h, nil
}

// DecodeLink reads the headers of a frame that begins with a header of link, in the engine's view: what is odd but
// readable stands in Headers.Events, and PPPoE sessions, MPLS, up to three VLAN tags and the headers of tunnels are
// followed. Data that end before the IP packet does are an error, as in Suricata; length, how many bytes the frame had
// on the wire, only says whether they were Cut. The error is a *Malformed, or a *LinkError.
func (d *Decoder) DecodeLink(link LinkType, data []byte, length int) (Headers, error) {
	d.start(data, len(data), false)
	d.h.Cut = length > len(data)
	if !d.first(link) {
		return Headers{}, &LinkError{uint32(link)}
	}
	if d.fault != EventNone {
		return d.fail()
	}
	d.h.Payload = d.rest
	return d.h, nil
}

func (d *Decoder) start(data []byte, length int, strict bool) {
	d.h = Headers{}
	d.rest, d.left = data, length
	d.fault, d.strict, d.layers = EventNone, strict, 0
}

// fail gives the fault. In the engine's view a header that is broken has no ports and no flags.
func (d *Decoder) fail() (Headers, error) {
	d.h.Events.Add(d.fault)
	if !d.strict && d.h.Transport == nil {
		d.h.Tuple.SrcPort, d.h.Tuple.DstPort, d.h.TCP = 0, 0, TCP{}
	}
	d.malformed = Malformed{Event: d.fault.EVE(), Code: d.fault, Headers: d.h}
	return Headers{}, &d.malformed
}

// first reads the header of link and what follows. It reports whether it knows link.
func (d *Decoder) first(link LinkType) bool {
	switch link {
	case LinkEthernet:
		d.ethernet()
	case LinkRaw:
		d.rawIP()
	case LinkIPv4:
		d.ipv4()
	case LinkIPv6:
		d.ipv6()
	case LinkVLAN:
		d.vlan()
	case LinkSLL:
		d.sll()
	case LinkSLL2:
		d.sll2()
	case LinkNull, LinkLoop:
		d.null(link)
	case LinkPPP:
		d.ppp()
	default:
		return false
	}
	return true
}

// need says whether n bytes of the next header are there. If not, decoding ends: with the event, or because only the
// captured bytes end too early.
func (d *Decoder) need(n int, event Event) bool {
	if len(d.rest) >= n {
		return true
	}
	if d.left >= n {
		d.h.Cut = true
	} else {
		d.fault = event
	}
	return false
}

// step goes on behind a header of n bytes, all of them captured.
func (d *Decoder) step(n int) { d.rest, d.left = d.rest[n:], d.left-n }

// either is an event that the two views name differently.
func (d *Decoder) either(engine, strict Event) Event {
	if d.strict {
		return strict
	}
	return engine
}

// odd notes an event that ends the decoding only in the strict view. It reports whether to go on.
func (d *Decoder) odd(e Event) bool {
	d.h.Events.Add(e)
	if d.strict {
		d.fault = e
	}
	return !d.strict
}

// ports fills in what a fragment or a cut header shows of its ports.
func (d *Decoder) ports() {
	if (d.h.Fragment || d.h.Cut) && d.h.Offset == 0 && len(d.rest) >= 4 && d.h.Tuple.SrcPort == 0 &&
		(d.h.Tuple.Proto == flow.TCP || d.h.Tuple.Proto == flow.UDP) {
		d.h.Tuple.SrcPort = binary.BigEndian.Uint16(d.rest)
		d.h.Tuple.DstPort = binary.BigEndian.Uint16(d.rest[2:])
	}
}

func addr4(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b)) }
