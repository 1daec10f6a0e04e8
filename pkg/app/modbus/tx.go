package modbus

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Tx is a request and its answer; one without the other is possible.
type Tx struct {
	Messages [2]Message // by direction: the request, the answer

	stores     [2]tx.Store
	complete   [2]bool
	events     [2]layer.EventSet
	inspection layer.Inspection
}

// Request is what the client wants.
func (t *Tx) Request() *Message { return &t.Messages[flow.ToServer] }

// Response is what the server says.
func (t *Tx) Response() *Message { return &t.Messages[flow.ToClient] }

func (t *Tx) waits() bool {
	return t.Messages[flow.ToServer].Present && !t.complete[flow.ToClient]
}

// answer takes the answer out of another transaction.
func (t *Tx) answer(o *Tx) {
	const d = flow.ToClient
	t.Messages[d], t.stores[d], t.complete[d] = o.Messages[d], o.stores[d], true
	t.events[d] |= o.events[d]
	o.stores[d] = tx.Store{}
	if !t.Response().agrees(t.Request()) {
		t.events[d].Add(eventMismatch)
	}
}

func (t *Tx) clear(pool *layer.Pool) {
	t.stores[0].Free(pool)
	t.stores[1].Free(pool)
	*t = Tx{inspection: t.inspection}
}

// Inspection is the engine's state.
func (t *Tx) Inspection() *layer.Inspection { return &t.inspection }

// Ready is always true: there are no buffers.
func (t *Tx) Ready(layer.Buffer, flow.Direction) bool { return true }

// Get has no values: keywords read Messages.
func (t *Tx) Get(layer.Buffer, flow.Direction, int) ([]byte, bool) { return nil, false }

// Complete says that a message is there, or will never be.
func (t *Tx) Complete(d flow.Direction) bool { return t.complete[d] }

// Events are those of a direction.
func (t *Tx) Events(d flow.Direction) layer.EventSet { return t.events[d] }

// Log writes the object "modbus" once, with the answer's direction.
func (t *Tx) Log(o *layer.Object, d flow.Direction) bool {
	if d != flow.ToClient {
		return false
	}
	o.Begin("modbus")
	o.Uint("id", t.inspection.ID+1)
	for i, name := range [...]string{"request", "response"} {
		m := &t.Messages[i]
		if !m.Present {
			continue
		}
		o.Begin(name)
		m.log(o, flow.Direction(i), t.events[i])
		o.End()
	}
	o.End()
	return true
}

func (m *Message) log(o *layer.Object, d flow.Direction, e layer.EventSet) {
	o.Uint("transaction_id", uint64(m.Transaction))
	o.Uint("protocol_id", uint64(m.ProtocolID))
	o.Uint("unit_id", uint64(m.Unit))
	raw := uint64(m.Function)
	if m.Exception != 0 {
		raw |= exceptionBit
	}
	o.Uint("function_raw", raw)
	o.Text("function_code", m.Function.String())
	m.logAccess(o)
	o.Text("category", m.Category.String())
	o.Text("error_flags", errors(e))
	switch {
	case m.Exception != 0:
		if d == flow.ToClient {
			o.Begin("exception")
			o.Uint("raw", uint64(m.Exception))
			o.Text("code", exceptionName(m.Exception))
			o.End()
		}
	case m.SubFunction >= 0:
		m.logSub(o)
	default:
		m.logData(o, d)
	}
}

func (m *Message) logAccess(o *layer.Object) {
	var room [64]byte
	b := room[:0]
	for i, name := range accessNames {
		if m.Access>>i&1 == 0 {
			continue
		}
		if len(b) > 0 {
			b = append(b, " | "...)
		}
		b = append(b, name...)
	}
	if len(b) == 0 {
		b = append(b, "NONE"...)
	}
	o.Raw("access_type", b)
}

// errors sums up a message's events in one word.
func errors(e layer.EventSet) string {
	switch {
	case e.Has(eventLength):
		return "DATA_LENGTH"
	case e.Has(eventException):
		return "EXC_CODE"
	case e.Has(eventFunction):
		return "FUNC_CODE"
	case e.Has(eventValue):
		return "DATA_VALUE"
	case e.Has(eventProtocol):
		return "PROTO_ID"
	}
	return "NONE"
}

func (m *Message) logSub(o *layer.Object) {
	if m.Function == Diagnostic {
		o.Begin("diagnostic")
		o.Int("raw", int64(m.SubFunction))
		o.Text("code", diagnosticName(m.SubFunction))
		o.Raw("data", m.Data[min(2, len(m.Data)):])
	} else {
		o.Begin("mei")
		o.Int("raw", int64(m.SubFunction))
		o.Text("code", meiName(m.SubFunction))
		o.Raw("data", m.Data[min(1, len(m.Data)):])
	}
	o.End()
}

func (m *Message) logData(o *layer.Object, d flow.Direction) {
	if m.Access&Read != 0 {
		o.Begin("read")
		if d == flow.ToServer {
			o.Uint("address", uint64(m.ReadAddress))
			o.Uint("quantity", uint64(m.ReadQuantity))
		} else {
			o.Raw("data", m.Data[min(1, len(m.Data)):])
		}
		o.End()
	}
	switch {
	case m.Access&Single != 0 && len(m.Data) >= 4:
		o.Begin("write")
		o.Uint("address", uint64(m.WriteAddress))
		o.Uint("data", uint64(m.word(2)))
		o.End()
	case m.Access&Read == 0 && len(m.Data) > 0:
		o.Raw("data", m.Data)
	}
}
