// Package telnet reads Telnet (RFC 854): it takes the options out, puts lines together, and tells log-ins from commands.
package telnet

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

const (
	maxLine = 256  // bytes kept of a line; names and passwords are far shorter
	maxSub  = 1024 // bytes of a subnegotiation (RFC 855); behind it text is read again, so that nothing hides in it
	maxHeld = 256  // transactions that wait for the engine; beyond it nothing is consumed until it released some
)

// The events.
const (
	eventLong uint8 = iota
	eventSub
	eventDefault
	eventGap
	eventMemory
)

var events = []string{
	eventLong:    "line_too_long",
	eventSub:     "subnegotiation_too_long",
	eventDefault: "default_credentials", // a pair of name and password that worms try
	eventGap:     "gap",
	eventMemory:  "memory_exceeded",
}

// Protocol describes Telnet. Text says too little, so that it is expected on its ports only.
func Protocol() *layer.Protocol {
	return &layer.Protocol{
		Proto: layer.Telnet, TCP: true, Ports: []uint16{23, 2323}, Hinted: true, Probe: probe,
		New: func(p *layer.Pool) layer.Parser { return New(p) }, Events: events,
	}
}

// probe wants a command of the protocol, or text.
func probe(_ flow.Direction, data []byte) layer.Answer {
	switch {
	case len(data) == 0 || data[0] == iac && len(data) == 1:
		return layer.More
	case data[0] == iac:
		if data[1] < commands {
			return layer.No
		}
		return layer.Yes
	}
	for _, c := range data[:min(len(data), 16)] {
		if c < 0x20 && c != '\r' && c != '\n' && c != '\t' && c != 0 && c != 7 && c != 8 && c != 27 || c == 0x7f {
			return layer.No
		}
	}
	return layer.Yes
}

// Parser reads one flow.
type Parser struct {
	pool   *layer.Pool
	list   tx.List[*Tx]
	nvt    [2]nvt
	server text
	client text
	spoke  bool   // the server sent text
	prompt prompt // when the client's line began
	typing bool   // the client's line began
	cr     bool   // it ended in CR: an LF behind it is no line
	login  *Tx    // the attempt that is open
	lines  int    // of a client whose server says nothing
	gap    [2]bool
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

// Data reads the next bytes.
func (p *Parser) Data(d flow.Direction, data []byte, end bool) (n int, ok bool) {
	v := &p.nvt[d]
	for n < len(data) {
		if p.list.Len() >= maxHeld && !end {
			return n, true
		}
		c, is := v.take(data[n])
		n++
		switch {
		case !is:
		case d == flow.ToClient:
			p.output(c)
		default:
			p.input(c)
		}
	}
	if end {
		p.finish(d)
	}
	return n, true
}

// output takes a character from the server.
func (p *Parser) output(c byte) {
	p.spoke = true
	if c == '\n' || c == '\r' {
		p.judge()
		p.server.reset()
		return
	}
	p.server.add(c)
}

// judge closes an attempt that the server's line refuses.
func (p *Parser) judge() {
	if t := p.login; t != nil && t.HasPassword && refuses(p.server.line()) {
		p.close(Failed)
	}
}

// input takes a character from the client. What it means depends on what the server asked when the line began: echoes
// come after it.
func (p *Parser) input(c byte) {
	if c == '\n' && p.cr {
		p.cr = false
		return
	}
	p.cr = c == '\r'
	if !p.typing {
		p.typing = true
		p.prompt = promptOf(p.server.line())
		if !p.spoke {
			p.prompt = p.guess()
		}
	}
	if c != '\r' && c != '\n' {
		p.client.edit(c)
		return
	}
	p.entered()
	p.typing = false
	p.client.reset()
}

// guess is for flows of which only the client's side is seen: a name, a password, then commands.
func (p *Parser) guess() prompt {
	p.lines++
	switch p.lines {
	case 1:
		return asksName
	case 2:
		return asksPassword
	}
	return asksNothing
}

// entered is the end of a client's line.
func (p *Parser) entered() {
	switch p.prompt {
	case asksName:
		p.close(Failed)
		p.login = p.open(Login)
		p.keep(p.login, &p.login.name)
	case asksPassword:
		if p.login == nil || p.login.HasPassword {
			p.close(Failed)
			p.login = p.open(Login)
		}
		t := p.login
		t.HasPassword = true
		p.keep(t, &t.password)
		if isDefault(t.Username(), t.Password()) {
			t.events[flow.ToServer].Add(eventDefault)
		}
		t.complete[flow.ToServer] = true
	default:
		if p.login != nil && p.spoke {
			p.close(OK)
		} else {
			p.close(Unknown)
		}
		if p.client.n == 0 {
			return
		}
		t := p.open(Command)
		p.keep(t, &t.command)
		t.complete = [2]bool{true, true}
	}
}

func (p *Parser) open(k Kind) *Tx {
	t, ok := p.list.Reuse()
	if !ok {
		t = new(Tx)
	}
	p.list.Add(t)
	t.Kind = k
	for d := range p.gap {
		if p.gap[d] {
			p.gap[d] = false
			t.events[d].Add(eventGap)
		}
		if p.nvt[d].long {
			p.nvt[d].long = false
			t.events[d].Add(eventSub)
		}
	}
	return t
}

func (p *Parser) keep(t *Tx, at *tx.Span) {
	var ok bool
	if *at, ok = t.store.Keep(p.pool, p.client.line()); !ok {
		t.events[flow.ToServer].Add(eventMemory)
	}
	if p.client.cut {
		t.events[flow.ToServer].Add(eventLong)
	}
}

// close ends the attempt that is open.
func (p *Parser) close(r Result) {
	t := p.login
	if t == nil {
		return
	}
	if !t.HasPassword {
		r = Unknown
	}
	t.Result = r
	t.complete = [2]bool{true, true}
	p.login = nil
}

// finish ends a direction.
func (p *Parser) finish(d flow.Direction) {
	if d == flow.ToServer && p.typing && p.client.n > 0 {
		p.entered()
		p.typing = false
	}
	if d == flow.ToClient && p.login != nil {
		p.judge()
		if promptOf(p.server.line()) == asksCommand {
			p.close(OK)
		}
	}
	for i := range p.list.Len() {
		p.list.At(i).complete[d] = true
	}
}

// Gap goes on behind missing bytes as if nothing was there.
func (p *Parser) Gap(d flow.Direction, _ int) bool {
	p.nvt[d] = nvt{}
	p.gap[d] = true
	if d == flow.ToServer {
		p.client.reset()
		p.typing = false
	} else {
		p.server.reset()
	}
	return true
}

// Txs are the open transactions.
func (p *Parser) Txs() []layer.Tx { return p.list.Txs() }

// Release forgets a transaction.
func (p *Parser) Release(i int) {
	t := p.list.Release(i)
	if p.login == t {
		p.login = nil
	}
	t.clear(p.pool)
}

// Opaque is never the case.
func (p *Parser) Opaque(flow.Direction) bool { return false }
