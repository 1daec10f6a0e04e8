package rtsp

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/app/line"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Tx is a request and its answer, or one without the other. Byte slices that it gives are valid until the parser is called
// again.
type Tx struct {
	Request   flow.Direction // that of the request; servers ask, too
	CSeq      int            // -1 if there is none
	Status    int            // of the answer, 0 before it
	Scheme    Scheme         // of the credentials, or of the challenge
	Auth      Auth
	isRequest bool // the request was seen

	parts      [2]part
	headed     [2]bool // the headers are complete
	complete   [2]bool
	events     [2]layer.EventSet
	inspection layer.Inspection
}

// part is what is kept of a message.
type part struct {
	store      tx.Store
	body       tx.Store
	method     tx.Span
	uri        tx.Span
	status     tx.Span
	headers    [kept]tx.Span
	content    tx.Span
	transports []Transport
}

func (t *Tx) clear(pool *layer.Pool) {
	for i := range t.parts {
		p := &t.parts[i]
		p.store.Free(pool)
		p.body.Free(pool)
		*p = part{transports: p.transports[:0]}
	}
	*t = Tx{parts: t.parts, inspection: t.inspection}
}

func (t *Tx) header(d flow.Direction, i int) ([]byte, bool) {
	return t.span(d, t.parts[d].headers[i])
}

func (t *Tx) span(d flow.Direction, at tx.Span) ([]byte, bool) {
	if !at.Present() {
		return nil, false
	}
	return t.parts[d].store.Bytes(at), true
}

func (t *Tx) text(d flow.Direction, i int) []byte {
	b, _ := t.header(d, i)
	return b
}

// waits says that the request of a direction is complete and has no answer yet.
func (t *Tx) waits(d flow.Direction) bool {
	return t.isRequest && t.Request == d && t.complete[d] && !t.complete[d.Reverse()]
}

// Method is the request's method as sent.
func (t *Tx) Method() []byte {
	b, _ := t.span(t.Request, t.parts[t.Request].method)
	return b
}

// URI is the request's URI as sent.
func (t *Tx) URI() []byte {
	b, _ := t.span(t.Request, t.parts[t.Request].uri)
	return b
}

// UserAgent is the request's User-Agent.
func (t *Tx) UserAgent() []byte { return t.text(t.Request, userAgent) }

// Server is the answer's Server.
func (t *Tx) Server() []byte { return t.text(t.Request.Reverse(), server) }

// Session is the session's id and timeout, as the answer has it or else the request.
func (t *Tx) Session() []byte {
	if b := t.text(t.Request.Reverse(), session); len(b) > 0 {
		return b
	}
	return t.text(t.Request, session)
}

// ContentBase is the answer's Content-Base.
func (t *Tx) ContentBase() []byte { return t.text(t.Request.Reverse(), contentBase) }

// Body is what is kept of the body sent in a direction: the first 16 KiB.
func (t *Tx) Body(d flow.Direction) []byte { return t.parts[d].body.Bytes(t.parts[d].content) }

// SDP is the session description (RFC 8866) that is sent in a direction: DESCRIBE's answer, or ANNOUNCE.
func (t *Tx) SDP(d flow.Direction) []byte {
	if !line.Starts(t.text(d, contentType), "application/sdp") {
		return nil
	}
	return t.Body(d)
}

// Transports are what the Transport header of a direction says: offers of the request, the answer's choice.
func (t *Tx) Transports(d flow.Direction) []Transport { return t.parts[d].transports }

// Realm is the realm in a direction: that of WWW-Authenticate, or that of the credentials.
func (t *Tx) Realm(d flow.Direction) []byte {
	i := authenticate
	if d == t.Request {
		i = authorization
	}
	v, _ := parameter(t.text(d, i), "realm")
	return v
}

// Inspection is the engine's state.
func (t *Tx) Inspection() *layer.Inspection { return &t.inspection }

// Ready says that a message's headers are complete.
func (t *Tx) Ready(_ layer.Buffer, d flow.Direction) bool { return t.headed[d] || t.complete[d] }

// Get is a buffer's value.
func (t *Tx) Get(b layer.Buffer, d flow.Direction, i int) ([]byte, bool) {
	if i != 0 {
		return nil, false
	}
	part := &t.parts[d]
	switch b {
	case layer.RTSPMethod:
		return t.span(d, part.method)
	case layer.RTSPURI:
		return t.span(d, part.uri)
	case layer.RTSPStatus:
		return t.span(d, part.status)
	case layer.RTSPUserAgent:
		return t.header(d, userAgent)
	case layer.RTSPServer:
		return t.header(d, server)
	case layer.RTSPTransport:
		return t.header(d, transport)
	case layer.RTSPRealm:
		v := t.Realm(d)
		return v, v != nil
	}
	return nil, false
}

// Complete says that a message is complete, or will never be.
func (t *Tx) Complete(d flow.Direction) bool { return t.complete[d] }

// Events are those of a direction.
func (t *Tx) Events(d flow.Direction) layer.EventSet { return t.events[d] }

// Log writes the object "rtsp" once, with the answer's direction.
func (t *Tx) Log(o *layer.Object, d flow.Direction) bool {
	reply := t.Request.Reverse()
	if d != reply || !t.isRequest && t.Status == 0 {
		return false
	}
	o.Begin("rtsp")
	for _, f := range [...]struct {
		name  string
		value []byte
	}{
		{"method", t.Method()},
		{"uri", t.URI()},
		{"user_agent", t.UserAgent()},
		{"server", t.Server()},
		{"session", t.Session()},
	} {
		if len(f.value) > 0 {
			o.Raw(f.name, f.value)
		}
	}
	if t.Status > 0 {
		o.Int("status", int64(t.Status))
	}
	if t.CSeq >= 0 {
		o.Int("cseq", int64(t.CSeq))
	}
	t.logAnswerOr(o, "realm", t.Realm(reply), t.Realm(t.Request))
	t.logAnswerOr(o, "transport", t.text(reply, transport), t.text(t.Request, transport))
	if t.Auth != AuthNone {
		o.Text("auth", t.Auth.String())
	}
	if t.Scheme != SchemeNone {
		o.Text("auth_scheme", t.Scheme.String())
	}
	o.End()
	return true
}

// logAnswerOr writes what the answer says, or else the request.
func (t *Tx) logAnswerOr(o *layer.Object, name string, answer, request []byte) {
	if len(answer) == 0 {
		answer = request
	}
	if len(answer) > 0 {
		o.Raw(name, answer)
	}
}
