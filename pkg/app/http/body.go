package http

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// body is what is kept of a message's body.
type body struct {
	kept   []byte // decoded
	limit  int
	wire   int64 // bytes on the wire, with the framing of chunks
	codec  *decoder
	full   bool // the limit is reached: nothing more is kept
	form   form
	files  []formFile // of a form
	tunnel bool       // RTSP with its media
	op     []byte
	opDone bool
}

// value is what is known of the body and will stay.
func (b *body) value() []byte {
	if b.codec != nil && !b.codec.steady() {
		return nil
	}
	return b.kept
}

func (b *body) release(p *layer.Pool) { p.Put(b.kept) }

// counted reads a body or a chunk of known length. What is beyond the limit is skipped without being seen.
func (p *parser) counted(d flow.Direction, r *reader, data []byte) (used int, more bool) {
	t := r.tx
	n := min(int64(len(data)), r.left)
	p.bodyData(t, d, data[:n])
	r.left -= n
	if b := &t.msg[d].body; b.full && r.left > 0 {
		b.wire += r.left
		n += r.left
		r.left = 0
	}
	if r.left > 0 {
		return int(n), true
	}
	switch {
	case r.state == rChunkData:
		r.state = rChunkEnd
	case r.beyond:
		r.beyond = false
		r.state, r.after = rProbe, rUntilEnd
	default:
		p.complete(t, d)
	}
	return int(n), true
}

// bodyData keeps a piece of a body.
func (p *parser) bodyData(t *transaction, d flow.Direction, data []byte) {
	b := &t.msg[d].body
	b.wire += int64(len(data))
	if b.full || len(data) == 0 {
		return
	}
	if b.codec != nil {
		p.decode(t, d, data)
	} else {
		p.keepBody(t, d, data)
	}
	if b.full && b.codec != nil {
		p.putDecoder(b)
	}
}

// keepBody adds decoded bytes up to the limit.
func (p *parser) keepBody(t *transaction, d flow.Direction, data []byte) {
	b := &t.msg[d].body
	if room := b.limit - len(b.kept); len(data) >= room {
		data, b.full = data[:room], true
	}
	if !p.keep(t, d, &b.kept, data) {
		b.full = true
	}
}

// missed counts bytes of a body that never came. Nothing can be decompressed behind a gap.
func (p *parser) missed(t *transaction, d flow.Direction, n int) {
	b := &t.msg[d].body
	b.wire += int64(n)
	if b.codec != nil {
		b.full = true
		p.putDecoder(b)
	}
}

// bodyDone ends a body.
func (p *parser) bodyDone(t *transaction, d flow.Direction) {
	b := &t.msg[d].body
	if b.codec != nil {
		p.decodeEnd(t, d)
		p.putDecoder(b)
	}
	if m := &t.msg[d]; d == flow.ToServer && len(b.kept) > 0 && m.multipart() {
		m.scanForm(true)
		t.events[d] |= b.form.events
	}
}

// parseLength reads a Content-Length; ok is false if it is anything else than a number.
func parseLength(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<50 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(b) > 0
}

// hasToken says whether a list separated by commas has a word.
func hasToken(list []byte, word string) bool {
	for len(list) > 0 {
		n := bytes.IndexByte(list, ',')
		item := list
		if n >= 0 {
			item, list = list[:n], list[n+1:]
		} else {
			list = nil
		}
		if item = bytes.TrimSpace(item); len(item) == len(word) && prefix(item, word) == layer.Yes {
			return true
		}
	}
	return false
}

// containsWord looks for a word in lower case anywhere, without regard to case and NUL bytes.
func containsWord(b []byte, word string) bool {
	for i := range b {
		j := i
		k := 0
		for ; j < len(b) && k < len(word); j++ {
			if b[j] == 0 && k > 0 {
				continue
			}
			if lower(b[j]) != word[k] {
				break
			}
			k++
		}
		if k == len(word) {
			return true
		}
	}
	return false
}
