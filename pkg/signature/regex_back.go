package signature

import "regexp/syntax"

// backSteps is how many instructions one search by backtracking may take: some 20 ms. Suricata allows 3,500 steps, and public
// rules do with that; but what they are matched on is longer here. A count of steps, unlike a clock, gives the same answer each time.
const backSteps = 4 << 20

// keptStack is how much of the stack, in jobs of 8 bytes, is kept for the next search.
const keptStack = 1 << 16

// searchBack is the first match of an expression that needs backtracking, at or behind from. The places of its groups are in
// v.slots.
func (v *machine) searchBack(p *backProgram, s subject, from int, first *byteSet) (start, end int, ok bool) {
	v.steps = backSteps
	defer func() { v.used += backSteps - v.steps }()
	if cap(v.stack) > keptStack {
		v.stack = nil
	}
	for start = from; start <= len(s.data) && v.steps > 0; start++ {
		if first != nil {
			for start < len(s.data) && !first.has(s.data[start]) {
				start++
			}
			if start == len(s.data) {
				break
			}
		}
		v.slots = v.slots[:0]
		for range p.slots {
			v.slots = append(v.slots, -1)
		}
		v.stack = v.stack[:0]
		if end, ok = v.run(p, s, p.start, start); ok {
			return start, end, true
		}
	}
	return 0, 0, false
}

// run follows code from a place to opMatch. Slots that it sets are set back when it goes back.
func (v *machine) run(p *backProgram, s subject, pc uint32, pos int) (end int, ok bool) {
	bottom := len(v.stack)
	v.stack = append(v.stack, job{int32(pc), int32(pos)})
	for len(v.stack) > bottom {
		top := v.stack[len(v.stack)-1]
		v.stack = v.stack[:len(v.stack)-1]
		if top.pc < 0 {
			v.slots[^top.pc] = top.pos
			continue
		}
		if end, ok = v.path(p, s, uint32(top.pc), int(top.pos)); ok {
			v.settle(bottom)
			return end, true
		}
		if v.steps <= 0 {
			v.stack = v.stack[:bottom]
			return 0, false
		}
	}
	return 0, false
}

// settle takes the other ways from the stack, above bottom, and leaves what sets slots back.
func (v *machine) settle(bottom int) {
	kept := v.stack[:bottom]
	for _, j := range v.stack[bottom:] {
		if j.pc < 0 {
			kept = append(kept, j)
		}
	}
	v.stack = kept
}

func (v *machine) save(slot uint32, pos int) {
	v.stack = append(v.stack, job{^int32(slot), v.slots[slot]})
	v.slots[slot] = int32(pos)
}

// path follows code until it fails or matches; other ways go on the stack.
func (v *machine) path(p *backProgram, s subject, pc uint32, pos int) (end int, ok bool) {
	for v.steps--; v.steps > 0; v.steps-- {
		c := &p.code[pc]
		pc = c.out
		switch c.op {
		case opMatch:
			return pos, true
		case opSet:
			if pos >= len(s.data) || !p.sets[c.arg].has(s.data[pos]) {
				return 0, false
			}
			pos++
		case opAlt:
			v.stack = append(v.stack, job{int32(c.arg), int32(pos)})
		case opEmpty:
			if !p.holds(syntax.EmptyOp(c.arg), s, pos) {
				return 0, false
			}
		case opHere:
			if pos != len(s.data) {
				return 0, false
			}
		case opSave:
			v.save(c.arg, pos)
		case opProgress:
			if int(v.slots[c.arg]) == pos {
				pc = c.alt
			}
		case opRef, opRefFold:
			n := v.reference(c, s, pos)
			if n < 0 {
				return 0, false
			}
			pos += n
		case opAtomic:
			if pos, ok = v.run(p, s, c.arg, pos); !ok {
				return 0, false
			}
		case opLook:
			if !v.look(p, s, &p.looks[c.arg], pos) {
				return 0, false
			}
		default:
			return 0, false
		}
	}
	return 0, false
}

// reference is the length of what a group has if it stands at a place, else -1. A group that has nothing yet stands nowhere.
func (v *machine) reference(c *instruction, s subject, pos int) int {
	from, to := int(v.slots[c.arg]), int(v.slots[c.arg+1])
	if from < 0 || to < from || to-from > len(s.data)-pos {
		return -1
	}
	v.steps -= (to - from) / 16
	for i, b := range s.data[from:to] {
		o := s.data[pos+i]
		if b != o && (c.op != opRefFold || lower[b] != lower[o]) {
			return -1
		}
	}
	return to - from
}

// look says whether what must stand around a place does.
func (v *machine) look(p *backProgram, s subject, l *look, pos int) bool {
	bottom := len(v.stack)
	found := false
	if !l.behind {
		_, found = v.run(p, s, l.start, pos)
	}
	for n := l.lo; l.behind && n <= l.hi && n <= pos && !found; n++ {
		// What stands behind ends here: nothing of what comes later is shown.
		_, found = v.run(p, subject{data: s.data[:pos], cut: s.cut, open: true}, l.start, pos-n)
	}
	if l.not && found {
		v.undo(bottom) // what it captured does not count
	}
	return found != l.not && v.steps > 0
}

// undo sets slots back down to a place in the stack.
func (v *machine) undo(bottom int) {
	for len(v.stack) > bottom {
		top := v.stack[len(v.stack)-1]
		v.stack = v.stack[:len(v.stack)-1]
		if top.pc < 0 {
			v.slots[^top.pc] = top.pos
		}
	}
}
