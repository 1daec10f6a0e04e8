// Package ftp reads FTP (RFC 959, RFC 2428): commands with their replies, where the data connections will be, and what
// goes over them.
package ftp

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/line"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Limits.
const (
	maxLine    = 4096     // of a command or a reply, as Suricata has it; the rest is dropped
	maxWaiting = 64       // commands that wait for replies; beyond it the oldest is given up
	maxHeld    = 256      // transactions that wait for the engine; beyond it nothing is consumed until it released some
	maxReplies = 32       // lines kept of a reply
	maxKept    = 16 << 10 // bytes kept of a command with its reply
	maxExpect  = 8        // data connections that the engine was not told of yet
)

// The events. The first three have Suricata's names.
const (
	eventCommandLong uint8 = iota
	eventReplyLong
	eventTransactions
	eventReply
	eventUnmatched
	eventAddress
	eventGap
	eventMemory
)

var events = []string{
	eventCommandLong:  "request_command_too_long",
	eventReplyLong:    "response_command_too_long",
	eventTransactions: "too_many_transactions",
	eventReply:        "invalid_reply",
	eventUnmatched:    "unmatched_reply",
	eventAddress:      "invalid_data_address",
	eventGap:          "gap",
	eventMemory:       "memory_exceeded",
}

// Protocol describes FTP's control connection.
func Protocol() *layer.Protocol {
	return &layer.Protocol{
		Proto: layer.FTP, TCP: true, Ports: []uint16{21}, Probe: probe,
		New: func(p *layer.Pool) layer.Parser { return New(p) }, Events: events,
	}
}

// openings are commands that begin a session.
var openings = [...]string{"user ", "pass ", "feat\r", "feat\n", "auth tls", "auth ssl", "auth gssapi", "syst\r", "syst\n", "port ", "eprt ", "epsv", "pasv\r", "pasv\n"}

// probe knows a client by a command, a server by a welcome that names the protocol: SMTP's begins alike.
func probe(d flow.Direction, data []byte) layer.Answer {
	if d == flow.ToServer {
		answer := layer.No
		for _, o := range openings {
			if n := min(len(data), len(o)); line.Is(data[:n], o[:n]) {
				if n == len(o) {
					return layer.Yes
				}
				answer = layer.More
			}
		}
		return answer
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
	switch {
	case line.Contains(first, "ftp"), bytes.HasPrefix(first, []byte("220 (")):
		return layer.Yes
	case end < 0:
		return layer.More
	}
	return layer.No
}

// Parser reads one control connection.
type Parser struct {
	pool     *layer.Pool
	list     tx.List[*Tx]
	scan     [2]line.Scan
	answer   *Tx // the transaction whose reply is read
	multi    [3]byte
	inMulti  bool
	gap      [2]bool
	upgrade  bool
	expected []Expect
	transfer *Transfer // that the next transfer command is for
	passive  bool      // how it will be connected
	port     uint16
}

// New makes a parser whose transactions take their memory from pool.
func New(pool *layer.Pool) *Parser { return &Parser{pool: pool} }

// Reset makes the parser fit for another flow.
func (p *Parser) Reset() {
	for p.list.Len() > 0 {
		p.Release(0)
	}
	*p = Parser{pool: p.pool, list: p.list, expected: p.expected[:0]}
	p.list.Restart()
}

// Upgrade says that TLS was agreed on (RFC 4217).
func (p *Parser) Upgrade() (layer.Proto, bool) { return layer.TLS, p.upgrade }

// Data reads the next bytes.
func (p *Parser) Data(d flow.Direction, data []byte, end bool) (n int, ok bool) {
	for n < len(data) && !p.upgrade && (p.list.Len() < maxHeld || end) {
		text, m, long, ok := p.scan[d].Next(data[n:], maxLine, end)
		n += m
		switch {
		case ok && d == flow.ToServer:
			p.command(text, long)
		case ok:
			p.reply(text, long)
		case m == 0:
			return n, true
		}
	}
	if end && n >= len(data) {
		for i := range p.list.Len() {
			p.list.At(i).complete[d] = true
		}
	}
	return n, true
}

func (p *Parser) open() *Tx {
	t, ok := p.list.Reuse()
	if !ok {
		t = new(Tx)
	}
	p.list.Add(t)
	for d := range p.gap {
		if p.gap[d] {
			t.events[d].Add(eventGap)
			p.gap[d] = false
		}
	}
	return t
}

// command reads a client's line. Commands of Telnet before it belong to ABOR (RFC 959, 4.1.3).
func (p *Parser) command(text []byte, long bool) {
	for len(text) > 0 && text[0] >= 0xf0 {
		text = text[1:]
	}
	if len(text) == 0 {
		return
	}
	t := p.open()
	t.isCommand = true
	verb, rest := text, []byte(nil)
	if i := bytes.IndexByte(text, ' '); i >= 0 {
		verb, rest = text[:i], text[i+1:]
	}
	t.keep(p.pool, flow.ToServer, &t.command, verb)
	t.keep(p.pool, flow.ToServer, &t.argument, rest)
	t.complete[flow.ToServer] = true
	if long {
		t.CommandTruncated = true
		t.events[flow.ToServer].Add(eventCommandLong)
	}
	t.Verb = verbOf(verb)
	p.data(t, rest)
	p.limit()
}

// limit gives up the oldest of too many commands that wait.
func (p *Parser) limit() {
	waiting := 0
	for i := p.list.Len() - 1; i >= 0; i-- {
		if t := p.list.At(i); t.waits() {
			if waiting++; waiting > maxWaiting {
				t.complete[flow.ToClient] = true
				t.events[flow.ToServer].Add(eventTransactions)
			}
		}
	}
}

// reply reads a server's line (RFC 959, 4.2): "123-" begins a reply of several lines, "123 " ends it.
func (p *Parser) reply(text []byte, long bool) {
	t := p.answer
	if t == nil {
		t = p.oldest()
		p.answer = t
	}
	if long {
		t.ReplyTruncated = true
		t.events[flow.ToClient].Add(eventReplyLong)
	}
	code := len(text) >= 3 && digits(text[:3])
	switch {
	case p.inMulti:
		if !code || !bytes.Equal(text[:3], p.multi[:]) || len(text) > 3 && text[3] != ' ' {
			t.line(p.pool, nil, text)
			return
		}
		p.inMulti = false
		t.line(p.pool, text[:3], after(text))
	case !code:
		t.events[flow.ToClient].Add(eventReply)
		t.line(p.pool, nil, text)
		if !t.isCommand {
			p.answered(t)
		}
		return
	case len(text) > 3 && text[3] == '-':
		p.inMulti = true
		copy(p.multi[:], text)
		t.line(p.pool, text[:3], after(text))
		return
	default:
		t.line(p.pool, text[:3], after(text))
	}
	t.Code, _ = line.Number(text[:3], 999)
	if t.Code >= 100 && t.Code < 200 && t.isCommand { // more will come (RFC 959, 4.2.1)
		p.answer = nil
		return
	}
	p.answered(t)
	p.agreed(t, after(text))
}

func (p *Parser) answered(t *Tx) {
	t.complete[flow.ToClient] = true
	p.answer = nil
}

func after(text []byte) []byte { return text[min(len(text), 4):] }

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// oldest is the oldest command that waits. Without one a reply is a transaction of its own: the welcome, or one too many.
func (p *Parser) oldest() *Tx {
	for i := range p.list.Len() {
		if t := p.list.At(i); t.waits() {
			return t
		}
	}
	t := p.open()
	t.complete[flow.ToServer] = true
	if t.inspection.ID > 0 {
		t.events[flow.ToClient].Add(eventUnmatched)
	}
	return t
}

// Gap goes on at the next line.
func (p *Parser) Gap(d flow.Direction, _ int) bool {
	p.scan[d].Skip()
	p.gap[d] = true
	if d == flow.ToClient {
		p.inMulti = false
		if p.answer != nil {
			p.answered(p.answer)
		}
	}
	return true
}

// Txs are the open transactions.
func (p *Parser) Txs() []layer.Tx { return p.list.Txs() }

// Release forgets a transaction.
func (p *Parser) Release(i int) {
	t := p.list.Release(i)
	if p.answer == t {
		p.answer = nil
	}
	t.clear(p.pool)
}

// Opaque is never the case.
func (p *Parser) Opaque(flow.Direction) bool { return false }
