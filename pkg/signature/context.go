package signature

import (
	"citygate/pkg/app"
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/reassembly"
)

// Context is what a signature is judged on. The engine owns one and fills it in anew for each packet; keywords read it
// and change only what says so.
type Context struct {
	Blob    []byte // of the set of rules in force: what Match.Data are in
	Regexes *Regexes
	Now     int64 // nanoseconds since 1970: of the packet

	Packet    *packet.Headers
	Direction flow.Direction
	Events    *packet.Events      // of the decoder and the defragmenter
	Stream    reassembly.Events   // of the packet
	Session   *reassembly.Session // nil if this is not TCP
	Flow      *State              // nil if the packet has no flow
	Conn      *app.Conn           // nil if the packet has no flow
	Tx        layer.Tx            // nil outside of a transaction
	Hosts     *Hosts              // xbits and hostbits

	// In is the value that the keywords of a buffer look at.
	In Input
	// Extracted are the values of byte_extract and byte_math, by their number in the signature.
	Extracted [maxExtracted]uint64
	// Base64 is what base64_decode found: the memory is used again.
	Base64      []byte
	scratch     []byte
	steps       int       // left, of the inspection in hand
	again       bool      // something was tried again in it
	transformed [2][]byte // the values of the last two transformations
	inflate     *inflater
	// Counters only grow.
	Counters Counters
}

// maxExtracted is how many values a signature may extract.
const maxExtracted = 16

// Input is a buffer's value and the place in it.
type Input struct {
	Buffer layer.Buffer
	Data   []byte
	// Start is the offset of Data in its stream: offset and depth count from the stream's start.
	Start uint64
	// Begin says that Data begins with a message, though it does not begin its stream: ^ matches there.
	Begin bool
	// End says that Data ends where the buffer ends: nothing will be added.
	End bool
	// Cursor is the end of the last match: relative keywords count from it.
	Cursor int
}

// Bytes is what a match has in the blob.
func (c *Context) Bytes(m *Match) []byte { return c.Blob[m.Data.Off : m.Data.Off+m.Data.Len] }

// State is what signatures remember in a flow, and what the flow counts.
type State struct {
	Start, Last int64 // nanoseconds since 1970
	Packets     [2]uint64
	Bytes       [2]uint64
	Bits        []uint64 // flowbits, by number
	Ints        []uint32 // flowints, by number
	IntsSet     []uint64 // which flowints have a value
}
