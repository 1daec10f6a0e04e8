package link

import (
	"fmt"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Outcome of a check.
type Outcome uint8

// Unknown is what cannot be seen from this end.
const (
	Unknown Outcome = iota
	OK
	Bad
)

// Check is one thing that inline forwarding needs of a port.
type Check struct {
	Name    string
	Outcome Outcome
	Detail  string
}

// State describes a port as it is.
type State struct {
	Name      string
	Up        bool
	XDP       string // native, generic, hardware, or none
	MTU       int
	SpeedMbps uint32
	Checks    []Check
}

// Inspect reads a port's state; peer is the other port, whose MTU must be the same.
func Inspect(name, peer string) (State, error) {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return State{}, fmt.Errorf("bridge port %s: %w", name, err)
	}
	a := l.Attrs()
	s := State{Name: name, Up: a.OperState == netlink.OperUp || a.OperState == netlink.OperUnknown, XDP: xdpMode(a), MTU: a.MTU, SpeedMbps: speed(name)}
	flags := []struct {
		name string
		flag uint32
		fix  string
	}{{"promiscuous", unix.IFF_PROMISC, "promisc on"}, {"allmulticast", unix.IFF_ALLMULTI, "allmulticast on"}, {"no ARP of the host", unix.IFF_NOARP, "arp off"}, {"up", unix.IFF_UP, "up"}}
	for _, f := range flags {
		s.add(f.name, a.RawFlags&f.flag != 0, "set it with: ip link set "+name+" "+f.fix)
	}
	before, err := read(l)
	if err != nil {
		return s, err
	}
	s.add("no IPv6 of the host", before.NoIPv6, "set it with: sysctl net.ipv6.conf."+name+".disable_ipv6=1")
	s.add("no addresses of the host", len(hostAddrs(l)) == 0, "remove them with: ip addr flush dev "+name)
	for i, f := range offloads {
		s.add(f+" off", before.Offloads&(1<<i) == 0, "turn it off with: ethtool -K "+name+" "+f+" off")
	}
	if p, err := netlink.LinkByName(peer); err == nil {
		s.add("equal MTU", p.Attrs().MTU == a.MTU, fmt.Sprintf("%s has %d, %s has %d: set both to the same", name, a.MTU, peer, p.Attrs().MTU))
	}
	if l.Type() == "veth" {
		s.Checks = append(s.Checks, Check{"GRO at the veth peer", Unknown, "redirected frames need it: ethtool -K PEER gro on"})
	}
	return s, nil
}

func (s *State) add(name string, ok bool, remedy string) {
	c := Check{Name: name, Outcome: OK}
	if !ok {
		c.Outcome, c.Detail = Bad, remedy
	}
	s.Checks = append(s.Checks, c)
}

func xdpMode(a *netlink.LinkAttrs) string {
	if a.Xdp == nil || !a.Xdp.Attached {
		return "none"
	}
	switch a.Xdp.AttachMode {
	case 1: // XDP_ATTACHED_DRV
		return "native"
	case 2:
		return "generic"
	case 3:
		return "hardware"
	}
	return strings.ToLower(fmt.Sprintf("mode %d", a.Xdp.AttachMode))
}
