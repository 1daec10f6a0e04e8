package main

import "citygate/pkg/flow"

// What must come first for a flow to be known as a protocol's, by the rule's protocol.
var preludes = map[string][]turn{
	"ftp": {{flow.ToClient, []byte("220 ready\r\n")}, {flow.ToServer, []byte("USER bob\r\n")}, {flow.ToClient, []byte("331 password\r\n")}},
	"ssh": {{flow.ToClient, []byte("SSH-2.0-OpenSSH_9.9\r\n")}, {flow.ToServer, []byte("SSH-2.0-OpenSSH_9.8\r\n")}},
	"smb": {{flow.ToServer, negotiate(0x18)}, {flow.ToClient, negotiate(0x98)}},
}

// negotiate is SMB's first message (version 1), with these flags.
func negotiate(flags byte) []byte {
	body := []byte("\xffSMB\x72\x00\x00\x00\x00")
	body = append(body, flags, 0x53, 0xc8)
	body = append(body, make([]byte, 20)...)
	if flags&0x80 != 0 {
		body = append(body, 1, 0, 0, 0, 0) // words: the dialect
	} else {
		body = append(body, 0, 12, 0)
		body = append(body, "\x02NT LM 0.12\x00"...)
	}
	return append([]byte{0, 0, 0, byte(len(body))}, body...)
}

// tellRaw sends the bytes as they are.
func (p *plan) tellRaw() *story {
	r := p.rule
	data := p.bytes("payload")
	if data == nil {
		data = p.bytes("packet")
	}
	s := &story{have: map[string][][]byte{}}
	d := p.direction()
	if !r.flow["established"] && data == nil && len(r.sections) == 0 {
		data = []byte("hello")
	}
	s.turns = append(s.turns, preludes[r.proto]...)
	if r.proto == "ssh" {
		if b := p.bytes("ssh.proto"); b != nil {
			line := append(append([]byte("SSH-"), b...), "-test_1\r\n"...)
			s.turns = []turn{{flow.ToClient, []byte("SSH-2.0-x\r\n")}, {flow.ToServer, line}}
			if d == flow.ToClient {
				s.turns[0].data, s.turns[1].data = s.turns[1].data, s.turns[0].data
			}
			s.have["ssh.proto"] = [][]byte{b}
		}
	}
	if data == nil {
		data = []byte("hello")
	}
	s.turns = append(s.turns, turn{d, data})
	s.have["packet"] = [][]byte{data}
	s.have["payload"] = append([][]byte{data}, said(s.turns, d)...)
	return s
}

// shape tells a solver what else a buffer must be.
func (r *rule) shape(v *solver) {
	if f := shapes[v.s.buffer]; f != nil {
		f(v)
	}
	if v.s.buffer == "payload" {
		r.shapePayload(v)
	}
	same := v.valid
	v.valid = func(b []byte) bool {
		if same != nil && !same(b) {
			return false
		}
		for _, s := range r.sections {
			if s != v.s && s.buffer == v.s.buffer && !s.holds(transform(b, s.how)) {
				return false
			}
		}
		return true
	}
}

// maxPacket is what one segment or datagram carries.
const maxPacket = 1400

func (r *rule) shapePayload(v *solver) {
	if packet := r.find("packet"); packet != nil {
		v.more = packet.tests
	}
	switch {
	case r.proto == "tcp-pkt" || r.proto == "udp" || r.proto == "icmp" || r.has("packet"):
		v.most = maxPacket
	case r.proto == "smb":
		v.template = negotiate(0x18)
	case r.proto == "ftp":
		v.repair = lines
	}
}

// lines are the ways to end a line.
func lines(b []byte) []repaired { return []repaired{{b, 0}, {append(b[:len(b):len(b)], "\r\n"...), 0}} }

// said is what a side says: each of its turns, and all of them as one stream.
func said(turns []turn, d flow.Direction) (out [][]byte) {
	var all []byte
	for _, t := range turns {
		if t.from == d {
			out = append(out, t.data)
			all = append(all, t.data...)
		}
	}
	return append(out, all)
}
