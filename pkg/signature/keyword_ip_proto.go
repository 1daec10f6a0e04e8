package signature

import (
	"errors"
	"strconv"
	"strings"
)

// protocolNames are IP protocols by name (IANA), as far as rules name them.
var protocolNames = map[string]uint8{
	"icmp": ipICMP, "igmp": ipIGMP, "ipip": 4, "tcp": ipTCP, "egp": 8, "udp": ipUDP, "ipv6": 41, "rsvp": 46, "gre": ipGRE, "esp": ipESP,
	"ah": ipAH, "icmpv6": ipICMPv6, "ipv6-icmp": ipICMPv6, "eigrp": 88, "ospf": 89, "pim": 103, "vrrp": 112, "l2tp": 115, "sctp": ipSCTP,
}

// ipProto narrows the protocols that the header names: it has no match of its own.
var ipProto = Keyword{
	Name: "ip_proto", Where: Meta, NeedsPacket: true,
	Doc: "the IP protocol by number or name: n, !n, <n, >n; several must all hold",
	Parse: func(b *Builder, value string) error {
		sign, name := "", strings.TrimSpace(value)
		if name != "" && strings.IndexByte("!<>=", name[0]) >= 0 {
			sign, name = name[:1], strings.TrimSpace(name[1:])
		}
		if n, ok := protocolNames[strings.ToLower(name)]; ok {
			name = strconv.Itoa(int(n))
		}
		r, err := parseRange(sign+name, 0, 255)
		if err != nil {
			return err
		}
		m := r.match()
		left := Protocols{}
		for n := range 256 {
			if b.Protocols.Has(uint8(n)) && m.inRange(int64(n)) {
				left.Add(uint8(n))
			}
		}
		if left == (Protocols{}) {
			return errors.New("the header's protocol and the protocols before leave none: use ip in the header")
		}
		b.Protocols = left
		return nil
	},
}
