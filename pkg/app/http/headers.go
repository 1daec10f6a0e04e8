package http

import (
	"bytes"

	"citygate/pkg/flow"
)

// headReserve is for headers that say how long the body is, when all others did not fit.
const headReserve = 4 << 10

// headerLine reads a header, a part of a folded one, or the empty line behind them.
func (p *parser) headerLine(d flow.Direction, r *reader, data []byte, end bool) (used int, more bool) {
	l, ok := p.findLine(d, r, data, end)
	if !ok {
		return 0, false
	}
	t := r.tx
	m := &t.msg[d]
	switch {
	case r.state == rTrailer:
		if l.empty {
			p.complete(t, d)
		}
	case l.empty:
		p.keepLine(t, d, data[:l.next])
		p.headersDone(t, d)
	case isFold(data[0]) && !(d == flow.ToClient && m.ownHeader(data[:l.end])):
		p.foldLine(r, d, data, l)
	default:
		p.flush(t, d)
		from, ok := p.keepLine(t, d, data[:l.next])
		if !ok {
			break
		}
		text := data[:l.end]
		if len(text) == 0 {
			break
		}
		m.pending = span{from, from + int32(l.end)}
		if text[0] == '\r' {
			t.raise(d, folding[d])
		}
		if isFold(data[0]) {
			t.raise(d, folding[d])
			m.pending.from++
		}
	}
	return l.next, true
}

// foldLine continues the header in front of it.
func (p *parser) foldLine(r *reader, d flow.Direction, data []byte, l line) {
	t := r.tx
	m := &t.msg[d]
	if m.pending.to == 0 && len(m.fields) == 0 {
		t.raise(d, folding[d])
	}
	from, ok := p.keepLine(t, d, data[:l.next])
	switch {
	case !ok:
	case m.pending.to == 0:
		m.pending = span{from, from + int32(l.end)}
	default:
		m.pending.to = from + int32(l.end)
		m.folds = true
	}
}

// ownHeader says that a folded line of a response is taken as a header of its own: it has a colon and so had the one before.
func (m *message) ownHeader(b []byte) bool {
	return bytes.IndexByte(b, ':') >= 0 && bytes.IndexByte(m.pending.of(m.raw), ':') >= 0
}

// keepLine adds a line to the headers as sent.
func (p *parser) keepLine(t *transaction, d flow.Direction, b []byte) (from int32, ok bool) {
	m := &t.msg[d]
	size := len(m.raw) + len(b)
	if size > p.cfg.Head {
		t.raise(d, tooLong[d])
		colon := max(bytes.IndexByte(b, ':'), 0)
		switch kindOf(bytes.TrimSpace(b[:colon])) {
		case kContentLength, kTransferEncoding, kContentEncoding:
		default:
			size += headReserve
		}
		if size > p.cfg.Head+headReserve {
			p.flush(t, d)
			return 0, false
		}
	}
	from = int32(len(m.raw))
	return from, p.keep(t, d, &m.raw, b)
}

// flush turns the pending lines into a header.
func (p *parser) flush(t *transaction, d flow.Direction) {
	m := &t.msg[d]
	lines := m.pending
	if lines.to == 0 {
		return
	}
	m.pending = span{}
	if !m.folds {
		p.add(t, d, lines, false)
		return
	}
	m.folds = false
	from := int32(len(m.joined))
	if len(m.joined)+int(lines.to-lines.from) > maxFolds {
		t.raise(d, tooLong[d])
		return
	}
	for rest := lines.of(m.raw); len(rest) > 0; {
		n := bytes.IndexAny(rest, "\r\n")
		if n < 0 {
			n = len(rest)
		}
		if !p.keep(t, d, &m.joined, rest[:n]) {
			return
		}
		for rest = rest[n:]; len(rest) > 0 && (rest[0] == '\r' || rest[0] == '\n'); {
			rest = rest[1:]
		}
	}
	p.add(t, d, span{from, int32(len(m.joined))}, true)
}

// headersDone ends the headers of a message and decides on its body.
func (p *parser) headersDone(t *transaction, d flow.Direction) {
	p.flush(t, d)
	m := &t.msg[d]
	m.stage = sHead
	if d == flow.ToServer {
		p.requestBody(t)
		return
	}
	p.responseBody(t)
}

// isFold says that a line that begins with c continues the one before. Some clients take NUL for white space.
func isFold(c byte) bool { return c == ' ' || c == '\t' || c == 0 }
