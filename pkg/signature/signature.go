// Package signature turns rules in Suricata's language into signatures, and evaluates their keywords.
//
// A keyword is a file keyword_NAME.go and a line in keywords.go.
package signature

import (
	"net/netip"

	"citygate/pkg/app/layer"
)

// Action is what a signature does with what it matches.
type Action uint8

// The actions, in the order in which they win (Suricata's action-order).
const (
	Pass Action = iota
	Drop
	Reject     // drop, and tell the sender
	RejectDst  // drop, and tell the receiver
	RejectBoth // drop, and tell both ends
	Alert
)

var actionNames = [...]string{"pass", "drop", "reject", "rejectdst", "rejectboth", "alert"}

func (a Action) String() string { return actionNames[a] }

// Blocks says whether the packet must not pass.
func (a Action) Blocks() bool { return a == Drop || a == Reject || a == RejectDst || a == RejectBoth }

// Flags say what a signature needs of a packet and of its flow.
type Flags uint32

// The flags.
const (
	ToServer Flags = 1 << iota // flow:to_server
	ToClient
	Established    // flow:established
	NotEstablished // flow:not_established
	Stateless      // flow:stateless
	OnlyStream     // flow:only_stream
	NoStream       // flow:no_stream
	OnlyFrag       // flow:only_frag
	NoFrag         // flow:no_frag
	OnPacket       // it looks at single packets: tcp-pkt, or a keyword that needs one
	OnStream       // its payload contents are matched on the stream
	NoAlert        // it sets bits and says nothing
	Says           // a pass rule that says what it matches
	Bidirectional  // <>
	OnIPv4         // only IPv4 packets
	OnIPv6         // only IPv6 packets
	DecodeEvent    // it looks at packets that could not be decoded, too
	IPOnly         // only addresses and protocol: judged once per flow and direction
	Bypass         // a match ends the inspection of the flow
	AppEvent       // a match on the packet reads the transaction: its events, or fields such as dns.opcode's
	TransactionTwo // its buffers are of both directions of one transaction (=>)
	ProtocolOnly   // only app-layer-protocol: judged when a direction's protocol becomes known
)

// Signature is a rule whose every keyword was understood. It holds no pointers into others: package detect lays
// signatures out in one image.
type Signature struct {
	File             string
	Line             int
	Text             string // the rule as it was read
	Action           Action
	GID, SID, Rev    uint32
	Priority         uint32 // 1 is the most severe
	Msg              string
	Classtype        string // its description from classification.config: EVE's category
	References       []string
	Metadata         []Pair // in the order of the rule
	Target           string // src_ip or dest_ip: who is attacked
	Flags            Flags
	Protocols        Protocols   // IP protocols of the packet
	App              layer.Proto // Unknown: any
	Src, Dst         Addresses
	SrcPort, DstPort Ports
	Packet           []Match // on the packet, the flow and the transaction, in order
	Lists            []List  // contents, by buffer, in order
	Post             []Match // after all matched: flowbits:set and the like
	Thresholds       []Threshold
	Blob             []byte // what the matches' Data are in
}

// Pair is a key and its value.
type Pair struct{ Key, Value string }

// Protocols is a set of IP protocol numbers.
type Protocols [4]uint64

// Add puts a protocol into the set.
func (p *Protocols) Add(n uint8) { p[n>>6] |= 1 << (n & 63) }

// Has says whether a protocol is in the set.
func (p *Protocols) Has(n uint8) bool { return p[n>>6]>>(n&63)&1 != 0 }

// AllProtocols is the set of every IP protocol.
var AllProtocols = Protocols{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}

// Addresses is a set of addresses: ranges in order that do not touch. Negations are already taken out.
type Addresses struct {
	V4 []Range4
	V6 []Range6
}

// Range4 is a range of IPv4 addresses, both ends in it.
type Range4 struct{ Lo, Hi uint32 }

// Range6 is a range of IPv6 addresses, both ends in it.
type Range6 struct{ Lo, Hi [16]byte }

// Ports is a set of ports: ranges in order that do not touch.
type Ports []PortRange

// PortRange is a range of ports, both ends in it.
type PortRange struct{ Lo, Hi uint16 }

// List is the matches on one buffer, in the order of the rule.
type List struct {
	Buffer     layer.Buffer
	Way        layer.Way // of a rule with =>: the one direction whose value counts; 0: each that the buffer has
	Transforms []Match   // applied to the buffer's value, in order
	Matches    []Match
}

// Span is a part of a signature's or an image's Blob.
type Span struct{ Off, Len uint32 }

// Match is one keyword with its options, as plain numbers: what it needs beside them stands in the blob. Its meaning
// belongs to the keyword's file.
type Match struct {
	Kind  uint16 // index into the table of keywords
	Flags uint16 // MatchNot and the keyword's own
	_     uint32
	Arg   [6]int64
	Data  Span
}

// MatchNot says that a match is negated. The other bits are the keyword's own.
const MatchNot uint16 = 1 << 15

// ThresholdType says how alerts are counted.
type ThresholdType uint8

// The types.
const (
	Limit ThresholdType = iota + 1
	ThresholdEach
	LimitThreshold // both
	Backoff
	DetectionFilter
	RateFilter
	Suppress
)

// Track says by what alerts are counted.
type Track uint8

// What is counted by.
const (
	BySrc Track = iota + 1
	ByDst
	ByRule
	ByPair // by_both
	ByFlow
	ByEither // suppress only
)

// Threshold says how often a signature may alert, or when.
type Threshold struct {
	Type       ThresholdType
	Track      Track
	Count      uint32
	Seconds    uint32
	Multiplier uint32 // Backoff
	NewAction  Action // RateFilter
	Timeout    uint32 // RateFilter: seconds of the new action
	IPs        Addresses
	AnyIP      bool // Suppress without addresses
	// Distinct counts only packets that differ in a field (detection_filter unique_on): 0 no, 1 src_port, 2 dst_port
	Distinct uint8
}

// ThresholdRule is a line of threshold.config: GID 0 and SID 0 mean all.
type ThresholdRule struct {
	GID, SID uint32
	Threshold
}

// Contains says whether an address is in the set.
func (a *Addresses) Contains(addr netip.Addr) bool {
	if addr.Is4() || addr.Is4In6() {
		b := addr.As4()
		return contains4(a.V4, uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3]))
	}
	return contains6(a.V6, addr.As16())
}

func contains4(r []Range4, n uint32) bool {
	lo, hi := 0, len(r)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		switch {
		case n < r[m].Lo:
			hi = m
		case n > r[m].Hi:
			lo = m + 1
		default:
			return true
		}
	}
	return false
}

func contains6(r []Range6, n [16]byte) bool {
	lo, hi := 0, len(r)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		switch {
		case string(n[:]) < string(r[m].Lo[:]):
			hi = m
		case string(n[:]) > string(r[m].Hi[:]):
			lo = m + 1
		default:
			return true
		}
	}
	return false
}

// Contains says whether a port is in the set.
func (p Ports) Contains(port uint16) bool {
	for _, r := range p {
		if port < r.Lo {
			return false
		}
		if port <= r.Hi {
			return true
		}
	}
	return false
}
