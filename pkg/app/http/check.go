package http

import (
	"bytes"

	"citygate/pkg/flow"
)

// checkHost judges the host of a request (RFC 9112, 3.2).
func (p *parser) checkHost(t *transaction) {
	const d = flow.ToServer
	m := &t.msg[d]
	uri := t.uri.of(m.raw)
	if t.parts.authority && !validHost(t.parts.host.of(uri)) {
		t.raise(d, evURIHostInvalid)
	}
	if q := t.parts.port.of(uri); len(q) > 0 && !validPort(q) {
		t.raise(d, evAuthorityPort)
	}
	header, ok := m.get(kHost)
	if !ok {
		if t.version == 101 {
			t.raise(d, evMissingHost)
		}
		return
	}
	host, port := splitHost(header)
	if !validHost(host) || port != nil && !validPort(port) {
		t.raise(d, evHostInvalid)
	}
	if !t.parts.authority {
		return
	}
	if h := t.parts.host.of(uri); !bytes.EqualFold(h, host) {
		t.raise(d, evHostAmbiguous)
	} else if q := t.parts.port.of(uri); len(q) > 0 && len(port) > 0 && !bytes.Equal(q, port) {
		t.raise(d, evHostAmbiguous)
	}
}

func validPort(b []byte) bool {
	n, ok := parseLength(bytes.TrimSpace(b))
	return ok && n > 0 && n <= 65535
}

const maxHost = 255 // RFC 1035, 2.3.4

// validHost takes names, underscores too, and addresses.
func validHost(b []byte) bool {
	if len(b) == 0 || len(b) > maxHost {
		return false
	}
	if b[0] == '[' {
		return len(b) > 3 && b[len(b)-1] == ']'
	}
	label := 0
	for _, c := range b {
		switch {
		case c == '.':
			if label == 0 {
				return false
			}
			label = -1
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_':
		default:
			return false
		}
		if label++; label > 63 {
			return false
		}
	}
	return true
}

// checkAuth knows the authentication schemes Basic, Digest and Bearer.
func (p *parser) checkAuth(t *transaction) {
	v, ok := t.msg[flow.ToServer].get(kAuthorization)
	if !ok {
		return
	}
	n := bytes.IndexByte(v, ' ')
	if n < 0 {
		n = len(v)
	}
	for _, scheme := range [...]string{"basic", "digest", "bearer"} {
		if hasToken(v[:n], scheme) {
			return
		}
	}
	t.raise(flow.ToServer, evAuthUnrecognized)
}
