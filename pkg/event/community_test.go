package event

import (
	"net/netip"
	"testing"

	"citygate/pkg/flow"
)

// The expected values are those that the Community ID specification publishes for its captures.
func TestCommunityID(t *testing.T) {
	for _, c := range []struct {
		src, dst     string
		sport, dport uint16
		proto        flow.Proto
		typ, code    uint8
		want         string
	}{
		{"128.232.110.120", "66.35.250.204", 34855, 80, flow.TCP, 0, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"66.35.250.204", "128.232.110.120", 80, 34855, flow.TCP, 0, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"192.168.1.52", "8.8.8.8", 54585, 53, flow.UDP, 0, 0, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{"8.8.8.8", "192.168.1.52", 53, 54585, flow.UDP, 0, 0, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{"192.168.0.89", "192.168.0.1", 0, 0, flow.ICMP, 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
		{"192.168.0.1", "192.168.0.89", 0, 0, flow.ICMP, 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
		{"fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 0, 0, flow.ICMPv6, 135, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
		{"fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 0, 0, flow.ICMPv6, 136, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
		{"192.168.170.8", "192.168.170.56", 7, 80, sctp, 0, 0, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="},
	} {
		tuple := flow.FiveTuple{
			Src: netip.MustParseAddr(c.src), Dst: netip.MustParseAddr(c.dst),
			SrcPort: c.sport, DstPort: c.dport, Proto: c.proto,
		}
		if got := CommunityID(tuple, c.typ, c.code); got != c.want {
			t.Errorf("%v type %d: %s, want %s", tuple, c.typ, got, c.want)
		}
	}
	if got := CommunityID(flow.FiveTuple{Proto: flow.TCP}, 0, 0); got != "" {
		t.Errorf("no addresses give %s", got)
	}
}
