package detect

import "citygate/pkg/reassembly"

// Counters count what an engine did, from its start on.
type Counters struct {
	Packets, Bytes uint64
	Malformed      uint64 // frames that could not be decoded in full
	DecoderEvents  uint64 // frames with something odd
	StreamEvents   uint64 // segments with something odd
	Defragmented   uint64 // datagrams put together
	BadChecksum    uint64 // segments left out of their stream
	Inspected      uint64 // packets and ends of flows
	Alerts         uint64
	AlertOverflow  uint64 // matches beyond the limit of one packet, not written
	Passed         uint64 // matches of pass rules
	Dropped        uint64 // packets
	Skipped        uint64 // bytes of media and the like that nobody looked at
	Gaps           uint64 // holes in streams that a parser had to pass
	ParserStopped  uint64 // flows whose parser could not go on
	Suppressed     uint64 // matches that a threshold silenced
	ParserMemory   int64  // bytes lent to parsers
	Thresholds     uint64 // entries that were pushed out of the table of thresholds
	Midstream      uint64 // packets of connections whose start was not seen, that were not inspected

	Flows struct {
		Total, Active, Expired uint64
		Evicted                uint64 // ended early since the table was full
	}
	Streams      reassembly.Counters
	Defragmenter reassembly.DefragCounters
}
