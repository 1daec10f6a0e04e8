package verdict

// Reason says why a frame left as it did. The list is bpf/reason.h's; TestReasons compares the two.
type Reason uint8

// The reasons. Everything from ReasonNoPolicy on is a drop.
const (
	ReasonPolicy             Reason = iota // an allow line of the policy
	ReasonCached                           // a cached verdict of an allow line
	ReasonReply                            // the answer to an allowed flow
	ReasonPinhole                          // a pinhole that an allowed session negotiated
	ReasonFragment                         // a follower of an allowed first fragment
	ReasonARP                              // ARP between permitted peers
	ReasonND                               // neighbour discovery between permitted peers
	ReasonDHCP                             // DHCP by an allow line
	ReasonMulticastControl                 // IGMP or MLD of a listed device
	ReasonICMPError                        // an ICMP error about a live flow
	ReasonSTP                              // spanning tree, forwarded by the bridge's stp key
	ReasonLLDP                             // LLDP, forwarded by the bridge's lldp key
	ReasonInspected                        // passed by the inspector
	ReasonFailOpen                         // the inspector is down and on_failure is open
	ReasonOverloadPass                     // the inspector is full and on_overload is pass
	ReasonPunted                           // handed to the inspector
	ReasonNoPolicy                         // no policy is loaded
	ReasonNoRule                           // no allow line covers it
	ReasonUnknownDevice                    // the sender's MAC is not in the policy
	ReasonVLANHop                          // the sender is listed in another VLAN
	ReasonWrongSide                        // the sender belongs to the other bridge port
	ReasonSameSide                         // the receiver is on the sender's own side
	ReasonIPSpoofed                        // the source address is not the sender's
	ReasonMACMismatch                      // the destination MAC is not the receiver's
	ReasonUnknownDestination               // the destination address is not in the policy
	ReasonTCPNoSession                     // a TCP opening from the answering end
	ReasonNoState                          // no request came before this answer
	ReasonStateQuota                       // the sender has used up its quota of new flows
	ReasonRate                             // the sender is over its rate limit
	ReasonBlocked                          // the pair is blocked
	ReasonMalformedEthernet                // the frame is shorter than its Ethernet header
	ReasonMalformedVLAN                    // a VLAN tag is cut off, or there are more than two
	ReasonMalformedARP                     // the ARP message is malformed
	ReasonMalformedIPv4                    // the IPv4 header is malformed
	ReasonMalformedIPv6                    // the IPv6 header is malformed
	ReasonIPv6Extensions                   // more than six IPv6 extension headers, or an unknown one
	ReasonMalformedTCP                     // the TCP header or its flags are malformed
	ReasonMalformedUDP                     // the UDP header is malformed
	ReasonMalformedICMP                    // the ICMP message is malformed
	ReasonUnknownEthertype                 // the ethertype is not forwarded
	ReasonUnknownProtocol                  // the IP protocol is not forwarded
	ReasonLinkLocalControl                 // a link-local control frame that is not forwarded
	ReasonFragmentTiny                     // a first fragment without the whole layer-4 header
	ReasonFragmentEarly                    // a fragment without an allowed first fragment before it
	ReasonFragmentOverlap                  // a fragment that overlaps, or comes out of order
	ReasonARPSpoof                         // the ARP sender binding is not the sender's
	ReasonARPPeer                          // ARP towards a device that is no permitted peer
	ReasonNDSpoof                          // the neighbour-discovery binding is not the sender's
	ReasonNDPeer                           // neighbour discovery towards a device that is no permitted peer
	ReasonRogueDHCP                        // a DHCP server message from the camera side or an unlisted server
	ReasonRogueRA                          // a router advertisement from no listed router on the server side
	ReasonICMPRedirect                     // ICMP redirects are never forwarded
	ReasonICMPErrorForged                  // an ICMP error about no live flow
	ReasonMulticastQuery                   // an IGMP or MLD query from the camera side
	ReasonBroadcast                        // broadcast or multicast outside DHCP and discovery
	ReasonSourceGroup                      // the source address is a group or broadcast address
	ReasonFailClosed                       // the inspector is down and on_failure is closed
	ReasonOverloadDrop                     // the inspector is full and on_overload is drop
	ReasonInspectorDrop                    // dropped by the inspector
	ReasonMapFull                          // a table of the kernel is full
	reasonCount
)

// Reasons is how many reasons there are.
const Reasons = int(reasonCount)

var reasons = [...]struct{ name, text string }{
	ReasonPolicy:             {"policy", "an allow line of the policy"},
	ReasonCached:             {"cached", "a cached verdict of an allow line"},
	ReasonReply:              {"reply", "the answer to an allowed flow"},
	ReasonPinhole:            {"pinhole", "a pinhole that an allowed session negotiated"},
	ReasonFragment:           {"fragment", "a follower of an allowed first fragment"},
	ReasonARP:                {"arp", "ARP between permitted peers"},
	ReasonND:                 {"nd", "neighbour discovery between permitted peers"},
	ReasonDHCP:               {"dhcp", "DHCP by an allow line"},
	ReasonMulticastControl:   {"multicast_control", "IGMP or MLD of a listed device"},
	ReasonICMPError:          {"icmp_error", "an ICMP error about a live flow"},
	ReasonSTP:                {"stp", "spanning tree, forwarded by the bridge's stp key"},
	ReasonLLDP:               {"lldp", "LLDP, forwarded by the bridge's lldp key"},
	ReasonInspected:          {"inspected", "passed by the inspector"},
	ReasonFailOpen:           {"fail_open", "the inspector is down and on_failure is open"},
	ReasonOverloadPass:       {"overload_pass", "the inspector is full and on_overload is pass"},
	ReasonPunted:             {"punted", "handed to the inspector"},
	ReasonNoPolicy:           {"no_policy", "no policy is loaded"},
	ReasonNoRule:             {"no_rule", "no allow line covers it"},
	ReasonUnknownDevice:      {"unknown_device", "the sender's MAC is not in the policy"},
	ReasonVLANHop:            {"vlan_hop", "the sender is listed in another VLAN"},
	ReasonWrongSide:          {"wrong_side", "the sender belongs to the other bridge port"},
	ReasonSameSide:           {"same_side", "the receiver is on the sender's own side"},
	ReasonIPSpoofed:          {"ip_spoofed", "the source address is not the sender's"},
	ReasonMACMismatch:        {"mac_mismatch", "the destination MAC is not the receiver's"},
	ReasonUnknownDestination: {"unknown_destination", "the destination address is not in the policy"},
	ReasonTCPNoSession:       {"tcp_no_session", "a TCP opening from the answering end"},
	ReasonNoState:            {"no_state", "no request came before this answer"},
	ReasonStateQuota:         {"state_quota", "the sender has used up its quota of new flows"},
	ReasonRate:               {"rate", "the sender is over its rate limit"},
	ReasonBlocked:            {"blocked", "the pair is blocked"},
	ReasonMalformedEthernet:  {"malformed_ethernet", "the frame is shorter than its Ethernet header"},
	ReasonMalformedVLAN:      {"malformed_vlan", "a VLAN tag is cut off, or there are more than two"},
	ReasonMalformedARP:       {"malformed_arp", "the ARP message is malformed"},
	ReasonMalformedIPv4:      {"malformed_ipv4", "the IPv4 header is malformed"},
	ReasonMalformedIPv6:      {"malformed_ipv6", "the IPv6 header is malformed"},
	ReasonIPv6Extensions:     {"ipv6_extensions", "more than six IPv6 extension headers, or an unknown one"},
	ReasonMalformedTCP:       {"malformed_tcp", "the TCP header or its flags are malformed"},
	ReasonMalformedUDP:       {"malformed_udp", "the UDP header is malformed"},
	ReasonMalformedICMP:      {"malformed_icmp", "the ICMP message is malformed"},
	ReasonUnknownEthertype:   {"unknown_ethertype", "the ethertype is not forwarded"},
	ReasonUnknownProtocol:    {"unknown_protocol", "the IP protocol is not forwarded"},
	ReasonLinkLocalControl:   {"link_local_control", "a link-local control frame that is not forwarded"},
	ReasonFragmentTiny:       {"fragment_tiny", "a first fragment without the whole layer-4 header"},
	ReasonFragmentEarly:      {"fragment_early", "a fragment without an allowed first fragment before it"},
	ReasonFragmentOverlap:    {"fragment_overlap", "a fragment that overlaps, or comes out of order"},
	ReasonARPSpoof:           {"arp_spoof", "the ARP sender binding is not the sender's"},
	ReasonARPPeer:            {"arp_peer", "ARP towards a device that is no permitted peer"},
	ReasonNDSpoof:            {"nd_spoof", "the neighbour-discovery binding is not the sender's"},
	ReasonNDPeer:             {"nd_peer", "neighbour discovery towards a device that is no permitted peer"},
	ReasonRogueDHCP:          {"rogue_dhcp", "a DHCP server message from the camera side or an unlisted server"},
	ReasonRogueRA:            {"rogue_ra", "a router advertisement from no listed router on the server side"},
	ReasonICMPRedirect:       {"icmp_redirect", "ICMP redirects are never forwarded"},
	ReasonICMPErrorForged:    {"icmp_error_forged", "an ICMP error about no live flow"},
	ReasonMulticastQuery:     {"multicast_query", "an IGMP or MLD query from the camera side"},
	ReasonBroadcast:          {"broadcast", "broadcast or multicast outside DHCP and discovery"},
	ReasonSourceGroup:        {"source_group", "the source address is a group or broadcast address"},
	ReasonFailClosed:         {"fail_closed", "the inspector is down and on_failure is closed"},
	ReasonOverloadDrop:       {"overload_drop", "the inspector is full and on_overload is drop"},
	ReasonInspectorDrop:      {"inspector_drop", "dropped by the inspector"},
	ReasonMapFull:            {"map_full", "a table of the kernel is full"},
}

// Verdict is what happens to a frame that leaves for this reason.
func (r Reason) Verdict() Verdict {
	switch {
	case r >= ReasonNoPolicy:
		return Drop
	case r == ReasonPunted:
		return Punt
	}
	return Pass
}

// String is the reason's name in events and counters, such as "no_rule".
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r].name
	}
	return "unknown"
}

// Text is the reason in a sentence for people.
func (r Reason) Text() string {
	if int(r) < len(reasons) {
		return reasons[r].text
	}
	return "unknown reason"
}

// ParseReason is the inverse of String.
func ParseReason(s string) (Reason, bool) {
	for i, r := range reasons {
		if r.name == s {
			return Reason(i), true
		}
	}
	return 0, false
}
