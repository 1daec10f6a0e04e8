// Package dns reads DNS messages over UDP and TCP (RFC 1035). Each message is a transaction of its own.
package dns

import (
	"encoding/binary"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Protocol is the line of DNS over UDP in the table of protocols.
func Protocol() *layer.Protocol {
	return &layer.Protocol{
		Proto: layer.DNS, UDP: true, Ports: []uint16{53}, Hinted: true, Probe: probe, Events: events,
		New: func(p *layer.Pool) layer.Parser { return &parser{pool: p} },
	}
}

// OverTCP is the line of DNS over TCP: two bytes of length before each message (RFC 1035, 4.2.2).
func OverTCP() *layer.Protocol {
	return &layer.Protocol{
		Proto: layer.DNS, TCP: true, Ports: []uint16{53}, Hinted: true, Probe: probeTCP, Events: events,
		New: func(p *layer.Pool) layer.Parser { return &parser{pool: p, tcp: true} },
	}
}

// The events, by their place in the list of names.
const (
	malformedData uint8 = iota
	notRequest
	notResponse
	zFlagSet
	invalidOpcode
	nameTooLong
	infiniteLoop
	tooManyLabels
	invalidAuthorities
	invalidAdditionals
	tooManyRecords
	tooManyTransactions
	noMemory
)

var events = []string{
	malformedData:       "malformed_data",
	notRequest:          "not_request",
	notResponse:         "not_response",
	zFlagSet:            "z_flag_set",
	invalidOpcode:       "invalid_opcode",
	nameTooLong:         "name_too_long",
	infiniteLoop:        "infinite_loop",
	tooManyLabels:       "too_many_labels",
	invalidAuthorities:  "invalid_authorities",
	invalidAdditionals:  "invalid_additionals",
	tooManyRecords:      "too_many_records",
	tooManyTransactions: "too_many_transactions",
	noMemory:            "no_memory",
}

const (
	headerLen    = 12     // RFC 1035, 4.1.1
	flagResponse = 0x8000 // QR
	flagZ        = 0x0040 // must be zero (RFC 1035, 4.1.1; the bits beside it are AD and CD now)
	opcodes      = 7      // 0 to 6 are assigned (RFC 8490)
)

// plausible says whether a header can be that of a message of n bytes in a direction.
func plausible(d flow.Direction, header []byte, n int) bool {
	records := 0
	for i := 4; i < headerLen; i += 2 {
		records += int(binary.BigEndian.Uint16(header[i:]))
	}
	flags := binary.BigEndian.Uint16(header[2:])
	return 2*records <= n && (flags&flagResponse != 0) == (d == flow.ToClient)
}

// probe judges a datagram: header, questions and answers have to make sense.
func probe(d flow.Direction, data []byte) layer.Answer {
	if len(data) < headerLen || !plausible(d, data, len(data)) {
		return layer.No
	}
	m := message{b: data}
	if !m.readHeader() || !m.skip(m.counts[questions], false) || !m.skip(m.counts[answers], true) {
		return layer.No
	}
	return layer.Yes
}

// probeTCP judges the first message of a stream by its length and header.
func probeTCP(d flow.Direction, data []byte) layer.Answer {
	if len(data) >= 2 && binary.BigEndian.Uint16(data) < headerLen {
		return layer.No
	}
	if len(data) < 2+headerLen {
		return layer.More
	}
	if !plausible(d, data[2:], int(binary.BigEndian.Uint16(data))) {
		return layer.No
	}
	return layer.Yes
}
