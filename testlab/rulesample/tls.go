package main

import (
	"encoding/binary"
	"slices"

	"citygate/pkg/flow"
)

// record is a TLS record (RFC 5246, 6.2.1) with one handshake message.
func record(kind byte, body []byte) []byte {
	be := binary.BigEndian
	msg := []byte{kind, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}
	msg = append(msg, body...)
	var out []byte
	for len(msg) > 0 {
		n := min(len(msg), 16000)
		out = append(be.AppendUint16(append(out, 22, 3, 3), uint16(n)), msg[:n]...)
		msg = msg[n:]
	}
	return out
}

// clientHello offers TLS 1.2, with a server's name if there is one.
func clientHello(name []byte) []byte {
	be := binary.BigEndian
	b := append([]byte{3, 3}, slices.Repeat([]byte{0x5a}, 32)...)
	b = append(b, 0, 0, 4, 0xc0, 0x2f, 0, 0x9c, 1, 0)
	var ext []byte
	if name != nil {
		ext = be.AppendUint16(append(ext, 0, 0), uint16(len(name)+5))
		ext = be.AppendUint16(ext, uint16(len(name)+3))
		ext = append(be.AppendUint16(append(ext, 0), uint16(len(name))), name...)
	}
	ext = append(ext, 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 1)
	return record(1, append(be.AppendUint16(b, uint16(len(ext))), ext...))
}

func serverHello() []byte {
	b := append([]byte{3, 3}, slices.Repeat([]byte{0x6b}, 32)...)
	return record(2, append(b, 0, 0xc0, 0x2f, 0))
}

func certificates(chain ...[]byte) []byte {
	var list []byte
	for _, c := range chain {
		list = append(append(list, byte(len(c)>>16), byte(len(c)>>8), byte(len(c))), c...)
	}
	return record(11, append([]byte{byte(len(list) >> 16), byte(len(list) >> 8), byte(len(list))}, list...))
}

// tellSecure is a TLS 1.2 handshake up to where encryption begins.
func (p *plan) tellSecure(variant int) *story {
	if variant > 2 {
		return nil
	}
	s := &story{have: map[string][][]byte{}}
	name := p.bytes("tls.sni")
	if name != nil {
		s.have["tls.sni"] = [][]byte{name}
	} else if p.rule.has("tls.sni") {
		name = []byte("www.site.test")
		s.have["tls.sni"] = [][]byte{name}
	}
	c, ok := p.certificate(variant)
	if !ok {
		return nil
	}
	s.have["tls.certs"] = [][]byte{c.der()}
	s.have["tls.cert_subject"], s.have["tls.cert_issuer"] = [][]byte{[]byte(c.subject.String())}, [][]byte{[]byte(c.issuer.String())}
	s.have["tls.cert_serial"] = [][]byte{[]byte(serialText(c.serial))}
	ask := clientHello(name)
	reply := slices.Concat(serverHello(), certificates(c.der()), record(14, nil))
	s.turns = []turn{{flow.ToServer, ask}, {flow.ToClient, reply}}
	told := ask
	if p.direction() == flow.ToClient {
		told = reply
	}
	if raw := p.bytes("payload"); raw != nil && variant == 1 {
		s.turns = append(s.turns, turn{p.direction(), raw})
		told = append(told, raw...)
	}
	s.have["payload"], s.have["packet"] = [][]byte{told}, [][]byte{told}
	// Keys, and the change to encryption.
	s.turns = append(s.turns, turn{flow.ToServer, append(record(16, slices.Repeat([]byte{7}, 66)), 20, 3, 3, 0, 1, 1)},
		turn{flow.ToClient, []byte{20, 3, 3, 0, 1, 1}})
	return s
}

// certificate makes the certificate that is asked for.
func (p *plan) certificate(variant int) (*certificate, bool) {
	c := &certificate{serial: []byte{0x4a, 0x11, 0x22}, subject: parseName("CN=www.site.test"), issuer: parseName("CN=Site CA")}
	if b := p.bytes("tls.cert_subject"); b != nil {
		c.subject = parseName(string(b))
	}
	if b := p.bytes("tls.cert_issuer"); b != nil {
		c.issuer = parseName(string(b))
	}
	if b := p.bytes("tls.cert_serial"); b != nil {
		c.serial, _ = serial(string(b))
	}
	c.opaque = p.bytes("tls.certs")
	if variant == 0 && c.opaque == nil && p.bytes("payload") != nil {
		c.opaque = p.bytes("payload")
	}
	return c, c.subject != nil && c.issuer != nil && c.serial != nil
}
