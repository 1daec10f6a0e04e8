//go:build lab

package scenario

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/flow"
	"citygate/testlab/attacker"
	"citygate/testlab/topology"
)

// eve is what the stories read of an event.
type eve struct {
	Type string `json:"event_type"`
	Ours struct {
		Device     json.RawMessage `json:"device"` // an object in a device event, a name in others
		Reason     string          `json:"reason"`
		Count      uint64          `json:"count"`
		Suppressed uint64          `json:"suppressed"`
	} `json:"citygate"`
}

type sighting struct {
	Event  string `json:"event"`
	MAC    string `json:"mac"`
	IP     string `json:"ip"`
	Port   string `json:"port"`
	Listed bool   `json:"listed"`
	Name   string `json:"name"`
}

// events reads the gateway's events of a type.
func (s *story) events(kind string) []eve {
	s.Helper()
	out, err := s.gateway.CLI(s.ctx, "events", "--json", "--type", kind)
	s.must(err)
	if out.Code != 0 {
		s.Fatalf("citygate events: exit code %d: %s", out.Code, out.Stderr)
	}
	var all []eve
	for line := range strings.Lines(out.Stdout) {
		var e eve
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			s.Fatalf("an event is not JSON: %v: %s", err, line)
		}
		all = append(all, e)
	}
	return all
}

// sightings are the device events about a hardware address.
func (s *story) sightings(mac string) []sighting {
	s.Helper()
	var out []sighting
	for _, e := range s.events("device") {
		var d sighting
		s.must(json.Unmarshal(e.Ours.Device, &d))
		if d.MAC == mac {
			out = append(out, d)
		}
	}
	return out
}

// TestNewDevice plugs a laptop into the camera side: one event within a second, and only one however much it says.
func TestNewDevice(t *testing.T) {
	s := raise(t)
	thief := topology.Find("attacker-cam")
	if seen := s.sightings(thief.MAC.String()); len(seen) != 0 {
		t.Fatalf("the attacker was seen before it spoke: %+v", seen)
	}
	s.attack("udp_flood", flow.CameraSide, 1)
	s.eventually(time.Second, func() error {
		if n := len(s.sightings(thief.MAC.String())); n != 1 {
			return fmt.Errorf("%d device events", n)
		}
		return nil
	})
	s.attack("udp_flood", flow.CameraSide, 500)
	s.wait(time.Second)
	seen := s.sightings(thief.MAC.String())
	if len(seen) != 1 || seen[0].Event != "new" || seen[0].Listed || seen[0].Port != "camera" {
		t.Errorf("device events: %+v", seen)
	}
	var devices api.Devices
	s.must(s.gateway.Ask(s.ctx, &devices, "devices", "--unknown"))
	found := false
	for _, d := range devices.Devices {
		found = found || d.MAC == thief.MAC.String() && d.DropFrames == 0 && !d.Listed
	}
	if !found {
		t.Errorf("unknown devices: %+v", devices.Devices)
	}
}

// TestDropEvents looks at the story that the events tell of an attack.
func TestDropEvents(t *testing.T) {
	s := raise(t)
	s.attack("wrong_port", flow.CameraSide, 200)
	// What the kernel held back stands in the next event of the reason: a few frames more bring it out.
	s.wait(2 * time.Second)
	_, err := s.city.Attack(s.ctx, attacker.Order{Kind: "wrong_port", Side: flow.CameraSide, Seed: seed + 1, Count: 20, PPS: 50})
	s.must(err)
	s.eventually(5*time.Second, func() error {
		total := uint64(0)
		for _, e := range s.events("drop") {
			if slices.Contains(attacker.Blame("wrong_port"), e.Ours.Reason) {
				total += e.Ours.Count + e.Ours.Suppressed
			}
		}
		if total < 200 {
			return fmt.Errorf("drop events stand for %d frames", total)
		}
		return nil
	})
}

// TestMACFlood sends a new hardware address with each of many frames: the cameras are not disturbed, and the events
// stay few.
func TestMACFlood(t *testing.T) {
	s := raise(t)
	const addresses = 20_000
	s.intact(func() {
		r, err := s.city.Attack(s.ctx, attacker.Order{Kind: "mac_flood", Side: flow.CameraSide, Seed: seed, Count: addresses})
		s.must(err)
		if !r.Stopped() {
			t.Errorf("%+v", r)
		}
		s.wait(2 * time.Second)
	})
	if n := len(s.events("device")); n > addresses/2 {
		t.Errorf("%d device events for %d addresses", n, addresses)
	}
}
