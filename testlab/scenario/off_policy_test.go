//go:build lab

package scenario

import (
	"testing"

	"citygate/pkg/flow"
	"citygate/testlab/attacker"
)

// blame says which of the gateway's reasons may stop a kind of attack.
var blame = map[string][]string{
	"wrong_port":         {"no_rule", "no_state"}, // a UDP packet from a high port may be an answer
	"wrong_peer":         {"no_rule", "unknown_destination", "broadcast", "mac_mismatch", "same_side"},
	"spoofed_mac":        {"ip_spoofed", "wrong_side"},
	"spoofed_ip":         {"unknown_device"},
	"arp_spoof":          {"arp_spoof", "unknown_device", "rate"},
	"nd_spoof":           {"nd_spoof", "unknown_device", "rate"},
	"rogue_dhcp":         {"rogue_dhcp", "unknown_device"},
	"rogue_ra":           {"rogue_ra", "nd_spoof", "unknown_device", "rate"},
	"tiny_fragment":      {"fragment_tiny", "malformed_ipv4"},
	"overlap_fragment":   {"fragment_overlap"},
	"early_fragment":     {"fragment_early", "malformed_ipv4"},
	"malformed_ethernet": {"malformed_ipv4", "malformed_ipv6", "malformed_arp", "unknown_ethertype", "unknown_device", "source_group"},
	"malformed_vlan":     {"malformed_vlan"},
	"malformed_arp":      {"malformed_arp", "unknown_device"},
	"malformed_ipv4":     {"malformed_ipv4"},
	"malformed_ipv6":     {"malformed_ipv6", "ipv6_extensions"},
	"malformed_tcp":      {"malformed_tcp"},
	"malformed_udp":      {"malformed_udp"},
	"malformed_icmp":     {"malformed_icmp", "icmp_error_forged", "no_rule"},
	"unknown_ethertype":  {"unknown_ethertype"},
	"vlan_hop":           {"vlan_hop"},
	"icmp_redirect":      {"icmp_redirect"},
	"forged_icmp_error":  {"icmp_error_forged"},
	"same_side":          {"same_side"},
	"udp_flood":          {"unknown_device"},
	"mac_flood":          {"unknown_device"},
}

// TestOffPolicy sends at least 500 different frames of each kind from both sides while the streams play: each is
// counted under a reason that fits, none arrives, and no allowed packet is lost.
func TestOffPolicy(t *testing.T) {
	s := raise(t)
	s.intact(func() {
		for _, k := range attacker.Kinds() {
			for _, side := range sides {
				s.stopped(k.Name, side)
			}
		}
	})
}

// stopped makes an attack and looks whether the gateway counted it for the right reason.
func (s *story) stopped(kind string, side flow.Side) {
	s.Helper()
	if len(blame[kind]) == 0 {
		s.Errorf("nobody says what stops %s", kind)
	}
	before, err := s.gateway.Counters(s.ctx)
	s.must(err)
	r := s.attack(kind, side, 500)
	after, err := s.gateway.Counters(s.ctx)
	s.must(err)
	counted := 0
	for _, reason := range blame[kind] {
		counted += int(after[reason] - before[reason])
	}
	// Other devices' noise may be dropped for the same reason meanwhile: more is right, less is not.
	if counted < r.Sent {
		s.Errorf("%s from the %v side: %d of %d are counted as %v; changed: %v", kind, side, counted, r.Sent, blame[kind], changed(before, after))
	}
}

func changed(before, after map[string]uint64) map[string]uint64 {
	out := map[string]uint64{}
	for reason, n := range after {
		if n != before[reason] {
			out[reason] = n - before[reason]
		}
	}
	return out
}
