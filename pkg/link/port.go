// Package link makes a network interface a bridge port and gives it back: it reads and sets what inline forwarding
// needs, and tells what it cannot know.
package link

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// offloads that hide from XDP what is on the wire: tags taken out of the frame, segments merged. The bit numbers are
// pinned with the port's former state: append only.
var offloads = []string{"rx-vlan-hw-parse", "rx-lro", "rx-gro-hw"}

// Before is what a port was, so that Restore can make it that again.
type Before struct {
	Index    int
	Flags    uint32 // of IFF_PROMISC, IFF_ALLMULTI, IFF_NOARP, IFF_UP: those that were set
	Offloads uint32 // bit i: offloads[i] was on
	NoIPv6   bool
}

const portFlags = unix.IFF_PROMISC | unix.IFF_ALLMULTI | unix.IFF_NOARP

// Prepare makes an interface a bridge port: all frames reach XDP unchanged, and the host itself says nothing on it.
// It refuses an interface that has addresses of the host.
func Prepare(name string) (Before, error) {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return Before{}, fmt.Errorf("bridge port %s: %w; list the interfaces with: ip link", name, err)
	}
	before, err := read(l)
	if err != nil {
		return Before{}, err
	}
	if a := hostAddrs(l); len(a) > 0 {
		return Before{}, fmt.Errorf("bridge port %s has the address %s: a bridge port belongs to the bridge alone; remove it with: ip addr del %s dev %s", name, a[0], a[0], name)
	}
	if l.Attrs().MasterIndex != 0 {
		return Before{}, fmt.Errorf("bridge port %s belongs to another bridge or bond; take it out with: ip link set %s nomaster", name, name)
	}
	return before, set(l, portFlags|unix.IFF_UP, 0, true)
}

// Restore gives a port back as it was.
func Restore(b Before) error {
	l, err := netlink.LinkByIndex(b.Index)
	if err != nil {
		return fmt.Errorf("restore the port with index %d: %w", b.Index, err)
	}
	return set(l, b.Flags, b.Offloads, b.NoIPv6)
}

func read(l netlink.Link) (Before, error) {
	b := Before{Index: l.Attrs().Index, Flags: l.Attrs().RawFlags & (portFlags | unix.IFF_UP)}
	v, err := os.ReadFile(sysctl(l, "disable_ipv6"))
	b.NoIPv6 = errors.Is(err, os.ErrNotExist) || strings.TrimSpace(string(v)) == "1"
	on, err := features(l.Attrs().Name)
	if err != nil {
		return b, err
	}
	for i, f := range offloads {
		if on[f] {
			b.Offloads |= 1 << i
		}
	}
	return b, nil
}

func set(l netlink.Link, flags, wanted uint32, noIPv6 bool) error {
	name := l.Attrs().Name
	value := map[bool]string{true: "1", false: "0"}[noIPv6]
	if err := os.WriteFile(sysctl(l, "disable_ipv6"), []byte(value), 0o644); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("set IPv6 on %s: %w", name, err)
	}
	if err := setOffloads(name, wanted); err != nil {
		return err
	}
	for _, f := range []struct {
		flag    uint32
		on, off func(netlink.Link) error
	}{
		{unix.IFF_PROMISC, netlink.SetPromiscOn, netlink.SetPromiscOff},
		{unix.IFF_ALLMULTI, netlink.LinkSetAllmulticastOn, netlink.LinkSetAllmulticastOff},
		{unix.IFF_NOARP, netlink.LinkSetARPOff, netlink.LinkSetARPOn},
		{unix.IFF_UP, netlink.LinkSetUp, netlink.LinkSetDown},
	} {
		change := f.off
		if flags&f.flag != 0 {
			change = f.on
		}
		if err := change(l); err != nil {
			return fmt.Errorf("set the flags of %s: %w", name, err)
		}
	}
	return nil
}

func features(name string) (map[string]bool, error) {
	var on map[string]bool
	e, err := ethtool.NewEthtool()
	if err == nil {
		on, err = e.Features(name)
		e.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("read the offloads of %s: %w", name, err)
	}
	return on, nil
}

// setOffloads turns the wanted ones on and the others off; one that the driver does not have, or fixes, stays.
func setOffloads(name string, wanted uint32) error {
	on, err := features(name)
	if err != nil {
		return err
	}
	change := map[string]bool{}
	for i, f := range offloads {
		if is, has := on[f]; has && is != (wanted&(1<<i) != 0) {
			change[f] = !is
		}
	}
	if len(change) == 0 {
		return nil
	}
	e, err := ethtool.NewEthtool()
	if err == nil {
		err = e.Change(name, change)
		e.Close()
	}
	if err != nil {
		return fmt.Errorf("set the offloads of %s: %w", name, err)
	}
	return nil
}

func hostAddrs(l netlink.Link) []string {
	var out []string
	addrs, _ := netlink.AddrList(l, netlink.FAMILY_ALL)
	for _, a := range addrs {
		if !a.IP.IsLinkLocalUnicast() { // the kernel's own; it goes when IPv6 is turned off
			out = append(out, a.IPNet.String())
		}
	}
	return out
}

func sysctl(l netlink.Link, key string) string {
	return filepath.Join("/proc/sys/net/ipv6/conf", l.Attrs().Name, key)
}

// speed of a port in Mbit/s, 0 when the driver does not say.
func speed(name string) uint32 {
	b, err := os.ReadFile(filepath.Join("/sys/class/net", name, "speed"))
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	if err != nil || n > 1e6 {
		return 0
	}
	return uint32(n)
}
