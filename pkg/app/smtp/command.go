package smtp

import (
	"bytes"

	"citygate/pkg/app/line"
	"citygate/pkg/flow"
)

// command reads a client's line.
func (p *Parser) command(b []byte, end bool) int {
	text, n, long, ok := p.scan[flow.ToServer].Next(b, maxCommand, end)
	if !ok {
		return n
	}
	if p.mode == response {
		p.mode = commands
		p.expect(auth)
		return n
	}
	verb, rest := text, []byte(nil)
	if i := bytes.IndexByte(text, ' '); i >= 0 {
		verb, rest = text[:i], bytes.TrimLeft(text[i:], " ")
	}
	p.act(verb, rest, text)
	if long {
		p.mail().raise(flow.ToServer, eventCommandLong)
	}
	return n
}

// act does what a command says. Those that are not known wait for their reply, too.
func (p *Parser) act(verb, rest, text []byte) {
	k := other
	switch {
	case len(text) == 0:
		return
	case line.Is(verb, "helo"), line.Is(verb, "ehlo"), line.Is(verb, "lhlo"):
		p.greet(bytes.TrimRight(rest, " "))
	case line.Starts(text, "mail from"):
		p.from(argument(text[len("mail from"):]))
	case line.Starts(text, "rcpt to"):
		p.mail().recipient(p.pool, argument(text[len("rcpt to"):]))
	case line.Is(verb, "data"):
		k = dataCommand
		p.mail()
		p.mode = data
		p.body.begin(p)
	case line.Is(verb, "bdat"):
		p.mail()
		p.chunk(rest)
		return
	case line.Is(verb, "rset"), line.Is(verb, "quit"):
		p.body.open = false
		p.expect(other) // without a mail they begin none
		p.closeMail(true)
		return
	case line.Is(verb, "starttls"):
		k = startTLS
	case line.Is(verb, "auth"):
		k = auth
	}
	p.mail()
	p.expect(k)
}

func (p *Parser) greet(name []byte) {
	p.heloLen = copy(p.helo[:], name)
	t := p.mail()
	t.keep(p.pool, &t.helo, p.helo[:p.heloLen])
}

// from begins a mail. A second sender in the same mail is refused by servers; the first counts.
func (p *Parser) from(address []byte) {
	t := p.mail()
	if t.from.Present() {
		t.raise(flow.ToServer, eventDuplicate)
		return
	}
	t.keep(p.pool, &t.from, address)
}

// argument is an address behind a colon, without parameters.
func argument(b []byte) []byte {
	b = bytes.TrimLeft(b, " \t:")
	if len(b) > 0 && b[0] == '<' {
		if i := bytes.IndexByte(b, '>'); i >= 0 {
			return b[:i+1]
		}
	}
	if i := bytes.IndexAny(b, " \t"); i >= 0 {
		return b[:i]
	}
	return b
}

// chunk begins a chunk (RFC 3030).
func (p *Parser) chunk(rest []byte) {
	size, last := rest, []byte(nil)
	if i := bytes.IndexByte(rest, ' '); i >= 0 {
		size, last = rest[:i], bytes.TrimSpace(rest[i:])
	}
	n, ok := line.Number(size, maxChunk)
	p.last = line.Is(last, "last")
	if !ok {
		p.tx.raise(flow.ToServer, eventChunk)
		p.expect(other)
		return
	}
	if !p.body.open {
		p.body.begin(p)
	}
	p.mode, p.left = chunk, n
	if n == 0 {
		p.endChunk()
	}
}

// endChunk is the end of a chunk; the last one's is that of the mail.
func (p *Parser) endChunk() {
	p.mode = commands
	p.scan[flow.ToServer].Reset()
	if !p.last {
		p.expect(other)
		return
	}
	p.endMail()
}

func (p *Parser) endMail() {
	p.body.finish(p)
	p.expect(dataEnd)
	p.mode = commands
	p.closeMail(!p.silent && p.waiting > 0)
}

// content reads a line of a mail, or a piece of a long one.
func (p *Parser) content(b []byte, end bool) int {
	limit, whole := len(b), end
	if p.mode == chunk && p.left <= len(b) {
		limit, whole = p.left, true
	}
	text, n, ended, ok := p.body.cut(b[:limit], whole)
	if !ok {
		return n
	}
	inChunk := p.mode == chunk
	if !inChunk && p.body.fresh && len(text) > 0 && text[0] == '.' { // RFC 5321, 4.5.2
		if len(text) == 1 && ended {
			p.endMail()
			return n
		}
		text = text[1:]
	}
	p.body.line(p, text, ended)
	if inChunk {
		if p.left -= n; p.left == 0 {
			p.endChunk()
		}
	}
	return n
}
