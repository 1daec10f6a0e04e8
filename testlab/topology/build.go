package topology

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"citygate/pkg/flow"
)

// MTU of every link: XDP's redirect needs equal ones, and the cameras' packets fill it.
const MTU = 1500

// Network is the built city.
type Network struct {
	spaces map[string]*space
}

// Build makes all namespaces and links. The gateway's ports are up and belong to nobody yet.
func Build() (*Network, error) {
	n := &Network{spaces: map[string]*space{}}
	if err := n.build(City()); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// Namespace is a host's network namespace; it stays the Network's. Nil if there is no such host.
func (n *Network) Namespace(host string) *os.File {
	s := n.spaces[host]
	if s == nil {
		return nil
	}
	fd, err := unix.FcntlInt(uintptr(s.handle), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), host+"/net")
}

// Close lets the namespaces go; each ends with the last process in it.
func (n *Network) Close() {
	for _, s := range n.spaces {
		s.close()
	}
}

func (n *Network) build(hosts []Host) error {
	for _, h := range hosts {
		s, err := newSpace()
		if err != nil {
			return fmt.Errorf("host %s: %w", h.Name, err)
		}
		n.spaces[h.Name] = s
		if err := prepare(s, h); err != nil {
			return fmt.Errorf("host %s: %w", h.Name, err)
		}
	}
	steps := []func() error{
		func() error { return n.uplink(CameraSwitch, CameraPort, mac(1, 0)) },
		func() error { return n.uplink(ServerSwitch, ServerPort, mac(1, 1)) },
		func() error {
			return n.direct("admin", GatewayHost, ManagementPort, mac(9, 1), prefixes("10.9.0.1/24"))
		},
		func() error { return n.direct(Remote, Core, "far0", mac(7, 1), prefixes("10.7.0.1/28")) },
		func() error { return n.spaces[Core].sysctl([2]string{"ipv4/ip_forward", "1"}) },
	}
	for _, h := range hosts {
		if h.Side != flow.AnySide && h.Role != Switch && h.Name != Remote {
			steps = append(steps, func() error { return n.plug(h) })
		}
	}
	for _, h := range hosts {
		if h.MAC != (flow.MAC{}) {
			steps = append(steps, func() error { return n.address(h) })
		}
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return n.teach(hosts)
}

// prepare brings up lo and, in a switch, the bridge.
func prepare(s *space, h Host) error {
	quiet := [][2]string{
		{"ipv6/conf/default/accept_dad", "0"}, // addresses work at once
		{"ipv6/conf/default/accept_ra", "0"},
	}
	if h.Role == Switch || h.Role == Gateway {
		// The bridge itself must not speak, and iptables must not see what it forwards.
		quiet = append(quiet, [2]string{"ipv6/conf/default/disable_ipv6", "1"})
		for _, call := range []string{"arptables", "iptables", "ip6tables"} {
			if _, err := os.Stat("/proc/sys/net/bridge/bridge-nf-call-" + call); err == nil {
				quiet = append(quiet, [2]string{"bridge/bridge-nf-call-" + call, "0"})
			}
		}
	}
	if err := s.sysctl(quiet...); err != nil {
		return err
	}
	lo, err := s.nl.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	if err := s.nl.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring up lo: %w", err)
	}
	if h.Role == Switch {
		return s.bridge()
	}
	return nil
}

const bridgeName = "br0"

// bridge makes a bridge that forwards everything a bridge may, and floods groups.
func (s *space) bridge(ports ...string) error {
	off := false
	br := &netlink.Bridge{LinkAttrs: netlink.NewLinkAttrs(), MulticastSnooping: &off}
	br.Name, br.MTU = bridgeName, MTU
	if err := s.nl.LinkAdd(br); err != nil {
		return fmt.Errorf("make the bridge: %w", err)
	}
	if err := s.nl.LinkSetUp(br); err != nil {
		return fmt.Errorf("bring up the bridge: %w", err)
	}
	for _, p := range ports {
		if err := s.enslave(p); err != nil {
			return err
		}
	}
	return nil
}

func (s *space) enslave(port string) error {
	br, err := s.nl.LinkByName(bridgeName)
	if err != nil {
		return fmt.Errorf("find the bridge: %w", err)
	}
	link, err := s.nl.LinkByName(port)
	if err != nil {
		return fmt.Errorf("find port %s: %w", port, err)
	}
	if err := s.nl.LinkSetMaster(link, br); err != nil {
		return fmt.Errorf("put %s into the bridge: %w", port, err)
	}
	return nil
}

// PlainBridge joins the gateway's two ports by a Linux bridge that does not learn: the control of every experiment.
// A learning one would be misled by the first spoofed source address, and then keep frames back.
func (n *Network) PlainBridge() error {
	s := n.spaces[GatewayHost]
	if err := s.bridge(CameraPort, ServerPort); err != nil {
		return err
	}
	for _, port := range []string{CameraPort, ServerPort} {
		if err := s.forget(port); err != nil {
			return fmt.Errorf("stop the learning of %s: %w", port, err)
		}
	}
	return nil
}

// forget stops a bridge port's learning.
func (s *space) forget(port string) error {
	link, err := s.nl.LinkByName(port)
	if err != nil {
		return err
	}
	return s.nl.LinkSetLearning(link, false)
}

type end struct {
	space *space
	name  string
	mac   flow.MAC // zero: the kernel chooses
}

// veth connects a and b, and sets on both what a wire needs.
func veth(a, b end) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = a.name, MTU
	link := netlink.NewVeth(attrs)
	link.PeerName, link.PeerMTU = b.name, MTU
	link.PeerNamespace = netlink.NsFd(b.space.handle)
	if a.mac != (flow.MAC{}) {
		link.HardwareAddr = net.HardwareAddr(a.mac[:])
	}
	if b.mac != (flow.MAC{}) {
		link.PeerHardwareAddr = net.HardwareAddr(b.mac[:])
	}
	if err := a.space.nl.LinkAdd(link); err != nil {
		return fmt.Errorf("connect %s and %s: %w", a.name, b.name, err)
	}
	// Offloads first: a port learns when it comes up whether its peer can take redirected frames (GRO), and not again.
	return errors.Join(a.space.offloads(a.name), b.space.offloads(b.name), up(a), up(b))
}

func up(e end) error {
	link, err := e.space.nl.LinkByName(e.name)
	if err != nil {
		return fmt.Errorf("find %s: %w", e.name, err)
	}
	if err := e.space.nl.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring up %s: %w", e.name, err)
	}
	return nil
}

// offloads makes a veth behave like a wire: whole checksums, no super-frames from the end hosts, VLAN tags in the frame.
func (s *space) offloads(name string) error {
	return s.do(func() error {
		tool, err := ethtool.NewEthtool()
		if err != nil {
			return fmt.Errorf("open ethtool: %w", err)
		}
		defer tool.Close()
		wire := map[string]bool{
			"tx-checksum-ip-generic":       false,
			"tx-tcp-segmentation":          false,
			"tx-tcp6-segmentation":         false,
			"tx-tcp-ecn-segmentation":      false,
			"tx-tcp-mangleid-segmentation": false,
			"tx-generic-segmentation":      false,
			"tx-udp-segmentation":          false,
			"tx-scatter-gather":            false,
			"tx-vlan-hw-insert":            false,
			"tx-vlan-stag-hw-insert":       false,
			// The peer of a redirect's target receives through NAPI, which GRO switches on.
			"rx-gro": name == Uplink,
		}
		if err := tool.Change(name, wire); err != nil {
			return fmt.Errorf("set the offloads of %s: %w", name, err)
		}
		return nil
	})
}

// plug connects a host's eth0 to the switch of its side.
func (n *Network) plug(h Host) error {
	sw := n.switchOf(h.Side)
	port := "p-" + h.Name
	if err := veth(end{n.spaces[h.Name], "eth0", h.MAC}, end{sw, port, flow.MAC{}}); err != nil {
		return err
	}
	return sw.enslave(port)
}

func (n *Network) uplink(sw, port string, m flow.MAC) error {
	if err := veth(end{n.spaces[GatewayHost], port, m}, end{n.spaces[sw], Uplink, flow.MAC{}}); err != nil {
		return err
	}
	return n.spaces[sw].enslave(Uplink)
}

// direct connects a host's eth0 to another interface of a second one.
func (n *Network) direct(host, peer, name string, m flow.MAC, addrs []netip.Prefix) error {
	s := n.spaces[peer]
	if err := veth(end{n.spaces[host], "eth0", Find(host).MAC}, end{s, name, m}); err != nil {
		return err
	}
	return s.addresses(name, addrs)
}

func (n *Network) address(h Host) error {
	s := n.spaces[h.Name]
	var static []netip.Prefix
	for _, p := range h.Addrs {
		if !(h.DHCP && p.Addr().Is4()) {
			static = append(static, p)
		}
	}
	if err := s.addresses("eth0", static); err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	if !h.Via.IsValid() || h.DHCP {
		return nil
	}
	if err := s.nl.RouteAdd(&netlink.Route{Gw: h.Via.AsSlice()}); err != nil {
		return fmt.Errorf("host %s: default route: %w", h.Name, err)
	}
	return nil
}

func (s *space) addresses(name string, addrs []netip.Prefix) error {
	link, err := s.nl.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	for _, p := range addrs {
		a := &netlink.Addr{IPNet: &net.IPNet{
			IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		}}
		if p.Addr().Is6() {
			a.Flags = unix.IFA_F_NODAD
		}
		if err := s.nl.AddrAdd(link, a); err != nil {
			return fmt.Errorf("give %v to %s: %w", p, name, err)
		}
	}
	return nil
}

func (n *Network) switchOf(side flow.Side) *space {
	if side == flow.CameraSide {
		return n.spaces[CameraSwitch]
	}
	return n.spaces[ServerSwitch]
}

// teach makes the switches such that only the gateway can lose or stop a frame. They know every host's place and do not
// learn: a spoofed source address would move a host. And their ports are isolated, as on many switches for cameras:
// hosts of a side hear the uplink but not each other, or an attacker would poison its neighbours.
func (n *Network) teach(hosts []Host) error {
	for _, side := range []flow.Side{flow.CameraSide, flow.ServerSide} {
		sw := n.switchOf(side)
		for _, h := range hosts {
			if h.Side == flow.AnySide || h.Role == Switch || h.Name == Remote {
				continue
			}
			port := Uplink
			if h.Side == side {
				port = "p-" + h.Name
			}
			if err := errors.Join(sw.forget(port), sw.isolate(port, h.Side == side), sw.pin(port, h.MAC)); err != nil {
				return fmt.Errorf("teach a switch where %s is: %w", h.Name, err)
			}
		}
	}
	return nil
}

// isolate keeps frames between a bridge's isolated ports apart.
func (s *space) isolate(port string, on bool) error {
	link, err := s.nl.LinkByName(port)
	if err != nil {
		return err
	}
	return s.nl.LinkSetIsolated(link, on)
}

func (s *space) pin(port string, m flow.MAC) error {
	link, err := s.nl.LinkByName(port)
	if err != nil {
		return err
	}
	return s.nl.NeighSet(&netlink.Neigh{
		LinkIndex: link.Attrs().Index, Family: unix.AF_BRIDGE, Flags: netlink.NTF_MASTER,
		State: netlink.NUD_NOARP, HardwareAddr: net.HardwareAddr(m[:]),
	})
}
