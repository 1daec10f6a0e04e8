package smtp

import (
	"citygate/pkg/app/line"
	"citygate/pkg/flow"
)

// reply reads a server's line (RFC 5321, 4.2): the last of a reply ends what the oldest command waits for.
func (p *Parser) reply(b []byte, end bool) int {
	text, n, long, ok := p.scan[flow.ToClient].Next(b, maxCommand, end)
	if !ok || len(text) == 0 {
		return n
	}
	code, valid := 0, false
	if len(text) >= 3 {
		code, valid = line.Number(text[:3], 599)
	}
	valid = valid && code >= 200 && (len(text) == 3 || text[3] == ' ' || text[3] == '-')
	if long || !valid {
		t := p.mail()
		if long {
			t.raise(flow.ToClient, eventReplyLong)
		}
		if !valid {
			t.raise(flow.ToClient, eventReply)
		}
	}
	if valid && (len(text) == 3 || text[3] == ' ') {
		p.answered(code)
	}
	return n
}

// answered takes a reply.
func (p *Parser) answered(code int) {
	if !p.welcomed {
		p.welcomed = true
		if p.waiting == 0 || code == 220 && p.pending[0] != startTLS {
			if code != 220 && code != 554 {
				p.mail().raise(flow.ToClient, eventNoWelcome)
			}
			return
		}
	}
	if p.waiting == 0 {
		if p.mode == data && p.body.open && p.body.lost {
			p.body.finish(p)
			p.closeMail(false)
			p.mode = commands
			p.scan[flow.ToServer].Reset()
			return
		}
		if !p.silent {
			p.mail().raise(flow.ToClient, eventUnmatched)
		}
		return
	}
	k, t := p.pending[0], p.mails[0]
	copy(p.pending[:], p.pending[1:p.waiting])
	copy(p.mails[:], p.mails[1:p.waiting])
	p.waiting--
	p.settle(k, t, code)
}

// settle does what a reply to a command means.
func (p *Parser) settle(k kind, t *Tx, code int) {
	if t != nil && t.complete[flow.ToServer] && !p.awaits(t) {
		t.complete[flow.ToClient] = true
	}
	switch {
	case k == startTLS && code == 220:
		p.closeMail(false)
		p.upgrade = true
	case k == startTLS && t != nil:
		t.raise(flow.ToClient, eventTLSRejected)
	case k == auth && code == 334:
		p.mode = response
	case k == dataCommand && code != 354:
		if t != nil {
			t.raise(flow.ToClient, eventDataRejected)
		}
		if p.mode == data && t != nil && t == p.tx { // what was taken for a mail are commands
			p.mode = commands
			p.body.open = false
			p.scan[flow.ToServer].Reset()
		}
	}
}

// awaits says whether a reply to a command of a mail is still to come.
func (p *Parser) awaits(t *Tx) bool {
	for _, m := range p.mails[:p.waiting] {
		if m == t {
			return true
		}
	}
	return false
}
