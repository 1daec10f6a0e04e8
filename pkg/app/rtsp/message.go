package rtsp

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/line"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Limits of a message. Cameras' messages are below 2 KiB.
const (
	maxLine    = 4096     // of a start line or a header; the rest of it is dropped
	maxHeaders = 128      // of a message; more are passed over
	maxKept    = 16 << 10 // bytes of start line and headers that a transaction keeps
	maxBody    = 64 << 10 // more is an event; it is searched to its end
	maxSDP     = 16 << 10 // bytes kept of a body
	maxLength  = 1 << 30  // a Content-Length beyond it is none
	maxCSeq    = 1<<31 - 1
	maxMethod  = 32
)

// The headers that are kept.
const (
	cseq = iota
	session
	transport
	userAgent
	server
	authenticate
	authorization
	contentLength
	contentBase
	contentType
	kept
	none = -1
)

var headerNames = [kept]string{
	"cseq", "session", "transport", "user-agent", "server", "www-authenticate", "authorization", "content-length",
	"content-base", "content-type",
}

func headerNamed(name []byte) int {
	for i, want := range headerNames {
		if line.Is(name, want) {
			return i
		}
	}
	return none
}

// startLine is the first line of a message, in pieces.
type startLine struct {
	request bool
	method  []byte
	uri     []byte
	status  []byte // three digits
	exact   bool   // as the grammar has it
}

// parseStart reads a first line. It is lenient as servers are (more white space, no version behind a known method); ok is false
// when it is no first line.
func parseStart(text []byte) (l startLine, ok bool) {
	first, rest := word(text)
	if line.Starts(first, "rtsp/") {
		status, _ := word(rest)
		code, ok := line.Number(status, 999)
		if !ok || len(status) != 3 {
			return l, false
		}
		l.status = status
		l.exact = versionKnown(text[:min(len(text), 8)]) && code >= 100 && bytes.HasPrefix(text[min(len(text), 9):], status)
		return l, true
	}
	if len(first) > maxMethod || !token(first) {
		return l, false
	}
	rest = bytes.TrimRight(rest, " \t")
	last := bytes.LastIndexAny(rest, " \t") + 1
	version := rest[last:]
	l = startLine{request: true, method: first}
	if !line.Starts(version, "rtsp/") {
		l.uri = rest
		return l, known(first) && len(rest) > 0
	}
	l.uri = bytes.Trim(rest[:last], " \t")
	l.exact = versionKnown(version) && len(l.uri) > 0 && len(first)+len(l.uri)+len(version)+2 == len(text)
	return l, true
}

// word cuts the first word off.
func word(b []byte) (w, rest []byte) {
	b = bytes.TrimLeft(b, " \t")
	i := bytes.IndexAny(b, " \t")
	if i < 0 {
		return b, nil
	}
	return b[:i], bytes.TrimLeft(b[i:], " \t")
}

func versionKnown(v []byte) bool { return string(v) == "RTSP/1.0" || string(v) == "RTSP/2.0" }

func token(b []byte) bool {
	for _, c := range b {
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == '*' || c == '$') {
			return false
		}
	}
	return len(b) > 0
}

// methods are those of RFC 2326, 10 and RFC 7826, 13.
var methods = []string{
	"OPTIONS", "DESCRIBE", "ANNOUNCE", "SETUP", "PLAY", "PLAY_NOTIFY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER",
	"REDIRECT", "RECORD",
}

func known(method []byte) bool {
	for _, m := range methods {
		if string(method) == m {
			return true
		}
	}
	return false
}

// start begins a message if text is a first line.
func (p *Parser) start(d flow.Direction, s *side, text []byte, long bool) bool {
	l, ok := parseStart(text)
	if !ok {
		return false
	}
	t := p.draft()
	s.tx, s.listed = t, false
	s.state, s.last, s.count, s.carried = headers, none, 0, false
	e := &t.events[d]
	*e |= s.pending
	s.pending = 0
	if long {
		e.Add(eventHeaderLong)
	}
	part := &t.parts[d]
	if l.request {
		t.Request, t.isRequest = d, true
		p.keep(t, d, &part.method, l.method)
		p.keep(t, d, &part.uri, l.uri)
	} else {
		t.Request = d.Reverse()
		p.keep(t, d, &part.status, l.status)
		t.Status, _ = line.Number(l.status, 999)
	}
	switch {
	case !l.exact && l.request:
		e.Add(eventRequestLine)
	case !l.exact:
		e.Add(eventResponseLine)
	}
	return true
}

// draft makes a transaction that is not in the list yet: an answer joins its request's when it is known which one it is.
func (p *Parser) draft() *Tx {
	t, ok := p.list.Reuse()
	if !ok {
		t = new(Tx)
	}
	return t
}

// keep remembers a piece of a message.
func (p *Parser) keep(t *Tx, d flow.Direction, at *tx.Span, b []byte) {
	store := &t.parts[d].store
	if store.Len()+len(b) > maxKept {
		t.events[d].Add(eventHeaderLong)
		return
	}
	var ok bool
	if *at, ok = store.Keep(p.pool, b); !ok {
		t.events[d].Add(eventMemory)
	}
}

// header reads a header line, or the empty line behind the last.
func (p *Parser) header(d flow.Direction, s *side, data []byte, end bool) (n int, again bool) {
	text, n, long, ok := s.scan.Next(data, maxLine, end)
	if !ok {
		return n, false
	}
	t := s.tx
	if long {
		t.events[d].Add(eventHeaderLong)
	}
	switch {
	case len(text) == 0:
		p.headed(d, s)
	case s.count >= maxHeaders:
		t.events[d].Add(eventHeaderMany)
	case text[0] == ' ' || text[0] == '\t':
		s.count++
		p.fold(d, s, bytes.Trim(text, " \t"))
	default:
		if startIn(text) == 0 { // another message begins: the end of this one's headers is missing
			t.events[d].Add(eventHeader)
			p.done(d, s)
			s.scan.Reset()
			return 0, true
		}
		s.count++
		p.field(d, s, text)
	}
	return n, false
}

// field takes a header line.
func (p *Parser) field(d flow.Direction, s *side, text []byte) {
	t, part := s.tx, &s.tx.parts[d]
	s.last = none
	name, value, ok := line.Field(text)
	if !ok || !token(name) {
		t.events[d].Add(eventHeader)
		return
	}
	i := headerNamed(name)
	if i == none {
		return
	}
	at := &part.headers[i]
	if at.Present() {
		if !bytes.Equal(part.store.Bytes(*at), value) && i != authenticate {
			t.events[d].Add(eventHeaderTwice)
		}
		return
	}
	p.keep(t, d, at, value)
	s.last = i
}

// fold continues the header before (RFC 2326, 4.2 and RFC 2616, 2.2).
func (p *Parser) fold(d flow.Direction, s *side, text []byte) {
	t, part := s.tx, &s.tx.parts[d]
	if s.count == 1 {
		t.events[d].Add(eventHeader) // continues nothing
	}
	if s.last == none || part.store.Len()+len(text) >= maxKept {
		return
	}
	at := &part.headers[s.last]
	for _, b := range [...][]byte{{' '}, text} {
		var ok bool
		if *at, ok = part.store.Extend(p.pool, *at, b); !ok {
			t.events[d].Add(eventMemory)
			return
		}
	}
}

// headed is the end of a message's headers: what they say is known now.
func (p *Parser) headed(d flow.Direction, s *side) {
	if !s.tx.parts[d].headers[cseq].Present() {
		s.tx.events[d].Add(eventNoCSeq)
	}
	s.left = p.length(s.tx, d)
	p.publish(d, s)
	if s.left > maxBody && s.tx != nil {
		s.tx.events[d].Add(eventBodyLong)
	}
	s.state = inBody
	if s.left == 0 {
		p.done(d, s)
	}
}

// length is the body's length by Content-Length, 0 without a valid one.
func (p *Parser) length(t *Tx, d flow.Direction) int {
	value, ok := t.header(d, contentLength)
	if !ok {
		return 0
	}
	n, ok := line.Number(value, maxLength)
	if !ok {
		t.events[d].Add(eventLength)
		return 0
	}
	return n
}

// body reads a message's body, which is kept as far as maxSDP and searched for messages.
func (p *Parser) body(d flow.Direction, s *side, data []byte, end bool) (n int, again bool) {
	all := len(data) >= s.left || end
	data = data[:min(len(data), s.left)]
	n, found := s.search(data, all)
	s.left -= n
	if t := s.tx; t != nil {
		p.keepBody(t, d, data[:n])
		if found {
			t.events[d].Add(eventLengthLie)
		}
	}
	if s.left == 0 || found {
		p.done(d, s)
		return n, true
	}
	return n, false
}

func (p *Parser) keepBody(t *Tx, d flow.Direction, b []byte) {
	part := &t.parts[d]
	b = b[:min(len(b), maxSDP-part.content.Len())]
	if len(b) == 0 {
		return
	}
	ok := true
	if part.content.Present() {
		part.content, ok = part.body.Extend(p.pool, part.content, b)
	} else {
		part.content, ok = part.body.Keep(p.pool, b)
	}
	if !ok {
		t.events[d].Add(eventMemory)
	}
}

// done ends the message that is read.
func (p *Parser) done(d flow.Direction, s *side) {
	if s.tx != nil && !s.listed {
		p.publish(d, s)
	}
	t := s.tx
	s.tx, s.state, s.seen, s.left = nil, between, 0, 0
	if t == nil {
		return
	}
	t.complete[d] = true
	if t.Request == d {
		p.limit(d)
	}
}

// limit gives up the oldest of too many requests that wait for an answer.
func (p *Parser) limit(d flow.Direction) {
	waiting := 0
	for i := p.list.Len() - 1; i >= 0; i-- {
		if t := p.list.At(i); t.waits(d) {
			if waiting++; waiting > maxWaiting {
				t.complete = [2]bool{true, true}
				t.events[d].Add(eventTransactions)
			}
		}
	}
}

// lose gives up to read in order: the next message is searched for. The bytes up to it are a transaction without
// message, which carries the event.
func (p *Parser) lose(d flow.Direction, s *side) {
	e := eventGarbage
	if s.framed {
		e = eventFrameLie
		s.lied = true
	}
	p.carry(d, e)
	s.framed = false
	s.state, s.seen, s.looked, s.aligned = lost, 0, 0, 0
}

// carry makes a transaction for an event that belongs to no message.
func (p *Parser) carry(d flow.Direction, event uint8) {
	s := &p.sides[d]
	if s.carried {
		return
	}
	s.carried = true
	t := p.draft()
	t.Request = d
	t.events[d].Add(event)
	t.headed, t.complete = [2]bool{true, true}, [2]bool{true, true}
	p.list.Add(t)
}

var _ layer.Parser = (*Parser)(nil)
