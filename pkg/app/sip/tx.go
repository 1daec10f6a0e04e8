package sip

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Tx is a message.
type Tx struct {
	Direction flow.Direction
	Request   bool

	store      tx.Store
	line       tx.Span
	parts      [parts]tx.Span
	headers    []header
	headed     bool
	complete   [2]bool
	events     [2]layer.EventSet
	inspection layer.Inspection
}

// Parts of a first line.
const (
	method = iota
	uri
	version
	code
	reason
	parts
)

type header struct {
	kind uint8
	at   tx.Span
}

func (t *Tx) clear(pool *layer.Pool) {
	t.store.Free(pool)
	*t = Tx{headers: t.headers[:0], inspection: t.inspection}
}

// value is the i-th header of a kind.
func (t *Tx) value(kind uint8, i int) ([]byte, bool) {
	for _, h := range t.headers {
		if h.kind != kind {
			continue
		}
		if i == 0 {
			return t.store.Bytes(h.at), true
		}
		i--
	}
	return nil, false
}

func (t *Tx) span(at tx.Span, i int) ([]byte, bool) {
	if i != 0 || !at.Present() {
		return nil, false
	}
	return t.store.Bytes(at), true
}

// Inspection is the engine's state.
func (t *Tx) Inspection() *layer.Inspection { return &t.inspection }

// Ready says that the headers are complete.
func (t *Tx) Ready(_ layer.Buffer, d flow.Direction) bool { return t.headed || d != t.Direction }

// Get is a buffer's value.
func (t *Tx) Get(b layer.Buffer, d flow.Direction, i int) ([]byte, bool) {
	if d != t.Direction {
		return nil, false
	}
	switch b {
	case layer.SIPMethod:
		return t.span(t.parts[method], i)
	case layer.SIPURI:
		return t.span(t.parts[uri], i)
	case layer.SIPProtocol:
		return t.span(t.parts[version], i)
	case layer.SIPStatCode:
		return t.span(t.parts[code], i)
	case layer.SIPStatMsg:
		return t.span(t.parts[reason], i)
	case layer.SIPRequestLine:
		if t.Request {
			return t.span(t.line, i)
		}
	case layer.SIPResponseLine:
		if !t.Request {
			return t.span(t.line, i)
		}
	case layer.SIPFrom:
		return t.value(from, i)
	case layer.SIPTo:
		return t.value(to, i)
	case layer.SIPVia:
		return t.value(via, i)
	case layer.SIPUserAgent:
		return t.value(userAgent, i)
	case layer.SIPContentType:
		return t.value(contentType, i)
	case layer.SIPContentLength:
		return t.value(contentLength, i)
	}
	return nil, false
}

// Complete says that the message is complete; in the other direction there is nothing.
func (t *Tx) Complete(d flow.Direction) bool { return t.complete[d] || d != t.Direction }

// Events are those of a direction.
func (t *Tx) Events(d flow.Direction) layer.EventSet { return t.events[d] }

// Log writes the object "sip".
func (t *Tx) Log(o *layer.Object, d flow.Direction) bool {
	if d != t.Direction || !t.line.Present() {
		return false
	}
	o.Begin("sip")
	names := [parts]string{"method", "uri", "version", "code", "reason"}
	for i, name := range names {
		if v, ok := t.span(t.parts[i], 0); ok {
			o.Raw(name, v)
		}
	}
	name := "response_line"
	if t.Request {
		name = "request_line"
	}
	o.Raw(name, t.store.Bytes(t.line))
	o.End()
	return true
}
