package attacker

// Blame says for which of the gateway's reasons a kind of attack may be dropped; nothing for a kind that is not known.
func Blame(kind string) []string { return blame[kind] }

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
