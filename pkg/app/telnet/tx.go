package telnet

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Kind is what a client's line is.
type Kind uint8

// The kinds.
const (
	Login Kind = iota
	Command
)

// Result is how a log-in went.
type Result uint8

// The results.
const (
	Unknown Result = iota
	Failed
	OK
)

var resultNames = [...]string{"unknown", "failed", "ok"}

func (r Result) String() string { return resultNames[r] }

// Tx is an attempt to log in, or another line of the client.
type Tx struct {
	Kind        Kind
	Result      Result
	HasPassword bool

	store      tx.Store
	name       tx.Span
	password   tx.Span
	command    tx.Span
	complete   [2]bool
	events     [2]layer.EventSet
	inspection layer.Inspection
}

// Username is the name of a log-in, valid until the parser is called again; so are the others.
func (t *Tx) Username() []byte { return t.store.Bytes(t.name) }

// Password is the password of a log-in. It is not logged.
func (t *Tx) Password() []byte { return t.store.Bytes(t.password) }

// Command is a line that belongs to no log-in.
func (t *Tx) Command() []byte { return t.store.Bytes(t.command) }

// Default says that worms try this name and password.
func (t *Tx) Default() bool { return t.events[flow.ToServer].Has(eventDefault) }

func (t *Tx) clear(pool *layer.Pool) {
	t.store.Free(pool)
	*t = Tx{inspection: t.inspection}
}

// Inspection is the engine's state.
func (t *Tx) Inspection() *layer.Inspection { return &t.inspection }

// Ready is always true: there are no buffers.
func (t *Tx) Ready(layer.Buffer, flow.Direction) bool { return true }

// Get has no values.
func (t *Tx) Get(layer.Buffer, flow.Direction, int) ([]byte, bool) { return nil, false }

// Complete says that the password came, and that the server judged it.
func (t *Tx) Complete(d flow.Direction) bool { return t.complete[d] }

// Events are those of a direction.
func (t *Tx) Events(d flow.Direction) layer.EventSet { return t.events[d] }

// Log writes the object "telnet" once, with the server's direction. It never has a password.
func (t *Tx) Log(o *layer.Object, d flow.Direction) bool {
	if d != flow.ToClient {
		return false
	}
	o.Begin("telnet")
	if t.Kind == Command {
		o.Raw("command", t.Command())
		o.End()
		return true
	}
	if t.name.Present() {
		o.Raw("username", t.Username())
	}
	o.Bool("has_password", t.HasPassword)
	o.Text("result", t.Result.String())
	if t.Default() {
		o.Bool("default_credentials", true)
	}
	o.End()
	return true
}
