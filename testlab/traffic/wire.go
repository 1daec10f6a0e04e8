package traffic

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	device = "eth0"
	mtu    = 1500
)

// connect makes a veth pair between the own network namespace and a child's.
func connect(child int) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.TxQLen = device, mtu, 10_000
	attrs.HardwareAddr = net.HardwareAddr{2, 0, 0, 0, 0, 2}
	link := netlink.NewVeth(attrs)
	link.PeerName, link.PeerMTU = device, mtu
	link.PeerHardwareAddr = net.HardwareAddr{2, 0, 0, 0, 1, 1}
	link.PeerNamespace = netlink.NsPid(child)
	if err := netlink.LinkAdd(link); err != nil {
		return fmt.Errorf("make a veth pair: %w", err)
	}
	return nil
}

// setUp gives addresses to the own end, and makes it behave like a wire. Everyone else is behind it.
func setUp(addrs []netip.Addr) error {
	if err := offloads(); err != nil {
		return err
	}
	for _, name := range []string{"lo", device} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return fmt.Errorf("find %s: %w", name, err)
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return fmt.Errorf("bring up %s: %w", name, err)
		}
	}
	link, err := netlink.LinkByName(device)
	if err != nil {
		return fmt.Errorf("find %s: %w", device, err)
	}
	for _, a := range addrs {
		n := &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())}
		if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: n, Flags: unix.IFA_F_NODAD}); err != nil {
			return fmt.Errorf("give %v to %s: %w", a, device, err)
		}
	}
	for _, all := range []string{"0.0.0.0/0", "::/0"} {
		_, dst, _ := net.ParseCIDR(all) // a constant
		route := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: dst, Scope: netlink.SCOPE_LINK}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("route %s: %w", all, err)
		}
	}
	return nil
}

// offloads switches off what would show frames that no wire carries, or checksums that are not there.
func offloads() error {
	tool, err := ethtool.NewEthtool()
	if err != nil {
		return fmt.Errorf("open ethtool: %w", err)
	}
	defer tool.Close()
	off := map[string]bool{}
	for _, name := range []string{
		"tx-checksum-ip-generic", "tx-tcp-segmentation", "tx-tcp6-segmentation", "tx-tcp-ecn-segmentation",
		"tx-tcp-mangleid-segmentation", "tx-generic-segmentation", "tx-udp-segmentation", "tx-scatter-gather", "rx-gro",
	} {
		off[name] = false
	}
	if err := tool.Change(device, off); err != nil {
		return fmt.Errorf("set the offloads of %s: %w", device, err)
	}
	return nil
}

// from is a dialer with a source address.
func from(a netip.Addr) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: a.AsSlice()}, Timeout: 5 * time.Second}
}

// at is the text of an address and port.
func at(a netip.Addr, port uint16) string { return netip.AddrPortFrom(a, port).String() }
