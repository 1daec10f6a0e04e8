// Package pattern reads regular expressions in the notation of rules, judges whether bytes match, and makes bytes that
// do. It is slow and plain, and shares nothing with the engine's own expressions: it is what they are compared with.
package pattern

import "errors"

// Pattern is an expression that was read.
type Pattern struct {
	root   *node
	groups int
	names  map[string]int
	flags  flags
	Flags  string // all letters behind the last slash
}

type flags struct{ fold, dotAll, multi, extended, anchored, endOnly, lazy bool }

type op uint8

const (
	opEmpty op = iota
	opSet
	opCat
	opAlt
	opRepeat
	opGroup
	opBegin // ^
	opEnd   // $
	opBeginText
	opEndText
	opWord
	opNotWord
	opAhead
	opBehind
	opSame // a back reference
	opAtomic
)

type set [4]uint64

func (s *set) add(b byte)      { s[b>>6] |= 1 << (b & 63) }
func (s *set) has(b byte) bool { return s[b>>6]>>(b&63)&1 != 0 }
func (s *set) invert() {
	for i := range s {
		s[i] = ^s[i]
	}
}

func (s *set) union(o set) {
	for i := range s {
		s[i] |= o[i]
	}
}

// fold adds the other case of each letter.
func (s *set) fold() {
	for c := byte('a'); c <= 'z'; c++ {
		if s.has(c) || s.has(c-32) {
			s.add(c)
			s.add(c - 32)
		}
	}
}

func single(b byte) (s set) {
	s.add(b)
	return s
}

type node struct {
	op       op
	set      set
	subs     []*node
	min, max int // of a repetition; max -1: no end
	lazy     bool
	negated  bool // of a look
	multi    bool // of ^ and $
	fold     bool // of a back reference
	group    int
}

// errSyntax is an expression that this package cannot read.
var errSyntax = errors.New("the expression's notation is not known here")

// Anchored says that a match begins where the search begins, and that it ends where the text ends.
func (p *Pattern) Anchored() (begin, end bool) {
	return p.flags.anchored || edge(p.root, true), edge(p.root, false)
}

func edge(n *node, first bool) bool {
	switch n.op {
	case opBegin, opBeginText:
		return first && !n.multi
	case opEnd, opEndText:
		return !first && !n.multi
	case opCat:
		if len(n.subs) == 0 {
			return false
		}
		if !first {
			return edge(n.subs[len(n.subs)-1], first)
		}
		return edge(n.subs[0], first)
	case opGroup, opAtomic:
		return edge(n.subs[0], first)
	case opAlt:
		for _, s := range n.subs {
			if !edge(s, first) {
				return false
			}
		}
		return true
	}
	return false
}
