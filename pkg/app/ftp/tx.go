package ftp

import (
	"net/netip"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/line"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Tx is a command with its replies; a reply without command is possible.
type Tx struct {
	Verb        Verb
	Code        int            // of the last reply, 0 before one came
	DataAddr    netip.AddrPort // of PORT, EPRT, PASV, EPSV
	Passive     bool           // of these and of transfers
	DynamicPort uint16

	CommandTruncated, ReplyTruncated bool

	isCommand  bool
	store      tx.Store
	command    tx.Span
	argument   tx.Span
	codes      []tx.Span
	replies    []tx.Span
	complete   [2]bool
	events     [2]layer.EventSet
	inspection layer.Inspection
}

func (t *Tx) clear(pool *layer.Pool) {
	t.store.Free(pool)
	*t = Tx{codes: t.codes[:0], replies: t.replies[:0], inspection: t.inspection}
}

// Command is the command as sent; slices are valid until the parser is called again.
func (t *Tx) Command() []byte { return t.store.Bytes(t.command) }

// Argument is what follows the command.
func (t *Tx) Argument() []byte { return t.store.Bytes(t.argument) }

// Replies is how many lines of replies are kept.
func (t *Tx) Replies() int { return len(t.replies) }

// Reply is a line of a reply without its code.
func (t *Tx) Reply(i int) []byte { return t.store.Bytes(t.replies[i]) }

func (t *Tx) waits() bool { return t.isCommand && !t.complete[flow.ToClient] }

func (t *Tx) keep(pool *layer.Pool, d flow.Direction, at *tx.Span, b []byte) {
	if t.store.Len()+len(b) > maxKept {
		t.ReplyTruncated = true
		return
	}
	var ok bool
	if *at, ok = t.store.Keep(pool, b); !ok {
		t.events[d].Add(eventMemory)
	}
}

// line keeps a line of a reply.
func (t *Tx) line(pool *layer.Pool, code, text []byte) {
	if len(t.replies) == maxReplies {
		t.ReplyTruncated = true
		return
	}
	var at tx.Span
	if code != nil {
		if t.keep(pool, flow.ToClient, &at, code); at.Present() {
			t.codes = append(t.codes, at)
		}
		at = tx.Span{}
	}
	if t.keep(pool, flow.ToClient, &at, text); at.Present() {
		t.replies = append(t.replies, at)
	}
}

// Inspection is the engine's state.
func (t *Tx) Inspection() *layer.Inspection { return &t.inspection }

// Ready is always true: there are no buffers.
func (t *Tx) Ready(layer.Buffer, flow.Direction) bool { return true }

// Get has no values.
func (t *Tx) Get(layer.Buffer, flow.Direction, int) ([]byte, bool) { return nil, false }

// Complete says that the command or its final reply is there, or will never be.
func (t *Tx) Complete(d flow.Direction) bool { return t.complete[d] }

// Events are those of a direction.
func (t *Tx) Events(d flow.Direction) layer.EventSet { return t.events[d] }

// Log writes the object "ftp" once, with the server's direction. Passwords are left out.
func (t *Tx) Log(o *layer.Object, d flow.Direction) bool {
	if d != flow.ToClient {
		return false
	}
	o.Begin("ftp")
	if t.isCommand {
		o.Raw("command", t.Command())
		if t.argument.Len() > 0 && !line.Is(t.Command(), "pass") {
			o.Raw("command_data", t.Argument())
		}
		if t.CommandTruncated {
			o.Bool("command_truncated", true)
		}
	}
	t.logList(o, "completion_code", t.codes)
	t.logList(o, "reply", t.replies)
	if t.DynamicPort > 0 {
		o.Uint("dynamic_port", uint64(t.DynamicPort))
		mode := "active"
		if t.Passive {
			mode = "passive"
		}
		o.Text("mode", mode)
	}
	received := "no"
	if len(t.replies) > 0 {
		received = "yes"
	}
	o.Text("reply_received", received)
	if t.ReplyTruncated {
		o.Bool("reply_truncated", true)
	}
	o.End()
	return true
}

func (t *Tx) logList(o *layer.Object, name string, list []tx.Span) {
	if len(list) == 0 {
		return
	}
	o.Array(name)
	for _, at := range list {
		o.ItemRaw(t.store.Bytes(at))
	}
	o.EndArray()
}
