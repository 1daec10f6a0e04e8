package vms

import (
	"net"
	"net/netip"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"citygate/pkg/flow"
	"citygate/testlab/topology"
)

func TestLeases(t *testing.T) {
	hall, other := topology.Find("hall-1"), topology.Find("lobby-1")
	self, router := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.254")
	tests := []struct {
		name string
		mac  flow.MAC
		kind dhcpv4.MessageType
		want net.IP // asked for
		out  dhcpv4.MessageType
	}{
		{"discover", hall.MAC, dhcpv4.MessageTypeDiscover, nil, dhcpv4.MessageTypeOffer},
		{"request", hall.MAC, dhcpv4.MessageTypeRequest, net.IPv4(10, 0, 0, 14), dhcpv4.MessageTypeAck},
		{"request of another address", hall.MAC, dhcpv4.MessageTypeRequest, net.IPv4(10, 0, 0, 15), dhcpv4.MessageTypeNak},
		{"release", hall.MAC, dhcpv4.MessageTypeRelease, nil, dhcpv4.MessageTypeNone},
		{"no reservation", other.MAC, dhcpv4.MessageTypeDiscover, nil, dhcpv4.MessageTypeNone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := dhcpv4.New(dhcpv4.WithMessageType(tt.kind), dhcpv4.WithHwAddr(tt.mac[:]))
			if err != nil {
				t.Fatal(err)
			}
			if tt.want != nil {
				m.UpdateOption(dhcpv4.OptRequestedIPAddress(tt.want))
			}
			got := newLeases().answer(m, self, router)
			if (got == nil) != (tt.out == dhcpv4.MessageTypeNone) {
				t.Fatalf("answer %v, want %v", got, tt.out)
			}
			if got == nil {
				return
			}
			if got.MessageType() != tt.out {
				t.Errorf("answer %v, want %v", got.MessageType(), tt.out)
			}
			if lease := got.YourIPAddr.String(); (lease == "10.0.0.14") != (tt.out != dhcpv4.MessageTypeNak) {
				t.Errorf("%v gives %s", tt.out, lease)
			}
		})
	}
}

func TestReserve(t *testing.T) {
	l, hall := newLeases(), topology.Find("hall-1")
	if err := l.reserve(Reservation{MAC: hall.MAC, Addr: netip.MustParseAddr("fd00::1")}); err == nil {
		t.Error("an IPv6 reservation is taken")
	}
	if err := l.reserve(Reservation{MAC: hall.MAC, Addr: netip.MustParseAddr("10.0.0.24")}); err != nil {
		t.Fatal(err)
	}
	if a, ok := l.find(hall.MAC[:]); !ok || a.String() != "10.0.0.24" {
		t.Errorf("reserved %v, %v", a, ok)
	}
}
