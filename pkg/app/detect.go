package app

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// settle tries to find the protocol of a stream's direction. It answers false while that is open: the caller keeps the
// bytes. The answer does not depend on how the bytes were split: a line that said No is not asked again, and the first
// line in order that says Yes wins, once all before it said No.
func (c *Conn) settle(t *Table, d flow.Direction, h Hint, data []byte, end bool) bool {
	if len(data) == 0 {
		if end && c.proto != layer.Unknown && c.proto != layer.Failed {
			c.protos[d] = c.proto // only the end came: the parser is told
		} else if end {
			c.finish(t, d)
		}
		return c.protos[d] != layer.Unknown
	}
	if c.first == none {
		c.first = of(d)
	}
	look := data[:min(len(data), detectDepth)]
	p, reverse, open := c.probe(t, tcp, d, h, look, end || len(look) == detectDepth)
	switch {
	case open:
		c.held[d] = true
		return false
	case p != layer.Unknown:
		if reverse {
			c.swap()
			d = d.Reverse()
		}
		c.found(t, d, h, p)
	case c.proto != layer.Unknown:
		c.events.Add(OneDirection)
		c.protos[d] = c.proto
	default:
		c.nothing(t, d, h, len(data))
	}
	c.held[d] = c.protos[d] == layer.Unknown
	return !c.held[d]
}

// probe asks the candidates. open means that more bytes may tell; reverse that these are the other direction's bytes.
func (c *Conn) probe(t *Table, transport transport, d flow.Direction, h Hint, data []byte, final bool) (p layer.Proto, reverse, open bool) {
	ports := [2]uint16{h.Server, h.Client}
	ways := 1
	if (h.Midstream || transport == udp) && c.proto == layer.Unknown && c.earlier == nil && !c.swapped {
		ways = 2
	}
	for way := range ways {
		as := d ^ flow.Direction(way)
		if c.proto != layer.Unknown && c.proto != layer.Failed { // the other direction's protocol first
			if a := t.ask(t.line[transport][c.proto], as, data, final); a != layer.No {
				return c.proto, false, a == layer.More
			}
		}
		for _, i := range t.candidates(transport, ports[way]) {
			if c.refused[d][way]>>i&1 != 0 {
				continue
			}
			switch t.ask(t.lines[i], as, data, final) {
			case layer.Yes:
				return t.lines[i].Proto, way == 1, false
			case layer.More:
				return layer.Unknown, false, true
			}
			c.refused[d][way] |= 1 << i
		}
	}
	return layer.Unknown, false, false
}

// ask is a line's answer; with final set there will not be more to judge by.
func (t *Table) ask(l *layer.Protocol, d flow.Direction, data []byte, final bool) layer.Answer {
	if l == nil || l.Probe == nil {
		return layer.No
	}
	a := l.Probe(d, data)
	if a == layer.More && final {
		return layer.No
	}
	return a
}

// found settles a direction whose bytes told the protocol.
func (c *Conn) found(t *Table, d flow.Direction, h Hint, p layer.Proto) {
	c.protos[d] = p
	switch {
	case c.proto == layer.Unknown && clientFirst(p) && c.first == of(flow.ToClient) && !h.Midstream && c.earlier == nil:
		c.events.Add(WrongFirst)
		c.fail(d)
	case c.proto == layer.Unknown:
		c.start(t, tcp, p)
		c.waiting(d)
	case p != c.proto:
		c.events.Add(Mismatch)
	}
}

// nothing notes that a direction's bytes tell nothing, and gives up when the other's cannot either.
func (c *Conn) nothing(t *Table, d flow.Direction, h Hint, n int) {
	switch {
	case h.Midstream && d == flow.ToServer: // the request's start is missing: what follows would be misread
		c.fail(d)
	case n >= detectHold:
		c.events.Add(Skipped)
		c.fail(d)
	default:
		c.finish(t, d)
	}
}

// finish notes that nothing can be found in a direction any more.
func (c *Conn) finish(t *Table, d flow.Direction) {
	c.done[d] = true
	if c.proto == layer.Unknown && c.done[d.Reverse()] {
		c.fail(d)
	}
}

// fail gives up.
func (c *Conn) fail(d flow.Direction) {
	c.proto = layer.Failed
	for i, p := range c.protos {
		if p == layer.Unknown {
			c.protos[i] = layer.Failed
		}
	}
	c.upgraded(layer.Failed)
	c.waiting(d)
}

// waiting gives the turn to the direction beside d, if it has bytes waiting.
func (c *Conn) waiting(d flow.Direction) {
	if c.held[d.Reverse()] {
		c.turn = of(d.Reverse())
	}
}

// start begins to parse.
func (c *Conn) start(t *Table, transport transport, p layer.Proto) {
	c.proto = p
	c.transport = transport
	c.parser = t.parser(transport, p)
	c.upgraded(p)
	for d, n := range c.missed {
		if n > 0 {
			c.protos[d] = p
		}
	}
	c.gaps()
}

// gaps tells the parser of the bytes that were missing before it was there.
func (c *Conn) gaps() {
	for d, n := range c.missed {
		c.missed[d] = 0
		if n > 0 && c.parser != nil && !c.stopped && !c.parser.Gap(flow.Direction(d), n) {
			c.stop()
		}
	}
}

// swap makes the client the server.
func (c *Conn) swap() {
	c.swapped = true
	c.refused = [2][2]uint32{}
	c.missed[0], c.missed[1] = c.missed[1], c.missed[0]
	c.done[0], c.done[1] = c.done[1], c.done[0]
	c.held[0], c.held[1] = c.held[1], c.held[0]
	if c.first != none {
		c.first ^= of(flow.ToServer) ^ of(flow.ToClient)
	}
}

// settleDatagram judges a direction by its first datagram.
func (c *Conn) settleDatagram(t *Table, d flow.Direction, h Hint, data []byte) {
	p, reverse, _ := c.probe(t, udp, d, h, data, true)
	switch {
	case p == layer.Unknown && c.proto == layer.Unknown:
		c.protos[d] = layer.Failed
		c.proto = layer.Failed
	case p == layer.Unknown:
		c.protos[d] = c.proto
	default:
		if reverse {
			c.swap()
			d = d.Reverse()
		}
		c.protos[d] = p
		if c.proto == layer.Unknown || c.proto == layer.Failed {
			c.start(t, udp, p)
		} else if p != c.proto {
			c.events.Add(Mismatch)
		}
	}
}
