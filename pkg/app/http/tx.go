package http

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// transaction is a request and its response.
type transaction struct {
	state  layer.Inspection
	p      *parser
	msg    [2]message
	events [2]layer.EventSet

	method, uri, protocol      span // of the request line
	version                    int  // see parseVersion; 0 if there is none
	parts                      uriParts
	pathLen                    int  // of the path in the normalised URI
	known                      bool // the method is
	answerProtocol, code, text span // of the status line
	answerVersion, status      int
	answered                   bool // a response began
	unasked                    bool // the request was not seen
	stray                      bool // only what a client sent between requests
	continued                  bool // an interim response came
}

// clear makes it fit for another request.
func (t *transaction) clear() {
	for d := range t.msg {
		t.msg[d].release(t.p.pool)
	}
	*t = transaction{state: t.state, p: t.p, msg: t.msg}
}

// Inspection is the engine's state of this transaction.
func (t *transaction) Inspection() *layer.Inspection { return &t.state }

// Complete says that nothing more will come in a direction.
func (t *transaction) Complete(d flow.Direction) bool {
	return t.msg[d].stage == sDone || t.p.dirs[d].ended
}

// Events are the events of the transaction. Both directions show all of them, as Suricata's do: its rules say themselves
// which direction they are about.
func (t *transaction) Events(flow.Direction) layer.EventSet { return t.events[0] | t.events[1] }

// need is the stage at which a buffer is final.
var need = func() (s [layer.Buffers]stage) {
	for b := range s {
		s[b] = sHead
	}
	for _, b := range []layer.Buffer{layer.HTTPMethod, layer.HTTPURI, layer.HTTPURIRaw, layer.HTTPRequestLine,
		layer.HTTPProtocol, layer.HTTPStatCode, layer.HTTPStatMsg, layer.HTTPResponseLine} {
		s[b] = sLine
	}
	for _, b := range []layer.Buffer{layer.HTTPRequestBody, layer.HTTPResponseBody, layer.FileData, layer.FileName, layer.ONVIFOp} {
		s[b] = sDone
	}
	return s
}()

// Ready says that a buffer is final.
func (t *transaction) Ready(b layer.Buffer, d flow.Direction) bool {
	m := &t.msg[d]
	if m.stage >= need[b] || t.p.dirs[d].ended {
		return true
	}
	return need[b] == sDone && m.body.full
}
