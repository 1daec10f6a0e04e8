package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"

	"citygate/pkg/flow"
)

// story is traffic that a rule must alert on, or must not.
type story struct {
	rule           *rule
	what           string // of a twin: what was broken
	family         family
	client, server netip.AddrPort
	turns          []turn
	have           map[string][][]byte // what the rule's buffers hold, as the generator sees it
	before         []*story            // in the same connection
	earlier        []*story            // in connections of their own
	repeat         int
	src, dst       netip.AddrPort // of the rule
}

// turn is what one side says.
type turn struct {
	from flow.Direction
	data []byte
}

type family uint8

const (
	rawTCP family = iota
	rawUDP
	icmp
	plainIP
	web
	names
	secure
	mail
)

// plan is what a story is made from.
type plan struct {
	rule     *rule
	number   int
	seed     uint64
	solved   map[string]*solved
	client   netip.AddrPort
	server   netip.AddrPort
	src, dst netip.AddrPort
	before   []*plan
	earlier  []*plan
	variant  int // of the telling that holds
}

var (
	errNoBytes   = errors.New("no bytes found that satisfy")
	errNoStory   = errors.New("no story found in which all hold")
	errAddresses = errors.New("no addresses found")
)

// family says what kind of traffic a rule looks at.
func (r *rule) family() family {
	switch r.proto {
	case "dns":
		return names
	case "tls":
		return secure
	case "smtp":
		return mail
	case "icmp":
		return icmp
	case "udp":
		return rawUDP
	case "http", "http1":
		return web
	}
	for _, s := range r.sections {
		switch {
		case len(s.buffer) > 5 && s.buffer[:5] == "http." || s.buffer == "file.data":
			return web
		case len(s.buffer) > 4 && s.buffer[:4] == "tls.":
			return secure
		case s.buffer == "dns.query":
			return names
		}
	}
	if r.proto == "ip" {
		switch {
		case r.ipProto == 17 || r.ipProto < 0 && len(r.sections) > 0:
			return rawUDP
		case r.ipProto >= 0 && r.ipProto != 6:
			return plainIP
		}
	}
	return rawTCP
}

// port is the usual port of what a rule looks at.
func (r *rule) port() int {
	switch r.proto {
	case "smtp":
		return 25
	case "ftp":
		return 21
	case "ssh":
		return 22
	case "smb":
		return 445
	}
	switch r.family() {
	case web:
		return 80
	case names:
		return 53
	case secure:
		return 443
	case mail:
		return 25
	}
	return 7777
}

// newPlan solves all that a rule asks for.
func newPlan(r *rule, number int, seed uint64, like *plan) (*plan, error) {
	if r.unknown != "" {
		return nil, errors.New(r.unknown)
	}
	p := &plan{rule: r, number: number, seed: seed, solved: map[string]*solved{}}
	if err := p.place(like); err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(seed, uint64(r.sid)))
	for _, s := range r.sections {
		if p.solved[s.buffer] != nil || !s.asks() && s.buffer != "packet" {
			continue
		}
		v := &solver{rng: rng, s: s, fill: letters}
		r.shape(v)
		got, ok := v.solve()
		if !ok {
			return nil, fmt.Errorf("%w %s", errNoBytes, s.buffer)
		}
		p.solved[s.buffer] = got
	}
	return p, nil
}

// asks says that a section wants something, and does not only forbid.
func (s *section) asks() bool {
	for _, t := range s.tests {
		if !t.negated || t.kind == byteTest {
			return true
		}
	}
	return false
}

func letters(rng *rand.Rand, _ int) byte { return "bcdfghjkmpqtvwxz"[rng.IntN(16)] }

// place chooses addresses, those of another story if they fit.
func (p *plan) place(like *plan) error {
	r := p.rule
	toServer := r.toServer()
	cport, sport := 20000+p.number%40000, r.port()
	var ok bool
	if like != nil {
		p.client, p.server = like.client, like.server
		p.src, p.dst = p.client, p.server
		if !toServer {
			p.src, p.dst = p.dst, p.src
		}
		if r.takes(p.src, p.dst) {
			return nil
		}
		return errAddresses
	}
	if toServer {
		p.src, p.dst, ok = r.ends(p.number, cport, sport, nil)
		p.client, p.server = p.src, p.dst
	} else {
		p.src, p.dst, ok = r.ends(p.number, sport, cport, nil)
		p.client, p.server = p.dst, p.src
	}
	if !ok {
		return errAddresses
	}
	return nil
}

// assemble tells the story of a plan: the first of several tellings in which all holds.
func (p *plan) assemble() (*story, error) {
	for variant := range variants {
		if s := p.tell(variant); s != nil && p.rule.holds(s.have) {
			p.variant = variant
			return p.complete(s)
		}
	}
	return nil, errNoStory
}

// assembleAs tells it in a given way, whether or not all holds.
func (p *plan) assembleAs(variant int) (*story, error) {
	if s := p.tell(variant); s != nil {
		return p.complete(s)
	}
	return nil, errNoStory
}

// variants is how many ways there are to tell a story.
const variants = 64

func (p *plan) complete(s *story) (*story, error) {
	s.rule, s.client, s.server, s.src, s.dst = p.rule, p.client, p.server, p.src, p.dst
	s.family, s.repeat = p.rule.family(), p.rule.repeat
	for _, b := range p.before {
		t, err := b.assemble()
		if err != nil {
			return nil, err
		}
		s.before = append(s.before, t)
	}
	for _, b := range p.earlier {
		t, err := b.assemble()
		if err != nil {
			return nil, err
		}
		s.earlier = append(s.earlier, t)
	}
	return s, nil
}

// tell tells a story in one way; nil if that way is none.
func (p *plan) tell(variant int) *story {
	switch p.rule.family() {
	case web:
		return p.tellWeb(variant)
	case names:
		return p.tellNames(variant)
	case secure:
		return p.tellSecure(variant)
	case mail:
		return p.tellMail(variant)
	}
	if variant > 0 {
		return nil
	}
	return p.tellRaw()
}

func (p *plan) direction() flow.Direction {
	if p.rule.toServer() {
		return flow.ToServer
	}
	return flow.ToClient
}

// bytes are the bytes that were found for a buffer; nil if it asks for none.
func (p *plan) bytes(buffer string) []byte {
	if s := p.solved[buffer]; s != nil {
		return s.bytes
	}
	return nil
}
