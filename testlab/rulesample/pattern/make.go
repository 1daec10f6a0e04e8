package pattern

import (
	"math/rand/v2"
)

// maker makes bytes that an expression may match; looks are hopes that a match must confirm.
type maker struct {
	rng    *rand.Rand
	out    []byte
	marks  map[int][]byte
	wanted [][]byte // what should occur
	most   int      // turns beyond the least of a repetition
}

// Make makes bytes that match on their own; wanted are texts that should occur in them where classes allow it. It tries
// a bounded number of times.
func (p *Pattern) Make(rng *rand.Rand, wanted [][]byte, tries int) ([]byte, bool) {
	for range tries {
		m := maker{rng: rng, marks: map[int][]byte{}, wanted: wanted, most: 1 + rng.IntN(6)}
		m.node(p.root)
		if b, e, ok := p.Find(m.out, 0); ok && (b == 0 || e == len(m.out) || rng.IntN(4) == 0) {
			return m.out, true
		}
	}
	return nil, false
}

func (m *maker) node(n *node) {
	switch n.op {
	case opSet:
		m.out = append(m.out, m.pick(&n.set))
	case opCat:
		for _, s := range n.subs {
			m.node(s)
		}
	case opAlt:
		m.node(n.subs[m.rng.IntN(len(n.subs))])
	case opRepeat:
		m.repeat(n)
	case opGroup, opAtomic:
		from := len(m.out)
		m.node(n.subs[0])
		if n.group > 0 {
			m.marks[n.group] = append([]byte(nil), m.out[from:]...)
		}
	case opSame:
		m.out = append(m.out, m.marks[n.group]...)
	case opAhead, opBehind:
		if !n.negated && m.rng.IntN(8) > 0 {
			m.node(n.subs[0])
		}
	case opBegin:
		if n.multi && len(m.out) > 0 {
			m.out = append(m.out, '\n')
		}
	}
}

// maxTurns bounds what a repetition makes.
const maxTurns = 3000

func (m *maker) repeat(n *node) {
	turns := n.min
	if extra := m.rng.IntN(m.most + 1); n.max < 0 {
		turns += extra
	} else {
		turns += min(extra, n.max-n.min)
	}
	turns = min(turns, maxTurns)
	if s := n.subs[0]; s.op == opSet {
		if m.want(&s.set, n.min, n.max) {
			return
		}
	}
	for range turns {
		m.node(n.subs[0])
	}
}

// want puts a piece of a wanted text into a repetition of a class that allows it.
func (m *maker) want(s *set, low, high int) bool {
	if len(m.wanted) == 0 || m.rng.IntN(2) == 0 {
		return false
	}
	w := m.wanted[m.rng.IntN(len(m.wanted))]
	from := len(m.out)
	for i := 0; i < len(w); {
		j := i
		for j < len(w) && s.has(w[j]) {
			j++
		}
		if j > i && (high < 0 || j-i <= high) && (j-i == len(w) || m.rng.IntN(2) == 0) {
			m.out = append(m.out, w[i:j]...)
			break
		}
		i = j + 1
	}
	got := len(m.out) - from
	if got == 0 {
		return false
	}
	for ; got < low; got++ {
		m.out = append(m.out, m.pick(s))
	}
	return true
}

// The bytes that are picked first, if a class has them.
var preferred = []set{
	func() set { s := span('a', 'z'); s.union(span('A', 'Z')); s.union(span('0', '9')); return s }(),
	span('!', '~'),
	single(' '),
	chars("\t\r\n"),
}

func (m *maker) pick(s *set) byte {
	for _, p := range preferred {
		both := *s
		n := 0
		for i := range both {
			both[i] &= p[i]
		}
		for c := range 256 {
			if both.has(byte(c)) {
				n++
			}
		}
		// Now and then what is rare.
		if n > 0 && (m.rng.IntN(30) > 0 || m.most < 3) {
			k := m.rng.IntN(n)
			for c := range 256 {
				if both.has(byte(c)) {
					if k == 0 {
						return byte(c)
					}
					k--
				}
			}
		}
	}
	at := m.rng.IntN(256)
	for i := range 256 {
		if c := byte(at + i); s.has(c) {
			return c
		}
	}
	return 0
}
