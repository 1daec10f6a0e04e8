//go:build lab

package scenario

import (
	"testing"
	"time"

	"citygate/testlab/city"
)

// someAttacks are tried where all of them would take too long.
var someAttacks = []string{"wrong_port", "spoofed_ip", "arp_spoof", "nd_spoof", "rogue_dhcp", "overlap_fragment", "vlan_hop", "forged_icmp_error"}

// TestKillAll kills every process of the gateway: the kernel goes on as if nothing had happened, and the gateway that
// comes back takes over what stands in the kernel.
func TestKillAll(t *testing.T) {
	s := raise(t)
	s.intact(func() {
		s.must(s.gateway.Kill(s.ctx))
		if pids, err := s.gateway.PIDs(); err != nil || len(pids) > 0 {
			t.Fatalf("still alive: %v, %v", pids, err)
		}
		s.wait(5 * time.Second)
		for _, kind := range someAttacks {
			for _, side := range sides {
				s.attack(kind, side, 200)
			}
		}
		s.wait(time.Second)
	})
	before, err := s.city.Settle(s.ctx)
	s.must(err)
	s.must(s.gateway.Start(s.ctx))
	s.wait(2 * time.Second)
	after, err := s.city.Settle(s.ctx)
	s.must(err)
	if loss := city.LossBetween(before, after); loss.Lost != 0 || len(loss.Broken) > 0 || loss.Sent == 0 {
		t.Errorf("the restart cost %+v", loss)
	}
	for _, kind := range someAttacks {
		s.attack(kind, sides[0], 200)
	}
	counters, err := s.gateway.Counters(s.ctx)
	s.must(err)
	if counters["cached"] == 0 || counters["no_rule"] == 0 {
		t.Errorf("the counters did not survive: %v", counters)
	}
}

// TestNewSessionsWhileDead opens sessions when only the kernel is there to judge them.
func TestNewSessionsWhileDead(t *testing.T) {
	s := raise(t)
	s.must(s.gateway.Kill(s.ctx))
	s.allServices()
}

// TestKillOneByOne kills each worker: all are started again, and the video does not notice.
func TestKillOneByOne(t *testing.T) {
	s := raise(t)
	pids, err := s.gateway.PIDs()
	s.must(err)
	if len(pids) < 5 {
		t.Fatalf("only processes %v", pids)
	}
	s.intact(func() {
		for i := range len(pids) - 1 {
			now, err := s.gateway.PIDs()
			s.must(err)
			if i+1 < len(now) {
				s.must(kill(now[1+i]))
			}
			s.eventually(20*time.Second, func() error { return s.gateway.Ready(s.ctx) })
		}
	})
}
