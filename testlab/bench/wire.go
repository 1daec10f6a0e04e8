package main

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	bpflink "github.com/cilium/ebpf/link"
	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// wire is a camera's interface, two bridge ports and a server's interface, as two veth pairs.
type wire struct {
	camera, server netlink.Link
	ports          [2]netlink.Link // by flow.Side
	attached       []bpflink.Link  // a link that nobody holds is closed
}

// newWire makes the interfaces cN, gNa, gNb, sN.
func newWire(n int) (*wire, error) {
	var l [4]netlink.Link
	names := [4]string{fmt.Sprintf("c%d", n), fmt.Sprintf("g%da", n), fmt.Sprintf("g%db", n), fmt.Sprintf("s%d", n)}
	for i := 0; i < 4; i += 2 {
		veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: names[i]}, PeerName: names[i+1]}
		if err := netlink.LinkAdd(veth); err != nil {
			return nil, fmt.Errorf("make %s and %s: %w", names[i], names[i+1], err)
		}
	}
	for i, name := range names {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", name, err)
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return nil, fmt.Errorf("raise %s: %w", name, err)
		}
		l[i] = link
	}
	return &wire{camera: l[0], ports: [2]netlink.Link{l[1], l[2]}, server: l[3]}, nil
}

func (w *wire) attach(p *ebpf.Program, l netlink.Link) error {
	x, err := bpflink.AttachXDP(bpflink.XDPOptions{Program: p, Interface: l.Attrs().Index, Flags: bpflink.XDPDriverMode})
	if err != nil {
		return fmt.Errorf("attach %s to %s: %w", p, l.Attrs().Name, err)
	}
	w.attached = append(w.attached, x)
	return nil
}

// bridge joins the ports by a Linux bridge that knows where the server is.
func (w *wire) bridge() error {
	b := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}}
	if err := netlink.LinkAdd(b); err != nil {
		return fmt.Errorf("make a Linux bridge: %w", err)
	}
	e, err := ethtool.NewEthtool()
	if err != nil {
		return fmt.Errorf("open ethtool: %w", err)
	}
	defer e.Close()
	for _, p := range w.ports {
		// GRO, which NICs have on, is what makes a veth take frames from XDP.
		err := errors.Join(netlink.LinkSetMaster(p, b), e.Change(p.Attrs().Name, map[string]bool{"rx-gro": true}))
		if err != nil {
			return fmt.Errorf("put %s into the Linux bridge: %w", p.Attrs().Name, err)
		}
	}
	err = netlink.NeighSet(&netlink.Neigh{
		LinkIndex: w.ports[1].Attrs().Index, Family: unix.AF_BRIDGE, State: netlink.NUD_NOARP, Flags: netlink.NTF_MASTER,
		HardwareAddr: serverMAC[:],
	})
	if err != nil {
		return fmt.Errorf("tell the Linux bridge where the server is: %w", err)
	}
	if err := netlink.LinkSetUp(b); err != nil {
		return fmt.Errorf("raise the Linux bridge: %w", err)
	}
	return nil
}
