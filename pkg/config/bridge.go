package config

import (
	"fmt"
	"strings"
	"unicode"

	"citygate/pkg/policy/document"
)

func (p *parser) readBridges(v document.Value) {
	items := v.Items("a list of bridges")
	if items != nil && len(items) == 0 {
		v.Fail("no bridge is listed", "write {name: cctv, camera_port: g0, server_port: g1}")
	}
	for i, item := range items {
		if i == maxBridges {
			item.Fail(fmt.Sprintf("this is bridge %d", i+1), fmt.Sprintf("the most is %d", maxBridges))
			return
		}
		p.Bridges = append(p.Bridges, p.bridge(item))
	}
}

func (p *parser) bridge(v document.Value) Bridge {
	b := Bridge{Mode: Enforce, OnFailure: Open, OnOverload: Pass, STP: true}
	f := v.Fields(bridgeKeys...)
	if name, ok := f.Need("name", "write name: cctv"); ok {
		b.Name = p.bridgeName(name)
	}
	if port, ok := f.Need("camera_port", "name the interface towards the cameras, such as camera_port: g0"); ok {
		b.CameraPort = p.port(port)
	}
	if port, ok := f.Need("server_port", "name the interface towards the servers, such as server_port: g1"); ok {
		b.ServerPort = p.port(port)
	}
	if mode, ok := f.Get("mode"); ok {
		s, _ := mode.OneOf(string(Enforce), string(Monitor))
		b.Mode = Mode(s)
	}
	if inspect, ok := f.Get("inspect"); ok {
		if s, ok := inspect.OneOf("off", "on"); ok && s == "on" {
			inspect.Fail("inspect: on is refused until the inspector exists", "write inspect: off")
		}
	}
	if failure, ok := f.Get("on_failure"); ok {
		s, _ := failure.OneOf(string(Open), string(Closed))
		b.OnFailure = OnFailure(s)
	}
	if overload, ok := f.Get("on_overload"); ok {
		s, _ := overload.OneOf(string(Pass), string(Drop))
		b.OnOverload = OnOverload(s)
	}
	if stp, ok := f.Get("stp"); ok {
		b.STP, _ = stp.Bool()
	}
	if lldp, ok := f.Get("lldp"); ok {
		b.LLDP, _ = lldp.Bool()
	}
	return b
}

// bridgeName reads a bridge's name. It names a folder in bpffs too, which takes no dots.
func (p *parser) bridgeName(v document.Value) string {
	s, ok := v.Text("the bridge's name")
	if !ok {
		return ""
	}
	if why := badInterface(s); why != "" || strings.Contains(s, ".") {
		v.Fail(document.Quote(s)+" is not a bridge name", "use 1 to 15 letters, digits, '_' and '-', such as cctv")
		return s
	}
	if line, taken := p.bridges[s]; taken {
		v.Fail(fmt.Sprintf("%s is the name of the bridge of line %d already", s, line), "give each bridge its own")
		return s
	}
	p.bridges[s] = v.Place().Line
	return s
}

// port reads an interface, which serves one purpose only.
func (p *parser) port(v document.Value) string {
	s, ok := v.Text("an interface such as g0")
	if !ok {
		return ""
	}
	if why := badInterface(s); why != "" {
		v.Fail(fmt.Sprintf("%s is not an interface name: %s", document.Quote(s), why), "name one that `ip link` lists")
		return s
	}
	if at, taken := p.used[s]; taken {
		v.Fail(fmt.Sprintf("%s is %s already (line %d)", s, at.Key, at.Line), "use each interface once")
		return s
	}
	p.used[s] = v.Place()
	p.ports = append(p.ports, port{s, v.Place()})
	return s
}

// badInterface says why Linux would not have an interface of that name (dev_valid_name, IFNAMSIZ), "" if it would.
// It refuses what is not printable ASCII as well, which Linux would take.
func badInterface(s string) string {
	switch {
	case len(s) > 15:
		return fmt.Sprintf("it has %d bytes, the most is 15", len(s))
	case s == "." || s == "..":
		return "it names a folder"
	case strings.ContainsAny(s, "/:%") || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > unicode.MaxASCII || r == 0x7f }):
		return "it has a character that no interface name has"
	}
	return ""
}
