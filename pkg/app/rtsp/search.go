package rtsp

import (
	"bytes"

	"citygate/pkg/flow"
)

// window is how many bytes before a line's end its first line of a message may begin, when it is searched for among other
// bytes. It bounds what is held back of bytes without line ends.
const window = 2048

// search looks for a message's first line where there should be none. n bytes are done with; found says that a message
// begins there. whole says that nothing of what is searched is missing.
func (s *side) search(data []byte, whole bool) (n int, found bool) {
	for {
		i := bytes.IndexByte(data[n+s.seen:], '\n')
		if i < 0 {
			break
		}
		i += n + s.seen
		from := max(n, i-window)
		s.seen = 0
		if at := startIn(data[from:i]); at >= 0 {
			return from + at, true
		}
		n = i + 1
	}
	if whole {
		s.seen = 0
		return len(data), false
	}
	n = max(n, len(data)-window)
	s.seen = len(data) - n
	return n, false
}

// startIn is where in a line (without its LF) a message's first line begins, or -1. Among other bytes only what is exact
// counts: known methods and versions.
func startIn(text []byte) int {
	if bytes.HasSuffix(text, []byte{'\r'}) {
		text = text[:len(text)-1]
	}
	if n := len(text) - len("RTSP/1.0"); n > 0 && versionKnown(text[n:]) && text[n-1] == ' ' {
		if at := requestIn(text[:n-1]); at >= 0 {
			return at
		}
	}
	return responseIn(text)
}

// requestIn is where "METHOD uri" at the end of b begins.
func requestIn(b []byte) int {
	uri := bytes.LastIndexByte(b, ' ')
	if uri < 0 {
		return -1
	}
	for _, m := range methods {
		if bytes.HasSuffix(b[:uri], []byte(m)) {
			return uri - len(m)
		}
	}
	return -1
}

// responseIn is where "RTSP/1.0 200" begins.
func responseIn(b []byte) int {
	for from := 0; ; {
		i := bytes.Index(b[from:], []byte("RTSP/"))
		if i < 0 {
			return -1
		}
		i += from
		from = i + len("RTSP/")
		if len(b)-i >= len("RTSP/1.0 200") && versionKnown(b[i:i+8]) && b[i+8] == ' ' && digits(b[i+9:i+12]) &&
			(len(b) == i+12 || b[i+12] == ' ') {
			return i
		}
	}
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// resync looks for the next message, or for a frame that looks like RTP.
func (p *Parser) resync(_ flow.Direction, s *side, data []byte, end bool) (n int, again bool) {
	end = end && len(data) <= 2*window
	data = data[:min(len(data), 2*window)] // so that what lies behind a message is not searched before it
	at, sure := frameIn(data, s.looked, end)
	n, found := s.search(data[:at], end && at == len(data))
	switch {
	case found:
		s.state = between
	case sure:
		n = at
		s.state = between
		s.framed = false
	default:
		s.looked = at - n
		return n, false
	}
	s.seen, s.looked = 0, 0
	return n, true
}
