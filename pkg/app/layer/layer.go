// Package layer is the vocabulary of application protocols: what a parser is given, what a transaction shows to
// signatures, and what it writes into the event log.
package layer

import "citygate/pkg/flow"

// Proto is an application protocol.
type Proto uint8

// The protocols. Unknown may still become one of the others; Failed will not.
const (
	Unknown Proto = iota
	Failed
	HTTP
	TLS
	DNS
	RTSP
	WSDiscovery
	Modbus
	Telnet
	SSH
	SMTP
	FTP
	FTPData
	SMB
	SIP
	Protos // how many there are
)

var protoNames = [Protos]string{
	"unknown", "failed", "http", "tls", "dns", "rtsp", "ws-discovery", "modbus", "telnet", "ssh", "smtp", "ftp", "ftp-data", "smb", "sip",
}

// String is the protocol's name in rules and in EVE's app_proto.
func (p Proto) String() string { return protoNames[p] }

// ProtoByName is the protocol of a name in a rule's header. Protocols that a rule cannot name are not found.
func ProtoByName(name string) (Proto, bool) {
	for p := HTTP; p < Protos; p++ {
		if protoNames[p] == name {
			return p, true
		}
	}
	return Unknown, false
}

// Answer is what a protocol's probe says of the first bytes of a direction.
type Answer uint8

// The answers of a probe.
const (
	No   Answer = iota
	More        // cannot say yet
	Yes
)

// Protocol is a line in the table of protocols (package app).
type Protocol struct {
	Proto Proto
	TCP   bool
	UDP   bool
	// Ports are the server ports where the protocol is expected. A protocol that is Hinted is looked for only there,
	// since its bytes alone say too little.
	Ports  []uint16
	Hinted bool
	// Probe judges the first bytes of a direction: of a stream all that came so far, or one datagram.
	Probe func(d flow.Direction, data []byte) Answer
	// New makes the parser of a flow. A protocol without a parser (nil) is only recognised.
	New func(*Pool) Parser
	// Events are the protocol's event names without the protocol, such as "invalid_request_chunk_len"; an event's number
	// is its place. At most 64.
	Events []string
}

// Parser reads one flow of its protocol.
//
// It may keep data only by copying it. It is bounded: in the memory of a flow, in open transactions, in the time per
// byte (no bytes are looked at again and again while more trickle in).
type Parser interface {
	// Data reads the next bytes of a direction: of a stream what follows the bytes consumed so far, or one whole
	// datagram. It returns how many it consumed; the rest comes again, with more behind it. n may exceed len(data): what
	// lies beyond is payload that nobody needs (media), and will not be given. end says that nothing follows.
	// ok is false when this is not the protocol any more: the parser is not called again.
	Data(d flow.Direction, data []byte, end bool) (n int, ok bool)
	// Gap says that n bytes are missing; ok is false if the parser cannot go on.
	Gap(d flow.Direction, n int) (ok bool)
	// Txs are the open transactions, oldest first. Valid until the next call.
	Txs() []Tx
	// Release forgets the transaction at place i of Txs; its memory is used again.
	Release(i int)
	// Opaque says that what follows in a direction is encrypted or compressed: it needs no inspection.
	Opaque(d flow.Direction) bool
}

// Tx is a transaction: a request and its answer, or the protocol's nearest thing.
type Tx interface {
	// Ready says that a buffer's value in a direction is final, also if final means that there is none.
	Ready(b Buffer, d flow.Direction) bool
	// Get is the i-th value of a buffer in a direction (most have one, i = 0), as far as it is known; ok is false when
	// there is none. It is valid until the parser is called again.
	Get(b Buffer, d flow.Direction, i int) (value []byte, ok bool)
	// Complete says that nothing more will come in a direction.
	Complete(d flow.Direction) bool
	// Events are the protocol's events of this transaction in a direction.
	Events(d flow.Direction) EventSet
	// Log writes the protocol's EVE object, its name included. It is called when a direction is complete, and at the end of the flow
	// for what is not; ok is false if there is nothing to log (yet).
	Log(o *Object, d flow.Direction) (ok bool)
	// Inspection is the engine's state of this transaction.
	Inspection() *Inspection
}

// Inspection is what the engine remembers of a transaction. A parser keeps one in each transaction and clears it when the
// transaction's memory is used again.
type Inspection struct {
	ID        uint64       // of the transaction in its flow, from 0: set by the parser
	Scanned   [2]BufferSet // buffers that went through the prefilter, by direction
	Open      []uint32     // signatures that may still match
	Matched   []uint32     // signatures that matched, once each
	Inspected [2]bool      // nothing is left to do in a direction
	Logged    [2]bool
	// Grown is how many bytes of a body were looked at before it was complete (in line), by direction and by the
	// body's place (Buffer.Growing); of a buffer with several values, of the last one.
	Grown [2][3]uint32
}

// Inspection gives itself: who embeds it under another name has the method.
func (i *Inspection) Inspection() *Inspection { return i }

// Reset makes it fit for another transaction and keeps its memory.
func (i *Inspection) Reset(id uint64) {
	*i = Inspection{ID: id, Open: i.Open[:0], Matched: i.Matched[:0]}
}

// EventSet is a set of a protocol's events, by their place in Protocol.Events.
type EventSet uint64

// Add puts an event into the set.
func (s *EventSet) Add(event uint8) { *s |= 1 << event }

// Has says whether an event is in the set.
func (s EventSet) Has(event uint8) bool { return s>>event&1 != 0 }
