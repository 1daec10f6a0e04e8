package camera

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/vishvananda/netlink"
)

const (
	leaseTimeout = 2 * time.Second // for each of leaseTries
	leaseTries   = 3
	retryAfter   = 2 * time.Second
)

// lease asks for an address (RFC 2131) and asks again at half the lease's time, until ctx ends.
func (c *Camera) lease(ctx context.Context) error {
	for {
		wait := retryAfter
		if err := c.Renew(struct{}{}, nil); err == nil {
			c.mu.Lock()
			wait = c.leased.Duration / 2
			c.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// Lease is what a DHCP server gave.
type Lease struct {
	Addr     netip.Addr    `json:"addr"`
	Server   netip.Addr    `json:"server"`
	Duration time.Duration `json:"duration"`
	Count    int           `json:"count"` // leases so far
}

// Renew asks for a lease from the beginning, and sets what it gets. It is an error for a camera with a static address.
func (c *Camera) Renew(_ struct{}, out *Lease) error {
	if !c.host.DHCP {
		return fmt.Errorf("%s has a static address", c.host.Name)
	}
	c.renewing.Lock()
	defer c.renewing.Unlock()
	got, mask, router, err := request()
	if err != nil {
		return err
	}
	if err := configure(got.Addr, mask, router); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	got.Count = c.leased.Count + 1
	c.leased = got
	if out != nil {
		*out = got
	}
	return nil
}

func request() (l Lease, mask net.IPMask, router net.IP, err error) {
	client, err := nclient4.New("eth0", nclient4.WithTimeout(leaseTimeout), nclient4.WithRetry(leaseTries))
	if err != nil {
		return Lease{}, nil, nil, fmt.Errorf("open a DHCP client: %w", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*leaseTries*leaseTimeout)
	defer cancel()
	got, err := client.Request(ctx, dhcpv4.WithOption(dhcpv4.OptClassIdentifier("lab-optics")))
	if err != nil {
		return Lease{}, nil, nil, fmt.Errorf("ask for a DHCP lease: %w", err)
	}
	addr, _ := netip.AddrFromSlice(got.ACK.YourIPAddr.To4())
	server, _ := netip.AddrFromSlice(got.ACK.ServerIdentifier().To4())
	if routers := got.ACK.Router(); len(routers) > 0 {
		router = routers[0]
	}
	return Lease{Addr: addr, Server: server, Duration: got.ACK.IPAddressLeaseTime(time.Minute)}, got.ACK.SubnetMask(), router, nil
}

// configure makes addr the only IPv4 address of eth0.
func configure(addr netip.Addr, mask net.IPMask, router net.IP) error {
	link, err := netlink.LinkByName("eth0")
	if err != nil {
		return fmt.Errorf("find eth0: %w", err)
	}
	want := &netlink.Addr{IPNet: &net.IPNet{IP: addr.AsSlice(), Mask: mask}}
	had, err := netlink.AddrList(link, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list the addresses of eth0: %w", err)
	}
	// The old address first: with it the kernel takes off all later ones of its subnet.
	for _, a := range had {
		if a.IP.Equal(want.IP) {
			continue
		}
		if err := netlink.AddrDel(link, &a); err != nil {
			return fmt.Errorf("take off the address %v: %w", a, err)
		}
	}
	if err := netlink.AddrReplace(link, want); err != nil {
		return fmt.Errorf("set the leased address: %w", err)
	}
	if router == nil {
		return nil
	}
	if err := netlink.RouteReplace(&netlink.Route{Gw: router, LinkIndex: link.Attrs().Index}); err != nil {
		return fmt.Errorf("set the leased route: %w", err)
	}
	return nil
}
