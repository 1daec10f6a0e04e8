package http

import (
	"bytes"

	"citygate/pkg/flow"
)

// uriParts are the places of a URI's parts within it.
type uriParts struct {
	scheme, userinfo, host, port, path, query, fragment span
	authority, hasQuery, hasFragment                    bool
}

// splitURI finds the parts of a URI (RFC 3986, 3), whatever it contains. That of CONNECT is only a host and a port.
func splitURI(b []byte, connect bool) (u uriParts) {
	n := int32(len(b))
	if connect {
		u.splitAuthority(b, span{0, n})
		u.path = span{n, n}
		return u
	}
	at := int32(0)
	if i := bytes.IndexByte(b, ':'); i >= 0 && b[0] != '/' {
		u.scheme = span{0, int32(i)}
		at = int32(i) + 1
		if bytes.HasPrefix(b[at:], []byte("//")) {
			at += 2
			end := n
			if j := bytes.IndexAny(b[at:], "/?#"); j >= 0 {
				end = at + int32(j)
			}
			u.splitAuthority(b, span{at, end})
			at = end
		}
	}
	rest := b[at:]
	end := n
	if i := bytes.IndexByte(rest, '#'); i >= 0 {
		end = at + int32(i)
		u.fragment, u.hasFragment = span{end + 1, n}, true
	}
	u.path = span{at, end}
	if i := bytes.IndexByte(b[at:end], '?'); i >= 0 {
		u.path.to = at + int32(i)
		u.query, u.hasQuery = span{u.path.to + 1, end}, true
	}
	return u
}

// splitAuthority finds user, host and port.
func (u *uriParts) splitAuthority(b []byte, s span) {
	u.authority = true
	if i := bytes.LastIndexByte(s.of(b), '@'); i >= 0 {
		u.userinfo = span{s.from, s.from + int32(i)}
		s.from += int32(i) + 1
	}
	host, port := splitHost(s.of(b))
	u.host = span{s.from, s.from + int32(len(host))}
	u.port = span{s.to - int32(len(port)), s.to}
}

// splitHost cuts a port off a host; an IPv6 address stands in brackets.
func splitHost(b []byte) (host, port []byte) {
	from := 0
	if len(b) > 0 && b[0] == '[' {
		if from = bytes.IndexByte(b, ']'); from < 0 {
			return b, nil
		}
	}
	if i := bytes.IndexByte(b[from:], ':'); i >= 0 {
		i += from
		return bytes.TrimSpace(b[:i]), b[i+1:]
	}
	return b, nil
}

// appendNormal appends a URI as http.uri shows it: the path decoded and without detours, the query and the fragment
// decoded. That of CONNECT has nothing of it.
func (t *transaction) appendNormal(dst []byte) []byte {
	b := t.uri.of(t.msg[flow.ToServer].raw)
	u := &t.parts
	from := len(dst)
	dst = appendPath(dst, u.path.of(b))
	t.pathLen = len(dst) - from
	if u.hasQuery {
		dst = appendDecoded(append(dst, '?'), u.query.of(b))
	}
	if u.hasFragment {
		dst = appendDecoded(append(dst, '#'), u.fragment.of(b))
	}
	return dst
}

// escaped is the byte that a percent escape at the start of b stands for.
func escaped(b []byte) (c byte, ok bool) {
	if len(b) < 3 || b[0] != '%' {
		return 0, false
	}
	h, l := unhex(b[1]), unhex(b[2])
	return byte(h<<4 | l&15), h >= 0 && l >= 0
}

// appendDecoded appends text with its percent escapes decoded; what is no escape stays.
func appendDecoded(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if v, ok := escaped(b[i:]); ok {
			c = v
			i += 2
		}
		dst = append(dst, c)
	}
	return dst
}

// appendPath appends a path that is decoded once (UTF-8 and %u escapes too), with its slashes all one way and none
// doubled, without . and ..
func appendPath(dst, path []byte) []byte {
	from, wide := len(dst), false
	for i := 0; i < len(path); i++ {
		c := path[i]
		if v, ok := escaped(path[i:]); ok {
			c = v
			i += 2
		} else if v, ok := wideEscaped(path[i:]); ok {
			c = v
			i += 5
		}
		if c == '\\' {
			c = '/'
		}
		if c == '/' && len(dst) > from && dst[len(dst)-1] == '/' {
			continue
		}
		wide = wide || c >= 0x80
		dst = append(dst, c)
	}
	if wide {
		dst = dst[:from+narrow(dst[from:])]
	}
	return dst[:from+removeDots(dst[from:])]
}

// wideEscaped is the byte that fits an escape %uXXXX best.
func wideEscaped(b []byte) (c byte, ok bool) {
	if len(b) < 6 || b[0] != '%' || b[1]|0x20 != 'u' {
		return 0, false
	}
	r := rune(0)
	for _, x := range b[2:6] {
		v := unhex(x)
		if v < 0 {
			return 0, false
		}
		r = r<<4 | rune(v)
	}
	return bestFit(r), true
}

// bestFit is the byte that servers with one-byte code pages take for a character.
func bestFit(r rune) byte {
	switch {
	case r <= 0xff:
		return byte(r)
	case r >= 0xff01 && r <= 0xff5e: // full width
		return byte(r - 0xfee0)
	case r == 0x2044 || r == 0x2215: // slashes
		return '/'
	case r == 0x2216:
		return '\\'
	}
	return '?'
}

// narrow turns UTF-8 into single bytes in place and returns the new length. Overlong forms are decoded too, since
// servers did; what is no UTF-8 becomes a question mark.
func narrow(b []byte) int {
	n := 0
	for i := 0; i < len(b); n++ {
		c := b[i]
		size, r := 1, rune(c)
		switch {
		case c >= 0xf0 && c < 0xf8:
			size, r = 4, rune(c&7)
		case c >= 0xe0:
			size, r = 3, rune(c&15)
		case c >= 0xc0:
			size, r = 2, rune(c&31)
		}
		ok := c < 0x80 || size > 1 && c < 0xf8 && i+size <= len(b)
		for j := 1; ok && j < size; j++ {
			ok = b[i+j]&0xc0 == 0x80
			r = r<<6 | rune(b[i+j]&0x3f)
		}
		if !ok {
			size, r = 1, '?'
		}
		b[n] = bestFit(r)
		i += size
	}
	return n
}

// removeDots takes . and .. out of a path in place (as RFC 3986, 5.2.4, but a last one leaves no slash) and returns its
// new length.
func removeDots(b []byte) int {
	n := 0
	for i := 0; i < len(b); {
		end := len(b)
		if j := bytes.IndexByte(b[i+1:], '/'); j >= 0 {
			end = i + 1 + j
		}
		switch seg := b[i:end]; string(seg) { // with the slash in front of it
		case "/.":
		case "/..":
			n = max(bytes.LastIndexByte(b[:n], '/'), 0)
		default:
			n += copy(b[n:], seg)
		}
		i = end
	}
	return n
}
