// Package verdict names what can happen to a frame, and why: the words that the BPF program, the events and the command line share.
package verdict

// Verdict is what happens to a frame.
type Verdict uint8

// The verdicts; the numbers are those of bpf/shared.h.
const (
	Pass   Verdict = 0
	Drop   Verdict = 1
	Reject Verdict = 2
	Punt   Verdict = 3 // hand to the inspector
	Bypass Verdict = 4 // this flow needs no more inspection
)

func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "unknown"
}

var verdictNames = [...]string{"pass", "drop", "reject", "punt", "bypass"}
