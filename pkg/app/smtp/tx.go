package smtp

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Tx is a mail: its envelope and its parts.
type Tx struct {
	store      tx.Store
	helo       tx.Span
	from       tx.Span
	rcpts      []tx.Span
	files      []file
	kept       int // bytes of files
	complete   [2]bool
	events     [2]layer.EventSet
	inspection layer.Inspection
}

// file is a part that contains no others.
type file struct {
	name    tx.Span // in the transaction's store
	store   tx.Store
	content tx.Span
}

func (t *Tx) clear(pool *layer.Pool) {
	t.store.Free(pool)
	for i := range t.files {
		t.files[i].store.Free(pool)
		t.files[i] = file{}
	}
	*t = Tx{rcpts: t.rcpts[:0], files: t.files[:0], inspection: t.inspection}
}

func (t *Tx) raise(d flow.Direction, event uint8) { t.events[d].Add(event) }

// maxKept is how much a mail keeps beside its parts: envelope and names.
const maxKept = 64 << 10

func (t *Tx) keep(pool *layer.Pool, at *tx.Span, b []byte) {
	if t.store.Len()+len(b) > maxKept {
		t.raise(flow.ToServer, eventUnparsable)
		return
	}
	var ok bool
	if *at, ok = t.store.Keep(pool, b); !ok {
		t.raise(flow.ToServer, eventMemory)
	}
}

func (t *Tx) recipient(pool *layer.Pool, address []byte) {
	if len(t.rcpts) == maxRcpts {
		t.raise(flow.ToServer, eventUnparsable)
		return
	}
	var at tx.Span
	if t.keep(pool, &at, address); at.Present() {
		t.rcpts = append(t.rcpts, at)
	}
}

// Helo is the name that the client gave itself; slices are valid until the parser is called again.
func (t *Tx) Helo() []byte { return t.store.Bytes(t.helo) }

// From is the envelope's sender as sent, such as <a@b>.
func (t *Tx) From() []byte { return t.store.Bytes(t.from) }

// Files is how many parts there are, those without name counted.
func (t *Tx) Files() int { return len(t.files) }

// File is a part: its name, if it has one, and what is kept of its content, decoded.
func (t *Tx) File(i int) (name, content []byte) {
	f := &t.files[i]
	return t.store.Bytes(f.name), f.store.Bytes(f.content)
}

// Inspection is the engine's state.
func (t *Tx) Inspection() *layer.Inspection { return &t.inspection }

// Ready says that a value is final: those of a mail are when it is complete.
func (t *Tx) Ready(b layer.Buffer, d flow.Direction) bool {
	switch b {
	case layer.SMTPHelo:
		return t.complete[d] || t.from.Present()
	case layer.SMTPMailFrom:
		return t.complete[d] || len(t.rcpts) > 0
	}
	return t.complete[d]
}

// Get is a buffer's value.
func (t *Tx) Get(b layer.Buffer, d flow.Direction, i int) ([]byte, bool) {
	if d != flow.ToServer {
		return nil, false
	}
	switch b {
	case layer.SMTPHelo:
		return t.Helo(), i == 0 && t.helo.Len() > 0
	case layer.SMTPMailFrom:
		return t.From(), i == 0 && t.from.Present()
	case layer.SMTPRcptTo:
		if i < len(t.rcpts) {
			return t.store.Bytes(t.rcpts[i]), true
		}
	case layer.FileData:
		if i < len(t.files) {
			f := &t.files[i]
			return f.store.Bytes(f.content), true
		}
	case layer.FileName:
		return t.name(i)
	}
	return nil, false
}

// name is the i-th name of a part that has one.
func (t *Tx) name(i int) ([]byte, bool) {
	for _, f := range t.files {
		if f.name.Len() == 0 {
			continue
		}
		if i == 0 {
			return t.store.Bytes(f.name), true
		}
		i--
	}
	return nil, false
}

// Complete says that the mail was sent, and that its reply came.
func (t *Tx) Complete(d flow.Direction) bool { return t.complete[d] }

// Events are those of a direction.
func (t *Tx) Events(d flow.Direction) layer.EventSet { return t.events[d] }

// Log writes the objects "smtp" and "email" once, with the server's direction.
func (t *Tx) Log(o *layer.Object, d flow.Direction) bool {
	if d != flow.ToClient || t.helo.Len() == 0 && !t.from.Present() && len(t.rcpts) == 0 {
		return false
	}
	o.Begin("smtp")
	if t.helo.Len() > 0 {
		o.Raw("helo", t.Helo())
	}
	if t.from.Present() {
		o.Raw("mail_from", t.From())
	}
	if len(t.rcpts) > 0 {
		o.Array("rcpt_to")
		for _, r := range t.rcpts {
			o.ItemRaw(t.store.Bytes(r))
		}
		o.EndArray()
	}
	o.End()
	if _, ok := t.name(0); !ok {
		return true
	}
	o.Begin("email")
	o.Array("attachment")
	for i := 0; ; i++ {
		name, ok := t.name(i)
		if !ok {
			break
		}
		o.ItemRaw(name)
	}
	o.EndArray()
	o.End()
	return true
}
