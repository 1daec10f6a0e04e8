// Package attacker makes hostile frames: a kind, a side of the gateway and a seed in, tagged frames out; and sends them.
package attacker

import (
	"fmt"
	"sort"

	"citygate/pkg/flow"
)

// A generator makes the frames of one attack: the last is the hostile one, which gets the tag (unless it is too short
// and has it as source address already); those before it are what makes it an attack, and may be allowed.
type generator func(s scene, d dice, t Tag) [][]byte

// Kind is a way to get something past the gateway.
type Kind struct {
	Name  string
	Story string
	// Uplink kinds are sent on the wire to the gateway, since the attacker's switch would keep or change them.
	Uplink bool
	make   generator
}

// Kinds lists all kinds. The place in the list is the number in a tag.
func Kinds() []Kind {
	return []Kind{
		{"wrong_port", "a listed device opens a service that no line allows", false, wrongPort},
		{"wrong_peer", "a listed device talks to a host that it has no line for", false, wrongPeer},
		{"spoofed_mac", "a listed hardware address with somebody else's IP address", false, spoofedMAC},
		{"spoofed_ip", "a listed IP address from an unlisted hardware address", false, spoofedIP},
		{"arp_spoof", "ARP that claims another host's address, or contradicts its frame", false, arpSpoof},
		{"nd_spoof", "neighbour discovery that claims another host's address", false, ndSpoof},
		{"rogue_dhcp", "offers and ACKs of a DHCP server that nobody listed", false, rogueDHCP},
		{"rogue_ra", "router advertisements of no router", false, rogueRA},
		{"tiny_fragment", "a first fragment that cuts the layer-4 header", false, tinyFragment},
		{"overlap_fragment", "a fragment that writes over an allowed one", false, overlapFragment},
		{"early_fragment", "a fragment whose first one never came", false, earlyFragment},
		{"malformed_ethernet", "headers alone, group sources, 802.3 lengths that lie", true, malformedEthernet},
		{"malformed_vlan", "cut-off or too many VLAN tags", true, malformedVLAN},
		{"malformed_arp", "ARP of the wrong size, kind or operation", false, malformedARP},
		{"malformed_ipv4", "IPv4 headers whose fields contradict each other", false, malformedIPv4},
		{"malformed_ipv6", "IPv6 headers that lie, and endless extension headers", false, malformedIPv6},
		{"malformed_tcp", "TCP headers that are cut or impossible", false, malformedTCP},
		{"malformed_udp", "UDP lengths that lie", false, malformedUDP},
		{"malformed_icmp", "ICMP messages that are cut or unknown", false, malformedICMP},
		{"unknown_ethertype", "ethertypes that no camera speaks", true, unknownEthertype},
		{"vlan_hop", "an allowed packet inside a VLAN tag", false, vlanHop},
		{"icmp_redirect", "ICMP redirects", false, icmpRedirect},
		{"forged_icmp_error", "ICMP errors about flows that do not exist", false, forgedICMPError},
		{"same_side", "frames to a host on the sender's own side", true, sameSide},
		{"udp_flood", "UDP to random ports from an unlisted host", false, udpFlood},
		{"mac_flood", "a new hardware address with every frame", false, macFlood},
	}
}

// Names lists the kinds' names in alphabetical order.
func Names() []string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	sort.Strings(names)
	return names
}

// Find gives a kind and its number.
func Find(name string) (Kind, uint8, error) {
	for i, k := range Kinds() {
		if k.Name == name {
			return k, uint8(i), nil
		}
	}
	return Kind{}, 0, fmt.Errorf("attack %q is not known; there are %v", name, Names())
}

// Frames makes the frames of attack number n of a kind; the last one is tagged.
func Frames(name string, side flow.Side, seed, n uint32) ([][]byte, error) {
	k, number, err := Find(name)
	if err != nil {
		return nil, err
	}
	t := Tag{Kind: number, Side: side, Seed: seed, Number: n}
	frames := k.make(newScene(side), newDice(t), t)
	if last := frames[len(frames)-1]; len(last) >= ShortLen {
		t.stamp(last)
	}
	return frames, nil
}
