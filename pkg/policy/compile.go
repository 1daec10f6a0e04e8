package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

// Inputs are what a policy is compiled with besides its text.
type Inputs struct {
	IDs      map[string]ipc.DeviceID // the numbers of the last Compile: devices keep theirs
	Bindings map[string]netip.Addr   // the IPv4 addresses of devices with ip: dhcp
}

// Compiled is a policy as the kernel enforces it.
type Compiled struct {
	Set      ipc.PolicySet
	IDs      map[string]ipc.DeviceID // for the next Compile; holds devices that are gone too, while there is room
	Rules    []RuleLine              // Rules[i].Number is i+1
	Entries  int                     // (device, device, service) keys
	Warnings []string                // lines that allow nothing, bindings that cannot be used

	policy   *Policy
	services []string // by number
	names    map[ipc.DeviceID]string
	devices  map[ipc.DeviceID]ipc.DeviceEntry
	addrs    map[owned]ipc.DeviceID
	lengths  []int // of the prefixes in addrs, longest first
	rules    map[entryKey]uint16
}

// RuleLine is an allow or multicast line for people.
type RuleLine struct {
	Number uint16 `json:"number"`
	Line   int    `json:"line"`
	Text   string `json:"text"` // such as: allow main -> cameras rtsp,onvif,http
}

// entryKey is what the kernel's rule table is asked for.
type entryKey struct {
	from, to ipc.DeviceID
	service  uint8
}

// compiler gathers a Compiled.
type compiler struct {
	*Compiled
	used    []*Service // by number
	number  map[string]uint8
	groups  map[netip.Addr]ipc.DeviceID
	inVLAN  map[owned]bool // the groups' addresses
	perLine []int          // new entries by rule index
	sides   map[string]sides
	tries   int
}

// Compile turns the policy into the kernel's tables. The same inputs give the same tables. The error is an Errors.
func (p *Policy) Compile(in Inputs) (*Compiled, error) {
	c := &compiler{
		Compiled: &Compiled{policy: p, names: map[ipc.DeviceID]string{}, devices: map[ipc.DeviceID]ipc.DeviceEntry{}, addrs: map[owned]ipc.DeviceID{}, rules: map[entryKey]uint16{}},
		number:   map[string]uint8{}, groups: map[netip.Addr]ipc.DeviceID{}, inVLAN: map[owned]bool{}, sides: map[string]sides{}, perLine: make([]int, len(p.Rules)),
	}
	if err := c.numberServices(); err != nil {
		return nil, err
	}
	groups := p.groupsInUse(c.used)
	if len(groups) > MaxGroups {
		return nil, Errors{{File: p.File, Key: "multicast", Problem: fmt.Sprintf("the policy uses %d multicast groups, those of its services among them", len(groups)), Remedy: fmt.Sprintf("the most is %d", MaxGroups)}}
	}
	c.assign(in.IDs, groups)
	c.addDevices(groups)
	c.addAddrs(in.Bindings)
	for i := range p.Rules {
		r := &p.Rules[i]
		c.Rules = append(c.Rules, RuleLine{Number: r.Number, Line: r.Line, Text: r.String()})
		if !c.addRule(i) {
			break
		}
	}
	if len(c.rules) > MaxEntries || c.tries > maxTries {
		return nil, c.tooMany()
	}
	c.warnSides()
	c.finish()
	return c.Compiled, nil
}

// numberServices gives the services in use their numbers: built-in ones in the order of the table, the user's, then ranges.
func (c *compiler) numberServices() error {
	p := c.policy
	inUse := make(map[string]bool)
	var inline []string
	use := func(name string) {
		if !inUse[name] && p.inline[name] != nil {
			inline = append(inline, name)
		}
		inUse[name] = true
	}
	for _, r := range p.Rules {
		for _, name := range r.Services {
			use(name)
			if s := p.service(name); s.Answer != "" {
				use(s.Answer)
			}
		}
	}
	var order []string
	for i := range builtin {
		order = append(order, builtin[i].Name)
	}
	for i := range p.Services {
		order = append(order, p.Services[i].Name)
	}
	for _, name := range append(order, inline...) {
		if !inUse[name] {
			continue
		}
		c.number[name] = uint8(len(c.used)) // checked below
		c.used = append(c.used, p.service(name))
		c.services = append(c.services, name)
	}
	if n := len(c.used); n > ipc.MaxServices {
		return Errors{{File: p.File, Key: "services", Problem: fmt.Sprintf("the lines use %d services", n), Remedy: fmt.Sprintf("the most is %d: put ranges together under one name", ipc.MaxServices)}}
	}
	return nil
}

// groupsInUse lists the multicast groups, and the broadcast address, that the lines and their services open, in order.
func (p *Policy) groupsInUse(used []*Service) []netip.Addr {
	var groups []netip.Addr
	for _, s := range used {
		groups = append(groups, s.Groups...)
	}
	for _, r := range p.Rules {
		if r.Group.IsValid() {
			groups = append(groups, r.Group)
		}
	}
	slices.SortFunc(groups, netip.Addr.Compare)
	return slices.Compact(groups)
}

func (c *compiler) addDevices(groups []netip.Addr) {
	p := c.policy
	for i := range p.Devices {
		d := &p.Devices[i]
		id := c.IDs[d.Name]
		e := ipc.DeviceEntry{ID: id, Via: id, Side: d.Side, PPS: d.PPS, KBps: d.KBps}
		if d.Via != "" {
			e.Via = c.IDs[d.Via]
		} else {
			for _, mac := range append([]flow.MAC{d.MAC}, d.RouterMACs...) {
				c.Set.MACs = append(c.Set.MACs, ipc.MACEntry{MAC: mac, VLAN: d.VLAN, Device: id})
			}
		}
		if d.Role == Router {
			e.Flags |= ipc.DeviceRouter
		}
		if d.DHCP {
			e.Flags |= ipc.DeviceDHCP
		}
		c.addDevice(d.Name, e)
	}
	for _, g := range groups {
		id := c.IDs[groupName(g)]
		c.groups[g] = id
		c.addDevice(groupName(g), ipc.DeviceEntry{ID: id, Via: id, Side: flow.AnySide, Flags: ipc.DeviceGroup})
	}
}

func (c *compiler) addDevice(name string, e ipc.DeviceEntry) {
	c.names[e.ID] = name
	c.devices[e.ID] = e
	c.Set.Devices = append(c.Set.Devices, e)
}

// addAddrs adds the addresses of the file, then the bindings that are nobody else's.
func (c *compiler) addAddrs(bindings map[string]netip.Addr) {
	p := c.policy
	for i := range p.Devices {
		for _, prefix := range p.Devices[i].Addrs {
			c.addAddr(p.Devices[i].VLAN, prefix, c.IDs[p.Devices[i].Name])
		}
	}
	for i := range p.Devices {
		d := &p.Devices[i]
		addr, bound := bindings[d.Name]
		if !bound || !d.DHCP {
			continue
		}
		if err := bindable(addr); err != nil {
			c.warn(fmt.Sprintf("%s:%d: the binding of %s is not used: %v", p.File, d.Line, d.Name, err))
			continue
		}
		if owner := c.owner(d.VLAN, addr); owner != ipc.NoDevice {
			if owner != c.IDs[d.Name] {
				c.warn(fmt.Sprintf("%s:%d: the binding of %s is not used: %v is an address of %s", p.File, d.Line, d.Name, addr, c.names[owner]))
			}
			continue
		}
		c.addAddr(d.VLAN, netip.PrefixFrom(addr, addr.BitLen()), c.IDs[d.Name])
	}
}

func (c *compiler) addAddr(vlan flow.VLAN, prefix netip.Prefix, id ipc.DeviceID) {
	c.Set.Addrs = append(c.Set.Addrs, ipc.AddrEntry{VLAN: vlan, Prefix: prefix, Device: id})
	c.addrs[owned{vlan, prefix}] = id
	if !slices.Contains(c.lengths, prefix.Bits()) {
		c.lengths = append(c.lengths, prefix.Bits())
		slices.Sort(c.lengths)
		slices.Reverse(c.lengths)
	}
}

// owner is the device whose address it is, by the longest prefix.
func (c *Compiled) owner(vlan flow.VLAN, addr netip.Addr) ipc.DeviceID {
	for _, bits := range c.lengths {
		if prefix, err := addr.Prefix(bits); err == nil {
			if id, ok := c.addrs[owned{vlan, prefix}]; ok {
				return id
			}
		}
	}
	return ipc.NoDevice
}

func (c *compiler) finish() {
	c.Entries = len(c.rules)
	for number, s := range c.used {
		for _, r := range s.Ports {
			c.Set.Services = append(c.Set.Services, ipc.ServiceEntry{Service: uint8(number), Proto: r.Proto, Lo: r.Lo, Hi: r.Hi})
		}
	}
	for key, rule := range c.rules {
		c.Set.Rules = append(c.Set.Rules, ipc.RuleEntry{From: key.from, To: key.to, Service: key.service, Rule: rule})
	}
	slices.SortFunc(c.Set.Devices, func(a, b ipc.DeviceEntry) int { return int(a.ID) - int(b.ID) })
	slices.SortFunc(c.Set.Rules, compareRules)
}

func compareRules(a, b ipc.RuleEntry) int {
	if d := int(a.From) - int(b.From); d != 0 {
		return d
	}
	if d := int(a.To) - int(b.To); d != 0 {
		return d
	}
	return int(a.Service) - int(b.Service)
}

// maxWarnings bounds what a file of useless lines makes us say.
const maxWarnings = 100

func (c *compiler) warn(text string) {
	if len(c.Warnings) < maxWarnings {
		c.Warnings = append(c.Warnings, text)
	} else if len(c.Warnings) == maxWarnings {
		c.Warnings = append(c.Warnings, "more warnings are left out")
	}
}

// DeviceName is the name of a device's number: a device of the policy, or "group 239.255.255.250". Unknown numbers have none.
func (c *Compiled) DeviceName(id ipc.DeviceID) string { return c.names[id] }

// ServiceName is the name of a service's number, "" if the policy does not use it.
func (c *Compiled) ServiceName(n uint8) string {
	if int(n) >= len(c.services) {
		return ""
	}
	return c.services[n]
}

// String is the line in readable form, such as: allow main -> cameras rtsp,onvif,http
func (r *Rule) String() string {
	text := fmt.Sprintf("%s -> %s %s", strings.Join(r.From, ","), strings.Join(r.To, ","), strings.Join(r.Services, ","))
	if r.Group.IsValid() {
		return fmt.Sprintf("multicast %v %s", r.Group, text)
	}
	return "allow " + text
}
