//go:build lab

package scenario

import (
	"testing"

	"citygate/pkg/flow"
	"citygate/testlab/attacker"
)

// TestOffPolicy sends at least 500 different frames of each kind from both sides while the streams play: each is
// counted under a reason that fits, none arrives, and no allowed packet is lost.
func TestOffPolicy(t *testing.T) {
	s := raise(t)
	s.intact(func() {
		for _, k := range attacker.Kinds() {
			for _, side := range sides {
				s.stopped(k.Name, side)
			}
		}
	})
}

// stopped makes an attack and looks whether the gateway counted it for the right reason.
func (s *story) stopped(kind string, side flow.Side) {
	s.Helper()
	blame := attacker.Blame(kind)
	if len(blame) == 0 {
		s.Errorf("nobody says what stops %s", kind)
	}
	before, err := s.gateway.Counters(s.ctx)
	s.must(err)
	r := s.attack(kind, side, 500)
	after, err := s.gateway.Counters(s.ctx)
	s.must(err)
	counted := 0
	for _, reason := range blame {
		counted += int(after[reason] - before[reason])
	}
	// Other devices' noise may be dropped for the same reason meanwhile: more is right, less is not.
	if counted < r.Sent {
		s.Errorf("%s from the %v side: %d of %d are counted as %v; changed: %v", kind, side, counted, r.Sent, blame, changed(before, after))
	}
}

func changed(before, after map[string]uint64) map[string]uint64 {
	out := map[string]uint64{}
	for reason, n := range after {
		if n != before[reason] {
			out[reason] = n - before[reason]
		}
	}
	return out
}
