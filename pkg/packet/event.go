package packet

// Event is one thing that is odd or wrong in a packet. The names are Suricata's, so that rules with decode-event mean
// the same here. The zero Event is none.
type Event uint8

// The events, by layer. Which are fatal is the decoder's matter: a fatal one comes as a Malformed, all stand in
// Headers.Events.
const (
	EventNone Event = iota
	EthernetTooSmall
	EthernetUnknownType
	VLANTooSmall
	VLANUnknownType
	VLANTooManyLayers
	VNTagTooSmall
	VNTagUnknownType
	BackboneTooSmall
	DCETooSmall
	TooManyLayers
	ARPTooSmall
	ARPUnsupportedHardware
	ARPUnsupportedProtocol
	ARPInvalidPacket
	ARPInvalidHardwareSize
	ARPInvalidProtocolSize
	ARPUnsupportedOpcode
	IPv4TooSmall
	IPv4HeaderTooSmall
	IPv4LengthBelowHeader
	IPv4Truncated
	IPv4OptInvalid
	IPv4OptInvalidLength
	IPv4OptMalformed
	IPv4OptPadRequired
	IPv4OptEOLRequired
	IPv4OptDuplicate
	IPv4OptUnknown
	IPv4WrongVersion
	IPv4WithICMPv6
	IPv4FragTooLarge
	IPv4FragOverlap
	IPv4FragIgnored
	ICMPv4TooSmall
	ICMPv4UnknownType
	ICMPv4UnknownCode
	ICMPv4InnerTruncated
	ICMPv4InnerVersion
	ICMPv6TooSmall
	ICMPv6UnknownType
	ICMPv6UnknownCode
	ICMPv6InnerTruncated
	ICMPv6InnerVersion
	ICMPv6MLDHopLimit
	ICMPv6UnassignedType
	ICMPv6ExperimentationType
	IGMPTooSmall
	IGMPv3TooSmall
	IGMPMalformed
	IPv6TooSmall
	IPv6Truncated
	IPv6TruncatedExtension
	IPv6DuplicateFragment
	IPv6UselessFragment
	IPv6DuplicateRouting
	IPv6DuplicateHopByHop
	IPv6DuplicateDestination
	IPv6DuplicateAH
	IPv6DuplicateESP
	IPv6InvalidOptionLength
	IPv6WrongVersion
	IPv6AHReserved
	IPv6HopByHopUnknownOption
	IPv6HopByHopOnlyPadding
	IPv6DestinationUnknownOption
	IPv6DestinationOnlyPadding
	IPv6RoutingType0
	IPv6ZeroLengthPadN
	IPv6FragmentReserved
	IPv6DataAfterNone
	IPv6UnknownNextHeader
	IPv6WithICMPv4
	IPv6TooManyExtensions // not Suricata's: the data path's limit, which the watch shares
	IPv6FragTooLarge
	IPv6FragOverlap
	IPv6FragInvalidLength
	IPv6FragIgnored
	IPv4InIPv6TooSmall
	IPv4InIPv6WrongVersion
	IPv6InIPv6TooSmall
	IPv6InIPv6WrongVersion
	TCPTooSmall
	TCPHeaderTooSmall
	TCPInvalidOptions
	TCPOptInvalidLength
	TCPOptDuplicate
	UDPTooSmall
	UDPHeaderTooSmall
	UDPHeaderInvalid
	UDPLengthInvalid
	SCTPTooSmall
	ESPTooSmall
	SLLTooSmall
	SLL2TooSmall
	NullTooSmall
	NullUnsupportedType
	RawInvalidVersion
	PPPTooSmall
	PPPVJTooSmall
	PPPIPv4TooSmall
	PPPIPv6TooSmall
	PPPWrongType
	PPPUnsupported
	PPPoETooSmall
	PPPoEWrongCode
	PPPoEMalformedTags
	GRETooSmall
	GREWrongVersion
	GRE0Recursion
	GRE0Flags
	GRE0HeaderTooBig
	GRE0MalformedRoute
	GRE1Checksum
	GRE1Route
	GRE1StrictRoute
	GRE1Recursion
	GRE1Flags
	GRE1NoKey
	GRE1WrongProtocol
	GRE1MalformedRoute
	GRE1HeaderTooBig
	MPLSHeaderTooSmall
	MPLSTooSmall
	MPLSRouterAlert
	MPLSImplicitNull
	MPLSReserved
	MPLSUnknownPayload
	VXLANUnknownPayload
	GeneveUnknownPayload
	ERSPANTooSmall
	ERSPANUnsupportedVersion
	ERSPANTooManyVLANs
	EventCount // how many there are, EventNone included
)

// eventPrefix stands before a name in Malformed.Event and in EVE records, not in rules.
const eventPrefix = "decoder."

var eventNames = [EventCount]string{
	EventNone:                    "decoder.none",
	EthernetTooSmall:             "decoder.ethernet.pkt_too_small",
	EthernetUnknownType:          "decoder.ethernet.unknown_ethertype",
	VLANTooSmall:                 "decoder.vlan.header_too_small",
	VLANUnknownType:              "decoder.vlan.unknown_type",
	VLANTooManyLayers:            "decoder.vlan.too_many_layers",
	VNTagTooSmall:                "decoder.vntag.header_too_small",
	VNTagUnknownType:             "decoder.vntag.unknown_type",
	BackboneTooSmall:             "decoder.ieee8021ah.header_too_small",
	DCETooSmall:                  "decoder.dce.pkt_too_small",
	TooManyLayers:                "decoder.too_many_layers",
	ARPTooSmall:                  "decoder.arp.pkt_too_small",
	ARPUnsupportedHardware:       "decoder.arp.unsupported_hardware",
	ARPUnsupportedProtocol:       "decoder.arp.unsupported_protocol",
	ARPInvalidPacket:             "decoder.arp.invalid_pkt",
	ARPInvalidHardwareSize:       "decoder.arp.invalid_hardware_size",
	ARPInvalidProtocolSize:       "decoder.arp.invalid_protocol_size",
	ARPUnsupportedOpcode:         "decoder.arp.unsupported_opcode",
	IPv4TooSmall:                 "decoder.ipv4.pkt_too_small",
	IPv4HeaderTooSmall:           "decoder.ipv4.hlen_too_small",
	IPv4LengthBelowHeader:        "decoder.ipv4.iplen_smaller_than_hlen",
	IPv4Truncated:                "decoder.ipv4.trunc_pkt",
	IPv4OptInvalid:               "decoder.ipv4.opt_invalid",
	IPv4OptInvalidLength:         "decoder.ipv4.opt_invalid_len",
	IPv4OptMalformed:             "decoder.ipv4.opt_malformed",
	IPv4OptPadRequired:           "decoder.ipv4.opt_pad_required",
	IPv4OptEOLRequired:           "decoder.ipv4.opt_eol_required",
	IPv4OptDuplicate:             "decoder.ipv4.opt_duplicate",
	IPv4OptUnknown:               "decoder.ipv4.opt_unknown",
	IPv4WrongVersion:             "decoder.ipv4.wrong_ip_version",
	IPv4WithICMPv6:               "decoder.ipv4.icmpv6",
	IPv4FragTooLarge:             "decoder.ipv4.frag_pkt_too_large",
	IPv4FragOverlap:              "decoder.ipv4.frag_overlap",
	IPv4FragIgnored:              "decoder.ipv4.frag_ignored",
	ICMPv4TooSmall:               "decoder.icmpv4.pkt_too_small",
	ICMPv4UnknownType:            "decoder.icmpv4.unknown_type",
	ICMPv4UnknownCode:            "decoder.icmpv4.unknown_code",
	ICMPv4InnerTruncated:         "decoder.icmpv4.ipv4_trunc_pkt",
	ICMPv4InnerVersion:           "decoder.icmpv4.ipv4_unknown_ver",
	ICMPv6TooSmall:               "decoder.icmpv6.pkt_too_small",
	ICMPv6UnknownType:            "decoder.icmpv6.unknown_type",
	ICMPv6UnknownCode:            "decoder.icmpv6.unknown_code",
	ICMPv6InnerTruncated:         "decoder.icmpv6.ipv6_trunc_pkt",
	ICMPv6InnerVersion:           "decoder.icmpv6.ipv6_unknown_version",
	ICMPv6MLDHopLimit:            "decoder.icmpv6.mld_message_with_invalid_hl",
	ICMPv6UnassignedType:         "decoder.icmpv6.unassigned_type",
	ICMPv6ExperimentationType:    "decoder.icmpv6.experimentation_type",
	IGMPTooSmall:                 "decoder.igmp.pkt_too_small",
	IGMPv3TooSmall:               "decoder.igmp.v3_pkt_too_small",
	IGMPMalformed:                "decoder.igmp.malformed",
	IPv6TooSmall:                 "decoder.ipv6.pkt_too_small",
	IPv6Truncated:                "decoder.ipv6.trunc_pkt",
	IPv6TruncatedExtension:       "decoder.ipv6.trunc_exthdr",
	IPv6DuplicateFragment:        "decoder.ipv6.exthdr_dupl_fh",
	IPv6UselessFragment:          "decoder.ipv6.exthdr_useless_fh",
	IPv6DuplicateRouting:         "decoder.ipv6.exthdr_dupl_rh",
	IPv6DuplicateHopByHop:        "decoder.ipv6.exthdr_dupl_hh",
	IPv6DuplicateDestination:     "decoder.ipv6.exthdr_dupl_dh",
	IPv6DuplicateAH:              "decoder.ipv6.exthdr_dupl_ah",
	IPv6DuplicateESP:             "decoder.ipv6.exthdr_dupl_eh",
	IPv6InvalidOptionLength:      "decoder.ipv6.exthdr_invalid_optlen",
	IPv6WrongVersion:             "decoder.ipv6.wrong_ip_version",
	IPv6AHReserved:               "decoder.ipv6.exthdr_ah_res_not_null",
	IPv6HopByHopUnknownOption:    "decoder.ipv6.hopopts_unknown_opt",
	IPv6HopByHopOnlyPadding:      "decoder.ipv6.hopopts_only_padding",
	IPv6DestinationUnknownOption: "decoder.ipv6.dstopts_unknown_opt",
	IPv6DestinationOnlyPadding:   "decoder.ipv6.dstopts_only_padding",
	IPv6RoutingType0:             "decoder.ipv6.rh_type_0",
	IPv6ZeroLengthPadN:           "decoder.ipv6.zero_len_padn",
	IPv6FragmentReserved:         "decoder.ipv6.fh_non_zero_reserved_field",
	IPv6DataAfterNone:            "decoder.ipv6.data_after_none_header",
	IPv6UnknownNextHeader:        "decoder.ipv6.unknown_next_header",
	IPv6WithICMPv4:               "decoder.ipv6.icmpv4",
	IPv6TooManyExtensions:        "decoder.ipv6.exthdr_too_many",
	IPv6FragTooLarge:             "decoder.ipv6.frag_pkt_too_large",
	IPv6FragOverlap:              "decoder.ipv6.frag_overlap",
	IPv6FragInvalidLength:        "decoder.ipv6.frag_invalid_length",
	IPv6FragIgnored:              "decoder.ipv6.frag_ignored",
	IPv4InIPv6TooSmall:           "decoder.ipv6.ipv4_in_ipv6_too_small",
	IPv4InIPv6WrongVersion:       "decoder.ipv6.ipv4_in_ipv6_wrong_version",
	IPv6InIPv6TooSmall:           "decoder.ipv6.ipv6_in_ipv6_too_small",
	IPv6InIPv6WrongVersion:       "decoder.ipv6.ipv6_in_ipv6_wrong_version",
	TCPTooSmall:                  "decoder.tcp.pkt_too_small",
	TCPHeaderTooSmall:            "decoder.tcp.hlen_too_small",
	TCPInvalidOptions:            "decoder.tcp.invalid_optlen",
	TCPOptInvalidLength:          "decoder.tcp.opt_invalid_len",
	TCPOptDuplicate:              "decoder.tcp.opt_duplicate",
	UDPTooSmall:                  "decoder.udp.pkt_too_small",
	UDPHeaderTooSmall:            "decoder.udp.hlen_too_small",
	UDPHeaderInvalid:             "decoder.udp.hlen_invalid",
	UDPLengthInvalid:             "decoder.udp.len_invalid",
	SCTPTooSmall:                 "decoder.sctp.pkt_too_small",
	ESPTooSmall:                  "decoder.esp.pkt_too_small",
	SLLTooSmall:                  "decoder.sll.pkt_too_small",
	SLL2TooSmall:                 "decoder.sll2.pkt_too_small",
	NullTooSmall:                 "decoder.ltnull.pkt_too_small",
	NullUnsupportedType:          "decoder.ltnull.unsupported_type",
	RawInvalidVersion:            "decoder.ipraw.invalid_ip_version",
	PPPTooSmall:                  "decoder.ppp.pkt_too_small",
	PPPVJTooSmall:                "decoder.ppp.vju_pkt_too_small",
	PPPIPv4TooSmall:              "decoder.ppp.ip4_pkt_too_small",
	PPPIPv6TooSmall:              "decoder.ppp.ip6_pkt_too_small",
	PPPWrongType:                 "decoder.ppp.wrong_type",
	PPPUnsupported:               "decoder.ppp.unsup_proto",
	PPPoETooSmall:                "decoder.pppoe.pkt_too_small",
	PPPoEWrongCode:               "decoder.pppoe.wrong_code",
	PPPoEMalformedTags:           "decoder.pppoe.malformed_tags",
	GRETooSmall:                  "decoder.gre.pkt_too_small",
	GREWrongVersion:              "decoder.gre.wrong_version",
	GRE0Recursion:                "decoder.gre.version0_recur",
	GRE0Flags:                    "decoder.gre.version0_flags",
	GRE0HeaderTooBig:             "decoder.gre.version0_hdr_too_big",
	GRE0MalformedRoute:           "decoder.gre.version0_malformed_sre_hdr",
	GRE1Checksum:                 "decoder.gre.version1_chksum",
	GRE1Route:                    "decoder.gre.version1_route",
	GRE1StrictRoute:              "decoder.gre.version1_ssr",
	GRE1Recursion:                "decoder.gre.version1_recur",
	GRE1Flags:                    "decoder.gre.version1_flags",
	GRE1NoKey:                    "decoder.gre.version1_no_key",
	GRE1WrongProtocol:            "decoder.gre.version1_wrong_protocol",
	GRE1MalformedRoute:           "decoder.gre.version1_malformed_sre_hdr",
	GRE1HeaderTooBig:             "decoder.gre.version1_hdr_too_big",
	MPLSHeaderTooSmall:           "decoder.mpls.header_too_small",
	MPLSTooSmall:                 "decoder.mpls.pkt_too_small",
	MPLSRouterAlert:              "decoder.mpls.bad_label_router_alert",
	MPLSImplicitNull:             "decoder.mpls.bad_label_implicit_null",
	MPLSReserved:                 "decoder.mpls.bad_label_reserved",
	MPLSUnknownPayload:           "decoder.mpls.unknown_payload_type",
	VXLANUnknownPayload:          "decoder.vxlan.unknown_payload_type",
	GeneveUnknownPayload:         "decoder.geneve.unknown_payload_type",
	ERSPANTooSmall:               "decoder.erspan.header_too_small",
	ERSPANUnsupportedVersion:     "decoder.erspan.unsupported_version",
	ERSPANTooManyVLANs:           "decoder.erspan.too_many_vlan_layers",
}

// String is the name that a rule gives after decode-event, such as ipv4.trunc_pkt.
func (e Event) String() string { return e.EVE()[len(eventPrefix):] }

// EVE is the name with the prefix that EVE records have, such as decoder.ipv4.trunc_pkt.
func (e Event) EVE() string {
	if e < EventCount {
		return eventNames[e]
	}
	return eventNames[EventNone]
}

// EventByName is the event of a name as String gives it, or with the prefix. It walks the table: it is for rules, not
// for packets.
func EventByName(name string) (Event, bool) {
	for e := EventNone + 1; e < EventCount; e++ {
		if eventNames[e] == name || eventNames[e][len(eventPrefix):] == name {
			return e, true
		}
	}
	return EventNone, false
}

// Events is a set of events.
type Events [(EventCount + 63) / 64]uint64

// Add puts e into the set.
func (s *Events) Add(e Event) {
	if e < EventCount {
		s[e>>6] |= 1 << (e & 63)
	}
}

// Has says whether e is in the set.
func (s *Events) Has(e Event) bool { return e < EventCount && s[e>>6]&(1<<(e&63)) != 0 }

// Any says whether the set has an event at all.
func (s *Events) Any() bool {
	var all uint64
	for _, w := range s {
		all |= w
	}
	return all != 0
}

// Merge adds the events of another set.
func (s *Events) Merge(o Events) {
	for i := range s {
		s[i] |= o[i]
	}
}
