package device

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"citygate/pkg/flow"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func sight(last byte, addr string, at time.Duration) Observation {
	o := Observation{ID: ID{MAC: flow.MAC{0, 0, 0, 0, 0, last}}, Bridge: "cctv", Side: flow.CameraSide, At: start.Add(at)}
	if addr != "" {
		o.Addr = netip.MustParseAddr(addr)
	}
	return o
}

func empty() *Inventory {
	return NewInventory(func(m flow.MAC) string { return fmt.Sprint("vendor ", m[5]) })
}

func TestObserve(t *testing.T) {
	v := empty()
	for i, c := range []struct {
		o    Observation
		want Change
	}{
		{sight(1, "", 0), New},
		{sight(1, "10.0.0.11", time.Second), 0}, // its first address is no change
		{sight(1, "fe80::1", time.Second), 0},   // nor the first of the other version
		{sight(1, "10.0.0.12", 2*time.Second), AddressChanged},
		{sight(1, "10.0.0.11", 3*time.Second), 0}, // known
		{sight(1, "::ffff:10.0.0.11", 3*time.Second), 0},
		{sight(1, "0.0.0.0", 4*time.Second), 0},
		{sight(1, "239.1.1.1", 4*time.Second), 0},
		{sight(1, "", 4*time.Second+Away), 0},
		{sight(1, "", 5*time.Second+2*Away), Back},
		{sight(1, "", 0), 0}, // the clock was set back
		{sight(2, "10.0.0.11", 0), New},
	} {
		got, ok := v.Observe(c.o)
		if got != c.want || ok != (c.want != 0) {
			t.Errorf("%d: got %v, %v, want %v", i, got, ok, c.want)
		}
	}
	d, _ := v.Get(ID{MAC: flow.MAC{0, 0, 0, 0, 0, 1}})
	want := Device{
		ID: ID{MAC: flow.MAC{0, 0, 0, 0, 0, 1}}, Bridge: "cctv", Vendor: "vendor 1", First: start,
		Last: start.Add(5*time.Second + 2*Away),
		Addrs: []netip.Addr{
			netip.MustParseAddr("10.0.0.11"), netip.MustParseAddr("10.0.0.12"), netip.MustParseAddr("fe80::1"),
		},
	}
	if diff := cmp.Diff(want, d, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}

func TestVLANsAreIdentities(t *testing.T) {
	v := empty()
	o := sight(1, "10.0.0.11", 0)
	v.Observe(o)
	o.VLAN = 10
	if c, ok := v.Observe(o); c != New || !ok || v.Len() != 2 {
		t.Errorf("got %v, %v, %d rows", c, ok, v.Len())
	}
}

func TestObserveBounds(t *testing.T) {
	v := empty()
	for i := range 100 {
		o := sight(1, fmt.Sprintf("10.0.0.%d", i+1), 0)
		o.Evidence = []string{fmt.Sprintf("key%d=x", i), Evidence(Hostname, strings.Repeat("я", 500))}
		v.Observe(o)
	}
	d := v.All()[0]
	if len(d.Addrs) != maxAddrs || d.Addrs[0] != netip.MustParseAddr("10.0.0.100") {
		t.Errorf("addresses %v", d.Addrs)
	}
	if len(d.Evidence) != maxEvidence || len(d.Fact(Hostname)) > maxWord || d.Fact("nothing") != "" {
		t.Errorf("evidence %v", d.Evidence)
	}
}

func TestEvidenceMerges(t *testing.T) {
	v := empty()
	o := sight(1, "", 0)
	o.Evidence = []string{Evidence(Hostname, "cam-1"), Evidence(VendorClass, "udhcp")}
	v.Observe(o)
	o.Evidence = []string{Evidence(Hostname, "cam-2")}
	v.Observe(o)
	v.Observe(sight(1, "", 0))
	d, _ := v.Get(o.ID)
	if d.Fact(Hostname) != "cam-2" || d.Fact(VendorClass) != "udhcp" || len(d.Evidence) != 2 {
		t.Errorf("evidence %v", d.Evidence)
	}
}

func number(i int, listed bool, at time.Duration) Observation {
	o := sight(0, "", at)
	o.MAC = flow.MAC{0, 0, 0, 1, byte(i >> 8), byte(i)}
	o.Listed = listed
	return o
}

func TestObserveFull(t *testing.T) {
	v := empty()
	for i := range MaxDevices {
		v.Observe(number(i, i%2 == 0, time.Duration(i)*time.Millisecond))
	}
	if _, ok := v.Observe(number(9001, false, time.Minute)); ok || v.Refused() != 1 || v.Len() != MaxDevices {
		t.Errorf("an unlisted device found room: %d rows, %d refused", v.Len(), v.Refused())
	}
	if c, _ := v.Observe(number(9002, true, time.Minute)); c != New || v.Len() != MaxDevices {
		t.Errorf("a listed device: %v, %d rows", c, v.Len())
	}
	if _, ok := v.Get(number(1, false, 0).ID); ok {
		t.Error("the oldest unlisted device is still there")
	}
	if _, ok := v.Get(number(0, true, 0).ID); !ok {
		t.Error("a listed device made room")
	}
	if c, _ := v.Observe(number(9003, false, Forget+time.Minute)); c != New || v.Len() != MaxDevices {
		t.Errorf("an unlisted device after %v: %v, %d rows", Forget, c, v.Len())
	}
	for i := range MaxDevices { // all are listed now
		v.Observe(number(i, true, time.Minute))
	}
	if c, _ := v.Observe(number(9004, true, time.Minute)); c != New {
		t.Error("a listed device found no room among listed ones")
	}
	if _, ok := v.Observe(number(9005, false, 2*Forget)); ok {
		t.Error("an unlisted device took the place of a listed one")
	}
}

func TestJSON(t *testing.T) {
	v := empty()
	o := sight(1, "10.0.0.11", 0)
	o.Evidence, o.VLAN = []string{Evidence(Hostname, "cam-1")}, 10
	v.Observe(o)
	v.Observe(sight(2, "", time.Second))
	if !v.Describe(o.ID, "lobby", []string{"north"}) || v.Describe(ID{VLAN: 7}, "x", nil) {
		t.Error("describe")
	}
	v.refused = 3
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	back := empty()
	if err := json.Unmarshal(b, back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v.All(), back.All(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || back.Refused() != 3 {
		t.Errorf("want -, got +\n%s%s", diff, b)
	}
	for _, bad := range []string{
		`{"devices":[{"mac":"00:00:00:00:00:01"},{"mac":"00:00:00:00:00:01"}]}`,
		`{"devices":[{"mac":"00:00:00:00:00"}]}`,
		`{"devices":[{"addrs":["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4","1.1.1.5","1.1.1.6","1.1.1.7","1.1.1.8","1.1.1.9"]}]}`,
		`[]`, `{"devices":`,
	} {
		if err := json.Unmarshal([]byte(bad), back); err == nil || back.Len() != 2 {
			t.Errorf("%s: %v, %d rows", bad, err, back.Len())
		}
	}
}

// A caller that changes a row it was given must not change the inventory.
func TestCopies(t *testing.T) {
	v := empty()
	v.Observe(sight(1, "10.0.0.11", 0))
	all := v.All()
	all[0].Addrs[0] = netip.MustParseAddr("1.1.1.1")
	if d, _ := v.Get(all[0].ID); !slices.Contains(d.Addrs, netip.MustParseAddr("10.0.0.11")) {
		t.Error("the inventory shares its addresses")
	}
}
