// Package notation turns what people write for a VLAN or a protocol into the types of package flow.
package notation

import (
	"fmt"
	"strconv"
	"strings"

	"citygate/pkg/flow"
)

// ParseVLAN reads "10", "100.20" (outer.inner) or "untagged".
func ParseVLAN(s string) (flow.VLAN, error) {
	if s == "" || s == "untagged" {
		return 0, nil
	}
	outer, inner, two := strings.Cut(s, ".")
	o, err := strconv.ParseUint(outer, 10, 16)
	if err != nil || o > 4094 || (two && o == 0) {
		return 0, fmt.Errorf("vlan %q is not untagged, 1 to 4094, or outer.inner such as 100.20", s)
	}
	if !two {
		return flow.VLAN(o), nil
	}
	i, err := strconv.ParseUint(inner, 10, 16)
	if err != nil || i == 0 || i > 4094 {
		return 0, fmt.Errorf("vlan %q is not untagged, 1 to 4094, or outer.inner such as 100.20", s)
	}
	return flow.QinQ(uint16(o), uint16(i)), nil
}

// ParseProto reads a name of flow.Proto.String, in any case, or "icmp6", "icmpv6", or a number.
func ParseProto(s string) (flow.Proto, error) {
	switch strings.ToLower(s) {
	case "icmp":
		return flow.ICMP, nil
	case "igmp":
		return flow.IGMP, nil
	case "tcp":
		return flow.TCP, nil
	case "udp":
		return flow.UDP, nil
	case "icmpv6", "icmp6", "ipv6-icmp":
		return flow.ICMPv6, nil
	}
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil {
		return 0, fmt.Errorf("protocol %q is not tcp, udp, icmp, icmpv6, igmp or a number from 0 to 255", s)
	}
	return flow.Proto(n), nil
}
