package detect

import (
	"slices"

	"citygate/pkg/signature"
)

// Why a packet was dropped without a signature.
const (
	dropDefrag = "defrag error"
	dropStream = "stream error"
	dropFlow   = "flow drop"
	dropRules  = "rules"
	dropParser = "applayer error"
)

// Alert is a signature that matched, for outputs.
type Alert struct {
	Rule   Rule
	Action signature.Action
	Packet *Packet
	hit    hit
}

// decide puts what matched in order, counts it against thresholds, writes alerts, and sets the verdict.
func (e *Engine) decide() {
	if len(e.queue) == 0 {
		return
	}
	slices.SortStableFunc(e.queue, func(a, b hit) int {
		switch {
		case a.id != b.id:
			return int(a.id) - int(b.id)
		case a.tx != nil && b.tx != nil:
			return int(a.tx.Inspection().ID) - int(b.tx.Inspection().ID)
		}
		return 0
	})
	alerts := 0
	for i := range e.queue {
		h := &e.queue[i]
		sig := &e.rules.records[h.id]
		action := sig.Action
		say, act := e.limit(sig, &action)
		if !act {
			continue
		}
		if alerts >= e.cfg.MaxAlerts {
			e.count.AlertOverflow++
			say = false
		}
		if say && sig.Flags&signature.NoAlert == 0 && (action != signature.Pass || sig.Flags&signature.Says != 0) {
			alerts++
			e.alert(h, action)
		}
		if e.apply(sig, h, action) {
			return
		}
	}
}

// apply does what a signature's action says. It reports whether the rest of the signatures does not count.
func (e *Engine) apply(sig *record, h *hit, action signature.Action) (stop bool) {
	whole := sig.scope == scopeFlow && e.p.Flow != nil
	switch {
	case action == signature.Pass:
		e.count.Passed++
		if whole {
			e.p.Flow.passed = true
		}
		return true
	case action.Blocks() && e.cfg.Inline:
		if whole {
			e.p.Flow.dropped = true
		}
		e.verdict(action, dropRules)
	}
	if sig.Flags&signature.Bypass != 0 && e.p.Flow != nil {
		e.p.Flow.passed = true
	}
	return false
}

// block drops the packet in hand for a reason that is no signature; out of line it does nothing.
func (e *Engine) block(reason string) { e.verdict(signature.Drop, reason) }

func (e *Engine) verdict(action signature.Action, reason string) {
	if !e.cfg.Inline {
		return
	}
	if e.p.Verdict == signature.Alert {
		e.count.Dropped++
		e.p.Verdict = action
		if !e.p.pseudo {
			e.out.Drop(&e.p.Packet, reason)
		}
	}
}

// alert writes an alert.
func (e *Engine) alert(h *hit, action signature.Action) {
	e.count.Alerts++
	if f := e.p.Flow; f != nil {
		f.Alerts++
	}
	e.say = Alert{Rule: Rule{e.rules, &e.rules.records[h.id]}, Action: action, Packet: &e.p.Packet, hit: *h}
	e.guess(&e.say.hit)
	e.out.Alert(&e.say)
}

// guess adds the youngest transaction to a match in the bytes of a stream: people want to know what was asked.
func (e *Engine) guess(h *hit) {
	f := e.p.Flow
	if h.tx != nil || f == nil {
		return
	}
	if txs := f.conn.Txs(); len(txs) > 0 {
		h.tx, h.guessed = txs[len(txs)-1], true
		h.proto = f.conn.TxProto(len(txs) - 1)
	}
}
