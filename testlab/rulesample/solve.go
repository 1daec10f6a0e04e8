package main

import (
	"bytes"
	"math/rand/v2"
)

// solver makes a buffer that satisfies a section: it puts what the tests ask for into cells, in an order and at places
// that chance chooses, fills the rest, and lets the judge decide.
type solver struct {
	rng      *rand.Rand
	s        *section
	fill     func(rng *rand.Rand, at int) byte
	valid    func(b []byte) bool
	template []byte // what free cells hold, if there is one
	wanted   [][]byte
	more     []*test                   // sizes from elsewhere
	most     int                       // of the length, if not 0
	lower    bool                      // only small letters
	repair   func(b []byte) []repaired // ways to make a valid buffer of what was found

	cells     []int16 // -1 is free
	low, high int     // of the length
	names     map[string]int
	spans     []span
}

// repaired is a buffer with something put around it: shift bytes stand before.
type repaired struct {
	b     []byte
	shift int
}

// span is where a test's bytes lie.
type span struct {
	test     *test
	from, to int
}

// solved is a buffer's bytes.
type solved struct {
	section *section
	bytes   []byte
	spans   []span
}

const (
	solveTries = 400
	maxCells   = 70_000
)

func (v *solver) solve() (*solved, bool) {
	for _, t := range v.s.tests {
		if t.kind == content && !t.negated {
			v.wanted = append(v.wanted, t.bytes)
		}
	}
	for range solveTries {
		if b, ok := v.try(); ok {
			return &solved{section: v.s, bytes: b, spans: v.spans}, true
		}
	}
	return nil, false
}

func (v *solver) try() ([]byte, bool) {
	v.cells, v.spans, v.low, v.high, v.names = nil, nil, 0, maxCells, nil
	if v.most > 0 {
		v.high = v.most
	}
	for _, tests := range [][]*test{v.s.tests, v.more} {
		for _, t := range tests {
			if t.kind == size {
				v.low, v.high = max(v.low, t.low), min(v.high, t.high)
			}
		}
	}
	// Expressions that look at the whole come first most of the time: contents are often parts of what they match.
	first := v.rng.IntN(4) > 0
	done := map[*test]bool{}
	if first {
		for _, t := range v.s.tests {
			if t.kind == pcre && !t.negated && !t.relative {
				done[t] = true
				if _, ok := v.expression(t, 0); !ok {
					return nil, false
				}
			}
		}
	}
	last := 0
	for _, t := range v.s.tests {
		ok := true
		if !done[t] {
			last, ok = v.place(t, last)
		}
		if !ok {
			return nil, false
		}
	}
	b, ok := v.filled()
	if !ok {
		return nil, false
	}
	n := len(b)
	if b = untransform(b, v.s.how); b == nil {
		return nil, false
	}
	for i := range v.spans {
		v.spans[i].from -= n - len(b)
		v.spans[i].to -= n - len(b)
	}
	ways := []repaired{{b, 0}}
	if v.repair != nil {
		ways = v.repair(b)
	}
	for _, w := range ways {
		if (v.valid == nil || v.valid(w.b)) && v.s.holds(transform(w.b, v.s.how)) {
			for i := range v.spans {
				v.spans[i].from += w.shift
				v.spans[i].to += w.shift
			}
			return w.b, true
		}
	}
	return nil, false
}

// untransform takes off what transforms add; nil if that cannot be.
func untransform(b []byte, how []string) []byte {
	for _, h := range how {
		if h == "dotprefix" {
			if len(b) < 2 || b[0] != '.' {
				return nil
			}
			b = b[1:]
		}
	}
	return b
}

// place puts a test's bytes somewhere and gives where the next relative one counts from.
func (v *solver) place(t *test, last int) (int, bool) {
	switch t.kind {
	case content:
		if t.negated {
			return last, true
		}
		return v.content(t, last)
	case pcre:
		if t.negated {
			return last, true
		}
		return v.expression(t, last)
	case dataAt:
		n := t.number.value(v.names) + 1
		if t.relative {
			n += last - 1
		}
		if t.negated {
			v.high = min(v.high, n-1)
		} else {
			v.low = max(v.low, n)
		}
		return last, v.low <= v.high
	case size:
		return last, true
	}
	return v.number(t, last)
}

func (v *solver) content(t *test, last int) (int, bool) {
	b := t.bytes
	if t.nocase && v.lower {
		b = bytes.ToLower(b)
	} else if t.nocase {
		b = v.mixed(b)
	}
	low, high := t.place(last, v.high, v.names)
	if t.ends {
		return v.atEnd(t, b, low, high)
	}
	relative := t.distance != nil || t.within != nil
	bound := t.within != nil || t.depth != nil || t.starts
	// What is there already is taken now and then, always if there is little room.
	if at, ok := v.existing(t, low, high); ok && (v.rng.IntN(4) > 0 || bound) {
		v.spans = append(v.spans, span{t, at, at + len(b)})
		return at + len(b), true
	}
	start := low
	if !bound && !relative {
		start = max(low, len(v.cells))
	}
	if !bound || v.rng.IntN(3) == 0 {
		start += v.rng.IntN(3)
	}
	for at := start; at+len(b) <= high && at < start+3000; at++ {
		if v.put(t, at, b) {
			return at + len(b), true
		}
	}
	for at := low; at < start && at+len(b) <= high; at++ {
		if v.put(t, at, b) {
			return at + len(b), true
		}
	}
	return 0, false
}

func (v *solver) atEnd(t *test, b []byte, low, high int) (int, bool) {
	end := max(low+len(b), len(v.cells), v.low)
	// An expression may have put it at the end already.
	if n := len(v.cells) - len(b); n >= low && v.matches(t, n) {
		end = len(v.cells)
	} else if v.low < v.high && v.rng.IntN(3) > 0 && t.depth == nil && t.within == nil {
		end += len(b) + v.rng.IntN(3)
	}
	if end > high || end > v.high || !v.put(t, end-len(b), b) {
		return 0, false
	}
	v.low, v.high = end, end
	return end, true
}

// existing is a place where a content's bytes lie already.
func (v *solver) existing(t *test, low, high int) (int, bool) {
	for at := low; at+len(t.bytes) <= min(high, len(v.cells)); at++ {
		if v.matches(t, at) {
			return at, true
		}
	}
	return 0, false
}

func (v *solver) matches(t *test, at int) bool {
	if at < 0 || at+len(t.bytes) > len(v.cells) {
		return false
	}
	b := make([]byte, len(t.bytes))
	for i := range b {
		if v.cells[at+i] < 0 {
			return false
		}
		b[i] = byte(v.cells[at+i])
	}
	return t.equal(b)
}

// mixed changes the case of letters at random.
func (v *solver) mixed(b []byte) []byte {
	b = bytes.Clone(b)
	for i, c := range b {
		if l := c | 0x20; l >= 'a' && l <= 'z' && v.rng.IntN(2) == 0 {
			b[i] ^= 0x20
		}
	}
	return b
}

// put writes bytes into free cells, or cells that hold them.
func (v *solver) put(t *test, at int, b []byte) bool {
	if at < 0 || at+len(b) > v.high {
		return false
	}
	for i, c := range b {
		if at+i < len(v.cells) && v.cells[at+i] >= 0 && v.cells[at+i] != int16(c) &&
			!(t.nocase && t.kind == content && v.cells[at+i]|0x20 == int16(c)|0x20 && c|0x20 >= 'a' && c|0x20 <= 'z') {
			return false
		}
	}
	for len(v.cells) < at+len(b) {
		v.cells = append(v.cells, -1)
	}
	for i, c := range b {
		if v.cells[at+i] < 0 {
			v.cells[at+i] = int16(c)
		}
	}
	v.spans = append(v.spans, span{t, at, at + len(b)})
	return true
}

// expression puts bytes that match an expression.
func (v *solver) expression(t *test, last int) (int, bool) {
	begin, end := t.pattern.Anchored()
	b, ok := t.pattern.Make(v.rng, v.wanted, 30)
	if !ok {
		return 0, false
	}
	low := 0
	if t.relative {
		low = last
	}
	start := low
	if !begin {
		if !t.relative || v.rng.IntN(2) == 0 {
			start = max(low, len(v.cells))
		}
		start += v.rng.IntN(3)
	}
	if end && !begin && v.low == v.high {
		start = max(low, v.high-len(b))
	}
	for at := start; at+len(b) <= v.high && at < start+3000; at++ {
		if v.put(t, at, b) {
			if end {
				v.low, v.high = max(v.low, at+len(b)), min(v.high, at+len(b))
			}
			return at + len(b), v.low <= v.high
		}
		if begin {
			break
		}
	}
	return 0, false
}

// filled gives the cells with something in the free ones.
func (v *solver) filled() ([]byte, bool) {
	n := max(len(v.cells), v.low, 1)
	if n > v.high {
		return nil, false
	}
	if v.high > n && v.rng.IntN(2) == 0 {
		n = min(n+v.rng.IntN(6), v.high)
	}
	n = max(n, min(len(v.template), v.high))
	b := make([]byte, n)
	for i := range b {
		switch {
		case i < len(v.cells) && v.cells[i] >= 0:
			b[i] = byte(v.cells[i])
		case i < len(v.template):
			b[i] = v.template[i]
		default:
			b[i] = v.fill(v.rng, i)
		}
	}
	return b, true
}
