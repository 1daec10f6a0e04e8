//go:build lab

package scenario

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/flow"
	"citygate/testlab/camera"
	"citygate/testlab/topology"
	"citygate/testlab/vms"
)

// TestDHCPBinding follows a camera whose address is leased: the gateway learns it from the server's ACK, keeps it over
// its own death, and follows it to another address.
func TestDHCPBinding(t *testing.T) {
	s := raise(t)
	hall := topology.Find("hall-1")
	s.bound(hall.MAC.String(), hall.Addr4())

	s.must(s.gateway.Kill(s.ctx))
	s.must(s.gateway.Start(s.ctx))
	s.bound(hall.MAC.String(), hall.Addr4())
	s.intact(func() { s.wait(2 * time.Second) })

	moved := netip.MustParseAddr("10.0.0.24")
	s.must(s.city.Call(s.ctx, topology.Main, "Reserve", vms.Reservation{MAC: hall.MAC, Addr: moved}, &struct{}{}))
	var lease camera.Lease
	s.must(s.city.Call(s.ctx, hall.Name, "Renew", struct{}{}, &lease))
	if lease.Addr != moved {
		t.Fatalf("leased %v, want %v", lease.Addr, moved)
	}
	s.bound(hall.MAC.String(), moved)
	s.must(s.city.Call(s.ctx, topology.Main, "Point", vms.Place{Camera: hall.Name, Addr: moved}, &struct{}{}))
	s.awaitStreams()
}

// bound waits until a device that the policy lists has an address.
func (s *story) bound(mac string, addr netip.Addr) {
	s.Helper()
	s.eventually(5*time.Second, func() error {
		var devices api.Devices
		if err := s.gateway.Ask(s.ctx, &devices, "devices"); err != nil {
			return err
		}
		for _, d := range devices.Devices {
			if d.MAC == mac {
				for _, ip := range d.IPs {
					if ip == addr.String() {
						return nil
					}
				}
				return fmt.Errorf("%s has %v, not %v", d.Name, d.IPs, addr)
			}
		}
		return fmt.Errorf("no device has %s", mac)
	})
}

// TestRogueDHCP lets attackers on both sides play DHCP server, as tools do: nothing crosses, the camera keeps its lease.
func TestRogueDHCP(t *testing.T) {
	s := raise(t)
	s.intact(func() {
		for _, side := range sides {
			r, err := s.city.RogueDHCP(s.ctx, side, 3*time.Second)
			s.must(err)
			if r.Offers == 0 || r.Crossed != 0 {
				t.Errorf("%v side: %+v", side, r)
			}
			if main := topology.Find(topology.Main).Addr4(); side == flow.ServerSide && r.Lease.Server != main {
				t.Errorf("hall-1 has its lease from %v", r.Lease.Server)
			}
		}
	})
}
