package policy

import (
	"fmt"
	"slices"
	"strings"
)

// item is a device, group, service or line as text, in parts that Diff can compare.
type item struct {
	name  string   // such as "device lobby-1"; a line's whole text
	parts []string // such as "mac 02:00:00:00:00:11"; the first word says which part it is
}

func (i item) String() string { return strings.Join(append([]string{i.name}, i.parts...), " ") }

// Show renders the policy in one readable line per device, group, service and allow or multicast line.
func (p *Policy) Show() []string {
	var lines []string
	for _, i := range p.items() {
		lines = append(lines, i.String())
	}
	for _, r := range p.Rules {
		text := r.String()
		if r.Comment != "" {
			text += " # " + r.Comment
		}
		lines = append(lines, text)
	}
	return lines
}

// items renders all but the lines.
func (p *Policy) items() []item {
	var items []item
	for i := range p.Devices {
		items = append(items, p.Devices[i].item())
	}
	for i := range p.Groups {
		items = append(items, p.Groups[i].item())
	}
	for i := range p.Services {
		items = append(items, item{"service " + p.Services[i].Name, []string{"ports " + p.Services[i].portList()}})
	}
	return items
}

func (d *Device) item() item {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	add("role %s", d.Role)
	if d.Via == "" {
		add("mac %v", d.MAC)
	}
	if len(d.RouterMACs) > 0 {
		var macs []string
		for _, m := range d.RouterMACs {
			macs = append(macs, m.String())
		}
		add("router_macs %s", strings.Join(macs, ","))
	}
	add("ip %s", strings.Join(d.addresses(), ","))
	if d.Via != "" {
		add("via %s", d.Via)
	}
	if d.VLAN != 0 {
		add("vlan %v", d.VLAN)
	}
	add("port %v", d.Side)
	if d.PPS > 0 {
		add("limit_pps %d", d.PPS)
	}
	if d.KBps > 0 {
		add("limit_mbps %d", d.KBps/125)
	}
	if d.Label != "" {
		add("name %q", d.Label)
	}
	if d.Notes != "" {
		add("notes %q", d.Notes)
	}
	if len(d.Tags) > 0 {
		add("tags %s", strings.Join(d.Tags, ","))
	}
	return item{"device " + d.Name, parts}
}

func (d *Device) addresses() []string {
	var list []string
	if d.DHCP {
		list = append(list, "dhcp")
	}
	for _, prefix := range d.Addrs {
		list = append(list, show(prefix))
	}
	return list
}

func (g *Group) item() item {
	if g.Role != "" {
		return item{"group " + g.Name, []string{"role " + string(g.Role)}}
	}
	return item{"group " + g.Name, []string{"devices " + strings.Join(g.Devices, ",")}}
}

func (s *Service) portList() string {
	var list []string
	for _, r := range s.Ports {
		list = append(list, r.String())
	}
	return strings.Join(list, ",")
}

// Change is one difference between two policies.
type Change struct {
	Op   byte   // '+', '-' or '~'
	Text string // such as: device lobby-1: ip 10.0.0.11 -> ip 10.0.0.12
}

func (c Change) String() string { return string(c.Op) + " " + c.Text }

// Diff lists what new adds, removes and changes: devices, groups, services, then lines. A nil policy is an empty one.
// The order of lines has no meaning, so a moved line is no change.
func Diff(old, new *Policy) []Change {
	if old == nil {
		old = &Policy{}
	}
	if new == nil {
		new = &Policy{}
	}
	return append(diffItems(old.items(), new.items()), diffRules(old.Rules, new.Rules)...)
}

func diffItems(old, new []item) []Change {
	var changes []Change
	before := make(map[string]item)
	for _, i := range old {
		before[i.name] = i
	}
	after := make(map[string]bool)
	for _, i := range new {
		after[i.name] = true
	}
	for _, i := range old {
		if !after[i.name] {
			changes = append(changes, Change{'-', i.String()})
		}
	}
	for _, i := range new {
		was, there := before[i.name]
		switch {
		case !there:
			changes = append(changes, Change{'+', i.String()})
		case !slices.Equal(was.parts, i.parts):
			changes = append(changes, Change{'~', i.name + ": " + diffParts(was.parts, i.parts)})
		}
	}
	return changes
}

// diffParts shows the parts that differ.
func diffParts(old, new []string) string {
	var texts []string
	word := func(part string) string { w, _, _ := strings.Cut(part, " "); return w }
	find := func(parts []string, w string) string {
		if i := slices.IndexFunc(parts, func(p string) bool { return word(p) == w }); i >= 0 {
			return parts[i]
		}
		return "no " + w
	}
	for _, part := range old {
		if now := find(new, word(part)); now != part {
			texts = append(texts, part+" -> "+now)
		}
	}
	for _, part := range new {
		if was := find(old, word(part)); was == "no "+word(part) {
			texts = append(texts, was+" -> "+part)
		}
	}
	return strings.Join(texts, "; ")
}

// diffRules compares the lines as a bag of texts.
func diffRules(old, new []Rule) []Change {
	var changes []Change
	left := make(map[string]int)
	for i := range new {
		left[new[i].String()]++
	}
	for i := range old {
		text := old[i].String()
		if left[text] > 0 {
			left[text]--
			continue
		}
		changes = append(changes, Change{'-', text})
	}
	had := make(map[string]int)
	for i := range old {
		had[old[i].String()]++
	}
	for i := range new {
		text := new[i].String()
		if had[text] > 0 {
			had[text]--
			continue
		}
		changes = append(changes, Change{'+', text})
	}
	return changes
}
