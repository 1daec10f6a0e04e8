package ssh

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Tx is a flow: who speaks with whom.
type Tx struct {
	state           layer.Inspection
	store           tx.Store
	events          [2]layer.EventSet
	proto, software [2]tx.Span
	done            [2]bool // a direction's identification was read, or cannot come
}

// Inspection is the engine's state of the flow.
func (t *Tx) Inspection() *layer.Inspection { return &t.state }

// Ready says that the identification of a direction was read.
func (t *Tx) Ready(_ layer.Buffer, d flow.Direction) bool { return t.done[d] }

// Complete says that the identification of a direction was read.
func (t *Tx) Complete(d flow.Direction) bool { return t.done[d] }

// Events are those of a direction.
func (t *Tx) Events(d flow.Direction) layer.EventSet { return t.events[d] }

// Get is a buffer's value.
func (t *Tx) Get(b layer.Buffer, d flow.Direction, i int) (value []byte, ok bool) {
	s := tx.Span{}
	switch {
	case i != 0:
	case b == layer.SSHProto:
		s = t.proto[d]
	case b == layer.SSHSoftware:
		s = t.software[d]
	}
	if !s.Present() {
		return nil, false
	}
	return t.store.Bytes(s), true
}

// Log writes EVE's ssh object with the server's direction: it has both sides.
func (t *Tx) Log(o *layer.Object, d flow.Direction) bool {
	if d != flow.ToClient || !t.proto[0].Present() && !t.proto[1].Present() {
		return false
	}
	o.Begin("ssh")
	for d, name := range [2]string{"client", "server"} {
		if !t.proto[d].Present() {
			continue
		}
		o.Begin(name)
		o.Raw("proto_version", t.store.Bytes(t.proto[d]))
		if t.software[d].Present() {
			o.Raw("software_version", t.store.Bytes(t.software[d]))
		}
		o.End()
	}
	o.End()
	return true
}
