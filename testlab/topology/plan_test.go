package topology

import (
	"net/netip"
	"testing"

	"citygate/pkg/flow"
)

func TestCity(t *testing.T) {
	macs, addrs, names := map[flow.MAC]string{}, map[netip.Addr]string{}, map[string]bool{}
	for _, h := range City() {
		if names[h.Name] || len("p-"+h.Name) > 15 { // IFNAMSIZ less the final zero
			t.Errorf("%s is there twice, or too long for an interface", h.Name)
		}
		names[h.Name] = true
		if h.MAC != (flow.MAC{}) {
			if other := macs[h.MAC]; other != "" || h.MAC.Group() {
				t.Errorf("%s has the hardware address of %s: %v", h.Name, other, h.MAC)
			}
			macs[h.MAC] = h.Name
		}
		for _, p := range h.Addrs {
			if other := addrs[p.Addr()]; other != "" {
				t.Errorf("%s has the address of %s: %v", h.Name, other, p)
			}
			addrs[p.Addr()] = h.Name
		}
	}
	for name, want := range map[string]string{"lobby-1": "10.0.0.11", "hall-1": "10.0.0.14", Main: "10.0.0.2", Remote: "10.7.0.2", Core: "10.0.0.254"} {
		if got := Find(name).Addr4().String(); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if got := Find("lobby-1").Addr6().String(); got != "fd00:10::11" {
		t.Errorf("lobby-1 is %s", got)
	}
	if h := Find("nobody"); h.Name != "" || h.Addr4().IsValid() {
		t.Errorf("nobody is %+v", h)
	}
}
