package http

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// kind is a header that the parser or a buffer asks for.
type kind uint8

const (
	kOther kind = iota
	kHost
	kUserAgent
	kReferer
	kAccept
	kAcceptEncoding
	kAcceptLanguage
	kCookie
	kSetCookie
	kConnection
	kContentType
	kContentLength
	kContentEncoding
	kContentDisposition
	kTransferEncoding
	kServer
	kLocation
	kAuthorization
	kRange
	kXForwardedFor
	kContentRange
	kinds
)

var kindNames = [kinds]string{
	"", "host", "user-agent", "referer", "accept", "accept-encoding", "accept-language", "cookie", "set-cookie",
	"connection", "content-type", "content-length", "content-encoding", "content-disposition", "transfer-encoding",
	"server", "location", "authorization", "range", "x-forwarded-for", "content-range",
}

const (
	maxRepeats = 64       // of one header, as Suricata
	maxFolds   = 64 << 10 // bytes of joined values of a message
)

// span is a part of a message's raw bytes, or, if folded is set where it is used, of its joined values.
type span struct{ from, to int32 }

func (s span) of(b []byte) []byte { return b[s.from:s.to] }

// field is a header.
type field struct {
	name, value span
	nameJoined  bool // the name lies in joined
	joined      bool // the value does
	kind        kind
	repeats     uint8
	at          int32 // where it begins in the buffer of all headers
}

// stage is how far a message was read.
type stage uint8

const (
	sNone stage = iota
	sLine       // the first line is final
	sHead       // the headers are final
	sDone       // nothing more comes
)

// message is one direction of a transaction.
type message struct {
	stage   stage
	old     bool   // HTTP/0.9: there are no headers
	raw     []byte // the first line and the headers as sent
	line    span   // the first line without its end
	head    int32  // where the headers begin
	fields  []field
	known   [kinds]int16 // place in fields, from 1
	joined  []byte       // values that were folded or repeated
	pending span         // the lines of the header that is being read, in raw; empty if there is none
	folds   bool         // pending has more than one line
	derived [derivedBuffers][]byte
	built   [derivedBuffers]bool
	body    body
}

// add stores the header of an unfolded line, which lies at line of raw, or of joined.
func (p *parser) add(t *transaction, d flow.Direction, line span, joined bool) {
	m := &t.msg[d]
	src := m.raw
	if joined {
		src = m.joined
	}
	f := field{nameJoined: joined, joined: joined}
	if colon := bytes.IndexByte(line.of(src), ':'); colon < 0 {
		t.raise(d, missingColon[d])
		f.value = trimBlanks(src, line)
		f.name = span{f.value.from, f.value.from}
	} else {
		f.name = trim(src, span{line.from, line.from + int32(colon)})
		f.value = trimBlanks(src, span{line.from + int32(colon) + 1, line.to})
		if int(f.name.to-f.name.from) != colon || !isToken(f.name.of(src)) {
			t.raise(d, invalidName[d])
		}
	}
	f.kind = kindOf(f.name.of(src))
	if i := m.find(&f); i >= 0 {
		p.repeat(t, d, i, f.value.of(src))
		return
	}
	if len(m.fields) >= p.cfg.Fields && f.kind == kOther {
		t.raise(d, tooMany[d])
		return
	}
	m.fields = append(m.fields, f)
	if f.kind != kOther {
		m.known[f.kind] = int16(len(m.fields))
	}
}

// find is the place of an earlier header of the same name, or -1.
func (m *message) find(f *field) int {
	if f.kind != kOther {
		return int(m.known[f.kind]) - 1
	}
	name := m.name(f)
	for i := range m.fields {
		g := &m.fields[i]
		if g.kind == kOther && g.name.to-g.name.from == int32(len(name)) && bytes.EqualFold(m.name(g), name) {
			return i
		}
	}
	return -1
}

// repeat joins a header's value to that of an earlier one. Of two lengths the first counts.
func (p *parser) repeat(t *transaction, d flow.Direction, i int, value []byte) {
	m := &t.msg[d]
	f := &m.fields[i]
	if f.kind == kContentLength {
		if !bytes.Equal(m.value(i), value) {
			t.raise(d, duplicateCL[d])
		}
		return
	}
	if f.repeats >= maxRepeats {
		t.raise(d, repetition[d])
		return
	}
	f.repeats++
	p.extend(t, d, i, ", ", value)
}

// extend appends to a header's value.
func (p *parser) extend(t *transaction, d flow.Direction, i int, sep string, value []byte) {
	m := &t.msg[d]
	f := &m.fields[i]
	old := m.value(i)
	if len(m.joined)+len(old)+len(sep)+len(value) > maxFolds {
		t.raise(d, tooLong[d])
		return
	}
	if !f.joined || int(f.value.to) != len(m.joined) {
		from := int32(len(m.joined))
		if !p.keep(t, d, &m.joined, old) {
			return
		}
		f.joined, f.value = true, span{from, int32(len(m.joined))}
	}
	if p.keepText(t, d, &m.joined, sep) && p.keep(t, d, &m.joined, value) {
		f.value.to = int32(len(m.joined))
	}
}

// name is a header's name.
func (m *message) name(f *field) []byte {
	if f.nameJoined {
		return f.name.of(m.joined)
	}
	return f.name.of(m.raw)
}

// value is the i-th header's value.
func (m *message) value(i int) []byte {
	f := &m.fields[i]
	if f.joined {
		return f.value.of(m.joined)
	}
	return f.value.of(m.raw)
}

// get is the value of a known header.
func (m *message) get(k kind) (value []byte, ok bool) {
	if i := m.known[k]; i > 0 {
		return m.value(int(i) - 1), true
	}
	return nil, false
}

// keep appends to a slice of the pool; ok is false, and an event raised, when there is no memory.
func (p *parser) keep(t *transaction, d flow.Direction, b *[]byte, data []byte) (ok bool) {
	if *b, ok = p.pool.Append(*b, data); !ok {
		t.raise(d, evMemory)
	}
	return ok
}

func (p *parser) keepText(t *transaction, d flow.Direction, b *[]byte, s string) (ok bool) {
	if s == "" {
		return true
	}
	var short [2]byte
	return p.keep(t, d, b, short[:copy(short[:], s)])
}

// trim cuts white space at both ends.
func trim(b []byte, s span) span {
	for s.from < s.to && isSpace(b[s.from]) {
		s.from++
	}
	for s.to > s.from && isSpace(b[s.to-1]) {
		s.to--
	}
	return s
}

// trimBlanks cuts spaces and tabs at both ends, and line ends behind.
func trimBlanks(b []byte, s span) span {
	for s.from < s.to && (b[s.from] == ' ' || b[s.from] == '\t') {
		s.from++
	}
	for s.to > s.from && isSpace(b[s.to-1]) && b[s.to-1] != '\v' && b[s.to-1] != '\f' {
		s.to--
	}
	return s
}

// kindOf knows a header by its name, without regard to case and to NUL bytes, which some clients skip.
func kindOf(name []byte) kind {
	var clean [20]byte
	n := 0
	for _, c := range name {
		if c == 0 {
			continue
		}
		if n == len(clean) {
			return kOther
		}
		clean[n] = lower(c)
		n++
	}
	for k := kHost; k < kinds; k++ {
		if len(kindNames[k]) == n && kindNames[k] == string(clean[:n]) {
			return k
		}
	}
	return kOther
}

func isToken(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || bytes.IndexByte([]byte("()<>@,;:\\\"/[]?={}"), c) >= 0 {
			return false
		}
	}
	return len(b) > 0
}

// release gives the memory of a message back and empties it.
func (m *message) release(p *layer.Pool) {
	p.Put(m.raw)
	p.Put(m.joined)
	for i := range m.derived {
		p.Put(m.derived[i])
	}
	m.body.release(p)
	*m = message{fields: m.fields[:0], body: body{files: m.body.files[:0]}}
}
