//go:build lab

package scenario

import (
	"slices"
	"testing"
	"time"

	"citygate/pkg/control/api"
	"citygate/testlab/topology"
)

// TestStreamsFlow plays everything that the policy allows through the gateway: video over UDP and TCP, IPv4 and IPv6,
// to a server on the link and one behind a router, DHCP, ONVIF, discovery, and an independent client.
func TestStreamsFlow(t *testing.T) {
	s := raise(t)
	before, err := s.gateway.Counters(s.ctx)
	s.must(err)
	s.intact(func() { s.wait(10 * time.Second) })
	s.allServices()
	after, err := s.gateway.Counters(s.ctx)
	s.must(err)
	for name, n := range after {
		if len(name) > 5 && name[:5] == "loss:" && n != before[name] {
			t.Errorf("%s: %d frames", name, n-before[name])
		}
	}
}

// TestStatus reads the gateway as its owner does.
func TestStatus(t *testing.T) {
	s := raise(t)
	var status api.Status
	s.must(s.gateway.Ask(s.ctx, &status, "status"))
	if status.State != "ok" || status.Site != "lab-city" || status.Bridges[0].Mode != "enforce" {
		t.Errorf("status: %+v", status)
	}
	for _, p := range status.Bridges[0].Ports {
		if p.XDP != "native" || !p.Up || len(p.Faults) > 0 {
			t.Errorf("port: %+v", p)
		}
	}
	var devices api.Devices
	s.must(s.gateway.Ask(s.ctx, &devices, "devices"))
	for _, h := range topology.City() {
		if h.Role != topology.Camera && h.Name != topology.Main && h.Name != topology.Core {
			continue
		}
		i := slices.IndexFunc(devices.Devices, func(d api.Device) bool { return d.MAC == h.MAC.String() })
		if i < 0 {
			t.Errorf("%s is not among the devices", h.Name)
			continue
		}
		if d := devices.Devices[i]; d.Name != h.Name || !d.Listed || d.PassFrames == 0 || d.Port != h.Side.String() {
			t.Errorf("%s: %+v", h.Name, d)
		}
	}
	var doctor api.Doctor
	s.must(s.gateway.Ask(s.ctx, &doctor, "doctor"))
	for _, c := range doctor.Checks {
		if c.State == "fail" {
			t.Errorf("doctor: %+v", c)
		}
	}
}
