// Package flow names the ends of a conversation: hardware addresses, VLANs, bridge ports and five-tuples, all comparable.
package flow

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// MAC is an EUI-48 hardware address in transmission order (IEEE 802-2014, 8.2).
type MAC [6]byte

// ParseMAC reads six bytes in hex, separated by ':' or '-'.
func ParseMAC(s string) (MAC, error) {
	var m MAC
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == '-' })
	if len(parts) != len(m) {
		return MAC{}, fmt.Errorf("mac %q is not six bytes in hex, such as 02:00:00:00:00:11", s)
	}
	for i, p := range parts {
		b, err := hex.DecodeString(p)
		if err != nil || len(b) != 1 {
			return MAC{}, fmt.Errorf("mac %q is not six bytes in hex, such as 02:00:00:00:00:11", s)
		}
		m[i] = b[0]
	}
	return m, nil
}

func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// MarshalText and UnmarshalText make a MAC a JSON string.
func (m MAC) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is ParseMAC.
func (m *MAC) UnmarshalText(b []byte) (err error) {
	*m, err = ParseMAC(string(b))
	return err
}

// Group reports whether m is a multicast or broadcast address.
func (m MAC) Group() bool { return m[0]&1 != 0 }

// Local reports whether m is locally administered: it has no vendor.
func (m MAC) Local() bool { return m[0]&2 != 0 }

// VLAN is a frame's VLAN: 0 untagged or priority-tagged, 1 to 4094 for one tag, S.C for two tags (IEEE 802.1ad).
type VLAN uint32

// vlanQinQ marks a VLAN of two tags: bits 12 to 23 hold the outer VID, bits 0 to 11 the inner.
const vlanQinQ VLAN = 1 << 24

// QinQ is the VLAN of a frame with an outer and an inner tag.
func QinQ(outer, inner uint16) VLAN { return vlanQinQ | VLAN(outer&0xfff)<<12 | VLAN(inner&0xfff) }

func (v VLAN) String() string {
	switch {
	case v == 0:
		return "untagged"
	case v&vlanQinQ != 0:
		return fmt.Sprintf("%d.%d", v>>12&0xfff, v&0xfff)
	}
	return strconv.Itoa(int(v))
}

// Side is a port of a bridge.
type Side uint8

// The two bridge ports; the numbers are those of the BPF program's devmap.
const (
	CameraSide Side = 0
	ServerSide Side = 1
	AnySide    Side = 2 // groups have no side
)

func (s Side) String() string {
	switch s {
	case CameraSide:
		return "camera"
	case ServerSide:
		return "server"
	}
	return "any"
}

// Proto is an IP protocol number (IANA).
type Proto uint8

// The protocols that the policy names.
const (
	ICMP   Proto = 1
	IGMP   Proto = 2
	TCP    Proto = 6
	UDP    Proto = 17
	ICMPv6 Proto = 58
)

// String gives the name that EVE uses.
func (p Proto) String() string {
	switch p {
	case ICMP:
		return "ICMP"
	case IGMP:
		return "IGMP"
	case TCP:
		return "TCP"
	case UDP:
		return "UDP"
	case ICMPv6:
		return "IPv6-ICMP"
	}
	return fmt.Sprintf("%03d", uint8(p))
}

// FiveTuple is one direction of a flow. For ICMP echo SrcPort is the identifier and DstPort 0; without ports both are 0.
type FiveTuple struct {
	Src, Dst         netip.Addr
	SrcPort, DstPort uint16
	Proto            Proto
}

// Reverse is the other direction.
func (t FiveTuple) Reverse() FiveTuple {
	t.Src, t.Dst = t.Dst, t.Src
	t.SrcPort, t.DstPort = t.DstPort, t.SrcPort
	return t
}

func (t FiveTuple) String() string {
	if t.SrcPort == 0 && t.DstPort == 0 {
		return fmt.Sprintf("%v -> %v %v", t.Src, t.Dst, t.Proto)
	}
	return fmt.Sprintf("%v -> %v %v", netip.AddrPortFrom(t.Src, t.SrcPort), netip.AddrPortFrom(t.Dst, t.DstPort), t.Proto)
}
