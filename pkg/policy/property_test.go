package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/verdict"
)

// model is a random policy, kept apart from Policy so that the reference judge shares no code with Parse and Compile.
type model struct {
	devices []modelDevice
	groups  []modelGroup
	rules   []modelRule
}

type modelDevice struct {
	name, role, via, side string
	vlan                  int
	ips                   []string
	dhcp                  bool
	bound                 string // the binding of a dhcp device, "" = none yet
}

type modelGroup struct {
	name, role string
	members    []string
}

type modelRule struct {
	group    string
	from, to []string
	services []string
}

func drawModel(t *rapid.T) model {
	var m model
	n := rapid.IntRange(4, 9).Draw(t, "devices")
	for i := range n {
		d := modelDevice{name: fmt.Sprintf("d%d", i), role: rapid.SampledFrom([][]string{{"camera", "camera", "sensor"}, {"vms", "router", "vms"}}[i%2]).Draw(t, "role"), vlan: rapid.SampledFrom([]int{0, 0, 10}).Draw(t, "vlan")}
		d.side = "server"
		if d.role == "camera" || d.role == "sensor" {
			d.side = "camera"
		}
		if rapid.IntRange(0, 5).Draw(t, "turned") == 5 {
			d.side = map[string]string{"server": "camera", "camera": "server"}[d.side] // the key port
		}
		var routers []modelDevice
		for _, r := range m.devices {
			if r.role == "router" {
				routers = append(routers, r)
			}
		}
		switch kind := rapid.IntRange(0, 5).Draw(t, "kind"); {
		case kind == 0 && d.role != "router" && len(routers) > 0:
			r := rapid.SampledFrom(routers).Draw(t, "via")
			d.via, d.side, d.vlan = r.name, r.side, r.vlan
			d.ips = []string{fmt.Sprintf("10.7.%d.0/24", i)}
		case kind == 1:
			d.dhcp = true
			if rapid.Bool().Draw(t, "bound") {
				d.bound = fmt.Sprintf("10.1.0.%d", i+1)
			}
		default:
			if kind != 2 {
				d.ips = append(d.ips, fmt.Sprintf("10.0.0.%d", i+1))
			}
			if kind > 1 && kind < 5 {
				d.ips = append(d.ips, fmt.Sprintf("2001:db8::%d", i+1))
			}
		}
		m.devices = append(m.devices, d)
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "groups") {
		g := modelGroup{name: fmt.Sprintf("g%d", i)}
		if rapid.Bool().Draw(t, "byRole") {
			g.role = rapid.SampledFrom(m.devices).Draw(t, "role").role
		} else {
			for range rapid.IntRange(1, 3).Draw(t, "members") {
				g.members = append(g.members, rapid.SampledFrom(m.devices).Draw(t, "member").name)
			}
		}
		m.groups = append(m.groups, g)
	}
	var names []string
	for _, d := range m.devices {
		names = append(names, d.name)
	}
	for _, g := range m.groups {
		names = append(names, g.name)
	}
	end := rapid.SliceOfN(rapid.SampledFrom(names), 1, 3)
	services := []string{"rtsp", "rtp", "onvif", "http", "dns", "dhcp", "ws-discovery", "mdns", "ssdp", "icmp-echo", "own", "tcp/8000", "udp/5353", "proto/47"}
	shift := rapid.Uint64().Draw(t, "shift") % uint64(len(services)) // rapid favours the first of a list
	service := rapid.SliceOfN(rapid.SampledFrom(append(services[shift:], services[:shift]...)), 1, 6)
	for range rapid.IntRange(1, 6).Draw(t, "rules") {
		m.rules = append(m.rules, modelRule{from: end.Draw(t, "from"), to: end.Draw(t, "to"), services: service.Draw(t, "services")})
	}
	for range rapid.IntRange(0, 2).Draw(t, "multicast") {
		m.rules = append(m.rules, modelRule{group: rapid.SampledFrom([]string{"239.1.1.1", "ff05::1", "239.255.255.250"}).Draw(t, "group"), from: end.Draw(t, "from"), to: end.Draw(t, "to"), services: []string{"rtp"}})
	}
	return m
}

// yaml writes the model as a policy file.
func (m model) yaml() string {
	var b strings.Builder
	b.WriteString("devices:\n")
	for i, d := range m.devices {
		fmt.Fprintf(&b, "  %s: {role: %s", d.name, d.role)
		if d.via != "" {
			fmt.Fprintf(&b, ", via: %s", d.via)
		} else {
			fmt.Fprintf(&b, ", mac: \"02:00:00:00:00:%02x\", port: %s, vlan: %d", i+1, d.side, d.vlan)
		}
		if d.dhcp {
			b.WriteString(", ip: dhcp}\n")
		} else {
			fmt.Fprintf(&b, ", ip: [\"%s\"]}\n", strings.Join(d.ips, `", "`))
		}
	}
	b.WriteString("groups: {")
	for _, g := range m.groups {
		if g.role != "" {
			fmt.Fprintf(&b, "%s: {role: %s}, ", g.name, g.role)
		} else {
			fmt.Fprintf(&b, "%s: {devices: [%s]}, ", g.name, strings.Join(g.members, ", "))
		}
	}
	b.WriteString("}\nservices: {own: [tcp/554-560, udp/9000-9010]}\n")
	for _, kind := range []string{"allow", "multicast"} {
		fmt.Fprintf(&b, "%s:\n  [", kind)
		for _, r := range m.rules {
			if (r.group != "") != (kind == "multicast") {
				continue
			}
			group := ""
			if r.group != "" {
				group = fmt.Sprintf("group: %q, ", r.group)
			}
			fmt.Fprintf(&b, "{%sfrom: [%s], to: [%s], services: [%s]}, ", group, strings.Join(r.from, ", "), strings.Join(r.to, ", "), strings.Join(r.services, ", "))
		}
		b.WriteString("]\n")
	}
	return b.String()
}

func (m model) bindings() map[string]netip.Addr {
	b := make(map[string]netip.Addr)
	for _, d := range m.devices {
		if d.bound != "" {
			b[d.name] = netip.MustParseAddr(d.bound)
		}
	}
	return b
}

// has reports whether addr is d's in a VLAN.
func (d modelDevice) has(vlan int, addr netip.Addr) bool {
	if d.vlan != vlan {
		return false
	}
	for _, ip := range append(slices.Clone(d.ips), d.bound) {
		if prefix, err := netip.ParsePrefix(ip); err == nil && prefix.Contains(addr) || ip == addr.String() {
			return true
		}
	}
	return false
}

func (d modelDevice) speaks(addr netip.Addr) bool {
	if addr.Is4() && d.dhcp {
		return true
	}
	return slices.ContainsFunc(d.ips, func(ip string) bool { return strings.Contains(ip, ":") != addr.Is4() })
}

// in reports whether names mean d.
func (m model) in(names []string, d modelDevice) bool {
	for _, name := range names {
		if name == d.name {
			return true
		}
		for _, g := range m.groups {
			if g.name == name && (g.role == d.role || slices.Contains(g.members, d.name)) {
				return true
			}
		}
	}
	return false
}

// The reference's own table: the ports of the services in use here, written out once more.
var referencePorts = map[string]func(proto flow.Proto, port uint16) bool{
	"rtsp":         func(p flow.Proto, n uint16) bool { return p == 6 && (n == 554 || n == 8554) },
	"rtp":          func(p flow.Proto, n uint16) bool { return p == 17 && n >= 1024 },
	"onvif":        func(p flow.Proto, n uint16) bool { return p == 6 && (n == 80 || n == 5000 || n == 8080 || n == 8899) },
	"http":         func(p flow.Proto, n uint16) bool { return p == 6 && n == 80 },
	"dns":          func(p flow.Proto, n uint16) bool { return (p == 6 || p == 17) && n == 53 },
	"dhcp":         func(p flow.Proto, n uint16) bool { return p == 17 && n == 67 },
	"ws-discovery": func(p flow.Proto, n uint16) bool { return p == 17 && n == 3702 },
	"mdns":         func(p flow.Proto, n uint16) bool { return p == 17 && n == 5353 },
	"ssdp":         func(p flow.Proto, n uint16) bool { return p == 17 && n == 1900 },
	"icmp-echo":    func(p flow.Proto, n uint16) bool { return p == 1 || p == 58 }, // questions are echo requests
	"own": func(p flow.Proto, n uint16) bool {
		return p == 6 && n >= 554 && n <= 560 || p == 17 && n >= 9000 && n <= 9010
	},
	"tcp/8000": func(p flow.Proto, n uint16) bool { return p == 6 && n == 8000 },
	"udp/5353": func(p flow.Proto, n uint16) bool { return p == 17 && n == 5353 },
	"proto/47": func(p flow.Proto, n uint16) bool { return p == 47 },
}

var referenceGroups = map[string][]string{
	"dhcp": {"255.255.255.255"}, "ws-discovery": {"239.255.255.250", "ff02::c"}, "ssdp": {"239.255.255.250", "ff02::c"}, "mdns": {"224.0.0.251", "ff02::fb"},
}

// opens lists the lines that let from open (proto, port) towards to, or towards the group if that is valid.
func (m model) opens(from, to modelDevice, group netip.Addr, proto flow.Proto, port uint16) []uint16 {
	var lines []uint16
	linkOnly := group.IsLinkLocalMulticast() || group.String() == "255.255.255.255"
	if group.IsValid() && (!from.speaks(group) || from.via != "" && linkOnly) {
		return nil
	}
	for i, r := range m.rules {
		for _, a := range m.devices {
			for _, b := range m.devices {
				if !m.in(r.from, a) || !m.in(r.to, b) || a.side == b.side || a.vlan != b.vlan {
					continue
				}
				for _, s := range r.services {
					target := func(x, y modelDevice) bool { // does x, who may open s towards y, match the question?
						if x.name != from.name {
							return false
						}
						switch {
						case !group.IsValid():
							return r.group == "" && y.name == to.name
						case r.group != "":
							return r.group == group.String()
						}
						return slices.Contains(referenceGroups[s], group.String())
					}
					match := target(a, b) && referencePorts[s](proto, port)
					if s == "rtp" || s == "mdns" {
						match = match || target(b, a) && referencePorts[s](proto, port)
					}
					if s == "dhcp" {
						match = match || target(b, a) && proto == 17 && port == 68
					}
					if match && !slices.Contains(lines, uint16(i+1)) {
						lines = append(lines, uint16(i+1))
					}
				}
			}
		}
	}
	return lines
}

func (m model) owner(vlan int, addr netip.Addr) *modelDevice {
	for i := range m.devices {
		if m.devices[i].has(vlan, addr) {
			return &m.devices[i]
		}
	}
	return nil
}

// judge answers as the kernel should, in the slowest way.
func (m model) judge(q Question) (verdict.Reason, []uint16) {
	t := q.Tuple
	isGroup := func(a netip.Addr) bool { return a.IsMulticast() || a.String() == "255.255.255.255" }
	if isGroup(t.Src) {
		return verdict.ReasonSourceGroup, nil
	}
	from := m.owner(int(q.VLAN), t.Src)
	if from == nil {
		return verdict.ReasonUnknownDevice, nil
	}
	if isGroup(t.Dst) {
		if lines := m.opens(*from, modelDevice{}, t.Dst, t.Proto, t.DstPort); lines != nil {
			return verdict.ReasonPolicy, lines
		}
		for _, other := range m.devices { // a group that anyone in this VLAN may ask for anything is known
			for _, s := range []uint16{67, 68, 1900, 3702, 5353, 1024} {
				if other.vlan == int(q.VLAN) && m.opens(other, modelDevice{}, t.Dst, flow.UDP, s) != nil {
					return verdict.ReasonNoRule, nil
				}
			}
		}
		return verdict.ReasonBroadcast, nil
	}
	to := m.owner(int(q.VLAN), t.Dst)
	if to == nil {
		return verdict.ReasonUnknownDestination, nil
	}
	if to.side == from.side {
		return verdict.ReasonSameSide, nil
	}
	if lines := m.opens(*from, *to, netip.Addr{}, t.Proto, t.DstPort); lines != nil {
		return verdict.ReasonPolicy, lines
	}
	if lines := m.opens(*to, *from, netip.Addr{}, t.Proto, t.SrcPort); lines != nil {
		return verdict.ReasonReply, lines
	}
	return verdict.ReasonNoRule, nil
}

// pair gives for two of three questions the ends of some line, in any order.
func (m model) pair(r *rand.Rand) (a, b modelDevice, ok bool) {
	rule := m.rules[r.IntN(len(m.rules))]
	for _, i := range r.Perm(len(m.devices)) {
		for _, k := range r.Perm(len(m.devices)) {
			a, b = m.devices[i], m.devices[k]
			if (m.in(rule.from, a) && m.in(rule.to, b) || m.in(rule.from, b) && m.in(rule.to, a)) && a.addr(r).IsValid() && b.addr(r).IsValid() {
				return a, b, r.IntN(3) > 0
			}
		}
	}
	return a, b, false
}

// addr is one of a device's addresses, invalid if it has none.
func (d modelDevice) addr(r *rand.Rand) netip.Addr {
	ips := slices.DeleteFunc(append(slices.Clone(d.ips), d.bound), func(ip string) bool { return ip == "" })
	if len(ips) == 0 {
		return netip.Addr{}
	}
	return netip.MustParseAddr(strings.Replace(ips[r.IntN(len(ips))], ".0/24", ".77", 1))
}

// question asks about one of the model's own ends mostly: by a seed, since rapid favours the first of a list.
func (m model) question(r *rand.Rand) Question {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	q := Question{VLAN: flow.VLAN(10 * (r.IntN(4) / 3))}
	var own []string
	for _, d := range m.devices {
		if d.vlan == int(q.VLAN) || r.IntN(8) == 0 {
			for _, ip := range append(slices.Clone(d.ips), d.bound) {
				own = append(own, strings.Replace(ip, ".0/24", ".77", 1))
			}
		}
	}
	own = slices.DeleteFunc(own, func(ip string) bool { return ip == "" })
	groups := []string{"239.1.1.1", "ff05::1", "239.255.255.250", "ff02::c", "224.0.0.251", "ff02::fb", "255.255.255.255", "239.9.9.9"}
	others := append([]string{"10.0.0.99", "2001:db8::99", "10.7.0.200"}, groups...)
	end := func(list []string) netip.Addr {
		if len(own) == 0 || r.IntN(4) == 0 {
			return netip.MustParseAddr(pick(list))
		}
		return netip.MustParseAddr(pick(own))
	}
	src := end(others[:4])
	dst := end(others)
	for dst.Is4() != src.Is4() {
		dst = end(others)
		if r.IntN(3) == 0 {
			src = end(others[:4])
		}
	}
	if a, b, ok := m.pair(r); ok {
		q.VLAN, src, dst = flow.VLAN(a.vlan), a.addr(r), b.addr(r)
		if src.Is4() != dst.Is4() {
			dst = src // a question that nobody asks, answered all the same
		}
	}
	ports := []uint16{53, 67, 68, 80, 554, 555, 561, 1023, 1024, 1900, 3702, 5353, 8000, 8554, 9005, 40000, 65535}
	protos := []flow.Proto{flow.TCP, flow.TCP, flow.UDP, flow.UDP, flow.ICMP, 47, 50}
	q.Tuple = flow.FiveTuple{Src: src, Dst: dst, Proto: protos[r.IntN(len(protos))]}
	if q.Tuple.Proto == flow.ICMP && src.Is6() {
		q.Tuple.Proto = flow.ICMPv6
	}
	if q.Tuple.Proto == flow.TCP || q.Tuple.Proto == flow.UDP {
		q.Tuple.SrcPort, q.Tuple.DstPort = ports[r.IntN(len(ports))], ports[r.IntN(len(ports))]
		if r.IntN(2) == 0 { // a port of a service that some line has
			s := m.rules[r.IntN(len(m.rules))].services[0]
			for _, i := range r.Perm(len(ports)) {
				if referencePorts[s](q.Tuple.Proto, ports[i]) {
					q.Tuple.DstPort = ports[i]
				}
			}
			if r.IntN(2) == 0 {
				q.Tuple.SrcPort, q.Tuple.DstPort = q.Tuple.DstPort, q.Tuple.SrcPort
			}
		}
	}
	return q
}

// kernel answers from the five tables alone, as the BPF program does.
func kernel(s ipc.PolicySet, q Question) (verdict.Reason, uint16) {
	t := q.Tuple
	owner := func(a netip.Addr) ipc.DeviceID {
		best, id := -1, ipc.NoDevice
		for _, e := range s.Addrs {
			if e.VLAN == q.VLAN && e.Prefix.Contains(a) && e.Prefix.Bits() > best {
				best, id = e.Prefix.Bits(), e.Device
			}
		}
		return id
	}
	device := func(id ipc.DeviceID) ipc.DeviceEntry {
		i := slices.IndexFunc(s.Devices, func(d ipc.DeviceEntry) bool { return d.ID == id })
		return s.Devices[i]
	}
	allowed := func(from, to ipc.DeviceID, port uint16) uint16 {
		rule, best := uint16(0), uint8(255)
		for _, p := range s.Services {
			if p.Proto != t.Proto || port < p.Lo || port > p.Hi || p.Service >= best {
				continue
			}
			for _, r := range s.Rules {
				if r.From == from && r.To == to && r.Service == p.Service {
					rule, best = r.Rule, p.Service
				}
			}
		}
		return rule
	}
	forward, back := t.DstPort, t.SrcPort
	switch t.Proto {
	case flow.ICMP:
		forward, back = 8, 8
	case flow.ICMPv6:
		forward, back = 128, 128
	}
	if t.Src.IsMulticast() || t.Src == broadcast[0] {
		return verdict.ReasonSourceGroup, 0
	}
	from, to := owner(t.Src), owner(t.Dst)
	switch {
	case from == ipc.NoDevice:
		return verdict.ReasonUnknownDevice, 0
	case (t.Dst.IsMulticast() || t.Dst == broadcast[0]) && to == ipc.NoDevice:
		return verdict.ReasonBroadcast, 0
	case to == ipc.NoDevice:
		return verdict.ReasonUnknownDestination, 0
	case device(from).Side == device(to).Side:
		return verdict.ReasonSameSide, 0
	}
	if rule := allowed(from, to, forward); rule != 0 {
		return verdict.ReasonPolicy, rule
	}
	if rule := allowed(to, from, back); rule != 0 {
		return verdict.ReasonReply, rule
	}
	return verdict.ReasonNoRule, 0
}

// Why, the tables and a judge who reads the policy line by line always agree.
func TestJudgesAgree(t *testing.T) {
	seen := make(map[verdict.Reason]int)
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		p, err := Parse("policy.yaml", []byte(m.yaml()))
		if err != nil {
			t.Fatalf("%v\n%s", err, m.yaml())
		}
		c, err := p.Compile(Inputs{Bindings: m.bindings()})
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range 200 {
			q := m.question(r)
			want, lines := m.judge(q)
			a := c.Why(q)
			reason, rule := kernel(c.Set, q)
			if a.Reason != want || reason != want {
				t.Fatalf("%v vlan %v: judge %v, Why %v, tables %v\n%s", q.Tuple, q.VLAN, want, a.Reason, reason, m.yaml())
			}
			if (a.Verdict == verdict.Pass) != (lines != nil) || a.Reply != (want == verdict.ReasonReply) {
				t.Fatalf("%v: %+v for reason %v", q.Tuple, a, want)
			}
			if lines != nil && (!slices.Contains(lines, a.Rule.Number) || rule != a.Rule.Number) {
				t.Fatalf("%v: Why names line %d, tables line %d, these allow it: %v\n%s", q.Tuple, a.Rule.Number, rule, lines, m.yaml())
			}
			seen[want]++
		}
	})
	for _, r := range []verdict.Reason{verdict.ReasonPolicy, verdict.ReasonReply, verdict.ReasonNoRule, verdict.ReasonUnknownDevice, verdict.ReasonUnknownDestination, verdict.ReasonSameSide, verdict.ReasonBroadcast, verdict.ReasonSourceGroup} {
		if seen[r] < 20 {
			t.Errorf("only %d questions were answered with %v: %v", seen[r], r, seen)
		}
	}
	t.Logf("answers: %v", seen)
}

// The same inputs give the same tables; devices keep their numbers over any sequence of policies, and no two share one.
func TestNumbersAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ids map[string]ipc.DeviceID
		for range rapid.IntRange(1, 4).Draw(t, "policies") {
			m := drawModel(t)
			p, err := Parse("policy.yaml", []byte(m.yaml()))
			if err != nil {
				t.Fatal(err)
			}
			in := Inputs{IDs: ids, Bindings: m.bindings()}
			c, err := p.Compile(in)
			if err != nil {
				t.Fatal(err)
			}
			again, err := p.Compile(in)
			if err != nil || !reflect.DeepEqual(c.Set, again.Set) || !reflect.DeepEqual(c.IDs, again.IDs) {
				t.Fatalf("two compilations of one policy differ: %v", err)
			}
			taken := make(map[ipc.DeviceID]string)
			for name, id := range c.IDs {
				if before, had := ids[name]; had && before != id {
					t.Fatalf("%s had number %d and has %d", name, before, id)
				}
				if other, twice := taken[id]; twice || id == ipc.NoDevice || id > ipc.MaxDeviceID {
					t.Fatalf("number %d of %s: also %q, or out of range", id, name, other)
				}
				taken[id] = name
			}
			ids = c.IDs
		}
	})
}
