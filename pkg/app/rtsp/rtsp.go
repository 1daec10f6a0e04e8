// Package rtsp reads RTSP 1.0 and 2.0 (RFC 2326, RFC 7826): requests in both directions with their answers, and the
// interleaved media between them, which it passes over.
//
// Lengths are not believed where a lie could hide a message: bodies, and frames that no SETUP announced or that do not
// look like RTP, are searched for messages; a message found there ends them and is an event. Only media that a server
// sends on announced channels (or a client that records) is skipped by its length.
package rtsp

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/app/line"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Limits of a flow.
const (
	// maxWaiting requests wait for answers; players have one or two. Beyond it the oldest is given up.
	maxWaiting = 64
	// maxHeld transactions wait for the engine to release them. Beyond it nothing is consumed until it did.
	maxHeld = 256
)

// The events.
const (
	eventRequestLine uint8 = iota
	eventResponseLine
	eventHeader
	eventHeaderLong
	eventHeaderMany
	eventHeaderTwice
	eventLength
	eventLengthLie
	eventBodyLong
	eventFrame
	eventFrameLie
	eventNoCSeq
	eventCSeq
	eventUnmatched
	eventTransactions
	eventGarbage
	eventGap
	eventCut
	eventMemory
)

var events = []string{
	eventRequestLine:  "invalid_request_line",
	eventResponseLine: "invalid_response_line",
	eventHeader:       "invalid_header",
	eventHeaderLong:   "header_too_long",
	eventHeaderMany:   "too_many_headers",
	eventHeaderTwice:  "duplicate_header",
	eventLength:       "invalid_content_length",
	eventLengthLie:    "content_length_lie",     // a message begins inside a body
	eventBodyLong:     "body_too_long",          // searched to its end, but not kept
	eventFrame:        "interleaved_unexpected", // no SETUP announced its channel
	eventFrameLie:     "interleaved_length_lie", // a message begins inside a frame, or nothing behind it
	eventNoCSeq:       "missing_cseq",
	eventCSeq:         "invalid_cseq",
	eventUnmatched:    "unmatched_response",
	eventTransactions: "too_many_transactions",
	eventGarbage:      "garbage", // bytes between messages: searched for the next message
	eventGap:          "gap",
	eventCut:          "truncated_message", // the stream ended inside
	eventMemory:       "memory_exceeded",   // fields are missing
}

// Protocol describes RTSP.
func Protocol() *layer.Protocol {
	return &layer.Protocol{
		Proto: layer.RTSP, TCP: true, Ports: []uint16{554, 8554, 10554}, Probe: probe,
		New: func(p *layer.Pool) layer.Parser { return New(p) }, Events: events,
	}
}

// Parser reads one flow.
type Parser struct {
	pool      *layer.Pool
	list      tx.List[*Tx]
	sides     [2]side
	channels  [4]uint64 // that a SETUP announced
	recording bool      // a RECORD was answered well: the client sends media
}

// New makes a parser whose transactions take their memory from pool.
func New(pool *layer.Pool) *Parser { return &Parser{pool: pool} }

// Reset makes the parser fit for another flow.
func (p *Parser) Reset() {
	for p.list.Len() > 0 {
		p.Release(0)
	}
	for i := range p.sides {
		if s := &p.sides[i]; s.tx != nil && !s.listed {
			s.tx.clear(p.pool)
		}
	}
	*p = Parser{pool: p.pool, list: p.list}
	p.list.Restart()
}

// state is what the next bytes of a side are.
type state uint8

const (
	between state = iota // a message or a frame begins
	headers
	inBody
	inFrame
	lost // searching for a message or a frame
)

// side is one direction's reading.
type side struct {
	state   state
	framed  bool // a frame came last
	warned  bool // of frames that nothing announced
	carried bool // an event without a message, since the last message
	lied    bool // a frame's length was wrong
	last    int  // header that a folded line continues, or none
	count   int  // headers so far
	left    int  // bytes of the body or the frame
	aligned int  // frames that followed one another
	seen    int  // of the bytes that are searched for lines
	looked  int  // of the bytes that are searched for frames
	scan    line.Scan
	tx      *Tx            // whose message is read
	listed  bool           // it is in the list
	pending layer.EventSet // for the next transaction
}

// Data reads the next bytes.
func (p *Parser) Data(d flow.Direction, data []byte, end bool) (n int, ok bool) {
	s := &p.sides[d]
	for n < len(data) {
		if s.state == between && p.list.Len() >= maxHeld && !end {
			return n, true
		}
		m, again := p.step(d, s, data[n:], end)
		n += m
		if m == 0 && !again {
			break
		}
	}
	if end && n >= len(data) {
		p.finish(d, s)
	}
	return n, true
}

// step reads one thing. again says that the state changed though nothing was consumed.
func (p *Parser) step(d flow.Direction, s *side, data []byte, end bool) (n int, again bool) {
	switch s.state {
	case between:
		return p.begin(d, s, data, end)
	case headers:
		return p.header(d, s, data, end)
	case inBody:
		return p.body(d, s, data, end)
	case inFrame:
		return p.searchFrame(d, s, data, end)
	default:
		return p.resync(d, s, data, end)
	}
}

// begin reads what follows a message: a frame, an empty line, or the first line of a message.
func (p *Parser) begin(d flow.Direction, s *side, data []byte, end bool) (n int, again bool) {
	if data[0] == '$' {
		return p.frame(d, s, data, end)
	}
	text, n, long, ok := s.scan.Next(data, maxLine, end)
	if !ok {
		return n, n > 0
	}
	if len(text) == 0 {
		return n, true
	}
	if p.start(d, s, text, long) {
		s.framed = false
		return n, true
	}
	s.scan.Reset()
	p.lose(d, s)
	return 0, true
}

// finish ends a direction: what is open in it will not be completed.
func (p *Parser) finish(d flow.Direction, s *side) {
	if s.tx != nil {
		s.tx.events[d].Add(eventCut)
		p.done(d, s)
	}
	for i := range p.list.Len() {
		p.list.At(i).complete[d] = true
	}
}

// Gap goes on behind missing bytes: a message that they were part of is given up, and the next one is looked for.
func (p *Parser) Gap(d flow.Direction, n int) bool {
	s := &p.sides[d]
	s.pending.Add(eventGap)
	if s.tx != nil {
		s.tx.events[d].Add(eventGap)
	}
	n += s.seen // what was held back is gone, too
	s.seen, s.looked = 0, 0
	if (s.state == inBody || s.state == inFrame) && n <= s.left {
		if s.left -= n; s.left == 0 {
			p.done(d, s)
		}
		return true
	}
	p.done(d, s)
	s.scan.Reset()
	s.state, s.aligned = lost, 0
	return true
}

// Txs are the open transactions.
func (p *Parser) Txs() []layer.Tx { return p.list.Txs() }

// Release forgets a transaction.
func (p *Parser) Release(i int) {
	t := p.list.Release(i)
	for d := range p.sides {
		if p.sides[d].listed && p.sides[d].tx == t {
			p.sides[d].tx = nil
		}
	}
	t.clear(p.pool)
}

// Opaque is never the case: RTSP over TLS is TLS.
func (p *Parser) Opaque(flow.Direction) bool { return false }
