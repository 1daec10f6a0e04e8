package http

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// requestLine reads the first line of a request. Empty lines in front of it do not count.
func (p *parser) requestLine(r *reader, data []byte, end bool) (used int, more bool) {
	l, ok := p.findLine(flow.ToServer, r, data, end)
	if !ok {
		return 0, false
	}
	if isBlank(data[:l.end]) {
		return l.next, true
	}
	if p.begun && !isRequest(data[:l.end]) {
		r.dropping = false
		p.stray(r)
		return 0, true
	}
	p.begun = true
	t := p.open(flow.ToServer)
	r.tx, r.state, r.mixed = t, rHeaders, false
	if r.dropping {
		t.raise(flow.ToServer, evRequestTooLong)
	}
	if l.partial {
		t.raise(flow.ToServer, evLineIncomplete)
	}
	m := &t.msg[flow.ToServer]
	if _, ok := p.keepLine(t, flow.ToServer, data[:l.next]); !ok {
		return l.next, true
	}
	m.line = span{0, int32(l.end)}
	m.head = int32(l.next)
	t.parseRequest()
	m.stage = sLine
	if t.version == 0 {
		r.state = rOld
	}
	return l.next, true
}

func isBlank(b []byte) bool {
	for _, c := range b {
		if !isSpace(c) {
			return false
		}
	}
	return true
}

// parseRequest finds method, URI and version in the request line. The URI may contain spaces; the version is the last word.
func (t *transaction) parseRequest() {
	m := &t.msg[flow.ToServer]
	b := m.raw
	at := m.line
	if at.from < at.to && isSpace(b[at.from]) {
		t.raise(flow.ToServer, evLeadingSpace)
	}
	at = trim(b, at)
	i := at.from
	for i < at.to && !isSpace(b[i]) {
		i++
	}
	t.method = span{at.from, i}
	j := i
	for j < at.to && isSpace(b[j]) {
		if b[j] != ' ' {
			t.raise(flow.ToServer, evMethodDelim)
		}
		j++
	}
	if j == at.to {
		t.raise(flow.ToServer, evLineInvalid)
	}
	k := at.to
	for k > j && !isSpace(b[k-1]) {
		k--
	}
	t.uri = span{j, at.to}
	if k > j {
		t.protocol = span{k, at.to}
		t.version = parseVersion(t.protocol.of(b))
		if b[k-1] != ' ' {
			t.raise(flow.ToServer, evURIDelim)
		}
		t.uri = trim(b, span{j, k})
		if t.version < 0 {
			t.raise(flow.ToServer, evLineInvalid)
		}
	}
	t.known = isKnownMethod(t.method.of(b))
	t.parts = splitURI(t.uri.of(b), string(t.method.of(b)) == "CONNECT")
}

// parseVersion is 100 x major + minor of HTTP/1.1 and the like; -1 if it is none.
func parseVersion(b []byte) int {
	v, ok := bytes.CutPrefix(b, []byte("HTTP/"))
	if !ok {
		return -1
	}
	switch string(bytes.TrimLeft(v, " \t0")) {
	case ".9":
		return 9
	case "1.0":
		return 100
	case "1.1":
		return 101
	}
	return -1
}

func isKnownMethod(b []byte) bool {
	for _, m := range methods {
		if string(b) == m {
			return true
		}
	}
	return false
}

const oldProbe = 1024 // bytes in which a header has to show up behind a request line without a version

// oldRequest decides whether a request without a version is one of HTTP/0.9, which has no headers, or only lacks its
// version.
func (p *parser) oldRequest(r *reader, data []byte, end bool) (used int, more bool) {
	t := r.tx
	i := r.scanned
	for i < len(data) && i < oldProbe && (isMethod(data[i])) {
		i++
	}
	if i == len(data) && !end {
		r.scanned = i
		return 0, false
	}
	if i > 0 && i < len(data) && data[i] == ':' {
		t.raise(flow.ToServer, evMissingProtocol)
		r.state = rHeaders
		return 0, true
	}
	t.msg[flow.ToServer].old = true
	t.msg[flow.ToServer].stage = sHead
	p.complete(t, flow.ToServer)
	return 0, true
}

// requestBody decides what follows the headers of a request.
func (p *parser) requestBody(t *transaction) {
	const d = flow.ToServer
	r, m := &p.dirs[d], &t.msg[d]
	p.checkHost(t)
	p.checkAuth(t)
	te, chunked := m.get(kTransferEncoding)
	cl, counted := m.get(kContentLength)
	if chunked && !hasToken(te, "chunked") {
		t.raise(d, evRequestTE)
		chunked = containsWord(te, "chunked")
	}
	var n int64
	if counted {
		if n, counted = parseLength(cl); !counted {
			t.raise(d, evRequestCL)
		}
	}
	m.body.limit = p.cfg.RequestBody
	switch {
	case string(t.method.of(m.raw)) == "CONNECT":
		p.complete(t, d)
		r.state = rConnect
		return
	case chunked:
		if t.version == 100 {
			t.raise(d, evRequestTE)
		}
		r.state = rChunkSize
	case counted && n > 0:
		r.state, r.left = rLength, n
	default:
		p.complete(t, d)
		return
	}
	p.encodings(t, d)
}

// connectWait is how much of something else than HTTP may wait for the answer to a CONNECT.
const connectWait = 8 << 10

// connect waits for the answer to a CONNECT. Whoever speaks HTTP meanwhile goes on with it.
func (p *parser) connect(r *reader, data []byte) (used int, more bool) {
	if probeRequest(data) == layer.Yes {
		r.state = rStart
		return 0, true
	}
	if len(data) > connectWait {
		r.state = rOpaque
		return len(data), true
	}
	return 0, false
}

// stray opens a transaction for what a client sends between requests: a body that was not announced, or rubbish.
func (p *parser) stray(r *reader) {
	t := p.open(flow.ToServer)
	t.stray, t.answered = true, true
	t.raise(flow.ToServer, evBodyUnexpected)
	t.msg[flow.ToServer].stage = sHead
	t.msg[flow.ToServer].body.limit = p.cfg.RequestBody
	t.msg[flow.ToClient].stage = sDone
	r.tx, r.state = t, rStray
}

// strayData keeps lines until one is a request.
func (p *parser) strayData(r *reader, data []byte, end bool) (used int, more bool) {
	limit := p.cfg.Line
	l, ok := r.plainLine(data)
	switch {
	case ok && l.next <= limit:
	case len(data) > limit:
		l = line{end: limit, next: limit}
	case end:
		l = line{end: len(data), next: len(data)}
	default:
		return 0, false
	}
	if isRequest(data[:l.end]) {
		p.complete(r.tx, flow.ToServer)
		return 0, true
	}
	p.bodyData(r.tx, flow.ToServer, data[:l.next])
	return l.next, true
}

// isRequest says that a line has a known method or a version.
func isRequest(b []byte) bool {
	b = bytes.Trim(b, " \t\r")
	method := b
	if i := bytes.IndexAny(b, " \t"); i >= 0 {
		method = b[:i]
	}
	return isKnownMethod(method) || prefix(b[bytes.LastIndexByte(b, ' ')+1:], "http/") == layer.Yes
}
