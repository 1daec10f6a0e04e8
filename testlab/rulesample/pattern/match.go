package pattern

import "bytes"

// maxSteps bounds a match: an expression that needs more says no.
const maxSteps = 3_000_000

type matcher struct {
	text  []byte
	marks [][2]int
	steps int
}

// Find is the first match that begins at or behind a place.
func (p *Pattern) Find(text []byte, from int) (begin, end int, ok bool) {
	m := matcher{text: text, marks: make([][2]int, p.groups+1)}
	for at := from; at <= len(text); at++ {
		for i := range m.marks {
			m.marks[i] = [2]int{-1, -1}
		}
		if m.run(p.root, at, func(i int) bool { end = i; return true }) {
			return at, end, true
		}
		if p.flags.anchored {
			break
		}
	}
	return 0, 0, false
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func (m *matcher) word(i int) bool {
	before := i > 0 && isWord(m.text[i-1])
	after := i < len(m.text) && isWord(m.text[i])
	return before != after
}

// run matches a node at a place and goes on with next.
func (m *matcher) run(n *node, i int, next func(int) bool) bool {
	if m.steps++; m.steps > maxSteps {
		return false
	}
	switch n.op {
	case opEmpty:
		return next(i)
	case opSet:
		return i < len(m.text) && n.set.has(m.text[i]) && next(i+1)
	case opCat:
		return m.cat(n.subs, i, next)
	case opAlt:
		for _, s := range n.subs {
			if m.run(s, i, next) {
				return true
			}
		}
		return false
	case opRepeat:
		return m.repeat(n, 0, i, -1, next)
	case opGroup:
		old := m.marks[n.group]
		if m.run(n.subs[0], i, func(j int) bool {
			inner := m.marks[n.group]
			if n.group > 0 {
				m.marks[n.group] = [2]int{i, j}
			}
			if next(j) {
				return true
			}
			m.marks[n.group] = inner
			return false
		}) {
			return true
		}
		m.marks[n.group] = old
		return false
	}
	return m.zero(n, i) && m.rest(n, i, next)
}

// zero says whether a condition holds that takes no byte.
func (m *matcher) zero(n *node, i int) bool {
	last := len(m.text)
	switch n.op {
	case opBegin:
		return i == 0 || n.multi && m.text[i-1] == '\n'
	case opEnd:
		return i == last || i == last-1 && m.text[i] == '\n' || n.multi && m.text[i] == '\n'
	case opBeginText:
		return i == 0
	case opEndText:
		return i == last
	case opWord:
		return m.word(i)
	case opNotWord:
		return !m.word(i)
	case opAhead:
		return m.run(n.subs[0], i, func(int) bool { return true }) != n.negated
	case opBehind:
		found := false
		for from := i; from >= 0 && !found; from-- {
			found = m.run(n.subs[0], from, func(j int) bool { return j == i })
		}
		return found != n.negated
	}
	return true
}

func (m *matcher) rest(n *node, i int, next func(int) bool) bool {
	switch n.op {
	case opSame:
		mark := m.marks[n.group]
		if mark[0] < 0 {
			return false
		}
		want := m.text[mark[0]:mark[1]]
		if i+len(want) > len(m.text) {
			return false
		}
		got := m.text[i : i+len(want)]
		if n.fold && !bytes.EqualFold(got, want) || !n.fold && !bytes.Equal(got, want) {
			return false
		}
		return next(i + len(want))
	case opAtomic:
		end := -1
		if !m.run(n.subs[0], i, func(j int) bool { end = j; return true }) {
			return false
		}
		return next(end)
	}
	return next(i)
}

func (m *matcher) cat(subs []*node, i int, next func(int) bool) bool {
	if len(subs) == 0 {
		return next(i)
	}
	return m.run(subs[0], i, func(j int) bool { return m.cat(subs[1:], j, next) })
}

// repeat matches what is left of a repetition behind count turns, the last of which began at last.
func (m *matcher) repeat(n *node, count, i, last int, next func(int) bool) bool {
	if s := n.subs[0]; s.op == opSet {
		return m.repeatSet(n, i, next)
	}
	more := func() bool {
		if n.max >= 0 && count >= n.max || i == last && count >= n.min {
			return false
		}
		return m.run(n.subs[0], i, func(j int) bool { return m.repeat(n, count+1, j, i, next) })
	}
	if count < n.min {
		return more()
	}
	if n.lazy {
		return next(i) || more()
	}
	return more() || next(i)
}

func (m *matcher) repeatSet(n *node, i int, next func(int) bool) bool {
	s, most := &n.subs[0].set, len(m.text)-i
	if n.max >= 0 {
		most = min(most, n.max)
	}
	count := 0
	for count < most && s.has(m.text[i+count]) {
		count++
	}
	if count < n.min {
		return false
	}
	if n.lazy {
		for k := n.min; k <= count; k++ {
			if m.steps++; m.steps > maxSteps || next(i+k) {
				return m.steps <= maxSteps
			}
		}
		return false
	}
	for k := count; k >= n.min; k-- {
		if m.steps++; m.steps > maxSteps || next(i+k) {
			return m.steps <= maxSteps
		}
	}
	return false
}
