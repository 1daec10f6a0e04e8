package http

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

const (
	junkLine = 1024 // a line in front of a response that is longer is the body of a response without headers
	// tunnelBody is what is kept of RTSP in an HTTP body: the answers to the first requests. Media follows, so the
	// direction needs no more inspection then.
	tunnelBody = 16 << 10
	blanks     = 256 // white space in front of a status line
)

// responseLine reads the first line of a response.
func (p *parser) responseLine(r *reader, data []byte, end bool) (used int, more bool) {
	i := 0
	for i < len(data) && i < blanks && (isSpace(data[i]) || data[i] == 0) {
		i++
	}
	if data[0] == '\n' || data[0] == '\r' {
		return 1, true
	}
	if blank := bytes.IndexByte(data[:i], '\n'); blank >= 0 && isBlank(data[:blank]) {
		return blank + 1, true
	}
	switch prefix(data[i:], "http") {
	case layer.More:
		if !end {
			return 0, false
		}
		if i == len(data) {
			return len(data), true
		}
	case layer.Yes:
		return p.statusLine(r, data, end)
	}
	return p.junk(r, data, i, end)
}

// junk is a line that is no status line. If one follows it is skipped, else it begins the body of a response without
// headers.
func (p *parser) junk(r *reader, data []byte, from int, end bool) (used int, more bool) {
	n := bytes.IndexByte(data[from:min(len(data), from+junkLine)], '\n')
	switch {
	case n < 0 && !end && len(data) < from+junkLine:
		return 0, false
	case n >= 0:
		n += from + 1
		switch prefix(data[n:], "http") {
		case layer.Yes:
			return n, true
		case layer.More:
			if !end {
				return 0, false
			}
		}
	}
	t := p.answer(r)
	m := &t.msg[flow.ToClient]
	m.old = true
	m.stage = sHead
	m.body.limit = p.cfg.ResponseBody
	r.state = rUntilEnd
	return 0, true
}

// answer is the transaction that a response belongs to: the oldest without one.
func (p *parser) answer(r *reader) *transaction {
	if r.tx != nil {
		return r.tx // after an interim response
	}
	for i := range p.list.Len() {
		if t := p.list.At(i); !t.answered {
			t.answered = true
			r.tx = t
			return t
		}
	}
	t := p.open(flow.ToClient)
	t.answered, t.unasked = true, true
	t.msg[flow.ToServer].stage = sDone
	t.raise(flow.ToClient, evUnmatched)
	r.tx = t
	return t
}

// statusLine reads version, code and text.
func (p *parser) statusLine(r *reader, data []byte, end bool) (used int, more bool) {
	const d = flow.ToClient
	r.mixed = false
	l, ok := p.findLine(d, r, data, end)
	if !ok {
		return 0, false
	}
	t := p.answer(r)
	if r.dropping {
		t.raise(d, evResponseTooLong)
	}
	r.state = rHeaders
	m := &t.msg[d]
	if _, ok := p.keepLine(t, d, data[:l.next]); !ok {
		return l.next, true
	}
	m.line = span{0, int32(l.end)}
	m.head = int32(l.next)
	t.parseStatus()
	if t.status >= 200 || t.status < 100 {
		m.stage = sLine
	}
	return l.next, true
}

func (t *transaction) parseStatus() {
	m := &t.msg[flow.ToClient]
	b := m.raw
	at := m.line
	at = trim(b, at)
	word := func() span {
		w := at
		for at.from < at.to && !isSpace(b[at.from]) {
			at.from++
		}
		w.to = at.from
		at = trim(b, at)
		return w
	}
	t.answerProtocol = word()
	t.code = word()
	t.text = at
	t.answerVersion = parseVersion(t.answerProtocol.of(b))
	if t.answerVersion < 0 {
		t.raise(flow.ToClient, evInvalidProtocol)
	}
	t.status = parseStatusCode(t.code.of(b))
	if t.status < 0 {
		t.raise(flow.ToClient, evInvalidStatus)
	}
}

// parseStatusCode is -1 if it is no number from 100 to 999.
func parseStatusCode(b []byte) int {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' || n > 999 {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	if n < 100 || n > 999 {
		return -1
	}
	return n
}

// responseBody decides what follows the headers of a response.
func (p *parser) responseBody(t *transaction) {
	const d = flow.ToClient
	r, m := &p.dirs[d], &t.msg[d]
	te, chunked := m.get(kTransferEncoding)
	cl, counted := m.get(kContentLength)
	none := t.status >= 100 && t.status < 200 || t.status == 204 || t.status == 304
	m.body.limit = p.cfg.ResponseBody
	p.checkResponse(t)
	if q := &p.dirs[flow.ToServer]; q.state == rConnect && t.status >= 300 {
		q.state = rStart // refused
	}
	switch {
	case t.tunnelled():
		p.complete(t, d)
		p.switchProtocol()
		return
	case t.status >= 100 && t.status < 200 && !chunked && !counted:
		p.interim(t)
		return
	case t.isHead() || none && !chunked && !counted:
		p.complete(t, d)
		return
	}
	r.state = rUntilEnd
	if chunked {
		chunked = p.responseChunked(t, te)
	}
	if chunked {
		r.state = rChunkSize
	} else if counted {
		p.responseCounted(t, cl)
	}
	if r.tx != t {
		return
	}
	if r.state == rUntilEnd && isTunnel(m) {
		m.body.limit = min(m.body.limit, tunnelBody)
		m.body.tunnel = true
		return
	}
	p.encodings(t, d)
	if none && r.state != rProbe {
		r.after, r.state = r.state, rProbe
	}
}

// responseChunked judges the Transfer-Encoding. Clients take much for chunked.
func (p *parser) responseChunked(t *transaction, te []byte) bool {
	const d = flow.ToClient
	if !containsWord(te, "chunked") {
		return false
	}
	if !bytes.EqualFold(te, []byte("chunked")) {
		t.raise(d, evAbnormalTE)
	}
	if t.answerVersion != 101 {
		t.raise(d, evChunkedOld)
	}
	return true
}

// responseCounted judges the Content-Length. A server that closes the connection may send more than it says.
func (p *parser) responseCounted(t *transaction, cl []byte) {
	const d = flow.ToClient
	r, m := &p.dirs[d], &t.msg[d]
	n, ok := parseLength(cl)
	if !ok {
		if leadingNumber(cl) == 0 {
			t.raise(d, evResponseCL)
		}
		return // who knows which length the client takes: all of it is the body
	}
	if c, ok := m.get(kConnection); ok && hasToken(c, "close") {
		r.beyond = true
	}
	switch {
	case n > 0:
		r.state, r.left = rLength, n
	case r.beyond:
		r.beyond = false
		r.state, r.after = rProbe, rUntilEnd
	default:
		p.complete(t, d)
	}
}

// checkResponse judges headers of a response that have events of their own.
func (p *parser) checkResponse(t *transaction) {
	m := &t.msg[flow.ToClient]
	if v, ok := m.get(kContentRange); ok {
		if _, ok := parseRange(v); !ok {
			t.raise(flow.ToClient, evRangeInvalid)
		}
	}
	_, framed := m.get(kContentLength)
	_, chunked := m.get(kTransferEncoding)
	if v, ok := m.get(kContentType); ok && !framed && !chunked && containsWord(v, "multipart/byteranges") {
		t.raise(flow.ToClient, evByteranges)
	}
}

// isTunnel says that a body carries RTSP with its media instead of a document.
func isTunnel(m *message) bool {
	v, ok := m.get(kContentType)
	return ok && containsWord(v, "x-rtsp-tunnelled")
}

// interim starts over after a 1xx response.
func (p *parser) interim(t *transaction) {
	const d = flow.ToClient
	if t.status == 100 {
		if t.continued {
			t.raise(d, ev100Seen)
		}
		t.continued = true
	}
	t.msg[d].release(p.pool)
	t.answerProtocol, t.code, t.text, t.answerVersion, t.status = span{}, span{}, span{}, 0, 0
	p.dirs[d].state = rStart
}

// probeBody looks for a body where there should be none, or for more of it than was said: if the next response follows
// instead, or nothing, it is complete.
func (p *parser) probeBody(d flow.Direction, r *reader, data []byte) (used int, more bool) {
	i := 0
	for i < len(data) && i < lookahead && (data[i] == '\r' || data[i] == '\n') {
		i++
	}
	switch prefix(data[i:], "http/") {
	case layer.More:
		return 0, false
	case layer.Yes:
		p.complete(r.tx, d)
		return i, true
	}
	r.state = r.after
	return 0, true
}

// tunnelled says that the flow changes its protocol: CONNECT was granted, or 101.
func (t *transaction) tunnelled() bool {
	return t.status == 101 || t.status >= 200 && t.status < 300 && string(t.method.of(t.msg[flow.ToServer].raw)) == "CONNECT"
}

func (t *transaction) isHead() bool {
	return string(t.method.of(t.msg[flow.ToServer].raw)) == "HEAD"
}

// switchProtocol ends HTTP in both directions.
func (p *parser) switchProtocol() {
	p.dirs[0].state, p.dirs[1].state = rOpaque, rOpaque
	p.upgraded = true
}
