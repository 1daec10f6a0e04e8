// Package smtp reads SMTP (RFC 5321): the envelope of each mail, and its MIME parts decoded.
package smtp

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/line"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Limits.
const (
	maxCommand = 2048 // bytes of a command or a reply; RFC 5321, 4.5.3.1 wants 512, extensions add to it
	maxHelo    = 256
	maxRcpts   = 100 // recipients kept of a mail (RFC 5321, 4.5.3.1.8); more are an event
	maxPending = 128 // commands that wait for replies; beyond it replies are not matched until all came
	// maxUnanswered mails wait for their server's reply
	maxUnanswered = 16
	maxHeld       = 64 // mails that wait for the engine; beyond it nothing is consumed until it released some
	maxChunk      = 1 << 30
)

// Protocol describes SMTP.
func Protocol() *layer.Protocol {
	return &layer.Protocol{
		Proto: layer.SMTP, TCP: true, Ports: []uint16{25, 587, 465}, Probe: probe,
		New: func(p *layer.Pool) layer.Parser { return New(p) }, Events: events,
	}
}

// probe knows a client by its greeting, a server by a welcome that names the protocol: FTP's begins alike.
func probe(d flow.Direction, data []byte) layer.Answer {
	if d == flow.ToServer {
		for _, greeting := range [...]string{"ehlo", "helo", "lhlo"} {
			if n := min(len(data), len(greeting)); line.Is(data[:n], greeting[:n]) {
				if n < len(greeting) {
					return layer.More
				}
				return layer.Yes
			}
		}
		return layer.No
	}
	const welcome = "220"
	if n := min(len(data), len(welcome)); string(data[:n]) != welcome[:n] {
		return layer.No
	}
	end := bytes.IndexByte(data, '\n')
	first := data
	if end >= 0 {
		first = data[:end]
	}
	if line.Contains(first, "smtp") {
		return layer.Yes
	}
	if end < 0 {
		return layer.More
	}
	return layer.No
}

// mode is what a client's bytes are.
type mode uint8

const (
	commands mode = iota
	data
	chunk    // of BDAT
	response // to a challenge of AUTH
)

// kind is what a reply may be to.
type kind uint8

const (
	other kind = iota
	dataCommand
	dataEnd
	startTLS
	auth
)

// Parser reads one flow.
type Parser struct {
	pool     *layer.Pool
	list     tx.List[*Tx]
	tx       *Tx // the mail that is open
	mode     mode
	scan     [2]line.Scan
	body     body
	left     int  // bytes of the chunk
	last     bool // it is the last
	welcomed bool
	silent   bool // replies cannot be matched any more
	upgrade  bool
	ended    [2]bool
	pending  [maxPending]kind
	mails    [maxPending]*Tx // that a pending command belongs to
	waiting  int
	helo     [maxHelo]byte
	heloLen  int
}

// New makes a parser whose transactions take their memory from pool.
func New(pool *layer.Pool) *Parser { return &Parser{pool: pool} }

// Reset makes the parser fit for another flow.
func (p *Parser) Reset() {
	for p.list.Len() > 0 {
		p.Release(0)
	}
	*p = Parser{pool: p.pool, list: p.list}
	p.list.Restart()
}

// Upgrade says that STARTTLS was agreed on (RFC 3207).
func (p *Parser) Upgrade() (layer.Proto, bool) { return layer.TLS, p.upgrade }

// Data reads the next bytes.
func (p *Parser) Data(d flow.Direction, b []byte, end bool) (n int, ok bool) {
	for n < len(b) && !p.upgrade {
		if d == flow.ToServer && p.list.Len() >= maxHeld && !end {
			return n, true
		}
		m := 0
		switch {
		case d == flow.ToClient:
			m = p.reply(b[n:], end)
		case p.mode == data || p.mode == chunk:
			m = p.content(b[n:], end)
		default:
			m = p.command(b[n:], end)
		}
		if m == 0 {
			break
		}
		n += m
	}
	if end && n >= len(b) {
		p.finish(d)
	}
	return n, true
}

// finish ends a direction.
func (p *Parser) finish(d flow.Direction) {
	p.ended[d] = true
	if d == flow.ToServer && p.tx != nil && (p.mode == data || p.mode == chunk) {
		p.tx.raise(flow.ToServer, eventTruncated)
		p.body.finish(p)
	}
	for i := range p.list.Len() {
		p.list.At(i).complete[d] = true
	}
}

// mail is the open transaction; there is one from the first command on.
func (p *Parser) mail() *Tx {
	if p.tx == nil {
		t, ok := p.list.Reuse()
		if !ok {
			t = new(Tx)
		}
		p.list.Add(t)
		p.tx = t
		t.complete = p.ended
		t.keep(p.pool, &t.helo, p.helo[:p.heloLen])
	}
	return p.tx
}

// closeMail ends the open transaction; until is whether a reply still belongs to it.
func (p *Parser) closeMail(until bool) {
	if t := p.tx; t != nil {
		t.complete[flow.ToServer] = true
		t.complete[flow.ToClient] = t.complete[flow.ToClient] || !until
		p.tx = nil
		p.limit()
	}
}

// limit stops to wait for the replies of the oldest of too many mails: a flow whose server is not seen.
func (p *Parser) limit() {
	waiting := 0
	for i := p.list.Len() - 1; i >= 0; i-- {
		if t := p.list.At(i); t.complete[flow.ToServer] && !t.complete[flow.ToClient] {
			if waiting++; waiting > maxUnanswered {
				t.complete[flow.ToClient] = true
			}
		}
	}
}

// mute gives up to match replies: some are missing, or too many commands wait. Mails need none any more.
func (p *Parser) mute() {
	p.silent, p.waiting = true, 0
	for i := range p.list.Len() {
		t := p.list.At(i)
		t.complete[flow.ToClient] = t.complete[flow.ToServer]
	}
}

// expect notes that a reply will come.
func (p *Parser) expect(k kind) {
	if p.waiting == maxPending {
		if p.tx != nil {
			p.tx.raise(flow.ToServer, eventPipeline)
		}
		p.mute()
	}
	if p.silent {
		return
	}
	p.pending[p.waiting], p.mails[p.waiting] = k, p.tx
	p.waiting++
}

// Gap goes on behind missing bytes. A client's next bytes are a mail's content if those before were; should its end be
// missing, the server's reply tells.
func (p *Parser) Gap(d flow.Direction, n int) bool {
	if d == flow.ToClient {
		p.scan[d].Skip()
		p.mute()
		return true
	}
	if p.mode == commands || p.mode == response {
		p.scan[d].Skip()
	}
	p.body.broken()
	if p.tx != nil {
		p.tx.raise(flow.ToServer, eventGap)
	}
	if p.mode == chunk {
		if p.left -= n; p.left <= 0 {
			p.endChunk()
		}
	}
	return true
}

// Txs are the open transactions.
func (p *Parser) Txs() []layer.Tx { return p.list.Txs() }

// Release forgets a transaction.
func (p *Parser) Release(i int) {
	t := p.list.Release(i)
	if p.tx == t {
		p.tx = nil
	}
	for i, m := range p.mails[:p.waiting] {
		if m == t {
			p.mails[i] = nil
		}
	}
	t.clear(p.pool)
}

// Opaque is never the case: after STARTTLS the flow is TLS.
func (p *Parser) Opaque(flow.Direction) bool { return false }
