package event

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"net/netip"

	"citygate/pkg/flow"
)

const sctp flow.Proto = 132

// icmpAnswers and icmp6Answers give the message type that answers a type: Community ID takes the pair as the two ports.
var (
	icmpAnswers  = map[uint8]uint8{0: 8, 8: 0, 9: 10, 10: 9, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17}
	icmp6Answers = map[uint8]uint8{
		128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135,
		139: 140, 140: 139, 144: 145, 145: 144,
	}
)

// CommunityID is Community ID version 1 with seed 0: the same text for both directions of a flow, and from every tool
// that computes it. icmpType and icmpCode count for ICMP and ICMPv6 only. It is empty if an address is missing.
func CommunityID(t flow.FiveTuple, icmpType, icmpCode uint8) string {
	if !t.Src.IsValid() || !t.Dst.IsValid() {
		return ""
	}
	ports, oneWay := true, false
	switch t.Proto {
	case flow.TCP, flow.UDP, sctp:
	case flow.ICMP:
		oneWay = icmpPorts(&t, icmpAnswers, icmpType, icmpCode)
	case flow.ICMPv6:
		oneWay = icmpPorts(&t, icmp6Answers, icmpType, icmpCode)
	default:
		ports = false
		t.SrcPort, t.DstPort = 0, 0
	}
	if !oneWay && less(t.Dst, t.DstPort, t.Src, t.SrcPort) {
		t = t.Reverse()
	}
	b := make([]byte, 2, 40) // the seed
	b = append(b, t.Src.AsSlice()...)
	b = append(b, t.Dst.AsSlice()...)
	b = append(b, uint8(t.Proto), 0)
	if ports {
		b = binary.BigEndian.AppendUint16(b, t.SrcPort)
		b = binary.BigEndian.AppendUint16(b, t.DstPort)
	}
	sum := sha1.Sum(b)
	return "1:" + base64.StdEncoding.EncodeToString(sum[:])
}

// icmpPorts puts type and answer, or type and code, where ports stand. It reports whether the type has no answer.
func icmpPorts(t *flow.FiveTuple, answers map[uint8]uint8, icmpType, icmpCode uint8) (oneWay bool) {
	answer, ok := answers[icmpType]
	t.SrcPort, t.DstPort = uint16(icmpType), uint16(icmpCode)
	if ok {
		t.DstPort = uint16(answer)
	}
	return !ok
}

// less orders the ends of a flow: by address bytes, then by port.
func less(a netip.Addr, aPort uint16, b netip.Addr, bPort uint16) bool {
	if c := a.Compare(b); c != 0 {
		return c < 0
	}
	return aPort < bPort
}
