package policy

import (
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"citygate/pkg/ipc"
	"citygate/pkg/policy/document"
)

// parser reads one file into a Policy. Names are known even where their definition has an error, so that one error gives one message.
type parser struct {
	*Policy
	declared map[string]string // name -> "device" or "group"
}

// Parse reads a policy. The error is an Errors.
func Parse(name string, text []byte) (*Policy, error) {
	doc, err := document.Parse(name, text)
	if err != nil {
		return nil, err
	}
	p := &parser{
		Policy:   &Policy{File: name, device: map[string]int{}, group: map[string]int{}, own: map[string]int{}, inline: map[string]*Service{}},
		declared: map[string]string{},
	}
	top := doc.Root().Fields(topKeys...)
	if v, ok := top.Need("devices", "list at least one device under devices:"); ok {
		p.devices(v)
	}
	if v, ok := top.Get("groups"); ok {
		p.groups(v)
	}
	if v, ok := top.Get("services"); ok {
		p.services(v)
	}
	if v, ok := top.Get("allow"); ok {
		p.rules(v, false)
	}
	if v, ok := top.Get("multicast"); ok {
		p.rules(v, true)
	}
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return p.Policy, nil
}

// The keys of a policy file, by the map they stand in.
var (
	topKeys       = []string{"devices", "groups", "services", "allow", "multicast"}
	deviceKeys    = []string{"mac", "ip", "role", "via", "vlan", "router_macs", "port", "limit_pps", "limit_mbps", "name", "notes", "tags"}
	groupKeys     = []string{"role", "devices"}
	allowKeys     = []string{"from", "to", "services", "comment"}
	multicastKeys = []string{"group", "from", "to", "services", "comment"}
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

const nameRemedy = "use letters, digits, '.', '_' and '-', at most 63, beginning with a letter or digit"

// declare checks a new name of a device or group.
func (p *parser) declare(e document.Entry, kind string) bool {
	if !nameForm.MatchString(e.Name) {
		e.At.Fail(fmt.Sprintf("%s is not a %s name", document.Quote(e.Name), kind), nameRemedy)
		return false
	}
	if other, taken := p.declared[e.Name]; taken {
		e.At.Fail(fmt.Sprintf("%s is the name of a %s already", e.Name, other), "give the "+kind+" another name")
		return false
	}
	p.declared[e.Name] = kind
	return true
}

func (p *parser) groups(v document.Value) {
	for _, e := range v.Entries("a map from group names to {role: ...} or {devices: [...]}") {
		if !p.declare(e, "group") {
			continue
		}
		if len(p.Groups) == maxGroupNames {
			e.At.Fail(fmt.Sprintf("this is group %d", maxGroupNames+1), fmt.Sprintf("the most is %d", maxGroupNames))
			return
		}
		g := Group{Name: e.Name, Line: e.At.Place().Line}
		f := e.Fields(groupKeys...)
		role, byRole := f.Get("role")
		list, byList := f.Get("devices")
		switch {
		case byRole && byList:
			e.Fail("a group has a role or devices, not both", "make two groups")
			continue
		case byRole:
			g.Role = readRole(role)
			for _, d := range p.Devices {
				if d.Role == g.Role {
					g.Devices = append(g.Devices, d.Name)
				}
			}
		case byList:
			g.Devices = p.names(list, "device names", "device")
		default:
			if f.Empty() {
				e.Fail("a group has a role or devices", "write {role: camera} or {devices: [a, b]}")
			}
			continue
		}
		if len(g.Devices) == 0 && !(byRole && g.Role == "") && !(byList && list.Len() > 0) {
			e.Fail("the group matches no device", "add a device, or remove the group")
		}
		for _, d := range g.Devices {
			g.members.add(p.device[d])
		}
		p.group[g.Name] = len(p.Groups)
		p.Groups = append(p.Groups, g)
	}
}

// names reads names of devices, or of devices and groups if kind is "".
func (p *parser) names(v document.Value, want, kind string) []string {
	var names []string
	seen := make(map[string]bool)
	for _, item := range v.List(want) {
		name, ok := item.Text(want)
		if !ok || seen[name] {
			continue
		}
		seen[name] = true
		is, known := p.declared[name]
		switch {
		case kind == "" && !known:
			item.Fail(document.Quote(name)+" is no device or group", "define it under devices: or groups:, or correct the name")
		case kind != "" && is != kind:
			item.Fail(fmt.Sprintf("%s is no %s", document.Quote(name), kind), "name what stands under "+kind+"s:")
		default:
			names = append(names, name)
		}
	}
	return names
}

func (p *parser) services(v document.Value) {
	for _, e := range v.Entries("a map from service names to lists such as [tcp/8000]") {
		switch {
		case !nameForm.MatchString(e.Name):
			e.At.Fail(document.Quote(e.Name)+" is not a service name", nameRemedy)
			continue
		case builtinService(e.Name) != nil:
			e.At.Fail(e.Name+" is a built-in service", "give yours another name")
			continue
		}
		p.own[e.Name] = len(p.Services)
		s := Service{Name: e.Name, Line: e.At.Place().Line}
		items := e.List("a list such as [tcp/8000]")
		for _, item := range items {
			text, ok := item.Text("a range such as " + portsForm)
			if !ok {
				continue
			}
			ports, err := ParsePorts(text)
			if err != nil {
				item.Fail(err.Error(), "write "+portsForm)
				continue
			}
			s.Ports = append(s.Ports, ports)
		}
		if items != nil && len(items) == 0 {
			e.Fail("the service has no ports", "write "+portsForm)
		}
		if len(items) > maxRanges {
			e.Fail(fmt.Sprintf("the service has %d ranges", len(items)), fmt.Sprintf("the most is %d", maxRanges))
		}
		p.Services = append(p.Services, s)
	}
}

// maxGroupNames bounds what a file can make us hold: each group may have all devices.
const maxGroupNames = 1024

// maxRanges bounds the ranges of one service, and so the kernel's table of ports.
const maxRanges = 64

func (p *parser) rules(v document.Value, multicast bool) {
	keys, want := allowKeys, "a list of {from: ..., to: ..., services: [...]}"
	if multicast {
		keys, want = multicastKeys, "a list of {group: 239.1.1.1, from: ..., to: ...}"
	}
	for _, item := range v.Items(want) {
		f := item.Fields(keys...)
		r := Rule{Line: item.Place().Line, Number: uint16(len(p.Rules) + 1)}
		if len(p.Rules) == math.MaxUint16 {
			item.Fail(fmt.Sprintf("this is line %d", len(p.Rules)+1), "the most is 65535 allow and multicast lines: use groups and lists")
			return
		}
		if multicast {
			if g, ok := f.Need("group", "write the multicast group, such as group: 239.1.1.1"); ok {
				r.Group = p.multicastGroup(g)
			}
		}
		r.From = p.end(f, "from")
		r.To = p.end(f, "to")
		r.Services = p.ruleServices(f, multicast)
		if c, ok := f.Get("comment"); ok {
			r.Comment = p.note(c)
		}
		p.Rules = append(p.Rules, r)
	}
}

// end reads from or to.
func (p *parser) end(f document.Fields, key string) []string {
	v, ok := f.Need(key, "name a device or group, such as "+key+": main")
	if !ok {
		return nil
	}
	if v.Len() == 0 {
		v.Fail("the list is empty", "name a device or group")
	}
	return p.names(v, "the name of a device or group", "")
}

func (p *parser) ruleServices(f document.Fields, multicast bool) []string {
	v, ok := f.Get("services")
	if !ok {
		if multicast {
			return []string{"rtp"}
		}
		f.Need("services", "name them, such as services: [rtsp]")
		return nil
	}
	if v.Len() == 0 {
		v.Fail("the list is empty", "name a service, such as rtsp")
	}
	if v.Len() > ipc.MaxServices {
		v.Fail(fmt.Sprintf("the line has %d services", v.Len()), fmt.Sprintf("the most in a policy is %d: put ranges together under one name", ipc.MaxServices))
		return nil
	}
	var names []string
	for _, item := range v.List("a list of services, such as [rtsp, tcp/8000]") {
		name, ok := item.Text("a service, such as rtsp or tcp/8000")
		if !ok {
			continue
		}
		if _, own := p.own[name]; !own && builtinService(name) == nil {
			ports, err := ParsePorts(name)
			if err != nil {
				item.Fail(err.Error(), "name a built-in service, define it under services:, or write "+portsForm)
				continue
			}
			name = ports.String()
			p.inline[name] = &Service{Name: name, Ports: []Ports{ports}, Line: item.Place().Line}
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (p *parser) multicastGroup(v document.Value) netip.Addr {
	s, ok := v.Text("a multicast group, such as 239.1.1.1")
	if !ok {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(s)
	if err != nil || !addr.IsMulticast() || addr.Zone() != "" {
		v.Fail(document.Quote(s)+" is not a multicast group", "write one of 224.0.0.0/4 or ff00::/8, such as 239.1.1.1")
		return netip.Addr{}
	}
	return addr
}

// note reads a text for people. Control characters could play with a terminal.
func (p *parser) note(v document.Value) string {
	s, ok := v.Text("a text")
	if ok && strings.ContainsFunc(s, unicode.IsControl) {
		v.Fail("the text has control characters", "write one plain line")
		return ""
	}
	return s
}
