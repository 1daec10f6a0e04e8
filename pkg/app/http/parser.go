package http

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// state is what a direction reads next.
type state uint8

const (
	rStart     state = iota // a first line
	rHeaders                // headers
	rProbe                  // a body where there should be none, or the next message
	rLength                 // a body of known length
	rChunkSize              // a chunk's size line
	rChunkData              // a chunk
	rChunkEnd               // the line end behind a chunk
	rTrailer                // headers behind the last chunk
	rUntilEnd               // a body that ends with the stream
	rOld                    // what follows a request line without a version
	rStray                  // what is between requests
	rConnect                // what follows a CONNECT that was not answered yet
	rOpaque                 // nothing more of HTTP
)

// reader is what the parser remembers of a direction between calls.
type reader struct {
	state    state
	scanned  int   // bytes behind those consumed in which no line end was found
	left     int64 // bytes of the body or chunk that are still to come
	after    state // behind rProbe
	beyond   bool  // the body may go on behind its length, since the connection closes
	dropping bool  // the rest of a line that is too long
	mixed    bool  // the last line ended with LF CR
	ended    bool
	tx       *transaction
}

// parser reads a flow.
type parser struct {
	cfg      *Config
	pool     *layer.Pool
	list     tx.List[*transaction]
	dirs     [2]reader
	spare    []*decoder
	begun    bool // a request was seen
	upgraded bool // the flow left HTTP, and nobody asked yet
}

func newParser(c *Config, pool *layer.Pool) *parser { return &parser{cfg: c, pool: pool} }

// Data reads the next bytes of a direction.
func (p *parser) Data(d flow.Direction, data []byte, end bool) (n int, ok bool) {
	r := &p.dirs[d]
	for n < len(data) {
		used, more := p.step(d, r, data[n:], end)
		if used > 0 {
			r.scanned = 0
		}
		n += used
		if !more || p.upgraded {
			break
		}
	}
	if end && !p.upgraded {
		p.finish(d)
		n = max(n, len(data))
	}
	return n, true
}

// step reads one element. more is false if it needs bytes that are not there.
func (p *parser) step(d flow.Direction, r *reader, data []byte, end bool) (used int, more bool) {
	if r.dropping {
		return r.drop(data)
	}
	switch r.state {
	case rStart:
		if d == flow.ToServer {
			return p.requestLine(r, data, end)
		}
		return p.responseLine(r, data, end)
	case rHeaders, rTrailer:
		return p.headerLine(d, r, data, end)
	case rProbe:
		return p.probeBody(d, r, data)
	case rLength, rChunkData:
		return p.counted(d, r, data)
	case rChunkSize:
		return p.chunkSize(d, r, data, end)
	case rChunkEnd:
		return p.chunkEnd(d, r, data)
	case rUntilEnd:
		p.bodyData(r.tx, d, data)
		return len(data), true
	case rOld:
		return p.oldRequest(r, data, end)
	case rStray:
		return p.strayData(r, data, end)
	case rConnect:
		return p.connect(r, data)
	}
	return len(data), true
}

// drop skips the rest of a line that is too long.
func (r *reader) drop(data []byte) (used int, more bool) {
	for i, c := range data {
		if c == '\n' {
			r.dropping = false
			return i + 1, true
		}
	}
	return len(data), true
}

// finish ends a direction: what is being read is complete as far as it came.
func (p *parser) finish(d flow.Direction) {
	r := &p.dirs[d]
	if r.ended {
		return
	}
	r.ended = true
	if t := r.tx; t != nil {
		if t.msg[d].stage < sHead {
			p.headersDone(t, d)
		}
		p.complete(t, d)
	}
}

// complete ends a message.
func (p *parser) complete(t *transaction, d flow.Direction) {
	p.bodyDone(t, d)
	t.msg[d].stage = sDone
	r := &p.dirs[d]
	r.tx, r.beyond = nil, false
	if r.state != rOpaque {
		r.state = rStart
	}
}

// Gap says that bytes are missing. In a body they are skipped.
func (p *parser) Gap(d flow.Direction, n int) (ok bool) {
	r := &p.dirs[d]
	r.scanned = 0
	switch r.state {
	case rOpaque:
		return true
	case rUntilEnd:
		p.missed(r.tx, d, n)
		return true
	case rLength, rChunkData:
		if int64(n) > r.left {
			return false
		}
		p.missed(r.tx, d, n)
		r.left -= int64(n)
		p.counted(d, r, nil)
		return true
	}
	return n == 0
}

// Txs are the open transactions.
func (p *parser) Txs() []layer.Tx { return p.list.Txs() }

// Release forgets a transaction.
func (p *parser) Release(i int) {
	t := p.list.Release(i)
	for d := range p.dirs {
		if r := &p.dirs[d]; r.tx == t {
			r.tx, r.state = nil, rOpaque
		}
	}
	p.reclaim(t)
	t.clear()
}

// Opaque says that what follows in a direction is not HTTP any more, or media in a tunnel.
func (p *parser) Opaque(d flow.Direction) bool {
	r := &p.dirs[d]
	if r.state == rUntilEnd {
		b := &r.tx.msg[d].body
		return b.tunnel && b.full
	}
	return r.state == rOpaque
}

// open starts a transaction. When too many are open, the oldest is closed; a flow that piles them up faster than they are
// inspected loses the oldest.
func (p *parser) open(d flow.Direction) *transaction {
	late := false
	if n := p.list.Len(); n >= p.cfg.Transactions {
		late = true
		p.close(p.list.At(n - p.cfg.Transactions))
		if n >= 2*p.cfg.Transactions {
			p.Release(0)
		}
	}
	t, ok := p.list.Reuse()
	if !ok {
		t = &transaction{p: p}
	}
	p.list.Add(t)
	if late {
		t.raise(d, evTooManyTransactions)
	}
	return t
}

// close completes a transaction in both directions.
func (p *parser) close(t *transaction) {
	for d := range p.dirs {
		if r := &p.dirs[d]; r.tx == t {
			continue // it is at work, hence young
		}
		p.bodyDone(t, flow.Direction(d))
		t.msg[d].stage = sDone
	}
}

// Upgrade says that the flow left HTTP, once.
func (p *parser) Upgrade() (expected layer.Proto, ok bool) {
	ok = p.upgraded
	p.upgraded = false
	return layer.Unknown, ok
}

// UpgradeFailed is told when nothing known followed a CONNECT or an upgrade.
func (p *parser) UpgradeFailed() {
	if n := p.list.Len(); n > 0 {
		p.list.At(n-1).raise(flow.ToClient, evProtocolChange)
	}
}

// Reset makes the parser fit for another flow.
func (p *parser) Reset() {
	for p.list.Len() > 0 {
		p.Release(p.list.Len() - 1)
	}
	p.list.Restart()
	p.dirs, p.begun, p.upgraded = [2]reader{}, false, false
}
