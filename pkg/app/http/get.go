package http

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/app/onvif"
	"citygate/pkg/flow"
)

// Buffers that are put together when they are first asked for.
const (
	dHeaders = iota // all headers
	dPlain          // without cookies
	dNames
	dStart
	dURI
	dHost
	derivedBuffers
)

// simple are the buffers that are the value of one header.
var simple = [layer.Buffers]kind{
	layer.HTTPUserAgent: kUserAgent, layer.HTTPReferer: kReferer, layer.HTTPAccept: kAccept,
	layer.HTTPAcceptEnc: kAcceptEncoding, layer.HTTPAcceptLang: kAcceptLanguage, layer.HTTPConnection: kConnection,
	layer.HTTPContentType: kContentType, layer.HTTPContentLen: kContentLength, layer.HTTPServer: kServer,
	layer.HTTPLocation: kLocation,
}

// Get is the value of a buffer.
func (t *transaction) Get(b layer.Buffer, d flow.Direction, i int) (value []byte, ok bool) {
	m := &t.msg[d]
	way := b.Info().Way
	if way&(layer.Request<<d) == 0 || i > 0 && !b.Info().Multi {
		return nil, false
	}
	if k := simple[b]; k != kOther {
		return m.get(k)
	}
	switch b {
	case layer.HTTPRequestHeader, layer.HTTPResponseHeader:
		return t.header(d, i)
	case layer.FileData:
		return t.file(d, i)
	case layer.FileName:
		return t.fileName(d, i)
	case layer.HTTPRequestBody, layer.HTTPResponseBody:
		v := m.body.value()
		return v, len(v) > 0
	case layer.ONVIFOp:
		return t.operation(d)
	case layer.HTTPCookie:
		return m.get(kCookie + kind(d))
	case layer.HTTPHeader, layer.HTTPHeaderRaw, layer.HTTPHeaderNames, layer.HTTPStart:
		return t.headers(b, d)
	}
	return t.firstLine(b, d)
}

// firstLine is what comes from the first line.
func (t *transaction) firstLine(b layer.Buffer, d flow.Direction) (value []byte, ok bool) {
	m := &t.msg[d]
	if m.raw == nil {
		return nil, false
	}
	s := span{}
	switch b {
	case layer.HTTPRequestLine, layer.HTTPResponseLine:
		s = m.line
	case layer.HTTPMethod:
		s = t.method
	case layer.HTTPURIRaw:
		s = t.uri
	case layer.HTTPProtocol:
		if s = t.protocol; d == flow.ToClient {
			s = t.answerProtocol
		}
	case layer.HTTPStatCode:
		s = t.code
	case layer.HTTPStatMsg:
		s = t.text
	case layer.HTTPURI:
		return t.derive(d, dURI)
	case layer.HTTPHost:
		return t.derive(d, dHost)
	case layer.HTTPHostRaw:
		if t.parts.authority {
			return t.derive(d, dHost)
		}
		return t.host()
	}
	return s.of(m.raw), s.to > s.from
}

// host is the host as sent.
func (t *transaction) host() (value []byte, ok bool) {
	m := &t.msg[flow.ToServer]
	if t.parts.authority {
		h := t.parts.host.of(t.uri.of(m.raw))
		return h, len(h) > 0
	}
	return m.get(kHost)
}

// headers are the buffers with all headers.
func (t *transaction) headers(b layer.Buffer, d flow.Direction) (value []byte, ok bool) {
	m := &t.msg[d]
	switch {
	case m.stage < sHead || m.old:
		return nil, false
	case b == layer.HTTPHeaderRaw:
		if m.raw == nil {
			return nil, false
		}
		return m.raw[m.head:], len(m.raw) > int(m.head)
	case len(m.fields) == 0:
		return nil, false
	case b == layer.HTTPStart:
		return t.derive(d, dStart)
	case b == layer.HTTPHeaderNames:
		return t.derive(d, dNames)
	case m.known[kCookie+kind(d)] == 0:
		return t.derive(d, dHeaders)
	}
	return t.derive(d, dPlain)
}

// header is the i-th header.
func (t *transaction) header(d flow.Direction, i int) (value []byte, ok bool) {
	m := &t.msg[d]
	if m.stage < sHead || i >= len(m.fields) {
		return nil, false
	}
	all, ok := t.derive(d, dHeaders)
	if !ok {
		return nil, false
	}
	f := &m.fields[i]
	n := int(f.name.to-f.name.from) + 2 + int(f.value.to-f.value.from)
	return all[f.at : int(f.at)+n], true
}

// derive puts a buffer together, once all that it is made of is there.
func (t *transaction) derive(d flow.Direction, which int) (value []byte, ok bool) {
	m := &t.msg[d]
	if !m.built[which] {
		from := layer.HTTPHost
		if which == dURI {
			from = layer.HTTPURI
		}
		if !t.Ready(from, d) {
			return nil, false
		}
		m.built[which] = true
		size := len(m.raw) + len(m.joined) + 5*len(m.fields) + 8
		if m.derived[which] = t.p.pool.Get(size); m.derived[which] == nil {
			t.raise(d, evMemory)
			return nil, false
		}
		m.derived[which] = t.compose(m.derived[which], d, which)
	}
	return m.derived[which], len(m.derived[which]) > 0
}

// compose appends a buffer's text to b, which has room for it.
func (t *transaction) compose(b []byte, d flow.Direction, which int) []byte {
	m := &t.msg[d]
	switch which {
	case dURI:
		return t.appendNormal(b)
	case dHost:
		return t.appendHost(b)
	case dStart:
		b = append(append(b, m.line.of(m.raw)...), '\r', '\n')
	case dNames:
		b = append(b, '\r', '\n')
	}
	cookie := kCookie + kind(d)
	for i := range m.fields {
		f := &m.fields[i]
		if which == dHeaders {
			f.at = int32(len(b))
		} else if which == dPlain && f.kind == cookie {
			continue
		}
		b = append(b, m.name(f)...)
		if which != dNames {
			b = append(append(b, ':', ' '), m.value(i)...)
		}
		b = append(b, '\r', '\n')
	}
	if which == dStart || which == dNames {
		b = append(b, '\r', '\n')
	}
	return b
}

// appendHost appends the host in lower case and without its port.
func (t *transaction) appendHost(b []byte) []byte {
	h, _ := t.host()
	if !t.parts.authority {
		h, _ = splitHost(h)
	}
	for len(h) > 1 && h[len(h)-1] == '.' {
		h = h[:len(h)-1]
	}
	for _, c := range h {
		b = append(b, lower(c))
	}
	return b
}

// operation is the SOAP operation of a body.
func (t *transaction) operation(d flow.Direction) (op []byte, ok bool) {
	b := &t.msg[d].body
	if !b.opDone && t.Ready(layer.ONVIFOp, d) {
		b.opDone = true
		if isSOAP(&t.msg[d]) {
			b.op, _ = onvif.Operation(b.kept)
		}
	}
	return b.op, len(b.op) > 0
}
