package signature

import (
	"fmt"
	"strings"

	"citygate/pkg/packet"
)

// ofAnyVersion in Arg[2] of a checksum keyword means IPv4 and IPv6.
const ofAnyVersion = 0

// checksum judges the checksum of a header: valid or invalid. Match: Arg[0] the Checksum to have, Arg[1] the IP protocol (0: the IP
// header), Arg[2] the version.
func checksum(name string, proto, version int64) Keyword {
	return Keyword{
		Name: name, Where: OnHeader, NeedsPacket: true,
		Doc: "the checksum of the packet's " + strings.TrimSuffix(name, "-csum") + " header: valid or invalid",
		Parse: func(b *Builder, value string) error {
			m := Match{Arg: [6]int64{int64(packet.ChecksumValid), proto, version}}
			switch strings.ToLower(strings.TrimSpace(value)) {
			case "valid":
			case "invalid":
				m.Arg[0] = int64(packet.ChecksumInvalid)
			default:
				return fmt.Errorf("%q is neither valid nor invalid", shorten(value))
			}
			b.Add(m)
			return nil
		},
		Eval: func(c *Context, m *Match) bool {
			h := c.Packet
			if m.Arg[2] != ofAnyVersion && int64(h.IPVersion) != m.Arg[2] {
				return false
			}
			if m.Arg[1] == 0 {
				return int64(h.IPv4Checksum()) == m.Arg[0]
			}
			return int64(h.Tuple.Proto) == m.Arg[1] && int64(h.TransportChecksum()) == m.Arg[0]
		},
	}
}

var (
	ipv4Checksum   = checksum("ipv4-csum", 0, 4)
	tcpv4Checksum  = checksum("tcpv4-csum", ipTCP, 4)
	tcpv6Checksum  = checksum("tcpv6-csum", ipTCP, 6)
	udpv4Checksum  = checksum("udpv4-csum", ipUDP, 4)
	udpv6Checksum  = checksum("udpv6-csum", ipUDP, 6)
	icmpv4Checksum = checksum("icmpv4-csum", ipICMP, 4)
	icmpv6Checksum = checksum("icmpv6-csum", ipICMPv6, 6)
	igmpChecksum   = checksum("igmp-csum", ipIGMP, ofAnyVersion)
)
