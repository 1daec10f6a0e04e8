// Package detect is the inspection engine: frames go in, verdicts and alerts come out.
//
// Rules are compiled into an image (Compile) that processes share (Open). An Engine works on one core and shares
// nothing else: it decodes, puts fragments and streams together, parses protocols, and judges signatures.
package detect

import (
	"time"

	"citygate/pkg/app"
	"citygate/pkg/app/layer"
	"citygate/pkg/detect/prefilter"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/reassembly"
	"citygate/pkg/signature"
)

// Limits of an engine.
const (
	defaultMaxFlows  = 65536
	defaultMaxAlerts = 15        // per packet: Suricata's packet-alert-max
	parserMemory     = 256 << 20 // of all parsers of an engine
	maxHostBits      = 65536     // xbits and hostbits that are remembered
)

// Config says how an engine works. The zero value of a limit is its default.
type Config struct {
	Inline     bool // verdicts count; Streams.Inline is apart
	Checksums  bool // packets with wrong checksums are no part of streams
	Streams    reassembly.Config
	Defragment reassembly.DefragConfig
	MaxFlows   int
	MaxAlerts  int
	// Untracked VLANs: flows are told apart without their VLAN.
	IgnoreVLAN bool
	// Policies for what cannot be inspected in full; see Exception.
	MidstreamPolicy Exception         // connections whose start was not seen
	ErrorPolicy     Exception         // flows whose parser could not go on
	Protocols       []*layer.Protocol // app.Protocols() if nil
}

// Engine inspects one frame after the other. It is not safe for concurrent use.
type Engine struct {
	cfg       Config
	rules     *Rules
	out       Output
	decoders  [packet.MaxTunnels + 1]*packet.Decoder
	headers   [packet.MaxTunnels + 1]packet.Headers
	other     packet.Headers // of a packet that there is not
	defrag    *reassembly.Defragmenter
	assembler *reassembly.Assembler
	apps      *app.Table
	pool      *layer.Pool
	flows     flows
	expected  expected
	ctx       *signature.Context
	hosts     *signature.Hosts
	hits      *prefilter.Hits
	proto     layer.Proto // of the transaction in hand
	message   bool        // a window of a stream begins with a message
	grown     bool        // a body of it grew enough to be judged
	found     []uint32    // signatures to judge, see find
	queue     []hit
	say       Alert      // the alert in hand
	lists     [][]uint32 // see borrow
	limits    thresholds
	count     Counters

	p work // the packet in hand
}

// work is the packet in hand.
type work struct {
	Packet
	outcome reassembly.Outcome
	length  int  // of the frame on the wire
	reset   bool // it ended its session
	pseudo  bool // there is no packet: a flow's end is inspected
	stream  bool // it is part of a stream
	// established: both ends had taken part before this packet, as rules count it.
	established bool
	// detected: in its direction the protocol became known since the last packet.
	detected bool
	last     bool // nothing follows in this flow
}

// Packet is what outputs may know of the packet in hand.
type Packet struct {
	Number    uint64 // of the frame, from 1; 0 if an alert comes from a flow's end
	Time      time.Time
	Headers   *packet.Headers
	Flow      *Flow // nil if it has none
	Direction flow.Direction
	Verdict   signature.Action // Alert means that it passes
}

// New makes an engine.
func New(cfg Config, rules *Rules, out Output) *Engine {
	if cfg.MaxFlows <= 0 {
		cfg.MaxFlows = defaultMaxFlows
	}
	if cfg.MaxAlerts <= 0 {
		cfg.MaxAlerts = defaultMaxAlerts
	}
	if cfg.Protocols == nil {
		cfg.Protocols = app.Protocols()
	}
	cfg.Defragment.Inline = cfg.Inline
	pool := layer.NewPool(parserMemory)
	e := &Engine{
		cfg: cfg, out: out, pool: pool,
		defrag:    reassembly.NewDefragmenter(cfg.Defragment),
		assembler: reassembly.New(cfg.Streams),
		apps:      app.NewTable(cfg.Protocols, pool),
		ctx:       signature.NewContext(),
		hosts:     signature.NewHosts(maxHostBits),
	}
	for i := range e.decoders {
		e.decoders[i] = packet.NewDecoder()
	}
	e.flows.init(cfg.MaxFlows)
	e.limits.init()
	e.Use(rules)
	return e
}

// Use puts another set of rules into force, between two packets. Flows go on; what they remember by number (flowbits)
// begins anew.
func (e *Engine) Use(rules *Rules) {
	e.rules = rules
	e.hits = prefilter.NewHits(rules.Len())
	e.ctx.Blob, e.ctx.Regexes, e.ctx.Hosts = rules.blob, rules.regexes, e.hosts
	e.flows.forget()
}

// Packet inspects a frame. The verdict is Alert (pass on), Drop, Reject or RejectBoth; out of line it is always Alert.
func (e *Engine) Packet(r packet.Record) signature.Action {
	e.count.Packets++
	e.count.Bytes += uint64(r.Length)
	e.p = work{Packet: Packet{Number: e.count.Packets, Time: r.Time, Verdict: signature.Alert}, length: r.Length}
	e.expire(r.Time)
	e.frame(r.Link, r.Data, r.Length, 0, nil)
	return e.p.Verdict
}

// frame decodes and inspects a frame, and what is inside of it.
func (e *Engine) frame(link packet.LinkType, data []byte, length, depth int, outer *packet.Headers) {
	h := e.decode(link, data, length, depth)
	if outer != nil {
		h.Inherit(outer)
	}
	if h.Events.Any() {
		e.count.DecoderEvents++
	}
	switch {
	case h.IPVersion == 0:
		e.whole(h)
	case h.Fragment:
		e.fragment(h, depth)
	default:
		e.whole(h)
		if link, data, ok := h.Inner(); ok && depth+1 < len(e.decoders) {
			e.frame(link, data, len(data), depth+1, h)
		}
	}
}

// decode gives a frame's headers, also of one that is malformed: what could be read of it.
func (e *Engine) decode(link packet.LinkType, data []byte, length, depth int) *packet.Headers {
	h, err := &e.headers[depth], error(nil)
	*h, err = e.decoders[depth].DecodeLink(link, data, length)
	if bad, ok := err.(*packet.Malformed); ok { // errors.As would allocate for each packet
		e.count.Malformed++
		*h = bad.Headers
	}
	return h
}

// fragment inspects a piece of a datagram, and the datagram when that is whole.
func (e *Engine) fragment(h *packet.Headers, depth int) {
	res := e.defrag.Add(h, e.p.Time)
	h.Events.Merge(res.Events)
	e.whole(h)
	if res.Drop {
		e.block(dropDefrag)
	}
	if res.Datagram != nil && depth+1 < len(e.decoders) {
		e.count.Defragmented++
		e.frame(packet.LinkRaw, res.Datagram, len(res.Datagram), depth+1, h)
	}
}

// whole inspects a packet that is in one piece, or cannot be.
func (e *Engine) whole(h *packet.Headers) {
	e.p.Headers, e.p.Flow, e.p.Direction, e.p.stream = h, nil, flow.ToServer, false
	e.p.outcome = reassembly.Outcome{}
	if h.Events.Any() {
		e.oddFrame(h)
	}
	if h.IPVersion != 0 && tracked(h) {
		e.track(h)
	}
	f := e.p.Flow
	switch {
	case f == nil:
		e.inspect()
	case f.dropped:
		e.block(dropFlow)
	default:
		e.p.established = f.Established()
		e.follow(f, h)
	}
}

// follow goes on with a flow: it puts the packet into its stream, reads the protocol, and inspects.
func (e *Engine) follow(f *Flow, h *packet.Headers) {
	switch {
	case h.Tuple.Proto == flow.TCP && h.Transport != nil:
		if !e.segment(h) {
			return
		}
		f = e.p.Flow
	case h.Tuple.Proto == flow.UDP && len(h.Payload) > 0:
		f.conn.Datagram(e.apps, e.p.Direction, f.hint(), h.Payload)
		if f.conn.Swapped() != f.turned {
			e.turn(f)
		}
	}
	if f.conn.Stopped() && !f.broken {
		f.broken = true
		e.count.ParserStopped++
		if !e.except(f, e.cfg.ErrorPolicy, dropParser) {
			e.tidy(f)
			return
		}
	}
	if e.cfg.Streams.Inline {
		f.noteDetection()
	}
	e.p.detected, f.detected[e.p.Direction] = f.detected[e.p.Direction], false
	f.noteDetection()
	if !f.passed {
		e.inspect()
	}
	if e.p.reset && !f.passed && !f.dropped {
		e.inspectOther(f)
	}
	e.tidy(f)
	if h.Tuple.Proto == flow.TCP {
		e.more(f)
	}
}

// more reads and inspects on where a parser stopped reading until the transactions it holds are inspected and forgotten.
func (e *Engine) more(f *Flow) {
	for range maxTurns {
		read := f.app
		if f.dropped || f.passed || !e.unread(f) {
			return
		}
		e.feed(f, flow.ToServer)
		e.feed(f, flow.ToClient)
		e.inspectFlow(f)
		if f.app == read {
			return
		}
	}
}

// unread says whether a parser holds many transactions while bytes wait for it.
func (e *Engine) unread(f *Flow) bool {
	if len(f.conn.Txs()) < heldTransactions {
		return false
	}
	return f.session.Stream(flow.ToServer).Ready() > f.app[0] || f.session.Stream(flow.ToClient).Ready() > f.app[1]
}

// heldTransactions is how many open transactions make the engine look whether a parser waits: the lowest limit of a parser.
const heldTransactions = 64

// inspectFlow inspects both directions of a flow without a packet.
func (e *Engine) inspectFlow(f *Flow) {
	e.inspectOther(f)
	e.p.Direction = e.p.Direction.Reverse()
	e.inspectOther(f)
	e.p.Direction = e.p.Direction.Reverse()
	e.tidy(f)
}

// inspectOther inspects the direction that the packet in hand was not sent in: nothing more will come there.
func (e *Engine) inspectOther(f *Flow) {
	saved := e.p
	e.p.Direction, e.p.pseudo, e.p.stream = e.p.Direction.Reverse(), true, true
	e.p.Headers = &e.other
	f.pseudoHeaders(e.p.Headers, e.p.Direction)
	e.inspect()
	verdict := e.p.Verdict
	e.p = saved
	e.p.Verdict = verdict
}

// Close ends all flows: what is left is inspected and written.
func (e *Engine) Close() {
	for f := e.flows.oldest(); f != nil; f = e.flows.oldest() {
		e.finish(f)
	}
}

// Counters are what was counted so far.
func (e *Engine) Counters() Counters {
	c := e.count
	c.Flows.Active = uint64(e.flows.n)
	c.Streams, c.Defragmenter = e.assembler.Counters(), e.defrag.Counters()
	c.ParserMemory = e.pool.InUse()
	return c
}
