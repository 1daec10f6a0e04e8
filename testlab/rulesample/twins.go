package main

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
)

// maxTwins bounds the twins of a rule.
const maxTwins = 12

// twins are stories that differ from a plan's in one thing that the rule asks for: a byte of a content, of what an
// expression matches, the length, an address, a port, the number of repetitions.
func (p *plan) twins(s *story) (out []*story) {
	rng := rand.New(rand.NewPCG(p.seed, 77))
	for _, sec := range p.rule.sections {
		got := p.solved[sec.buffer]
		if got == nil || got.section != sec {
			continue
		}
		for _, sp := range got.spans {
			if len(out) < maxTwins {
				if t := p.broken(rng, got, sp); t != nil {
					out = append(out, t)
				}
			}
		}
		if t := p.resized(got); t != nil && len(out) < maxTwins {
			out = append(out, t)
		}
	}
	out = append(out, p.forbidden()...)
	out = append(out, p.elsewhere(s)...)
	return out
}

// changed is the story of the plan with other bytes in a buffer, if the rule does not hold in it.
func (p *plan) changed(got *solved, b []byte) *story {
	q := *p
	q.solved = map[string]*solved{}
	for k, v := range p.solved {
		q.solved[k] = v
	}
	q.solved[got.section.buffer] = &solved{section: got.section, bytes: b, spans: got.spans}
	if f := shapes[got.section.buffer]; f != nil {
		v := &solver{s: got.section}
		f(v)
		if v.valid != nil && !v.valid(b) {
			return nil
		}
	}
	t, err := q.assembleAs(p.variant)
	if err != nil || p.rule.holds(t.have) {
		return nil
	}
	return t
}

// broken changes one byte of what a test asks for.
func (p *plan) broken(rng *rand.Rand, got *solved, sp span) *story {
	if sp.to > len(got.bytes) || sp.from < 0 || sp.from >= sp.to {
		return nil
	}
	for range 30 {
		b := bytes.Clone(got.bytes)
		at := sp.from + rng.IntN(sp.to-sp.from)
		b[at] = other(rng, b[at])
		if t := p.changed(got, b); t != nil {
			t.what = "a byte of " + sp.test.text + " in " + got.section.buffer
			return t
		}
	}
	return nil
}

// other is another byte of the same kind.
func other(rng *rand.Rand, c byte) byte {
	kinds := []string{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "!#$&'*+-.^_`|~=,;@/"}
	for _, k := range kinds {
		if bytes.IndexByte([]byte(k), c) < 0 {
			continue
		}
		for {
			if d := k[rng.IntN(len(k))]; d != c && d|0x20 != c|0x20 {
				return d
			}
		}
	}
	return c ^ byte(1+rng.IntN(127))
}

// resized makes a buffer of a fixed size one byte longer.
func (p *plan) resized(got *solved) *story {
	for _, t := range got.section.tests {
		if t.kind != size {
			continue
		}
		for _, at := range []int{len(got.bytes), len(got.bytes) / 2, 1} {
			b := slices.Insert(bytes.Clone(got.bytes), min(at, len(got.bytes)), 'k')
			if len(b) > t.high {
				if s := p.changed(got, b); s != nil {
					s.what = "one byte more in " + got.section.buffer
					return s
				}
			}
		}
	}
	return nil
}

// forbidden puts what a rule forbids behind what it asks for.
func (p *plan) forbidden() (out []*story) {
	for _, sec := range p.rule.sections {
		got := p.solved[sec.buffer]
		if got == nil || got.section != sec {
			continue
		}
		for _, t := range sec.tests {
			if t.kind != content || !t.negated || len(out) > 3 {
				continue
			}
			for _, at := range []int{len(got.bytes), 0, len(got.bytes) / 2} {
				if s := p.changed(got, slices.Insert(bytes.Clone(got.bytes), at, t.bytes...)); s != nil {
					s.what = "the forbidden " + t.text + " in " + sec.buffer
					out = append(out, s)
					break
				}
			}
		}
	}
	return out
}

// elsewhere is the same traffic between ends that the rule does not name, and too little of it.
func (p *plan) elsewhere(s *story) (out []*story) {
	for _, e := range p.strangers() {
		t := *s
		t.what = e.what
		t.src, t.dst = e.src, e.dst
		t.client, t.server = e.src, e.dst
		if !p.rule.toServer() {
			t.client, t.server = e.dst, e.src
		}
		out = append(out, &t)
	}
	if p.rule.repeat > 1 {
		t := *s
		t.what, t.repeat = "one time too few", p.rule.repeat-1
		out = append(out, &t)
	}
	return out
}

type stranger struct {
	what     string
	src, dst netip.AddrPort
}

// strangers are ends that differ from the plan's in one that the rule names.
func (p *plan) strangers() (out []stranger) {
	r := p.rule
	add := func(what string, src, dst netip.AddrPort) bool {
		if r.takes(src, dst) || r.both && r.takes(dst, src) {
			return false
		}
		out = append(out, stranger{what, src, dst})
		return true
	}
	for _, a := range hosts("any", p.number, false) {
		if a != p.dst.Addr() && add("another source", netip.AddrPortFrom(a, p.src.Port()), p.dst) {
			break
		}
	}
	for _, a := range hosts("any", p.number, false) {
		if a != p.src.Addr() && add("another destination", p.src, netip.AddrPortFrom(a, p.dst.Port())) {
			break
		}
	}
	if r.proto == "ip" || r.proto == "icmp" {
		return out
	}
	for _, port := range []uint16{p.dst.Port() + 1, 4321, 80, 81} {
		if add("another port", p.src, netip.AddrPortFrom(p.dst.Addr(), port)) {
			break
		}
	}
	return out
}
