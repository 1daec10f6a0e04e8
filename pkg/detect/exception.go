package detect

import "citygate/pkg/signature"

// Exception is the answer to traffic that cannot be inspected (Suricata's exception policies).
type Exception uint8

// The answers.
const (
	Ignore     Exception = iota // go on with what can be inspected
	PassPacket                  // this packet passes unseen
	PassFlow                    // the flow passes unseen
	Bypass                      // the same
	DropPacket
	DropFlow
	RejectPacket
)

// except answers a packet that cannot be inspected in full. It reports whether to go on with inspection.
func (e *Engine) except(f *Flow, policy Exception, reason string) bool {
	switch policy {
	case PassPacket:
		return false
	case PassFlow, Bypass:
		f.passed = true
		return false
	case DropPacket:
		e.verdict(signature.Drop, reason)
		return false
	case DropFlow:
		f.dropped = e.cfg.Inline
		e.verdict(signature.Drop, reason)
		return false
	case RejectPacket:
		e.verdict(signature.Reject, reason)
		return false
	}
	return true
}
