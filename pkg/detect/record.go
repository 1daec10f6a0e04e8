package detect

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/signature"
)

// span is a part of a section, in records.
type span struct{ First, N uint32 }

// record is a signature in an image.
type record struct {
	Protocols         signature.Protocols
	Flags             signature.Flags
	GID, SID, Rev     uint32
	Priority          uint32
	Src, Dst          uint32 // addresses; 0 is any
	SrcPort, DstPort  uint32 // ports; 0 is any
	Packet, Post      span   // matches
	Lists, Thresholds span
	Msg, Classtype    signature.Span
	Metadata          signature.Span // EVE's alert.metadata, ready to be written
	References        signature.Span // the same
	Text              signature.Span
	File              signature.Span
	Line              uint32
	Action            signature.Action
	App               uint8
	Way               way   // how it is judged
	scope             uint8 // what pass and drop stand for: see scopes
	Target            uint8 // 1 source, 2 destination
	_                 [3]uint8
	Vars              uint32 // extracted values
}

// way says by which path a signature is judged.
type way uint8

const (
	onPacket  way = 1 << iota // each packet
	onStream                  // the bytes of a TCP stream
	onTx                      // transactions
	onAddress                 // once per flow and direction
)

// scopes of an action.
const (
	scopePacket = iota
	scopeFlow
)

// list is the matches on one buffer in an image.
type list struct {
	Buffer              uint8
	Way                 layer.Way // of a transaction's two directions, where the rule says which
	_                   [2]uint8
	Transforms, Matches span
}

// threshold is a signature.Threshold in an image.
type threshold struct {
	Type           signature.ThresholdType
	Track          signature.Track
	NewAction      signature.Action
	Distinct       uint8
	AnyIP          uint8
	_              [3]uint8
	Count, Seconds uint32
	Timeout        uint32
	Multiplier     uint32
	IPs            uint32
}

// addresses is a set of addresses in an image.
type addresses struct{ V4, V6 span }

// group is signatures that are looked for in the same bytes: a prefilter over their fast patterns, and those that have none.
type group struct {
	Table   span   // bytes of a prefilter in inTables; none if N is 0
	Always  span   // members
	Longest uint32 // of its patterns, bytes
	_       uint32
}

// portIndex finds the groups of a packet by its ports.
type portIndex struct {
	Any      uint32 // group; 0 is none
	_        uint32
	Dst, Src span // port entries, sorted by port
}

type portEntry struct {
	Port  uint32
	Group uint32
}

// view is a buffer with its transformations, as signatures look at it.
type view struct {
	Buffer     uint8
	_          [7]uint8
	Transforms span      // matches
	Groups     [2]uint32 // by direction; 0 is none
}

// protocol is what transactions of a protocol are looked at with.
type protocol struct {
	Views  span    // numbers in inMembers: views, sorted by buffer
	Always [2]span // members: signatures without a fast pattern, by direction
}
