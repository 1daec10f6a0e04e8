package main

import (
	"bytes"
	"fmt"
)

// normalURI is what Suricata's http.uri holds for a URI: the path decoded and without detours, the query as it came.
func normalURI(raw []byte) []byte {
	path, query, asked := bytes.Cut(raw, []byte("?"))
	path, _, _ = bytes.Cut(path, []byte("#"))
	var out []byte
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) && digit(path[i+1]) < 16 && digit(path[i+2]) < 16 {
			c = byte(digit(path[i+1])<<4 | digit(path[i+2]))
			i += 2
		}
		if c == '\\' {
			c = '/'
		}
		if c == '/' && len(out) > 0 && out[len(out)-1] == '/' {
			continue
		}
		out = append(out, c)
	}
	out = withoutDots(out)
	if asked {
		query, _, _ = bytes.Cut(query, []byte("#"))
		out = append(append(out, '?'), query...)
	}
	return out
}

// withoutDots resolves . and .. (RFC 3986, 5.2.4).
func withoutDots(path []byte) []byte {
	var out []byte
	for len(path) > 0 {
		switch {
		case bytes.HasPrefix(path, []byte("/./")):
			path = path[2:]
		case string(path) == "/.":
			path = []byte("/")
		case bytes.HasPrefix(path, []byte("/../")):
			path = path[3:]
			out = out[:max(0, bytes.LastIndexByte(out, '/'))]
		case string(path) == "/..":
			path = []byte("/")
			out = out[:max(0, bytes.LastIndexByte(out, '/'))]
		default:
			n := bytes.IndexByte(path[1:], '/') + 1
			if n == 0 {
				n = len(path)
			}
			out = append(out, path[:n]...)
			path = path[n:]
		}
	}
	return out
}

// rawURI is a URI whose normal form is b; the query stands as it is where that is possible.
func rawURI(b []byte) ([]byte, bool) {
	for _, query := range []bool{true, false} {
		var out []byte
		plain := false
		for _, c := range b {
			if c == '?' && query {
				plain = true
			}
			switch {
			case !plain && (c <= ' ' || c >= 127 || c == '%' || c == '?' || c == '#' || c == '"'):
				out = fmt.Appendf(out, "%%%02x", c)
			default:
				out = append(out, c)
			}
		}
		if isURI(out) && bytes.Equal(normalURI(out), b) {
			return out, true
		}
	}
	return nil, false
}
