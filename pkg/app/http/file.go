package http

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// file is the i-th file of a message: the body of a response, of PUT or of POST, or a part of a form that has a file name.
func (t *transaction) file(d flow.Direction, i int) (data []byte, ok bool) {
	m := &t.msg[d]
	if len(m.body.value()) == 0 {
		return nil, false
	}
	if d == flow.ToServer {
		if m.multipart() {
			f, ok := t.formFile(i)
			return f.data.of(m.body.kept), ok && f.data.to > f.data.from
		}
		if method := t.method.of(m.raw); string(method) != "POST" && string(method) != "PUT" {
			return nil, false
		}
	}
	return m.body.kept, i == 0
}

// fileName is the i-th file's name: what the sender calls it, or the URI's path.
func (t *transaction) fileName(d flow.Direction, i int) (name []byte, ok bool) {
	m := &t.msg[d]
	if _, ok := t.file(d, i); !ok {
		return nil, false
	}
	if d == flow.ToServer && m.multipart() {
		f, ok := t.formFile(i)
		return f.name.of(m.body.kept), ok
	}
	if v, ok := m.get(kContentDisposition); ok && d == flow.ToClient {
		if s, ok := parameter(v, "filename="); ok {
			return s.of(v), true
		}
	}
	uri, ok := t.derive(flow.ToServer, dURI)
	if !ok {
		return nil, false
	}
	return uri[:t.pathLen], t.pathLen > 0
}

// formFile is the i-th file of a form, as far as it came.
func (t *transaction) formFile(i int) (f formFile, ok bool) {
	m := &t.msg[flow.ToServer]
	m.scanForm(m.stage == sDone)
	if i >= len(m.body.files) {
		return formFile{}, false
	}
	return m.body.files[i], true
}

// formFile is a part of a form that has a file name.
type formFile struct{ name, data span }

// formState is what a form's scanner looks for.
type formState uint8

const (
	formDelimiter formState = iota
	formBehind              // what is behind a delimiter
	formHeaders
	formOver
)

const (
	maxFiles       = 64      // of a form
	maxPartHeaders = 4 << 10 // bytes of a part's headers
	maxBoundary    = 200     // RFC 2046 allows 70
)

// form is how far a form was scanned.
type form struct {
	state  formState
	at     int
	inFile bool // what is scanned belongs to the last file
	parts  int
	events layer.EventSet
}

func (m *message) multipart() bool {
	v, ok := m.get(kContentType)
	return ok && prefix(v, "multipart/form-data") == layer.Yes
}

// parameter finds name=value or name="value" in a header.
func parameter(v []byte, name string) (s span, ok bool) {
	at := -1
	for i := 0; i+len(name) <= len(v); i++ {
		if prefix(v[i:], name) == layer.Yes && (i == 0 || v[i-1] == ';' || isSpace(v[i-1])) {
			at = i + len(name)
			break
		}
	}
	if at < 0 {
		return span{}, false
	}
	end := -1
	if at < len(v) && v[at] == '"' {
		at++
		end = bytes.IndexByte(v[at:], '"')
	} else {
		end = bytes.IndexByte(v[at:], ';')
	}
	if end < 0 {
		end = len(v) - at
	}
	s = trim(v, span{int32(at), int32(at + end)})
	return s, s.to > s.from
}

// scanForm goes on with a form (RFC 7578); done says that no more comes.
func (m *message) scanForm(done bool) {
	f := &m.body.form
	v, _ := m.get(kContentType)
	s, ok := parameter(v, "boundary=")
	boundary := s.of(v)
	if !ok || len(boundary) > maxBoundary {
		f.state = formOver
		f.events.Add(evMultipartError)
		return
	}
	for m.stepForm(boundary, done) {
	}
	if f.inFile && f.state == formDelimiter {
		last := &m.body.files[len(m.body.files)-1]
		last.data.to = max(last.data.from, int32(f.at))
		if done {
			last.data.to = int32(len(m.body.kept))
		}
	}
	if done && f.state != formOver && !m.body.full {
		f.state = formOver
		f.events.Add(evMultipartError)
	}
}

// stepForm does one step of a form's scanner. more is false when it needs bytes that are not there.
func (m *message) stepForm(boundary []byte, done bool) (more bool) {
	f, b := &m.body.form, m.body.kept
	switch f.state {
	case formDelimiter:
		i := delimiter(b, f.at, boundary)
		if i < 0 {
			f.at = max(f.at, len(b)-len(boundary)-4)
			return false
		}
		if f.inFile {
			m.endFile(i)
		}
		f.at, f.state = i+2+len(boundary), formBehind
	case formBehind:
		rest := b[f.at:]
		if len(rest) >= 2 && rest[0] == '-' && rest[1] == '-' {
			f.state = formOver
			return false
		}
		i := bytes.IndexByte(rest, '\n')
		if i < 0 || len(rest) < 2 {
			return false
		}
		f.at, f.state = f.at+i+1, formHeaders
		f.parts++
	case formHeaders:
		return m.partHeaders()
	case formOver:
		return false
	}
	return true
}

// endFile ends the last file at a delimiter, in front of which a line end belongs to it.
func (m *message) endFile(i int) {
	f, b := &m.body.form, m.body.kept
	f.inFile = false
	last := &m.body.files[len(m.body.files)-1]
	if i > 0 && b[i-1] == '\n' {
		if i--; i > 0 && b[i-1] == '\r' {
			i--
		}
	}
	last.data.to = max(int32(i), last.data.from)
	if last.data.to == last.data.from {
		f.events.Add(evMultipartNoData)
	}
}

// delimiter finds two dashes and the boundary at a line's start.
func delimiter(b []byte, from int, boundary []byte) int {
	for i := from; ; {
		j := bytes.Index(b[i:], boundary)
		if j < 0 {
			return -1
		}
		i += j
		if i >= from+2 && b[i-1] == '-' && b[i-2] == '-' && (i == 2 || b[i-3] == '\n') {
			return i - 2
		}
		i++
	}
}

// partHeaders reads the headers of a part.
func (m *message) partHeaders() (more bool) {
	f, b := &m.body.form, m.body.kept
	rest := b[f.at:min(len(b), f.at+maxPartHeaders)]
	for at := 0; ; {
		i := bytes.IndexByte(rest[at:], '\n')
		if i < 0 {
			if len(rest) == maxPartHeaders {
				f.events.Add(evMultipartHeader)
				f.state = formDelimiter
				return true
			}
			return false
		}
		if isBlank(rest[at : at+i]) {
			m.beginPart(f.at, rest[:at])
			f.at, f.state = f.at+at+i+1, formDelimiter
			if f.inFile {
				m.body.files[len(m.body.files)-1].data = span{int32(f.at), int32(f.at)}
			}
			return true
		}
		at += i + 1
	}
}

// beginPart looks for a file name in a part's headers, which lie at at.
func (m *message) beginPart(at int, headers []byte) {
	f := &m.body.form
	for from := 0; from < len(headers); {
		line := headers[from:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		}
		if prefix(line, "content-disposition:") == layer.Yes {
			s, ok := parameter(line, "filename=")
			if ok && len(m.body.files) < maxFiles {
				s.from, s.to = s.from+int32(at+from), s.to+int32(at+from)
				m.body.files = append(m.body.files, formFile{name: s})
				f.inFile = true
			}
			return
		}
		from += len(line) + 1
	}
	f.events.Add(evMultipartHeader)
}
