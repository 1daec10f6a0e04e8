package signature

import (
	"regexp/syntax"
)

// A program is an expression for a machine that reads bytes: regexp/syntax compiles expressions on characters, and this is the same
// with every class cut down to the bytes 0 to 255. Package regexp itself would read UTF-8, where \xe9 is two bytes and a byte that is
// no UTF-8 is none of its own.

type opcode uint8

const (
	opFail  opcode = iota
	opMatch        // the expression matches
	opAlt          // out first, then arg
	opEmpty        // arg: what must hold here (syntax.EmptyOp)
	opByte         // the byte arg
	opSet          // a byte of sets[arg]
	opAny          // any byte
)

type instruction struct {
	op       opcode
	out, arg uint32
	alt      uint32 // the number among the alternatives
}

type byteSet [4]uint64

func (s *byteSet) add(b byte)      { s[b>>6] |= 1 << (b & 63) }
func (s *byteSet) has(b byte) bool { return s[b>>6]>>(b&63)&1 != 0 }

type program struct {
	code  []instruction
	sets  []byteSet
	start uint32
	alts  int
	// dollar: the end of the text is also before its last line end.
	dollar bool
}

// translate makes a program of one for characters.
func translate(p *syntax.Prog, dollar bool) *program {
	q := &program{code: make([]instruction, len(p.Inst)), dollar: dollar}
	// skip leads past instructions that do nothing here.
	skip := func(pc uint32) uint32 {
		for n := 0; n < len(p.Inst); n++ {
			if i := &p.Inst[pc]; i.Op != syntax.InstNop && i.Op != syntax.InstCapture {
				break
			}
			pc = p.Inst[pc].Out
		}
		return pc
	}
	for i := range p.Inst {
		in := &p.Inst[i]
		c := &q.code[i]
		c.out = skip(in.Out)
		switch in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			c.op, c.arg, c.alt = opAlt, skip(in.Arg), uint32(q.alts)
			q.alts++
		case syntax.InstEmptyWidth:
			c.op, c.arg = opEmpty, in.Arg
		case syntax.InstMatch:
			c.op = opMatch
		case syntax.InstRuneAny:
			c.op = opAny
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAnyNotNL:
			q.runes(c, in)
		}
	}
	q.start = skip(uint32(p.Start))
	return q
}

// runes makes an instruction for a class.
func (p *program) runes(c *instruction, in *syntax.Inst) {
	var set byteSet
	n, last := 0, byte(0)
	for b := range 256 {
		if matchesByte(in, byte(b)) {
			set.add(byte(b))
			n, last = n+1, byte(b)
		}
	}
	switch n {
	case 0: // only characters beyond 255
	case 1:
		c.op, c.arg = opByte, uint32(last)
	case 256:
		c.op = opAny
	default:
		c.op = opSet
		for i := range p.sets {
			if p.sets[i] == set {
				c.arg = uint32(i)
				return
			}
		}
		c.arg = uint32(len(p.sets))
		p.sets = append(p.sets, set)
	}
}

// matchesByte says whether a class has a byte. Only ASCII has two cases.
func matchesByte(in *syntax.Inst, b byte) bool {
	if in.Op == syntax.InstRuneAnyNotNL {
		return b != '\n'
	}
	if len(in.Rune) == 1 {
		r := in.Rune[0]
		if r == rune(b) {
			return true
		}
		fold := syntax.Flags(in.Arg)&syntax.FoldCase != 0
		return fold && r < 0x80 && b < 0x80 && lower[byte(r)] == lower[b]
	}
	return in.MatchRune(rune(b))
}

// first are the bytes that a match can begin with; ok is false if it can be empty or begin with any.
func (p *program) first() (set byteSet, ok bool) {
	seen := make([]bool, len(p.code))
	stack := []uint32{p.start}
	for len(stack) > 0 {
		pc := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		switch c := &p.code[pc]; c.op {
		case opAlt:
			stack = append(stack, c.out, c.arg)
		case opEmpty:
			stack = append(stack, c.out)
		case opByte:
			set.add(byte(c.arg))
		case opSet:
			for i, w := range p.sets[c.arg] {
				set[i] |= w
			}
		case opAny, opMatch:
			return set, false
		}
	}
	return set, true
}

// literal is what an expression's matches all have in them.
type literal struct {
	text   []byte // in lower case if fold
	fold   bool
	anchor int // the place of its rarest byte
}

// required is the longest text that every match of an expression holds.
func required(re *syntax.Regexp) (best literal) {
	switch re.Op {
	case syntax.OpLiteral:
		return literalOf(re)
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		for _, s := range re.Sub {
			if l := required(s); len(l.text) > len(best.text) {
				best = l
			}
		}
	}
	return best
}

func literalOf(re *syntax.Regexp) literal {
	l := literal{fold: re.Flags&syntax.FoldCase != 0}
	for _, r := range re.Rune {
		if r > 0xff {
			return literal{}
		}
		l.text = append(l.text, byte(r))
	}
	if l.fold {
		lowerInPlace(l.text)
	}
	l.anchor = rarest(l.text, l.fold)
	return l
}
