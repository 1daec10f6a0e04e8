//go:build lab

package scenario

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"citygate/pkg/flow"
	"citygate/testlab/attacker"
	"citygate/testlab/city"
	"citygate/testlab/stream"
	"citygate/testlab/topology"
	"citygate/testlab/vms"
)

// bridged is a city whose gateway is a plain Linux bridge: what the stories claim to be stopped must arrive here.
func bridged(t *testing.T) *story {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	c, err := city.Up(func(c *city.City) error { return c.Network.PlainBridge() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Down)
	s := &story{T: t, ctx: ctx, city: c}
	s.awaitStreams()
	return s
}

// TestControlStreams shows that the city itself loses nothing.
func TestControlStreams(t *testing.T) {
	s := bridged(t)
	s.intact(func() { s.wait(5 * time.Second) })
	s.allServices()
}

// allServices uses what the policy allows besides the servers' streams.
func (s *story) allServices() {
	s.Helper()
	for _, transport := range []stream.Transport{stream.UDP, stream.TCP} {
		p, err := s.city.FFmpeg(s.ctx, topology.Main, "lobby-1", transport, 3)
		s.needs(err)
		// It waits for a key frame, of which there is one a second.
		if p.Frames < 25 || p.Missed != 0 {
			s.Errorf("ffmpeg over %s decoded %d frames and missed %d packets: %s", transport, p.Frames, p.Missed, p.Said)
		}
	}
	for _, server := range []string{topology.Main, topology.Remote} {
		var q vms.Inquiry
		s.must(s.city.Call(s.ctx, server, "Inquire", "gate-1", &q))
		if q.Model != "LO-720" || q.StreamURI != "rtsp://10.0.0.12/stream" || q.Page == "" {
			s.Errorf("ONVIF of gate-1 from %s: %+v", server, q)
		}
	}
	var found []netip.Addr
	s.must(s.city.Call(s.ctx, topology.Main, "Discover", struct{}{}, &found))
	if want := cameras(); !slices.Equal(found, want) {
		s.Errorf("WS-Discovery found %v, want %v", found, want)
	}
}

func cameras() []netip.Addr {
	var out []netip.Addr
	for _, h := range topology.City() {
		if h.Role == topology.Camera {
			out = append(out, h.Addr4())
		}
	}
	return out
}

// kernelKeeps are attacks of which the Linux bridge itself refuses a part: frames from group addresses, and cut tags.
var kernelKeeps = []string{"malformed_ethernet", "malformed_vlan"}

// TestControlAttacks shows that the attackers' frames and the receivers' counts are real: all arrive.
func TestControlAttacks(t *testing.T) {
	s := bridged(t)
	for _, k := range attacker.Kinds() {
		for _, side := range sides {
			r, err := s.city.Attack(s.ctx, attacker.Order{Kind: k.Name, Side: side, Seed: seed, Count: 200})
			s.must(err)
			want := r.Arrived == r.Sent
			if slices.Contains(kernelKeeps, k.Name) {
				want = r.Arrived >= r.Sent/3
			}
			if r.Sent != 200 || r.Reached != r.Sent || !want {
				t.Errorf("%s from the %v side: %d sent, %d reached, %d arrived", k.Name, side, r.Sent, r.Reached, r.Arrived)
			}
		}
	}
}

// TestControlTools shows that the real tools do harm where nothing stops them.
func TestControlTools(t *testing.T) {
	s := bridged(t)
	open, err := s.city.Nmap(s.ctx, "attacker-cam", topology.Main)
	s.needs(err)
	if !slices.Contains(open, 80) {
		t.Errorf("nmap found %v open on main", open)
	}
	believed, err := s.city.ARPSpoof(s.ctx, "attacker-cam", topology.Main, "gate-1", 3*time.Second)
	s.needs(err)
	if believed != topology.Find("attacker-cam").MAC {
		t.Errorf("after the ARP spoof main believes that gate-1 is %v", believed)
	}
	for _, side := range sides {
		r, err := s.city.RogueDHCP(s.ctx, side, 2*time.Second)
		s.must(err)
		if r.Crossed < r.Offers || r.Offers == 0 {
			t.Errorf("rogue DHCP on the %v side: %+v", side, r)
		}
	}
}

// TestControlFlood shows that the flood's packets are allowed ones: they all arrive, and the streams go on.
func TestControlFlood(t *testing.T) {
	s := bridged(t)
	s.intact(func() {
		start := time.Now()
		done, err := s.city.Flood(s.ctx, flow.CameraSide, attacker.Flood{Count: 50_000})
		s.must(err)
		t.Logf("%d flows in %v", done.Frames, time.Since(start))
		if done.Frames != 50_000 {
			t.Errorf("%+v", done)
		}
	})
}
