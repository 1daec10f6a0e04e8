/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a frame left as it did. One line a reason: name, and what it means in a
 * sentence for people. pkg/verdict/reason.go holds the same list; a test
 * compares them. The names are the contract; the numbers are not, since the
 * program and user space are built from one list. Everything from NO_POLICY on
 * is a drop.
 */
#ifndef CITYGATE_REASON_H
#define CITYGATE_REASON_H

#define REASONS(X) \
	X(POLICY, "an allow line of the policy") \
	X(CACHED, "a cached verdict of an allow line") \
	X(REPLY, "the answer to an allowed flow") \
	X(PINHOLE, "a pinhole that an allowed session negotiated") \
	X(FRAGMENT, "a follower of an allowed first fragment") \
	X(ARP, "ARP between permitted peers") \
	X(ND, "neighbour discovery between permitted peers") \
	X(DHCP, "DHCP by an allow line") \
	X(MULTICAST_CONTROL, "IGMP or MLD of a listed device") \
	X(ICMP_ERROR, "an ICMP error about a live flow") \
	X(STP, "spanning tree, forwarded by the bridge's stp key") \
	X(LLDP, "LLDP, forwarded by the bridge's lldp key") \
	X(INSPECTED, "passed by the inspector") \
	X(FAIL_OPEN, "the inspector is down and on_failure is open") \
	X(OVERLOAD_PASS, "the inspector is full and on_overload is pass") \
	X(PUNTED, "handed to the inspector") \
	X(NO_POLICY, "no policy is loaded") \
	X(NO_RULE, "no allow line covers it") \
	X(UNKNOWN_DEVICE, "the sender's MAC is not in the policy") \
	X(VLAN_HOP, "the sender is listed in another VLAN") \
	X(WRONG_SIDE, "the sender belongs to the other bridge port") \
	X(SAME_SIDE, "the receiver is on the sender's own side") \
	X(IP_SPOOFED, "the source address is not the sender's") \
	X(MAC_MISMATCH, "the destination MAC is not the receiver's") \
	X(UNKNOWN_DESTINATION, "the destination address is not in the policy") \
	X(TCP_NO_SESSION, "a TCP opening from the answering end") \
	X(NO_STATE, "no request came before this answer") \
	X(STATE_QUOTA, "the sender has used up its quota of new flows") \
	X(RATE, "the sender is over its rate limit") \
	X(BLOCKED, "the pair is blocked") \
	X(MALFORMED_ETHERNET, "the frame is shorter than its Ethernet header") \
	X(MALFORMED_VLAN, "a VLAN tag is cut off, or there are more than two") \
	X(MALFORMED_ARP, "the ARP message is malformed") \
	X(MALFORMED_IPV4, "the IPv4 header is malformed") \
	X(MALFORMED_IPV6, "the IPv6 header is malformed") \
	X(IPV6_EXTENSIONS, "more than six IPv6 extension headers, or an unknown one") \
	X(MALFORMED_TCP, "the TCP header or its flags are malformed") \
	X(MALFORMED_UDP, "the UDP header is malformed") \
	X(MALFORMED_ICMP, "the ICMP message is malformed") \
	X(UNKNOWN_ETHERTYPE, "the ethertype is not forwarded") \
	X(UNKNOWN_PROTOCOL, "the IP protocol is not forwarded") \
	X(LINK_LOCAL_CONTROL, "a link-local control frame that is not forwarded") \
	X(FRAGMENT_TINY, "a first fragment without the whole layer-4 header") \
	X(FRAGMENT_EARLY, "a fragment without an allowed first fragment before it") \
	X(FRAGMENT_OVERLAP, "a fragment that overlaps, or comes out of order") \
	X(ARP_SPOOF, "the ARP sender binding is not the sender's") \
	X(ARP_PEER, "ARP towards a device that is no permitted peer") \
	X(ND_SPOOF, "the neighbour-discovery binding is not the sender's") \
	X(ND_PEER, "neighbour discovery towards a device that is no permitted peer") \
	X(ROGUE_DHCP, "a DHCP server message from the camera side or an unlisted server") \
	X(ROGUE_RA, "a router advertisement from no listed router on the server side") \
	X(ICMP_REDIRECT, "ICMP redirects are never forwarded") \
	X(ICMP_ERROR_FORGED, "an ICMP error about no live flow") \
	X(MULTICAST_QUERY, "an IGMP or MLD query from the camera side") \
	X(BROADCAST, "broadcast or multicast outside DHCP and discovery") \
	X(SOURCE_GROUP, "the source address is a group or broadcast address") \
	X(FAIL_CLOSED, "the inspector is down and on_failure is closed") \
	X(OVERLOAD_DROP, "the inspector is full and on_overload is drop") \
	X(INSPECTOR_DROP, "dropped by the inspector") \
	X(MAP_FULL, "a table of the kernel is full")

enum reason {
#define X(name, text) REASON_##name,
	REASONS(X)
#undef X
	REASON_MAX,
};

#endif
