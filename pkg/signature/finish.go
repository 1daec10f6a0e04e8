package signature

import (
	"citygate/pkg/app/layer"
)

// finish checks a rule as a whole and computes what follows from its parts:
//   - App: the one protocol to which all its buffers belong;
//   - ToServer, ToClient: the one direction in which its buffers have values, when flow names none;
//   - OnPacket, OnStream: what payload contents are matched on (see payload);
//   - IPOnly, ProtocolOnly: rules that are judged once, not packet by packet.
func (b *Builder) finish() error {
	if b.SID == 0 {
		return faultf("sid", "the rule has no sid: add one, such as sid:1000001;")
	}
	if err := b.FinishLists(); err != nil {
		return blame("content", err)
	}
	for _, step := range []func() error{b.restrictApp, b.direction, b.payload} {
		if err := step(); err != nil {
			return err
		}
	}
	if b.Flags&Bidirectional != 0 && b.Src.equal(&b.Dst) && equalPorts(b.SrcPort, b.DstPort) {
		b.Flags &^= Bidirectional // both ways are the same: once is enough
	}
	b.once()
	return nil
}

// restrictApp finds the protocol that a rule is of by its buffers. Where several are left, any of them will do.
func (b *Builder) restrictApp() error {
	var left [layer.Protos]bool
	seen := layer.Buffer(0)
	for _, l := range b.Lists {
		info := l.Buffer.Info()
		if l.Buffer.Packet() {
			continue
		}
		if b.App != layer.Unknown && !info.Is(b.App) {
			return faultf(info.Name, "the buffer is not of %s, which the rule is for", b.App)
		}
		n := 0
		for p := range left {
			left[p] = info.Is(layer.Proto(p)) && (seen == 0 || left[p])
			if left[p] {
				n++
			}
		}
		if n == 0 {
			return faultf(info.Name, "no protocol has both this buffer and %s", seen)
		}
		seen = l.Buffer
	}
	if seen == 0 {
		return nil
	}
	return b.onlyApp(left)
}

// onlyApp keeps the protocols that the header's protocol carries.
func (b *Builder) onlyApp(left [layer.Protos]bool) error {
	count, only := 0, layer.Unknown
	for p, ok := range left {
		t := b.Env.transports(layer.Proto(p))
		if ok && t.meets(&b.Protocols) && (b.App == layer.Unknown || b.App == layer.Proto(p)) {
			count, only = count+1, layer.Proto(p)
		}
	}
	switch count {
	case 0:
		return faultf("protocol", "the rule's buffers belong to a protocol that the header's protocol does not carry")
	case 1:
		b.App = only
	}
	return nil
}

// meets says whether two sets share a protocol.
func (p *Protocols) meets(o *Protocols) bool {
	for i := range p {
		if p[i]&o[i] != 0 {
			return true
		}
	}
	return false
}

// direction takes the direction from the buffers and refuses a rule that could never match.
func (b *Builder) direction() error {
	var request, response string
	for _, l := range b.Lists {
		switch info := l.Buffer.Info(); info.Way {
		case layer.Request:
			request = info.Name
		case layer.Response:
			response = info.Name
		}
	}
	if b.Flags&TransactionTwo != 0 {
		if b.App == layer.Unknown {
			return faultf("direction", "=> is about the transactions of a protocol: name the protocol or one of its buffers")
		}
		return nil
	}
	switch {
	case request != "" && response != "":
		return faultf(response, "is of responses and %s is of requests: write => to match both of one transaction", request)
	case request != "" && b.Flags&ToClient != 0:
		return faultf(request, "is of requests, but the rule says flow:to_client")
	case response != "" && b.Flags&ToServer != 0:
		return faultf(response, "is of responses, but the rule says flow:to_server")
	case request != "":
		b.Flags |= ToServer
	case response != "":
		b.Flags |= ToClient
	}
	return nil
}

// payload decides what payload contents of TCP are matched on, as Suricata does: keywords about packets, tcp-pkt and
// flow:no_stream mean packets; tcp-stream and flow:only_stream the stream; without any of them the stream, and with
// offset or depth or stream_size packets, too. Of
// other protocols there are only packets.
func (b *Builder) payload() error {
	tx, payload, header := "", false, false
	for _, l := range b.Lists {
		switch {
		case l.Buffer == layer.Payload || l.Buffer == layer.Base64Data:
			payload = true
		case l.Buffer.Packet():
			header = true
			b.needsPacket = l.Buffer.Info().Name
		default:
			tx = l.Buffer.Info().Name
		}
	}
	if tx == "" && b.Flags&AppEvent != 0 && b.App != layer.Unknown {
		tx = "app-layer-event"
	}
	stream := b.Flags&(OnStream|OnlyStream) != 0
	packet := b.Flags&(OnPacket|NoStream) != 0 || b.needsPacket != ""
	switch {
	case tx != "" && b.needsPacket != "":
		return faultf(b.needsPacket, "is about single packets, but %s is about transactions: make two rules with flowbits", tx)
	case packet && stream:
		name := b.needsPacket
		if name == "" {
			name = "flow"
		}
		return faultf(name, "is about single packets, but the rule is about the stream only")
	case packet || header:
		b.Flags |= OnPacket
	case stream:
		b.Flags |= OnStream
	case payload && b.Protocols.Has(ipTCP):
		b.Flags |= OnStream
		if b.placed() {
			b.Flags |= OnPacket
		}
	case payload:
		b.Flags |= OnPacket
	}
	return nil
}

// placed says whether a payload content has a place in its packet, or the stream's size counts.
func (b *Builder) placed() bool {
	for _, l := range b.Lists {
		if l.Buffer != layer.Payload {
			continue
		}
		for _, m := range l.Matches {
			if m.Kind == kindContent && m.Flags&(flagOffset|flagDepth|flagStarts) != 0 {
				return true
			}
		}
	}
	for _, m := range b.Packet {
		if keywordIs(m.Kind, "stream_size") {
			return true
		}
	}
	return false
}

// once finds the rules that need not be judged packet by packet. Negated addresses are judged packet by packet, as
// Suricata does.
func (b *Builder) once() {
	const flow = ToServer | ToClient | Established | NotEstablished | Stateless | OnlyStream | NoStream | OnlyFrag | NoFrag |
		OnPacket | OnStream | DecodeEvent | AppEvent | TransactionTwo
	if b.App != layer.Unknown || len(b.Lists) > 0 {
		return
	}
	if len(b.Packet) == 0 {
		if b.Flags&flow == 0 && !b.negated && b.SrcPort.Any() && b.DstPort.Any() {
			b.Flags |= IPOnly
		}
		return
	}
	for _, m := range b.Packet {
		if !keywordIs(m.Kind, "app-layer-protocol") {
			return
		}
	}
	b.Flags |= ProtocolOnly
}

func equalPorts(a, b Ports) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func keywordIs(kind uint16, name string) bool {
	return keywords[kind].Name == name
}
