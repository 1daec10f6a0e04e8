package policy

import (
	"fmt"
	"net/netip"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/verdict"
)

// Question asks about one direction of a flow in enforce mode. An ICMP question is about an echo request.
type Question struct {
	Tuple flow.FiveTuple
	VLAN  flow.VLAN
}

// Answer is what the policy says to a question, as the kernel's policy step does: its guards, blocks and rate limits come on top.
type Answer struct {
	Verdict  verdict.Verdict
	Reason   verdict.Reason
	Rule     *RuleLine // the line that allows it, nil if none
	From, To string    // the devices, "" if unknown
	Service  string    // of the rule, "" if none
	Reply    bool      // passes as an answer only
	Text     string
	Remedy   string // the line of the policy file that would let it pass, "" if none would
}

// Why judges a question.
func (c *Compiled) Why(q Question) Answer {
	t := q.Tuple
	t.Src, t.Dst = t.Src.Unmap(), t.Dst.Unmap()
	if t.Src.Is6() && t.Proto == flow.ICMP {
		t.Proto = flow.ICMPv6
	}
	q.Tuple = t
	a := Answer{Verdict: verdict.Drop}
	if t.Src.IsMulticast() || t.Src == broadcast[0] {
		a.Reason = verdict.ReasonSourceGroup
		a.Text = fmt.Sprintf("%v is a group address: nothing may come from it", t.Src)
		return a
	}
	from := c.owner(q.VLAN, t.Src)
	if from == ipc.NoDevice || c.devices[from].Flags&ipc.DeviceGroup != 0 {
		a.Reason = verdict.ReasonUnknownDevice
		a.Text, a.Remedy = c.unknown(q.VLAN, t.Src)
		return a
	}
	a.From = c.names[from]
	to := c.owner(q.VLAN, t.Dst)
	group := t.Dst.IsMulticast() || t.Dst == broadcast[0]
	if group && c.devices[to].Flags&ipc.DeviceGroup == 0 {
		a.Reason = verdict.ReasonBroadcast
		a.Text = fmt.Sprintf("no line opens the group %v in VLAN %v", t.Dst, q.VLAN)
		a.Remedy = c.groupRemedy(a.From, t)
		return a
	}
	if to == ipc.NoDevice {
		a.Reason = verdict.ReasonUnknownDestination
		a.Text, a.Remedy = c.unknown(q.VLAN, t.Dst)
		return a
	}
	a.To = c.names[to]
	if c.devices[from].Side == c.devices[to].Side {
		a.Reason = verdict.ReasonSameSide
		a.Text = fmt.Sprintf("%s and %s are both on the %v side: the bridge is not between them", a.From, a.To, c.devices[from].Side)
		return a
	}
	return c.byRule(a, from, to, t)
}

// byRule looks for a line between two known devices, then for one that the flow answers.
func (c *Compiled) byRule(a Answer, from, to ipc.DeviceID, t flow.FiveTuple) Answer {
	if rule, service := c.find(from, to, t); rule != 0 {
		a.Verdict, a.Reason, a.Service = verdict.Pass, verdict.ReasonPolicy, service
		a.Rule = &c.Rules[rule-1]
		a.Text = fmt.Sprintf("%s -> %s %s is allowed by %s:%d: %s", a.From, a.To, service, c.policy.File, a.Rule.Line, a.Rule.Text)
		return a
	}
	if rule, service := c.find(to, from, t.Reverse()); rule != 0 {
		a.Verdict, a.Reason, a.Service, a.Reply = verdict.Pass, verdict.ReasonReply, service, true
		a.Rule = &c.Rules[rule-1]
		condition := "only after a request"
		if t.Proto == flow.TCP {
			condition = "only if the other end opened it"
		}
		a.Text = fmt.Sprintf("%s -> %s is the answer to %s, allowed by %s:%d: %s; %s", a.From, a.To, service, c.policy.File, a.Rule.Line, a.Rule.Text, condition)
		return a
	}
	a.Reason = verdict.ReasonNoRule
	a.Text = fmt.Sprintf("no allow line covers %s -> %s %s", a.From, a.To, wanted(t))
	if c.devices[to].Flags&ipc.DeviceGroup != 0 {
		a.Remedy = c.groupRemedy(a.From, t)
		return a
	}
	a.Remedy = c.remedy(a.From, a.To, t)
	return a
}

// find gives the line and the service that let from open t towards to; of several services the lowest number counts.
func (c *Compiled) find(from, to ipc.DeviceID, t flow.FiveTuple) (uint16, string) {
	port := portOf(t)
	for _, s := range c.Set.Services {
		if s.Proto != t.Proto || port < s.Lo || port > s.Hi {
			continue
		}
		if rule, ok := c.rules[entryKey{from, to, s.Service}]; ok {
			return rule, c.services[s.Service]
		}
	}
	return 0, ""
}

// portOf is what a service's range is compared with: the destination port, the type of an echo request, or 0.
func portOf(t flow.FiveTuple) uint16 {
	switch t.Proto {
	case flow.TCP, flow.UDP:
		return t.DstPort
	case flow.ICMP:
		return 8 // echo, RFC 792
	case flow.ICMPv6:
		return 128 // echo request, RFC 4443 section 4.1
	}
	return 0
}

// wanted is the range that covers just t.
func wanted(t flow.FiveTuple) Ports { return Ports{t.Proto, portOf(t), portOf(t)} }

// remedy is the allow line for a flow between two devices. A flow from a named service's port is an answer, so the line is
// for the flow that it answers.
func (c *Compiled) remedy(from, to string, t flow.FiveTuple) string {
	service := c.named(t)
	if back := c.named(t.Reverse()); service == "" && back != "" && t.Proto != flow.ICMP && t.Proto != flow.ICMPv6 {
		return fmt.Sprintf("- {from: %s, to: %s, services: [%s]}", to, from, back)
	}
	if service == "" && c.video(from, to, t) {
		service = "rtp"
	}
	if service == "" {
		if _, err := ParsePorts(wanted(t).String()); err != nil {
			return ""
		}
		service = wanted(t).String()
	}
	return fmt.Sprintf("- {from: %s, to: %s, services: [%s]}", from, to, service)
}

// video reports whether t looks like RTP: UDP between a field device and a viewer, on ports that each session chooses anew.
func (c *Compiled) video(from, to string, t flow.FiveTuple) bool {
	a, _ := c.policy.Device(from)
	b, _ := c.policy.Device(to)
	if t.Proto != flow.UDP || t.SrcPort < 1024 || t.DstPort < 1024 || a == nil || b == nil {
		return false
	}
	sends := func(d *Device) bool { return d.Role == "camera" || d.Role == "encoder" || d.Role == "intercom" }
	return sends(a) || sends(b)
}

// maxNamed is the widest service that a remedy proposes for its port alone.
const maxNamed = 64

// named is the narrowest service with a name that covers t: the user's own first, "" if none.
func (c *Compiled) named(t flow.FiveTuple) string {
	best, width := "", maxNamed+1
	for _, list := range [][]Service{c.policy.Services, builtin} {
		for i := range list {
			if s := &list[i]; s.covers(t.Proto, portOf(t)) && s.width() < width {
				best, width = s.Name, s.width()
			}
		}
	}
	return best
}

// groupRemedy is the line for a flow to a multicast group; who receives it, only the reader knows.
func (c *Compiled) groupRemedy(from string, t flow.FiveTuple) string {
	for i := range builtin {
		s := &builtin[i]
		if s.covers(t.Proto, portOf(t)) {
			for _, g := range s.Groups {
				if g == t.Dst {
					return fmt.Sprintf("- {from: %s, to: RECEIVER, services: [%s]}", from, s.Name)
				}
			}
		}
	}
	if t.Dst == broadcast[0] {
		return ""
	}
	return fmt.Sprintf("- {group: %v, from: %s, to: RECEIVER, services: [%s]}", t.Dst, from, wanted(t))
}

// UnknownMAC stands in a remedy for the address that a policy cannot know.
const UnknownMAC = "02:00:00:00:00:00"

// unknown says what is known of an address that is no device's in a VLAN.
func (c *Compiled) unknown(vlan flow.VLAN, addr netip.Addr) (text, remedy string) {
	for i := range c.policy.Devices {
		d := &c.policy.Devices[i]
		for _, prefix := range d.Addrs {
			if prefix.Contains(addr) {
				return fmt.Sprintf("%v is %s in VLAN %v, not in VLAN %v", addr, d.Name, d.VLAN, vlan), ""
			}
		}
	}
	if addr.IsUnspecified() {
		return fmt.Sprintf("%v is a device without an address yet: its MAC says which one", addr), ""
	}
	return fmt.Sprintf("%v is no device's address", addr),
		fmt.Sprintf(`NAME: {mac: %q, ip: [%v], role: camera}`, UnknownMAC, addr)
}
