package http

import (
	"bytes"

	"citygate/pkg/flow"
)

// line is where a line ends: its text before end, the following line at next.
type line struct {
	end, next int
	empty     bool
	partial   bool // the stream ended within it
}

// lookahead is how far behind a line the search for its end looks.
const lookahead = 4

// findLine finds the end of the line at data's start. ok is false if it is not there yet. Of a line over the limit only
// the first part is a line, and the rest is dropped.
func (p *parser) findLine(d flow.Direction, r *reader, data []byte, end bool) (l line, ok bool) {
	if d == flow.ToServer {
		l, ok = r.plainLine(data)
	} else {
		l, ok = r.wildLine(data, end)
	}
	switch limit := p.cfg.Line; {
	case ok && l.end <= limit:
		return l, true
	case ok || len(data) > limit+lookahead:
		if r.tx != nil {
			r.tx.raise(d, tooLong[d])
		}
		r.dropping = true
		return line{end: limit, next: limit}, true
	case end && len(data) > 0:
		return line{end: len(data), next: len(data), partial: true}, true
	}
	return line{}, false
}

// plainLine ends with LF or CR LF, as servers want it.
func (r *reader) plainLine(data []byte) (l line, ok bool) {
	i := bytes.IndexByte(data[r.scanned:], '\n')
	if i < 0 {
		r.scanned = len(data)
		return line{}, false
	}
	i += r.scanned
	l = line{end: i, next: i + 1}
	if l.end > 0 && data[l.end-1] == '\r' {
		l.end--
	}
	l.empty = l.end == 0
	return l, true
}

// wildLine ends with what clients take for a line end in a response: LF, CR LF, LF CR, or CR that is followed by
// something else than CR.
func (r *reader) wildLine(data []byte, end bool) (l line, ok bool) {
	for i := r.scanned; i < len(data); i++ {
		c := data[i]
		if c != '\n' && c != '\r' {
			continue
		}
		if i == 0 && c == '\n' {
			return r.ends(line{end: 0, next: 1, empty: true}, false)
		}
		if i+1 == len(data) && !end {
			r.scanned = i
			return line{}, false
		}
		next := byte('x')
		if i+1 < len(data) {
			next = data[i+1]
		}
		switch {
		case c == '\n' && next == '\r':
			return r.ends(line{end: i, next: i + 2}, true)
		case c == '\n':
			empty := i == 1 && (data[0] == ' ' || data[0] == '\t') && next != '\n'
			return r.ends(line{end: i, next: i + 1, empty: empty}, false)
		case next == '\n':
			return r.crlf(data, i, end)
		case next == '\r':
		default:
			return r.ends(line{end: i, next: i + 1}, false)
		}
	}
	r.scanned = len(data)
	return line{}, false
}

// crlf is the end of a line at i. LF CR, CR LF, CR LF are two line ends, so the last is part of the second.
func (r *reader) crlf(data []byte, i int, end bool) (l line, ok bool) {
	l = line{end: i, next: i + 2, empty: i == 0}
	if r.mixed && i == 0 {
		rest := data[l.next:]
		switch {
		case len(rest) >= 2 && rest[0] == '\r' && rest[1] == '\n':
			l.next += 2
		case !end && (len(rest) == 0 || len(rest) == 1 && rest[0] == '\r'):
			r.scanned = i
			return line{}, false
		}
	}
	return r.ends(l, false)
}

func (r *reader) ends(l line, mixed bool) (line, bool) {
	r.mixed = mixed
	return l, true
}
