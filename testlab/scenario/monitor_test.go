//go:build lab

package scenario

import (
	"testing"

	"citygate/pkg/control/api"
	"citygate/pkg/flow"
	"citygate/testlab/attacker"
)

// TestMonitor runs the gateway in monitor mode: what enforce would drop passes, and is marked.
func TestMonitor(t *testing.T) {
	s := raiseIn(t, "monitor")
	s.intact(func() {
		for _, kind := range []string{"wrong_port", "wrong_peer", "spoofed_ip"} {
			r, err := s.city.Attack(s.ctx, attacker.Order{Kind: kind, Side: flow.CameraSide, Seed: seed, Count: 200})
			s.must(err)
			if r.Arrived != r.Sent {
				t.Errorf("%s: %d of %d arrived in monitor mode", kind, r.Arrived, r.Sent)
			}
		}
	})
	var c api.Counters
	s.must(s.gateway.Ask(s.ctx, &c, "counters"))
	if marked := c.Bridges[0].WouldDrop; marked < 600 {
		t.Errorf("%d frames are marked", marked)
	}
}
