package main

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"citygate/pkg/flow"
	"citygate/testlab/forge"
)

// play adds a story to a capture.
func (s *story) play(c *forge.Capture) {
	for _, e := range s.earlier {
		// Ports of their own, so that it is another connection.
		t := *e
		t.client = netip.AddrPortFrom(e.client.Addr(), e.client.Port()^0x2000)
		t.play(c)
	}
	for i := range max(1, s.repeat) {
		t := *s
		port := uint16(int(s.client.Port()) + i)
		if other := netip.AddrPortFrom(s.client.Addr(), port); s.rule.takes(t.moved(other)) == s.rule.takes(s.src, s.dst) {
			t.client = other
		}
		t.once(c)
		c.Wait(5 * time.Millisecond)
	}
}

// moved are source and destination if the client were another.
func (s *story) moved(client netip.AddrPort) (src, dst netip.AddrPort) {
	if s.src == s.client {
		return client, s.dst
	}
	return s.src, client
}

func (s *story) once(c *forge.Capture) {
	switch {
	case s.family == icmp:
		s.echo(c)
	case s.family == plainIP:
		c.IP(forge.Packet{Src: s.src.Addr(), Dst: s.dst.Addr(), Proto: uint8(s.rule.ipProto), Payload: s.all()})
	case s.family == rawUDP || s.family == names && !strings.HasPrefix(s.rule.proto, "tcp"):
		s.datagrams(c)
	default:
		s.connection(c)
	}
}

// all is what the rule's side says.
func (s *story) all() (out []byte) {
	for _, t := range s.turns {
		out = append(out, t.data...)
	}
	return out
}

// echo is an ICMP message (RFC 792).
func (s *story) echo(c *forge.Capture) {
	b := []byte{byte(max(0, s.rule.itype)), byte(max(0, s.rule.icode)), 0, 0, 0, 7, 0, 1}
	if s.rule.itype < 0 {
		b[0] = 8
	}
	b = append(b, s.all()...)
	binary.BigEndian.PutUint16(b[2:], forge.Checksum(b, 0))
	c.IP(forge.Packet{Src: s.src.Addr(), Dst: s.dst.Addr(), Proto: 1, Payload: b})
}

func (s *story) datagrams(c *forge.Capture) {
	send := func(t turn) {
		if t.from == flow.ToServer {
			c.UDP(s.client, s.server, t.data)
		} else {
			c.UDP(s.server, s.client, t.data)
		}
	}
	first := s.turns
	for _, b := range s.before {
		first = b.turns
	}
	if first[0].from == flow.ToClient || s.rule.flow["established"] && s.family == rawUDP {
		send(turn{flow.ToServer, []byte("vv")})
		if s.rule.flow["established"] {
			send(turn{flow.ToClient, []byte("ww")})
		}
	}
	for _, b := range s.before {
		for _, t := range b.turns {
			send(t)
		}
	}
	for _, t := range s.turns {
		send(t)
	}
}

// connection is a TCP connection. A rule that wants odd flags gets one segment with them.
func (s *story) connection(c *forge.Capture) {
	if f := s.rule.oddFlags(); f != 0 {
		k := c.TCP(s.src, s.dst)
		if s.rule.flow["established"] {
			k.Handshake()
		}
		var data []byte
		if s.rule.has("payload", "packet") {
			data = s.all()
		}
		k.Put(forge.Segment{Data: data, Flags: f, NoAck: true})
		return
	}
	k := c.Open(s.client, s.server)
	for _, b := range append(s.before[:len(s.before):len(s.before)], s) {
		for _, t := range b.turns {
			k.Send(t.from, t.data, 0)
		}
	}
	k.Close()
}

// oddFlags are the flags that a rule asks for, if a usual connection would have no such segment; 0 otherwise.
func (r *rule) oddFlags() (f uint8) {
	want, _, _ := strings.Cut(r.flags, ",")
	for _, c := range want {
		switch c {
		case 'F':
			f |= forge.FIN
		case 'S':
			f |= forge.SYN
		case 'R':
			f |= forge.RST
		case 'P':
			f |= forge.PSH
		case 'A':
			f |= forge.ACK
		case 'U':
			f |= forge.URG
		}
	}
	switch f {
	case forge.SYN, forge.ACK, forge.ACK | forge.PSH, forge.SYN | forge.ACK, forge.FIN | forge.ACK:
		if !r.has("payload", "packet") || f&forge.SYN == 0 {
			return 0
		}
	}
	return f
}
