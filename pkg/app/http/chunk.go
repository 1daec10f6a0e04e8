package http

import (
	"bytes"

	"citygate/pkg/flow"
)

const (
	chunkLine   = 1024 // a size line that is longer is none
	chunkHead   = 128  // white space and digits in front of it, leading zeros too
	chunkDigits = 8    // significant digits of a chunk's size
)

// chunkSize reads a chunk's size line. If it is none, the body is not chunked after all: what follows is taken as it is.
func (p *parser) chunkSize(d flow.Direction, r *reader, data []byte, end bool) (used int, more bool) {
	t := r.tx
	size, at, ok := parseChunkSize(data)
	if !ok {
		t.raise(d, chunkLen[d])
		r.state = rUntilEnd
		return 0, true
	}
	eol := -1
	if at < len(data) {
		from := max(at, r.scanned)
		if eol = bytes.IndexByte(data[from:min(len(data), max(from, chunkLine))], '\n'); eol >= 0 {
			eol += from
		}
	}
	if eol < 0 {
		if len(data) >= chunkLine {
			t.raise(d, chunkLen[d])
			r.state = rUntilEnd
			return 0, true
		}
		if end {
			t.msg[d].body.wire += int64(len(data))
			return len(data), true
		}
		r.scanned = max(at, 0)
		return 0, false
	}
	if bytes.IndexByte(data[at:eol], ';') >= 0 {
		t.raise(d, evChunkExtension)
	}
	t.msg[d].body.wire += int64(eol + 1)
	r.left = size
	r.state = rChunkData
	if size == 0 {
		r.state = rTrailer
	}
	return eol + 1, true
}

// parseChunkSize reads white space and hex digits; at is where they end. ok is false if they cannot become a size.
func parseChunkSize(data []byte) (size int64, at int, ok bool) {
	for at < len(data) && at < chunkHead && isSpace(data[at]) {
		at++
	}
	first := at
	digits := 0
	for at < len(data) && at < chunkHead {
		v := unhex(data[at])
		if v < 0 {
			break
		}
		size = size<<4 | int64(v)
		if size > 0 {
			digits++
		}
		if digits > chunkDigits {
			return 0, at, false
		}
		at++
	}
	return size, at, at < chunkHead && (at > first || at == len(data))
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// chunkEnd skips what is between a chunk and the next size line.
func (p *parser) chunkEnd(d flow.Direction, r *reader, data []byte) (used int, more bool) {
	n := bytes.IndexByte(data, '\n') + 1
	if n > 0 {
		r.state = rChunkSize
	} else {
		n = len(data)
	}
	r.tx.msg[d].body.wire += int64(n)
	return n, true
}
