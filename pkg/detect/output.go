package detect

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
	"citygate/pkg/signature"
)

// Output is told what the engine found, as it finds it. What it is given is valid during the call.
type Output interface {
	Alert(a *Alert)
	// Transaction: a direction of a transaction is over.
	Transaction(p *Packet, f *Flow, proto layer.Proto, tx layer.Tx, d flow.Direction)
	// Drop: a packet must not pass.
	Drop(p *Packet, reason string)
	// Anomaly: something is odd in a frame, a stream or a transaction.
	Anomaly(p *Packet, a Anomaly)
	// Flow: a flow is over.
	Flow(f *Flow)
}

// Rule is a signature of a set of rules, for outputs.
type Rule struct {
	rules *Rules
	sig   *record
}

// SID is the rule's number.
func (r Rule) SID() uint32 { return r.sig.SID }

// GID is the number of the group of rules.
func (r Rule) GID() uint32 { return r.sig.GID }

// Rev is the rule's revision.
func (r Rule) Rev() uint32 { return r.sig.Rev }

// Priority is EVE's severity: 1 is the most severe.
func (r Rule) Priority() uint32 { return r.sig.Priority }

// Msg is the rule's message.
func (r Rule) Msg() []byte { return r.rules.text(r.sig.Msg) }

// Category is the description of the rule's class.
func (r Rule) Category() []byte { return r.rules.text(r.sig.Classtype) }

// Metadata is the inside of a JSON object: the rule's metadata.
func (r Rule) Metadata() []byte { return r.rules.text(r.sig.Metadata) }

// References is the inside of a JSON array.
func (r Rule) References() []byte { return r.rules.text(r.sig.References) }

// Target says who is attacked: 0 unknown, 1 the packet's source, 2 its destination.
func (r Rule) Target() uint8 { return r.sig.Target }

// Text is the rule as it was read.
func (r Rule) Text() []byte { return r.rules.text(r.sig.Text) }

// Action is what the rule says to do.
func (r Rule) Action() signature.Action { return r.sig.Action }

// Tx is the transaction that matched; nil if it was none.
func (a *Alert) Tx() layer.Tx { return a.hit.tx }

// Guessed says that Tx is the youngest transaction of the flow, since the match was not in one.
func (a *Alert) Guessed() bool { return a.hit.guessed }

// Proto is the protocol of the flow.
func (a *Alert) Proto() layer.Proto { return a.hit.proto }

// Stream says that the match was in the bytes of a stream.
func (a *Alert) Stream() bool { return a.hit.stream }

// Blocked says that the packet was dropped for it.
func (a *Alert) Blocked(inline bool) bool {
	return a.Action.Blocks() && (inline || a.Action != signature.Drop)
}
