package ftp

import (
	"bytes"
	"net/netip"

	"citygate/pkg/app/line"
	"citygate/pkg/flow"
)

// Verb is a command that this package knows.
type Verb uint8

// The commands that have to do with data connections, and AUTH.
const (
	Other Verb = iota
	Port
	EPRT
	PASV
	EPSV
	Retr
	Stor
	List
	Auth
)

var verbs = [...]struct {
	name string
	verb Verb
}{
	{"port", Port},
	{"eprt", EPRT},
	{"pasv", PASV},
	{"epsv", EPSV},
	{"retr", Retr},
	{"stor", Stor},
	{"stou", Stor},
	{"appe", Stor},
	{"list", List},
	{"nlst", List},
	{"mlsd", List},
	{"auth", Auth},
}

func verbOf(b []byte) Verb {
	for _, v := range verbs {
		if line.Is(b, v.name) {
			return v.verb
		}
	}
	return Other
}

// Expect is a data connection that will come.
type Expect struct {
	// Addr is where it goes to. Its address is not valid when the command leaves it out (EPSV): it is the server's then.
	Addr    netip.AddrPort
	Passive bool // the client connects to the server; otherwise the server to the client
	// Transfer is filled when the command comes that uses the connection, which may be after the connection.
	Transfer *Transfer
}

// maxFileName is how many bytes of a file's name are kept.
const maxFileName = 512

// Transfer is what goes over a data connection.
type Transfer struct {
	Verb Verb // Other while it is not known
	name [maxFileName]byte
	n    int
}

// Name is the file's name.
func (t *Transfer) Name() []byte { return t.name[:t.n] }

// Expected is the next data connection that the engine was not told of yet.
func (p *Parser) Expected() (e Expect, ok bool) {
	if len(p.expected) == 0 {
		return e, false
	}
	e = p.expected[0]
	p.expected = append(p.expected[:0], p.expected[1:]...)
	return e, true
}

// data handles the commands that have to do with data connections.
func (p *Parser) data(t *Tx, argument []byte) {
	switch t.Verb {
	case Port, EPRT:
		parse := portAddress
		if t.Verb == EPRT {
			parse = extendedAddress
		}
		if addr, ok := parse(argument); ok {
			p.expect(t, addr, false)
		} else {
			t.events[flow.ToServer].Add(eventAddress)
		}
	case Retr, Stor, List:
		t.Passive, t.DynamicPort = p.passive, p.port
		if p.transfer != nil {
			p.transfer.Verb = t.Verb
			p.transfer.n = copy(p.transfer.name[:], argument)
			p.transfer = nil
		}
	}
}

// agreed handles replies that do.
func (p *Parser) agreed(t *Tx, text []byte) {
	switch {
	case t.Code == 227:
		i := bytes.IndexAny(text, "0123456789(")
		if i >= 0 && text[i] == '(' {
			i++
		}
		addr, ok := portAddress(text[max(i, 0):])
		p.agree(t, addr, ok)
	case t.Code == 229:
		i := bytes.IndexByte(text, '(')
		addr, ok := extendedAddress(text[i+1:])
		p.agree(t, addr, ok)
	case t.Code == 234 && t.Verb == Auth:
		p.upgrade = true
	}
}

func (p *Parser) agree(t *Tx, addr netip.AddrPort, ok bool) {
	if !ok {
		t.events[flow.ToClient].Add(eventAddress)
		return
	}
	p.expect(t, addr, true)
}

// expect notes a data connection. Of those that nobody asks for the oldest are forgotten.
func (p *Parser) expect(t *Tx, addr netip.AddrPort, passive bool) {
	t.DataAddr, t.Passive, t.DynamicPort = addr, passive, addr.Port()
	p.transfer, p.passive, p.port = new(Transfer), passive, addr.Port()
	if len(p.expected) == maxExpect {
		p.expected = append(p.expected[:0], p.expected[1:]...)
	}
	p.expected = append(p.expected, Expect{Addr: addr, Passive: passive, Transfer: p.transfer})
}

// portAddress reads h1,h2,h3,h4,p1,p2 (RFC 959, 4.1.2).
func portAddress(b []byte) (addr netip.AddrPort, ok bool) {
	var v [6]byte
	b = bytes.TrimLeft(b, " ")
	for i := range v {
		end := 0
		for end < len(b) && end < 3 && b[end] >= '0' && b[end] <= '9' {
			end++
		}
		n, ok := line.Number(b[:end], 255)
		if !ok {
			return addr, false
		}
		v[i] = byte(n)
		b = b[end:]
		if i < 5 {
			if len(b) == 0 || b[0] != ',' {
				return addr, false
			}
			b = b[1:]
		}
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(v[:4])), uint16(v[4])<<8|uint16(v[5])), true
}

// extendedAddress reads |1|132.235.1.2|6275| or |||6446| (RFC 2428, 2 and 3). Any delimiter is allowed.
func extendedAddress(b []byte) (addr netip.AddrPort, ok bool) {
	b = bytes.TrimLeft(b, " ")
	if len(b) < 5 {
		return addr, false
	}
	delimiter := b[:1]
	family, rest, ok1 := bytes.Cut(b[1:], delimiter)
	host, rest, ok2 := bytes.Cut(rest, delimiter)
	port, _, ok3 := bytes.Cut(rest, delimiter)
	n, ok4 := line.Number(port, 65535)
	if !ok1 || !ok2 || !ok3 || !ok4 || len(host) > 64 {
		return addr, false
	}
	if len(host) == 0 {
		return netip.AddrPortFrom(netip.Addr{}, uint16(n)), true
	}
	a, err := netip.ParseAddr(string(host))
	if err != nil || a.Is4() != (string(family) == "1") {
		return addr, false
	}
	return netip.AddrPortFrom(a, uint16(n)), true
}
