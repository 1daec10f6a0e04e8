//go:build lab

package scenario

import (
	"os"
	"testing"
	"time"

	"citygate/pkg/flow"
	"citygate/testlab/attacker"
)

// flows is how many flows the flood opens; CITYGATE_SOAK asks for the whole million.
func flows() int {
	if os.Getenv("CITYGATE_SOAK") != "" {
		return 1_000_000
	}
	return 200_000
}

// TestFlowFlood opens many times more flows than the kernel's tables hold, all of them allowed, while the streams play.
func TestFlowFlood(t *testing.T) {
	s := raise(t)
	s.intact(func() {
		start := time.Now()
		done, err := s.city.Flood(s.ctx, flow.CameraSide, attacker.Flood{Count: flows()})
		s.must(err)
		t.Logf("%d flows in %v", done.Frames, time.Since(start))
		if done.Frames != flows() {
			t.Errorf("%+v", done)
		}
	})
	s.allServices()
}
