package main

import (
	"errors"
	"strings"
)

var errSetter = errors.New("no rule is found that sets the bit")

// library is all rules, and which of them set which bits.
type library struct {
	rules   []*rule
	setters map[string][]*rule // by bit; xbits with an x: before
}

func newLibrary(rules []*rule) *library {
	l := &library{rules: rules, setters: map[string][]*rule{}}
	for _, r := range rules {
		r.understand()
		for _, b := range r.bits {
			if name, ok := strings.CutPrefix(b, "set,"); ok {
				l.setters[name] = append(l.setters[name], r)
			}
		}
		for _, b := range r.xbits {
			if name, ok := strings.CutPrefix(b, "set,"); ok {
				l.setters["x:"+name] = append(l.setters["x:"+name], r)
			}
		}
	}
	return l
}

const (
	maxSetters = 40 // that are tried for a bit
	maxChain   = 3  // setters of setters
)

// plan is a plan with all that must come before.
func (l *library) plan(r *rule, number int, seed uint64, like *plan, depth int) (*plan, *story, error) {
	p, err := newPlan(r, number, seed, like)
	if err != nil {
		return nil, nil, err
	}
	for _, b := range r.bits {
		if names, ok := strings.CutPrefix(b, "isset,"); ok {
			s := l.setter(p, names, "", depth)
			if s == nil {
				return nil, nil, errSetter
			}
			p.before = append(p.before, s)
		}
	}
	for _, b := range r.xbits {
		if names, ok := strings.CutPrefix(b, "isset,"); ok {
			s := l.setter(p, names, "x:", depth)
			if s == nil {
				return nil, nil, errSetter
			}
			p.earlier = append(p.earlier, s)
		}
	}
	s, err := p.assemble()
	return p, s, err
}

// setter is a plan of a rule that sets one of some bits.
func (l *library) setter(p *plan, names, kind string, depth int) *plan {
	if depth >= maxChain {
		return nil
	}
	for _, name := range strings.Split(names, "|") {
		for i, r := range l.setters[kind+name] {
			if i >= maxSetters {
				break
			}
			if r == p.rule || r.unknown != "" || r.repeat > 1 || kind == "" && !together(r, p.rule) {
				continue
			}
			if q, _, err := l.plan(r, p.number, p.seed, p, depth+1); err == nil {
				return q
			}
		}
	}
	return nil
}

// together says whether what one rule looks at can come before what another looks at, in one connection.
func together(first, then *rule) bool {
	a, b := first.family(), then.family()
	return a == b && (a == web || a == rawTCP || a == rawUDP || a == names) || b == rawTCP && (a == web || a == secure)
}

// setterRules are the rules that a plan needs besides its own.
func (p *plan) setterRules() (out []*rule) {
	for _, list := range [][]*plan{p.before, p.earlier} {
		for _, q := range list {
			out = append(append(out, q.setterRules()...), q.rule)
		}
	}
	return out
}
