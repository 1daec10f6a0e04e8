package link

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
)

// Inspect reads a port's state; peer is the other port, whose MTU must be the same.
func Inspect(name, peer string) (ipc.PortState, error) {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return ipc.PortState{}, fmt.Errorf("bridge port %s: %w", name, err)
	}
	a := l.Attrs()
	s := ipc.PortState{
		Port: name, Up: a.OperState == netlink.OperUp || a.OperState == netlink.OperUnknown, Mode: xdpMode(a),
		MTU: uint32(a.MTU), SpeedMbps: speed(name),
	}
	add := func(check string, ok bool, remedy string) {
		c := ipc.PortCheck{Name: check, State: ipc.CheckOK}
		if !ok {
			c.State, c.Detail = ipc.CheckBad, remedy
		}
		s.Checks = append(s.Checks, c)
	}
	flags := []struct {
		name string
		flag uint32
		fix  string
	}{{"promiscuous", unix.IFF_PROMISC, "promisc on"}, {"allmulticast", unix.IFF_ALLMULTI, "allmulticast on"}, {"no ARP of the host", unix.IFF_NOARP, "arp off"}, {"up", unix.IFF_UP, "up"}}
	for _, f := range flags {
		add(f.name, a.RawFlags&f.flag != 0, "set it with: ip link set "+name+" "+f.fix)
	}
	before, err := read(l)
	if err != nil {
		return s, err
	}
	add("no IPv6 of the host", before.NoIPv6, "set it with: sysctl net.ipv6.conf."+name+".disable_ipv6=1")
	add("no addresses of the host", len(hostAddrs(l)) == 0, "remove them with: ip addr flush dev "+name)
	for i, f := range offloads {
		add(f+" off", before.Offloads&(1<<i) == 0, "turn it off with: ethtool -K "+name+" "+f+" off")
	}
	if p, err := netlink.LinkByName(peer); err == nil {
		add("equal MTU", p.Attrs().MTU == a.MTU, fmt.Sprintf("%s has %d, %s has %d: set both to the same", name, a.MTU, peer, p.Attrs().MTU))
	}
	if l.Type() == "veth" {
		s.Checks = append(s.Checks, ipc.PortCheck{Name: "GRO at the veth peer", Detail: "redirected frames need it: ethtool -K PEER gro on"})
	}
	return s, nil
}

// xdpModes are those of IFLA_XDP_ATTACHED (linux/if_link.h).
var xdpModes = map[uint32]string{1: "native", 2: "generic", 3: "hardware"}

func xdpMode(a *netlink.LinkAttrs) string {
	if a.Xdp == nil || !a.Xdp.Attached {
		return "none"
	}
	if mode, ok := xdpModes[a.Xdp.AttachMode]; ok {
		return mode
	}
	return fmt.Sprintf("mode %d", a.Xdp.AttachMode)
}
