package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

func parse(t testing.TB, text string) *Policy {
	t.Helper()
	p, err := Parse("policy.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// entries renders the rule table, one line per entry.
func entries(c *Compiled) []string {
	var list []string
	for _, r := range c.Set.Rules {
		list = append(list, fmt.Sprintf("%s -> %s %s", c.DeviceName(r.From), c.DeviceName(r.To), c.ServiceName(r.Service)))
	}
	slices.Sort(list)
	return list
}

const twoDevices = `
devices:
  cam:  {mac: "02:00:00:00:00:11", ip: [10.0.0.11, "fe80::11"], role: camera}
  lease: {mac: "02:00:00:00:00:12", ip: dhcp, role: camera, vlan: 10}
  main: {mac: "02:00:00:00:00:02", ip: [10.0.0.2, "fe80::2"], role: vms}
  tagged: {mac: "02:00:00:00:00:03", ip: [10.1.0.2], role: server, vlan: 10}
  core: {mac: "02:00:00:00:00:fe", ip: [10.0.0.254], role: router}
  remote: {ip: [10.7.0.0/28], via: core, role: vms}
`

func TestEntries(t *testing.T) {
	for _, test := range []struct {
		name, lines string
		want        []string
	}{
		{"one way", "allow: [{from: main, to: cam, services: [rtsp]}]", []string{"main -> cam rtsp"}},
		{"rtp is both ways", "allow: [{from: cam, to: main, services: [rtp]}]", []string{"cam -> main rtp", "main -> cam rtp"}},
		{"dhcp", "allow: [{from: [cam, lease], to: [main, tagged], services: [dhcp]}]", []string{
			"cam -> group 255.255.255.255 dhcp", "cam -> main dhcp", "lease -> group 255.255.255.255 dhcp", "lease -> tagged dhcp",
			"main -> cam dhcp-reply", "main -> group 255.255.255.255 dhcp-reply", "tagged -> group 255.255.255.255 dhcp-reply", "tagged -> lease dhcp-reply",
		}},
		{"discovery from the server", "allow: [{from: main, to: cam, services: [ws-discovery]}]", []string{
			"main -> cam ws-discovery", "main -> group 239.255.255.250 ws-discovery", "main -> group ff02::c ws-discovery",
		}},
		{"mdns is both ways", "allow: [{from: cam, to: main, services: [mdns]}]", []string{
			"cam -> group 224.0.0.251 mdns", "cam -> group ff02::fb mdns", "cam -> main mdns", "main -> cam mdns", "main -> group 224.0.0.251 mdns", "main -> group ff02::fb mdns",
		}},
		{"what stays on the link does not come through a router", "allow: [{from: remote, to: cam, services: [mdns, ws-discovery, dhcp]}]", []string{
			"cam -> group 224.0.0.251 mdns", "cam -> group ff02::fb mdns", "cam -> remote mdns", "cam -> remote dhcp-reply",
			"remote -> cam dhcp", "remote -> cam mdns", "remote -> cam ws-discovery", "remote -> group 239.255.255.250 ws-discovery", "cam -> group 255.255.255.255 dhcp-reply",
		}},
		{"multicast opens the group only", "multicast: [{group: 239.1.1.1, from: cam, to: main}]", []string{"cam -> group 239.1.1.1 rtp", "main -> group 239.1.1.1 rtp"}},
		{"multicast of another service", "multicast: [{group: \"ff05::7\", from: main, to: cam, services: [udp/4000]}]", []string{"main -> group ff05::7 udp/4000"}},
		{"the first line counts", "allow: [{from: main, to: cam, services: [rtsp]}, {from: [main, remote], to: cam, services: [rtsp]}]", []string{"main -> cam rtsp", "remote -> cam rtsp"}},
		{"VLANs are apart", "allow: [{from: tagged, to: [cam, lease], services: [http]}]", []string{"tagged -> lease http"}},
		{"nothing", "allow: []", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := compile(t, parse(t, twoDevices+test.lines), Inputs{})
			slices.Sort(test.want)
			if got := entries(c); !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			if c.Entries != len(test.want) {
				t.Errorf("Entries is %d, want %d", c.Entries, len(test.want))
			}
		})
	}
}

func TestGroupsExistInTheVLANsThatUseThem(t *testing.T) {
	c := compile(t, parse(t, twoDevices+"allow: [{from: lease, to: tagged, services: [dhcp, mdns]}, {from: cam, to: main, services: [ws-discovery]}]"), Inputs{})
	var got []string
	for _, a := range c.Set.Addrs {
		if strings.HasPrefix(c.DeviceName(a.Device), "group") {
			got = append(got, fmt.Sprintf("%v %v", a.VLAN, a.Prefix))
		}
	}
	slices.Sort(got)
	want := []string{"10 224.0.0.251/32", "10 255.255.255.255/32", "untagged 239.255.255.250/32", "untagged ff02::c/128"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWarnings(t *testing.T) {
	c := compile(t, parse(t, twoDevices+`
allow:
  - {from: [main, cam], to: [remote, cam], services: [rtsp]}
  - {from: lease, to: main, services: [ntp]}
multicast:
  - {group: 239.1.1.1, from: main, to: core}
`), Inputs{})
	want := []string{
		"policy.yaml:11: allow[1]: main -> remote allows nothing: both are on the same side of the bridge",
		"policy.yaml:11: allow[1]: cam -> cam allows nothing: both are on the same side of the bridge",
		"policy.yaml:12: allow[2]: lease -> main allows nothing: they have no VLAN in common",
		"policy.yaml:14: multicast[1]: main -> core allows nothing: both are on the same side of the bridge",
	}
	if !slices.Equal(c.Warnings, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(c.Warnings, "\n"), strings.Join(want, "\n"))
	}
}

func TestBindings(t *testing.T) {
	p := parse(t, twoDevices+`
  second: {mac: "02:00:00:00:00:13", ip: dhcp, role: camera, vlan: 10}
allow: []
`)
	addr := netip.MustParseAddr
	c := compile(t, p, Inputs{Bindings: map[string]netip.Addr{"lease": addr("10.1.0.50"), "second": addr("10.1.0.2"), "cam": addr("10.0.0.99"), "gone": addr("10.0.0.98")}})
	if id := c.owner(10, addr("10.1.0.50")); c.DeviceName(id) != "lease" {
		t.Errorf("10.1.0.50 is %q's", c.DeviceName(id))
	}
	if id := c.owner(10, addr("10.1.0.2")); c.DeviceName(id) != "tagged" {
		t.Errorf("a binding took 10.1.0.2 from tagged: it is %q's", c.DeviceName(id))
	}
	if id := c.owner(0, addr("10.0.0.99")); id != ipc.NoDevice {
		t.Errorf("a device without ip: dhcp was bound: %q", c.DeviceName(id))
	}
	if want := []string{"policy.yaml:10: the binding of second is not used: 10.1.0.2 is an address of tagged"}; !slices.Equal(c.Warnings, want) {
		t.Errorf("warnings %q, want %q", c.Warnings, want)
	}
	mac := func(last byte) flow.MAC { return flow.MAC{2, 0, 0, 0, 0, last} }
	bound := map[string]netip.Addr{"lease": addr("10.1.0.50")}
	for _, test := range []struct {
		mac     flow.MAC
		vlan    flow.VLAN
		addr    string
		device  string
		problem string
	}{
		{mac(0x12), 10, "10.1.0.51", "lease", ""},
		{mac(0x12), 10, "10.1.0.50", "lease", ""},
		{mac(0x13), 10, "10.1.0.50", "", "bound to lease"},
		{mac(0x13), 10, "10.1.0.2", "", "an address of tagged"},
		{mac(0x13), 10, "10.0.0.2", "second", ""}, // main has it in another VLAN
		{mac(0x13), 10, "224.0.0.5", "", "no IPv4 address of a device"},
		{mac(0x13), 10, "2001:db8::5", "", "no IPv4 address of a device"},
		{mac(0x13), 0, "10.1.0.52", "", "not in the policy"},
		{mac(0x99), 10, "10.1.0.52", "", "not in the policy"},
		{mac(0x11), 0, "10.0.0.52", "", "not listed with ip: dhcp"},
	} {
		name, err := p.CheckBinding(test.mac, test.vlan, addr(test.addr), bound)
		if name != test.device || (err == nil) != (test.problem == "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%v %v %s: got %q, %v, want %q, %q", test.mac, test.vlan, test.addr, name, err, test.device, test.problem)
		}
	}
}

// many writes a policy of cameras and servers.
func many(cameras, servers int, lines string) string {
	var b strings.Builder
	b.WriteString("devices:\n")
	for i := range cameras {
		fmt.Fprintf(&b, "  c%d: {mac: \"02:00:00:00:%02x:%02x\", ip: [10.0.%d.%d], role: camera}\n", i, i>>8, i&255, i>>8, i&255)
	}
	for i := range servers {
		fmt.Fprintf(&b, "  s%d: {mac: \"02:00:00:01:%02x:%02x\", ip: [10.1.%d.%d], role: vms}\n", i, i>>8, i&255, i>>8, i&255)
	}
	return b.String() + "groups: {cameras: {role: camera}, servers: {role: vms}}\n" + lines
}

func TestLimits(t *testing.T) {
	var fiveServices, sixtyFour, sixtyFive, groups []string
	for i := range 65 {
		r := fmt.Sprintf("tcp/%d", 1000+i)
		fiveServices, sixtyFive = append(fiveServices, r), append(sixtyFive, fmt.Sprintf("{from: servers, to: cameras, services: [%s]}", r))
	}
	sixtyFour = sixtyFive[:64]
	for i := range 256 {
		groups = append(groups, fmt.Sprintf("{group: 239.1.1.%d, from: c0, to: s0}", i))
	}
	for _, test := range []struct {
		name, text, problem string
	}{
		{"65,536 entries", many(256, 256, "allow: [{from: servers, to: cameras, services: [rtsp]}]"), ""},
		{"65,537 entries", many(256, 256, "allow:\n  - {from: c0, to: s0, services: [http]}\n  - {from: servers, to: cameras, services: [rtsp]}"), "policy.yaml:517:1: allow[2]: the policy has 65537 entries (device, device, service); the largest are line 517 with 65536 (allow servers -> cameras rtsp), line 516 with 1 (allow c0 -> s0 http); the most is 65536: name fewer devices or services in these lines"},
		{"millions of entries", many(2000, 2000, "allow: [{from: servers, to: cameras, services: [rtsp, http]}, {from: cameras, to: servers, services: [rtp]}]"), "more than 1"},
		{"one line again and again", many(4000, 1, "allow:\n"+strings.Repeat("  - {from: cameras, to: s0, services: [rtsp]}\n", 1100)), "policy.yaml:4005:1: allow[1]: the lines name more than 4194304 (device, device, service) combinations"},
		{"many lines of one side", many(4000, 1, "allow:\n"+strings.Repeat("  - {from: cameras, to: cameras, services: [rtsp]}\n", 30000)), ""},
		{"4,096 devices", many(4090, 6, "allow: []"), ""},
		{"4,097 devices", many(4090, 7, "allow: []"), "this is device 4097; the most is 4096"},
		{"64 services", many(1, 1, "allow: ["+strings.Join(sixtyFour, ", ")+"]"), ""},
		{"65 services", many(1, 1, "allow: ["+strings.Join(sixtyFive, ", ")+"]"), "the lines use 65 services; the most is 64"},
		{"65 services in a line", many(1, 1, "allow: [{from: s0, to: c0, services: ["+strings.Join(fiveServices, ", ")+"]}]"), "the line has 65 services"},
		{"255 groups", many(1, 1, "multicast: ["+strings.Join(groups[:255], ", ")+"]"), ""},
		{"256 groups", many(1, 1, "multicast: ["+strings.Join(groups, ", ")+"]"), "the policy uses 256 multicast groups"},
		{"5 MB", strings.Repeat("# comment\n", 500_000), "the file has 5000000 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			begin := time.Now()
			p, err := Parse("policy.yaml", []byte(test.text))
			var c *Compiled
			if err == nil {
				c, err = p.Compile(Inputs{})
			}
			var errs Errors
			switch {
			case test.problem == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.problem != "" && (!errors.As(err, &errs) || len(errs) != 1 || !strings.Contains(err.Error(), test.problem)):
				t.Errorf("got %v, want an error with %q", err, test.problem)
			case c != nil && c.Entries != len(c.Set.Rules):
				t.Errorf("%d entries, %d rules", c.Entries, len(c.Set.Rules))
			}
			t.Logf("took %v", time.Since(begin))
		})
	}
}

// A full policy can be replaced by one with all other names: numbers of devices that are gone are given out again.
func TestNumbersNeverRunOut(t *testing.T) {
	first := compile(t, parse(t, many(4090, 6, "allow: [{from: cameras, to: s0, services: [dhcp]}]")), Inputs{})
	text := strings.ReplaceAll(strings.ReplaceAll(many(4090, 6, "allow: [{from: cameras, to: s0, services: [dhcp]}]"), "  c", "  x"), "s0", "s1")
	second := compile(t, parse(t, strings.Replace(text, "  s1:", "  s0:", 1)), Inputs{IDs: first.IDs})
	if len(second.Set.Devices) != 4097 || second.IDs["s1"] != first.IDs["s1"] {
		t.Errorf("%d devices; s1 had number %d and has %d", len(second.Set.Devices), first.IDs["s1"], second.IDs["s1"])
	}
	kept := 0
	for name := range first.IDs {
		if second.IDs[name] == first.IDs[name] && strings.HasPrefix(name, "c") {
			kept++
		}
	}
	if want := int(ipc.MaxDeviceID) - 4097; kept != want {
		t.Errorf("%d devices that are gone kept their numbers, want %d: as many as fit", kept, want)
	}
}

// Numbers that are no numbers, or another's, are not taken over.
func TestBadNumbers(t *testing.T) {
	c := compile(t, parse(t, twoDevices+"allow: []"), Inputs{IDs: map[string]ipc.DeviceID{"cam": 0, "main": 9999, "core": 7, "remote": 7}})
	seen := make(map[ipc.DeviceID]bool)
	for _, d := range c.Set.Devices {
		if seen[d.ID] || d.ID == 0 || d.ID > ipc.MaxDeviceID {
			t.Errorf("number %d of %s", d.ID, c.DeviceName(d.ID))
		}
		seen[d.ID] = true
	}
	if c.IDs["core"] != 7 {
		t.Errorf("core has number %d, want its own 7", c.IDs["core"])
	}
}

// A router's own address inside a prefix behind it is the router's.
func TestLongestPrefixCounts(t *testing.T) {
	c := compile(t, parse(t, `
devices:
  core: {mac: "02:00:00:00:00:fe", ip: [10.7.0.1], role: router}
  remote: {ip: [10.7.0.0/28], via: core, role: vms}
`), Inputs{})
	for addr, want := range map[string]string{"10.7.0.1": "core", "10.7.0.2": "remote", "10.7.0.16": ""} {
		if got := c.DeviceName(c.owner(0, netip.MustParseAddr(addr))); got != want {
			t.Errorf("%s is %q's, want %q", addr, got, want)
		}
	}
}

// A name that stands twice in a list counts once.
func TestRepeatedNames(t *testing.T) {
	p := parse(t, twoDevices+"allow: [{from: [main, main], to: cam, services: [rtsp, tcp/080, tcp/80, rtsp]}]")
	if got := p.Rules[0].String(); got != "allow main -> cam rtsp,tcp/80" {
		t.Errorf("got %q", got)
	}
}
