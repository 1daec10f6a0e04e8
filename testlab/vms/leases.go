package vms

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/server4"

	"citygate/pkg/flow"
	"citygate/testlab/topology"
)

// leaseTime is short, so that renewals are part of every longer run.
const leaseTime = 2 * time.Minute

// Reservation is the address that a hardware address gets.
type Reservation struct {
	MAC  flow.MAC   `json:"mac"`
	Addr netip.Addr `json:"addr"`
}

// leases is a DHCP server (RFC 2131) for the cameras that ask; nobody else gets an address.
type leases struct {
	mu    sync.Mutex
	addrs map[flow.MAC]netip.Addr
}

func newLeases() *leases {
	l := &leases{addrs: map[flow.MAC]netip.Addr{}}
	for _, h := range topology.City() {
		if h.DHCP {
			l.addrs[h.MAC] = h.Addr4()
		}
	}
	return l
}

func (l *leases) reserve(r Reservation) error {
	if !r.Addr.Is4() {
		return fmt.Errorf("%v is not an IPv4 address", r.Addr)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addrs[r.MAC] = r.Addr
	return nil
}

func (l *leases) find(hw net.HardwareAddr) (netip.Addr, bool) {
	if len(hw) != len(flow.MAC{}) {
		return netip.Addr{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok := l.addrs[flow.MAC(hw)]
	return a, ok
}

func (l *leases) serve(ctx context.Context, host topology.Host) error {
	server, err := server4.NewServer("eth0", &net.UDPAddr{IP: net.IPv4zero, Port: dhcpv4.ServerPort},
		func(conn net.PacketConn, peer net.Addr, m *dhcpv4.DHCPv4) {
			if answer := l.answer(m, host.Addr4(), host.Via); answer != nil {
				_, _ = conn.WriteTo(answer.ToBytes(), destination(m, peer)) // the client asks again
			}
		})
	if err != nil {
		return fmt.Errorf("open the DHCP server: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(); ctx.Err() == nil {
		return fmt.Errorf("serve DHCP: %w", err)
	}
	return nil
}

// destination is where the answer goes: a client that has no address yet hears broadcasts (RFC 2131, 4.1).
func destination(m *dhcpv4.DHCPv4, peer net.Addr) net.Addr {
	if m.ClientIPAddr == nil || m.ClientIPAddr.IsUnspecified() {
		return &net.UDPAddr{IP: net.IPv4bcast, Port: dhcpv4.ClientPort}
	}
	return peer
}

// answer decides what to say to a client: nil for silence.
func (l *leases) answer(m *dhcpv4.DHCPv4, self, router netip.Addr) *dhcpv4.DHCPv4 {
	addr, ok := l.find(m.ClientHWAddr)
	if !ok {
		return nil
	}
	kind, yours := dhcpv4.MessageTypeAck, addr
	switch m.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		kind = dhcpv4.MessageTypeOffer
	case dhcpv4.MessageTypeRequest:
		want := m.RequestedIPAddress()
		if want == nil {
			want = m.ClientIPAddr
		}
		if got, _ := netip.AddrFromSlice(want.To4()); got != addr {
			kind, yours = dhcpv4.MessageTypeNak, netip.IPv4Unspecified()
		}
	default:
		return nil
	}
	reply, err := dhcpv4.NewReplyFromRequest(m,
		dhcpv4.WithMessageType(kind),
		dhcpv4.WithYourIP(yours.AsSlice()),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(self.AsSlice())),
		dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithOption(dhcpv4.OptRouter(router.AsSlice())),
		dhcpv4.WithLeaseTime(uint32(leaseTime/time.Second)))
	if err != nil {
		return nil
	}
	return reply
}
