package http

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Log writes EVE's http object. A transaction is logged once, with its response.
func (t *transaction) Log(o *layer.Object, d flow.Direction) (ok bool) {
	if d != flow.ToClient || t.stray {
		return false
	}
	o.Begin("http")
	t.fields(o)
	o.End()
	return true
}

func (t *transaction) fields(o *layer.Object) {
	q, r := &t.msg[flow.ToServer], &t.msg[flow.ToClient]
	if host, ok := t.derive(flow.ToServer, dHost); ok {
		o.Raw("hostname", host)
	}
	t.logPort(o)
	switch {
	case t.unasked:
		o.Text("url", "/libhtp::request_uri_not_seen")
	case t.uri.to > t.uri.from:
		o.Raw("url", t.uri.of(q.raw))
	}
	logField(o, "http_user_agent", q, kUserAgent)
	logField(o, "xff", q, kXForwardedFor)
	if v, ok := r.get(kContentType); ok {
		for i, c := range v {
			if c == ';' {
				v = v[:i]
				break
			}
		}
		o.Raw("http_content_type", v)
	}
	logField(o, "http_refer", q, kReferer)
	if t.method.to > t.method.from {
		o.Raw("http_method", t.method.of(q.raw))
	}
	if p := t.protocol; p.to > p.from {
		o.Raw("protocol", p.of(q.raw))
	} else if p := t.answerProtocol; p.to > p.from {
		o.Raw("protocol", p.of(r.raw))
	}
	if n := leadingNumber(t.code.of(r.raw)); n > 0 {
		o.Int("status", int64(n))
	}
	if t.status >= 300 && t.status < 400 {
		logField(o, "redirect", r, kLocation)
	}
	if v, ok := r.get(kContentRange); ok {
		logRange(o, v)
	}
	o.Int("length", r.body.wire)
}

func logField(o *layer.Object, name string, m *message, k kind) {
	if v, ok := m.get(k); ok {
		o.Raw(name, v)
	}
}

// logPort writes the port that the Host header or the URI names.
func (t *transaction) logPort(o *layer.Object) {
	q := &t.msg[flow.ToServer]
	var port []byte
	if t.parts.authority {
		port = t.parts.port.of(t.uri.of(q.raw))
	} else if h, ok := q.get(kHost); ok {
		_, port = splitHost(h)
	}
	if n, ok := parseLength(port); ok && n > 0 && n <= 65535 {
		o.Int("http_port", n)
	}
}

// leadingNumber is the number at the start of a status code, which may be followed by anything.
func leadingNumber(b []byte) (n int) {
	for _, c := range b {
		if c < '0' || c > '9' || n > 999 {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// logRange writes a Content-Range (RFC 9110, 14.4).
func logRange(o *layer.Object, v []byte) {
	o.Begin("content_range")
	o.Raw("raw", v)
	if c, ok := parseRange(v); ok {
		if c.end > 0 {
			o.Int("start", c.start)
			o.Int("end", c.end)
		}
		if c.size > 0 {
			o.Int("size", c.size)
		}
	}
	o.End()
}
