package http

import "bytes"

// contentRange is a part of a whole; what is not given is 0.
type contentRange struct{ start, end, size int64 }

// parseRange reads a Content-Range (RFC 9110, 14.4): bytes 0-99/1000, either side of the slash may be an asterisk.
func parseRange(v []byte) (c contentRange, ok bool) {
	v, ok = bytes.CutPrefix(v, []byte("bytes"))
	if !ok {
		return c, false
	}
	part, size, ok := bytes.Cut(bytes.TrimSpace(v), []byte("/"))
	if !ok {
		return c, false
	}
	if string(size) != "*" {
		if c.size, ok = parseLength(size); !ok {
			return c, false
		}
	}
	if string(part) == "*" {
		return c, true
	}
	from, to, ok := bytes.Cut(part, []byte("-"))
	if !ok {
		return c, false
	}
	if c.start, ok = parseLength(from); !ok {
		return c, false
	}
	c.end, ok = parseLength(to)
	return c, ok && c.start <= c.end
}
