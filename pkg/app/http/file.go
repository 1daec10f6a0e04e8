package http

import (
	"bytes"

	"citygate/pkg/flow"
)

// part is a part of a multipart body.
type part struct{ name, file, data span }

// file is the i-th file of a message.
func (t *transaction) file(d flow.Direction, i int) (data []byte, ok bool) {
	m := &t.msg[d]
	if i > 0 || len(m.body.kept) == 0 {
		return nil, false
	}
	return m.body.kept, true
}

// fileName is the i-th file's name.
func (t *transaction) fileName(d flow.Direction, i int) (name []byte, ok bool) {
	m := &t.msg[d]
	if i > 0 || m.body.wire == 0 {
		return nil, false
	}
	if v, ok := m.get(kContentDisposition); ok {
		if name, ok := dispositionName(v); ok {
			return name, true
		}
	}
	q := &t.msg[flow.ToServer]
	uri := t.uri.of(q.raw)
	path := t.parts.path.of(uri)
	return path, len(path) > 0
}

// dispositionName finds filename= in a Content-Disposition.
func dispositionName(v []byte) (name []byte, ok bool) {
	i := bytes.Index(v, []byte("filename="))
	if i < 0 {
		return nil, false
	}
	v = v[i+len("filename="):]
	if len(v) > 0 && v[0] == '"' {
		v = v[1:]
		if end := bytes.IndexByte(v, '"'); end >= 0 {
			v = v[:end]
		}
		return v, len(v) > 0
	}
	if end := bytes.IndexByte(v, ';'); end >= 0 {
		v = v[:end]
	}
	v = bytes.TrimSpace(v)
	return v, len(v) > 0
}
