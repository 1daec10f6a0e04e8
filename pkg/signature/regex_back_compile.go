package signature

import "slices"

// The instructions that only backtracking has. Code that they run on its own ends with opMatch.
const (
	opSave     opcode = iota + 16 // the place goes into slot arg
	opRef                         // what the group of slots arg and arg+1 has
	opRefFold                     // in any case
	opLook                        // looks[arg]
	opAtomic                      // the code at arg, the first way only
	opProgress                    // on, or to alt if nothing was taken since slot arg
	opHere                        // the end of what is shown
)

// look is code that must, or must not, match at a place without taking bytes.
type look struct {
	start  uint32
	not    bool
	behind bool
	lo, hi int // how long what stands behind is
}

// backProgram is a program with the instructions above.
type backProgram struct {
	program
	looks  []look
	slots  int // two for all, two for each group, one for each loop
	groups int
}

// compileBack compiles an expression for backtracking.
func compileBack(text, flags string) (*backProgram, error) {
	p, n, err := parseBack(text, flags)
	if err != nil {
		return nil, err
	}
	g := &generator{p: &backProgram{slots: 2 * (p.groups + 1), groups: p.groups}}
	g.p.dollar = p.dollar
	match := g.emit(instruction{op: opMatch})
	start, err := g.node(n, match)
	if err != nil {
		return nil, err
	}
	g.p.start = start
	return g.p, nil
}

// generator makes code from the end to the start: each node is given what comes behind it.
type generator struct{ p *backProgram }

func (g *generator) emit(i instruction) uint32 {
	g.p.code = append(g.p.code, i)
	return uint32(len(g.p.code) - 1)
}

// node makes code for n that goes on at next, and says where it begins.
func (g *generator) node(n *node, next uint32) (uint32, error) {
	if len(g.p.code) > maxBackCode {
		return 0, errBackSize
	}
	switch n.kind {
	case nodeSet:
		return g.set(n.set, next), nil
	case nodeConcat:
		for _, s := range slices.Backward(n.subs) {
			var err error
			if next, err = g.node(s, next); err != nil {
				return 0, err
			}
		}
		return next, nil
	case nodeEither:
		return g.either(n, next)
	case nodeRepeat:
		return g.repeat(n, next)
	case nodeGroup:
		end := g.emit(instruction{op: opSave, out: next, arg: uint32(2*n.group + 1)})
		body, err := g.node(n.subs[0], end)
		return g.emit(instruction{op: opSave, out: body, arg: uint32(2 * n.group)}), err
	case nodeLook:
		return g.look(n, next)
	case nodeAtomic:
		body, err := g.node(n.subs[0], g.emit(instruction{op: opMatch}))
		return g.emit(instruction{op: opAtomic, out: next, arg: body}), err
	case nodeRef:
		op := opRef
		if n.fold {
			op = opRefFold
		}
		return g.emit(instruction{op: op, out: next, arg: uint32(2 * n.group)}), nil
	case nodeAssert:
		return g.emit(instruction{op: opEmpty, out: next, arg: uint32(n.assert)}), nil
	}
	return next, nil
}

func (g *generator) set(s byteSet, next uint32) uint32 {
	i := slices.Index(g.p.sets, s)
	if i < 0 {
		i = len(g.p.sets)
		g.p.sets = append(g.p.sets, s)
	}
	return g.emit(instruction{op: opSet, out: next, arg: uint32(i)})
}

func (g *generator) alt(first, second uint32) uint32 {
	g.p.alts++
	return g.emit(instruction{op: opAlt, out: first, arg: second, alt: uint32(g.p.alts - 1)})
}

func (g *generator) either(n *node, next uint32) (uint32, error) {
	var at uint32
	for i, s := range slices.Backward(n.subs) {
		start, err := g.node(s, next)
		if err != nil {
			return 0, err
		}
		if i == len(n.subs)-1 {
			at = start
		} else {
			at = g.alt(start, at)
		}
	}
	return at, nil
}

// repeat writes a repetition out: what must be, then what may be, then what may be for ever.
func (g *generator) repeat(n *node, next uint32) (uint32, error) {
	body := n.subs[0]
	at := next
	var err error
	choose := func(more, enough uint32) uint32 {
		if n.lazy {
			return g.alt(enough, more)
		}
		return g.alt(more, enough)
	}
	if n.max < 0 {
		if at, err = g.loop(body, next, choose); err != nil {
			return 0, err
		}
	} else {
		for range n.max - n.min {
			more, err := g.node(body, at)
			if err != nil {
				return 0, err
			}
			at = choose(more, next)
		}
	}
	for range n.min {
		if at, err = g.node(body, at); err != nil {
			return 0, err
		}
	}
	return at, nil
}

// loop repeats for as long as something is taken.
func (g *generator) loop(body *node, next uint32, choose func(more, enough uint32) uint32) (uint32, error) {
	slot := uint32(g.p.slots)
	g.p.slots++
	again := g.emit(instruction{op: opProgress, arg: slot, alt: next})
	start, err := g.node(body, again)
	if err != nil {
		return 0, err
	}
	at := choose(g.emit(instruction{op: opSave, out: start, arg: slot}), next)
	g.p.code[again].out = at
	return at, nil
}

func (g *generator) look(n *node, next uint32) (uint32, error) {
	l := look{not: n.not, behind: n.behind}
	if n.behind {
		l.lo, l.hi = width(n.subs[0])
		if l.hi > maxLookBehind {
			return 0, errBackBehind
		}
	}
	var err error
	end := g.emit(instruction{op: opMatch})
	if n.behind {
		end = g.emit(instruction{op: opHere, out: end})
	}
	if l.start, err = g.node(n.subs[0], end); err != nil {
		return 0, err
	}
	g.p.looks = append(g.p.looks, l)
	return g.emit(instruction{op: opLook, out: next, arg: uint32(len(g.p.looks) - 1)}), nil
}

// width is how many bytes a node takes, at least and at most; beyond maxLookBehind the number means no more.
func width(n *node) (lo, hi int) {
	const many = maxLookBehind + 1
	switch n.kind {
	case nodeSet:
		return 1, 1
	case nodeConcat, nodeGroup, nodeAtomic:
		for _, s := range n.subs {
			a, b := width(s)
			lo, hi = min(lo+a, many), min(hi+b, many)
		}
		return lo, hi
	case nodeEither:
		lo = many
		for _, s := range n.subs {
			a, b := width(s)
			lo, hi = min(lo, a), max(hi, b)
		}
		return lo, hi
	case nodeRepeat:
		a, b := width(n.subs[0])
		if n.max < 0 && b > 0 {
			return min(a*n.min, many), many
		}
		return min(a*n.min, many), min(b*max(n.max, 0), many)
	case nodeRef:
		return 0, many
	}
	return 0, 0
}
