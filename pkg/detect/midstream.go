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

// midstream answers a segment of a connection whose start was not seen. It reports whether to go on with inspection.
func (e *Engine) midstream(f *Flow) bool {
	e.count.Midstream++
	switch e.cfg.MidstreamPolicy {
	case PassPacket:
		return false
	case PassFlow, Bypass:
		f.passed = true
		return false
	case DropPacket:
		e.verdict(signature.Drop, dropStream)
		return false
	case DropFlow:
		f.dropped = e.cfg.Inline
		e.verdict(signature.Drop, dropStream)
		return false
	case RejectPacket:
		e.verdict(signature.Reject, dropStream)
		return false
	}
	return true
}
