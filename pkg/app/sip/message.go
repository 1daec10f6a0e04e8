package sip

import (
	"bytes"

	"citygate/pkg/app/line"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

const maxMethod = 32

// The headers that are kept.
const (
	from uint8 = iota
	to
	via
	userAgent
	contentType
	contentLength
	otherHeader
)

// headerNames are names and compact forms (RFC 3261, 7.3.3).
var headerNames = [otherHeader][2]string{
	{"from", "f"}, {"to", "t"}, {"via", "v"}, {"user-agent", ""}, {"content-type", "c"}, {"content-length", "l"},
}

func headerNamed(name []byte) uint8 {
	for i, n := range headerNames {
		if line.Is(name, n[0]) || line.Is(name, n[1]) {
			return uint8(i)
		}
	}
	return otherHeader
}

// startLine is a first line in pieces.
type startLine struct {
	request                            bool
	method, uri, version, code, reason []byte
}

// parseStart reads a first line (RFC 3261, 7.1 and 7.2), with any white space.
func parseStart(text []byte) (l startLine, ok bool) {
	first, rest := word(text)
	if line.Starts(first, "sip/") {
		code, reason := word(rest)
		_, ok := line.Number(code, 999)
		return startLine{version: first, code: code, reason: reason[:len(reason):len(reason)]}, ok && len(code) == 3
	}
	rest = bytes.TrimRight(rest, " \t")
	last := bytes.LastIndexAny(rest, " \t") + 1
	l = startLine{request: true, method: first, uri: bytes.TrimRight(rest[:last], " \t"), version: rest[last:]}
	return l, len(first) <= maxMethod && token(first) && line.Starts(l.version, "sip/")
}

// isStart says whether a line can only be a first line: its version is SIP/2.0 and what stands before it is known.
func isStart(text []byte) bool {
	l, ok := parseStart(text)
	return ok && string(l.version) == "SIP/2.0" && (!l.request || known(l.method))
}

// word cuts the first word off.
func word(b []byte) (w, rest []byte) {
	b = bytes.TrimLeft(b, " \t")
	i := bytes.IndexAny(b, " \t\r\n")
	if i < 0 {
		return b, nil
	}
	return b[:i], bytes.TrimLeft(b[i:], " \t")
}

func token(b []byte) bool {
	for _, c := range b {
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == '!' || c == '%' || c == '*' || c == '+' || c == '`' || c == '\'' || c == '~') {
			return false
		}
	}
	return len(b) > 0
}

// methods are those of RFC 3261 and its extensions (IANA's SIP parameters, methods).
var methods = [...]string{
	"ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK", "PUBLISH", "REFER", "REGISTER",
	"SUBSCRIBE", "UPDATE",
}

func known(method []byte) bool {
	for _, m := range methods {
		if string(method) == m {
			return true
		}
	}
	return false
}

// header takes a header line, or a folded line that continues one.
func (p *Parser) header(d flow.Direction, s *side, text []byte, long bool) {
	t := s.tx
	if long {
		t.events[d].Add(eventHeaderLong)
	}
	if s.count++; s.count > maxHeaders {
		t.events[d].Add(eventHeaderMany)
		return
	}
	if text[0] == ' ' || text[0] == '\t' {
		p.fold(d, s, bytes.Trim(text, " \t"))
		return
	}
	s.folds = false
	name, value, ok := line.Field(text)
	if !ok || !token(name) {
		t.events[d].Add(eventHeader)
		return
	}
	kind := headerNamed(name)
	if kind == otherHeader {
		return
	}
	var at tx.Span
	if s.folds = p.keep(t, &at, value); s.folds {
		t.headers = append(t.headers, header{kind, at})
	}
}

// fold continues the header before (RFC 3261, 7.3.1).
func (p *Parser) fold(d flow.Direction, s *side, text []byte) {
	t := s.tx
	if s.count == 1 {
		t.events[d].Add(eventHeader)
	}
	if !s.folds || t.store.Len()+len(text) >= maxKept {
		return
	}
	at := &t.headers[len(t.headers)-1].at
	for _, b := range [...][]byte{{' '}, text} {
		var ok bool
		if *at, ok = t.store.Extend(p.pool, *at, b); !ok {
			t.events[d].Add(eventMemory)
			return
		}
	}
}
