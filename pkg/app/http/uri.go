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
	if len(b) > 0 && b[0] != '/' {
		if i := bytes.Index(b, []byte("://")); i > 0 && isToken(b[:i]) {
			u.scheme = span{0, int32(i)}
			at = int32(i) + 3
			end := n
			if j := bytes.IndexAny(b[at:], "/?#\\"); j >= 0 {
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

// appendNormal appends a URI as http.uri shows it: the path decoded and without detours, the query and the fragment as
// they are.
func (t *transaction) appendNormal(dst []byte) []byte {
	b := t.uri.of(t.msg[flow.ToServer].raw)
	u := &t.parts
	if u.authority && len(u.scheme.of(b)) == 0 {
		return append(dst, b...) // of CONNECT
	}
	from := len(dst)
	dst = appendPath(dst, u.path.of(b))
	t.pathLen = len(dst) - from
	if u.hasQuery {
		dst = append(append(dst, '?'), u.query.of(b)...)
	}
	if u.hasFragment {
		dst = append(append(dst, '#'), u.fragment.of(b)...)
	}
	return dst
}

// appendPath appends a path that is decoded once, with its slashes all one way and none doubled, without . and ..
func appendPath(dst, path []byte) []byte {
	from := len(dst)
	for i := 0; i < len(path); {
		c := path[i]
		i++
		if c == '%' && i+1 < len(path) {
			if h, l := unhex(path[i]), unhex(path[i+1]); h >= 0 && l >= 0 {
				c = byte(h<<4 | l)
				i += 2
			}
		}
		if c == '\\' {
			c = '/'
		}
		if c == '/' && len(dst) > from && dst[len(dst)-1] == '/' {
			continue
		}
		dst = append(dst, c)
	}
	return dst[:from+removeDots(dst[from:])]
}

// removeDots takes . and .. out of a path in place (RFC 3986, 5.2.4) and returns its new length.
func removeDots(b []byte) int {
	n := 0
	for i := 0; i < len(b); {
		end := len(b)
		if j := bytes.IndexByte(b[i+1:], '/'); j >= 0 {
			end = i + 1 + j
		}
		seg := b[i:end] // with the slash in front of it
		last := end == len(b)
		switch {
		case b[i] == '/' && string(seg) == "/.":
			if last {
				b[n] = '/'
				n++
			}
		case b[i] == '/' && string(seg) == "/..":
			n = max(bytes.LastIndexByte(b[:n], '/'), 0)
			if last {
				b[n] = '/'
				n++
			}
		default:
			n += copy(b[n:], seg)
		}
		i = end
	}
	return n
}
