//go:build lab

package scenario

import (
	"testing"
	"time"

	"citygate/testlab/topology"
)

// TestNmap lets the real scanner look across the gateway from both sides, and from a camera's own place in the policy.
func TestNmap(t *testing.T) {
	s := raise(t)
	s.intact(func() {
		for _, scan := range [][2]string{{"attacker-cam", topology.Main}, {"attacker-srv", "lobby-1"}, {"gate-1", topology.Main}} {
			open, err := s.city.Nmap(s.ctx, scan[0], scan[1])
			s.needs(err)
			if len(open) > 0 {
				t.Errorf("nmap from %s finds %v open on %s", scan[0], open, scan[1])
			}
		}
	})
}

// TestARPSpoof lets dsniff's arpspoof tell the video server that a camera is the attacker.
func TestARPSpoof(t *testing.T) {
	s := raise(t)
	s.intact(func() {
		believed, err := s.city.ARPSpoof(s.ctx, "attacker-cam", topology.Main, "gate-1", 4*time.Second)
		s.needs(err)
		if want := topology.Find("gate-1").MAC; believed != want {
			t.Errorf("main believes that gate-1 is %v, not %v", believed, want)
		}
	})
}
