package main

import (
	"bytes"
	"encoding/binary"
	"slices"

	"citygate/pkg/flow"
)

// isName says whether bytes are a name as DNS can carry it.
func isName(b []byte) bool {
	if len(b) > 250 {
		return false
	}
	for _, l := range bytes.Split(b, []byte(".")) {
		if len(l) == 0 || len(l) > 63 {
			return false
		}
	}
	return true
}

func wireName(b []byte) (out []byte) {
	for _, l := range bytes.Split(b, []byte(".")) {
		out = append(append(out, byte(len(l))), l...)
	}
	return append(out, 0)
}

// query is a DNS message with a question, and answers as they are given (RFC 1035, 4.1).
func query(flags uint16, name []byte, kind uint16, answers ...[]byte) []byte {
	be := binary.BigEndian
	b := be.AppendUint16(be.AppendUint16(nil, 0x1a2b), flags)
	b = be.AppendUint16(be.AppendUint16(b, 1), uint16(len(answers)))
	b = append(append(b, 0, 0, 0, 0), wireName(name)...)
	b = be.AppendUint16(be.AppendUint16(b, kind), 1)
	return slices.Concat(append([][]byte{b}, answers...)...)
}

// answer is a resource record for the name of the question.
func answer(kind uint16, data []byte) []byte {
	be := binary.BigEndian
	b := be.AppendUint16([]byte{0xc0, 12}, kind)
	b = append(b, 0, 1, 0, 0, 0, 60)
	return append(be.AppendUint16(b, uint16(len(data))), data...)
}

const (
	typeA   = 1
	typeTXT = 16

	askFlags    = 0x0100
	answerFlags = 0x8180
)

// questionEnd is the end of a question of type TXT and the beginning of its answer.
var questionEnd = []byte("\x00\x00\x10\x00\x01\xc0\x0c\x00\x10\x00\x01")

// tellNames is a question and its answer. The variants are where bytes lie that are asked for in the message as a whole.
func (p *plan) tellNames(variant int) *story {
	name := p.bytes("dns.query")
	if name == nil {
		name = []byte("www.site.test")
	}
	raw := p.bytes("payload")
	ask := query(askFlags, name, typeA)
	reply := query(answerFlags, name, typeA, answer(typeA, []byte{192, 0, 2, 1}))
	d := p.direction()
	switch {
	case variant == 0:
	case variant == 6: // the bytes are the message
		ask, reply = raw, raw
	case variant == 2: // in the question's name
		if !isName(raw) {
			return nil
		}
		ask, reply = query(askFlags, raw, typeA), query(answerFlags, raw, typeA, answer(typeA, []byte{192, 0, 2, 1}))
	case variant == 3: // in a text
		if len(raw) > 1000 {
			return nil
		}
		reply = query(answerFlags, name, typeTXT, answer(typeTXT, texts(raw)))
	case variant == 4: // in a record of a type that nobody reads
		reply = query(answerFlags, name, 99, answer(0xff01, raw))
	case variant == 5: // across the end of the question, with the text behind
		_, behind, ok := bytes.Cut(raw, questionEnd)
		if !ok || len(behind) > 1000 {
			return nil
		}
		reply = query(answerFlags, name, typeTXT, answer(typeTXT, texts(behind)))
	default:
		return nil
	}
	s := &story{have: map[string][][]byte{"dns.query": {name}}}
	told := ask
	if d == flow.ToClient || p.fromServer() {
		told = reply
	}
	s.have["payload"], s.have["packet"] = [][]byte{told}, [][]byte{told}
	s.turns = []turn{{flow.ToServer, ask}, {flow.ToClient, reply}}
	if p.fromServer() && d == flow.ToServer {
		// The rule's head looks at answers, without saying so.
		s.turns = []turn{{flow.ToClient, ask}, {flow.ToServer, reply}}
	}
	return s
}

// fromServer says that the rule's source is the port of servers.
func (p *plan) fromServer() bool {
	return p.rule.toServer() && p.src.Port() == 53 && p.dst.Port() != 53
}

// texts are the strings of a TXT record.
func texts(b []byte) (out []byte) {
	for len(b) > 255 {
		out = append(append(out, 255), b[:255]...)
		b = b[255:]
	}
	return append(append(out, byte(len(b))), b...)
}
