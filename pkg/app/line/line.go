// Package line finds the lines of a text protocol in bytes that arrive in pieces.
package line

import "bytes"

// Scan finds where lines end. Its caller gives it the bytes not consumed so far, again and again with more behind them;
// no byte is looked at twice. The zero Scan is at the start of a line.
type Scan struct {
	seen     int  // bytes at the start that hold no line end
	skipping bool // inside a line that was too long
}

// Next is the first line of data without its line end (LF or CRLF). ok is false when there is none yet; n bytes are
// consumed in either case, and while n is not 0 it is worth to ask again. A line of more than max bytes before its LF is
// cut there: long is true, the rest of it is dropped. end says that nothing follows: the last line needs no line end.
func (s *Scan) Next(data []byte, max int, end bool) (text []byte, n int, long, ok bool) {
	if s.skipping {
		i := bytes.IndexByte(data, '\n')
		s.skipping = i < 0
		if i < 0 {
			return nil, len(data), false, false
		}
		return nil, i + 1, false, false
	}
	limit := min(len(data), max+1)
	from := min(s.seen, limit)
	i := bytes.IndexByte(data[from:limit], '\n')
	switch {
	case i >= 0:
		s.seen = 0
		i += from
		return cut(data[:i]), i + 1, false, true
	case len(data) > max:
		s.seen, s.skipping = 0, true
		return data[:max], max, true, true
	case end && len(data) > 0:
		s.seen = 0
		return cut(data), len(data), false, true
	}
	s.seen = limit
	return nil, 0, false, false
}

// Reset starts over: what comes next is the start of a line.
func (s *Scan) Reset() { *s = Scan{} }

// Skip drops what is left of a line whose start is known to be missing.
func (s *Scan) Skip() { *s = Scan{skipping: true} }

func cut(b []byte) []byte {
	if len(b) > 0 && b[len(b)-1] == '\r' {
		return b[:len(b)-1]
	}
	return b
}

// Field splits a header line into name and value, white space around them taken off. ok is false without a colon or
// without a name.
func Field(b []byte) (name, value []byte, ok bool) {
	i := bytes.IndexByte(b, ':')
	if i < 0 {
		return nil, nil, false
	}
	name = bytes.TrimRight(b[:i], " \t")
	return name, bytes.Trim(b[i+1:], " \t"), len(name) > 0
}

// Number reads a decimal number of digits only, at most max; ok is false for anything else.
func Number(b []byte, max int) (v int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		if v = v*10 + int(c-'0'); v > max {
			return 0, false
		}
	}
	return v, len(b) > 0
}

// Is compares without case; want is in lower case.
func Is(b []byte, want string) bool {
	if len(b) != len(want) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != want[i] {
			return false
		}
	}
	return true
}

// Starts says whether b begins with a text, without case; want is in lower case.
func Starts(b []byte, want string) bool {
	return len(b) >= len(want) && Is(b[:len(want)], want)
}

// Contains says whether b holds a word, given in lower case, in any case.
func Contains(b []byte, want string) bool {
	for i := 0; i+len(want) <= len(b); i++ {
		if Starts(b[i:], want) {
			return true
		}
	}
	return false
}
