package signature

import "regexp/syntax"

// Limits of the machine.
const (
	// machineSteps is how many instructions one search may take: some 50 ms. Searches are linear in the data, times the size of the
	// expression: only long expressions on megabytes come near.
	machineSteps = 20 << 20
	// visitedBits bounds the memory of the backtracking search; larger ones go to the parallel one.
	visitedBits = 1 << 18
)

// machine searches. Its memory is used again.
type machine struct {
	stack   []job
	slots   []int32 // of backtracking
	visited []uint64
	now     threads
	then    threads
	steps   int // left, of the search in hand
	used    int // by searches so far
}

type job struct{ pc, pos int32 }

// subject is what is searched: open says that more data may come behind it, cut that there was more before it.
type subject struct {
	data      []byte
	open, cut bool
}

// search is the first match of a program at or behind from whose start is in set (if any is given). The leftmost match wins, and
// among those the one that Perl would find.
func (v *machine) search(p *program, s subject, from int, anchored bool, set *byteSet) (start, end int, ok bool) {
	v.steps = machineSteps
	start, end, ok = v.searchWith(p, s, from, anchored, set)
	v.used += machineSteps - v.steps
	return start, end, ok
}

func (v *machine) searchWith(p *program, s subject, from int, anchored bool, set *byteSet) (start, end int, ok bool) {
	if n := p.alts * (len(s.data) - from + 1); n <= visitedBits {
		v.clear(n)
		for start = from; start <= len(s.data); start++ {
			if set != nil && !anchored {
				for start < len(s.data) && !set.has(s.data[start]) {
					start++
				}
				if start == len(s.data) {
					break
				}
			}
			if end, ok = v.backtrack(p, s, from, start); ok || anchored || v.steps <= 0 {
				return start, end, ok
			}
		}
		return 0, 0, false
	}
	return v.parallel(p, s, from, anchored, set)
}

func (v *machine) clear(bits int) {
	n := (bits + 63) / 64
	if cap(v.visited) < n {
		v.visited = make([]uint64, n)
	}
	v.visited = v.visited[:n]
	clear(v.visited)
}

// backtrack tries a start. What failed once fails again, so no alternative is taken twice at a place: visited counts from base.
func (v *machine) backtrack(p *program, s subject, base, start int) (end int, ok bool) {
	width := len(s.data) - base + 1
	v.stack = append(v.stack[:0], job{int32(p.start), int32(start)})
	for len(v.stack) > 0 {
		top := v.stack[len(v.stack)-1]
		v.stack = v.stack[:len(v.stack)-1]
		pc, pos := uint32(top.pc), int(top.pos)
	path:
		for v.steps--; v.steps > 0; v.steps-- {
			c := &p.code[pc]
			switch c.op {
			case opMatch:
				return pos, true
			case opByte:
				if pos >= len(s.data) || s.data[pos] != byte(c.arg) {
					break path
				}
				pos++
			case opSet:
				if pos >= len(s.data) || !p.sets[c.arg].has(s.data[pos]) {
					break path
				}
				pos++
			case opAny:
				if pos >= len(s.data) {
					break path
				}
				pos++
			case opAlt:
				bit := int(c.alt)*width + pos - base
				if v.visited[bit>>6]>>(bit&63)&1 != 0 {
					break path
				}
				v.visited[bit>>6] |= 1 << (bit & 63)
				v.stack = append(v.stack, job{int32(c.arg), int32(pos)})
			case opEmpty:
				if !p.holds(syntax.EmptyOp(c.arg), s, pos) {
					break path
				}
			default:
				break path
			}
			pc = c.out
		}
	}
	return 0, false
}

// holds says whether conditions without width hold at a place.
func (p *program) holds(want syntax.EmptyOp, s subject, pos int) bool {
	before, after := rune(-1), rune(-1)
	if pos > 0 {
		before = rune(s.data[pos-1])
	} else if s.cut {
		before = 0 // neither the start nor a line end nor part of a word
	}
	if pos < len(s.data) {
		after = rune(s.data[pos])
	} else if s.open && want&^(syntax.EmptyBeginLine|syntax.EmptyBeginText) != 0 {
		return false // nobody knows what comes
	}
	have := syntax.EmptyOpContext(before, after)
	if p.dollar && pos == len(s.data)-1 && after == '\n' && !s.open {
		have |= syntax.EmptyEndText
	}
	return want&^have == 0
}

// threads are the states of a parallel search in the order of their rank, without doubles.
type threads struct {
	sparse []uint32
	dense  []thread
}

type thread struct {
	pc    uint32
	start int
}

func (t *threads) reset(n int) {
	if cap(t.sparse) < n {
		t.sparse = make([]uint32, n)
	}
	t.sparse = t.sparse[:n]
	t.dense = t.dense[:0]
}

// mark puts a state into the set; it says whether the state was new.
func (t *threads) mark(pc uint32, start int) bool {
	if i := t.sparse[pc]; int(i) < len(t.dense) && t.dense[i].pc == pc {
		return false
	}
	t.sparse[pc] = uint32(len(t.dense))
	t.dense = append(t.dense, thread{pc, start})
	return true
}

// parallel follows all states at once (after Thompson and Pike).
func (v *machine) parallel(p *program, s subject, from int, anchored bool, set *byteSet) (start, end int, ok bool) {
	v.now.reset(len(p.code))
	v.then.reset(len(p.code))
	for pos := from; pos <= len(s.data) && v.steps > 0; pos++ {
		if len(v.now.dense) == 0 {
			if ok || anchored && pos > from {
				break
			}
			if set != nil && !anchored {
				for pos < len(s.data) && !set.has(s.data[pos]) {
					pos++
				}
				if pos == len(s.data) {
					break
				}
			}
		}
		if !ok && (pos == from || !anchored) {
			v.follow(p, s, &v.now, p.start, pos, pos)
		}
		v.then.dense = v.then.dense[:0]
		for i := range v.now.dense {
			t := v.now.dense[i]
			c := &p.code[t.pc]
			v.steps--
			if c.op == opMatch {
				start, end, ok = t.start, pos, true
				break // those behind it are of lower rank
			}
			if pos < len(s.data) && p.takes(c, s.data[pos]) {
				v.follow(p, s, &v.then, c.out, t.start, pos+1)
			}
		}
		v.now, v.then = v.then, v.now
	}
	return start, end, ok && v.steps > 0
}

func (p *program) takes(c *instruction, b byte) bool {
	switch c.op {
	case opByte:
		return byte(c.arg) == b
	case opSet:
		return p.sets[c.arg].has(b)
	}
	return c.op == opAny
}

// follow adds a state and all that it leads to without reading.
func (v *machine) follow(p *program, s subject, to *threads, pc uint32, start, pos int) {
	v.stack = append(v.stack[:0], job{pc: int32(pc)})
	for len(v.stack) > 0 {
		pc := uint32(v.stack[len(v.stack)-1].pc)
		v.stack = v.stack[:len(v.stack)-1]
		v.steps--
		if !to.mark(pc, start) {
			continue
		}
		switch c := &p.code[pc]; c.op {
		case opAlt:
			v.stack = append(v.stack, job{pc: int32(c.arg)}, job{pc: int32(c.out)})
		case opEmpty:
			if p.holds(syntax.EmptyOp(c.arg), s, pos) {
				v.stack = append(v.stack, job{pc: int32(c.out)})
			}
		}
	}
}
