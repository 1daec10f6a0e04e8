package signature

import (
	"errors"
	"regexp/syntax"
	"strconv"
	"strings"
)

// What package syntax does not know (looking around, references to groups, atomic groups) is read here, from the form that
// rewriteRegex gives it, and done by backtracking with a limit of steps.

type nodeKind uint8

const (
	nodeEmpty  nodeKind = iota
	nodeSet             // a byte of set
	nodeConcat          // all of subs
	nodeEither          // one of subs
	nodeRepeat          // subs[0], min to max times
	nodeGroup           // subs[0], captured as group
	nodeLook            // subs[0] stands (not: does not stand) ahead or behind
	nodeAtomic          // subs[0], the first way only
	nodeRef             // what group captured
	nodeAssert          // what holds here
)

type node struct {
	kind     nodeKind
	set      byteSet
	subs     []*node
	min, max int // max -1: no limit
	lazy     bool
	group    int
	behind   bool
	not      bool
	fold     bool
	assert   syntax.EmptyOp
}

// Limits of an expression: it is refused beyond them.
const (
	maxBackDepth  = 100
	maxBackGroups = 60
	maxBackCode   = 50000
	maxRepeat     = 10000
	maxLookBehind = 255
)

var (
	errBackSyntax = errors.New("the expression cannot be read")
	errBackSize   = errors.New("the expression is too large")
	errBackKnown  = errors.New("the expression has a construct that is not known here")
	errBackRef    = errors.New("the expression refers to a group that it does not have")
	errBackBehind = errors.New("what stands behind has no limit of length")
)

type backParser struct {
	in     string
	at     int
	depth  int
	flags  backFlags
	groups int
	names  map[string]int
	dollar bool
	least  int // the highest group that is referred to
}

type backFlags struct{ fold, dot, multi, lazy bool }

// parseBack reads a rewritten expression.
func parseBack(text, flags string) (*backParser, *node, error) {
	p := &backParser{in: text, names: map[string]int{}}
	p.flags = backFlags{
		fold: strings.ContainsRune(flags, 'i'), dot: strings.ContainsRune(flags, 's'),
		multi: strings.ContainsRune(flags, 'm'), lazy: strings.ContainsRune(flags, 'G'),
	}
	n, err := p.either()
	switch {
	case err != nil:
		return nil, nil, err
	case p.at < len(p.in):
		return nil, nil, errBackSyntax
	case p.least > p.groups:
		return nil, nil, errBackRef
	}
	p.dollar = p.dollar && !strings.ContainsRune(flags, 'E')
	return p, n, nil
}

func (p *backParser) rest() string { return p.in[p.at:] }

func (p *backParser) take(s string) bool {
	if strings.HasPrefix(p.rest(), s) {
		p.at += len(s)
		return true
	}
	return false
}

// either reads alternatives up to the group's end.
func (p *backParser) either() (*node, error) {
	if p.depth++; p.depth > maxBackDepth {
		return nil, errBackSize
	}
	defer func() { p.depth-- }()
	was := p.flags
	defer func() { p.flags = was }()
	all := &node{kind: nodeEither}
	for {
		n, err := p.concat()
		if err != nil {
			return nil, err
		}
		all.subs = append(all.subs, n)
		if !p.take("|") {
			break
		}
	}
	if len(all.subs) == 1 {
		return all.subs[0], nil
	}
	return all, nil
}

func (p *backParser) concat() (*node, error) {
	all := &node{kind: nodeConcat}
	for p.at < len(p.in) && p.in[p.at] != '|' && p.in[p.at] != ')' {
		n, err := p.atom()
		if err != nil {
			return nil, err
		}
		if n, err = p.repeat(n); err != nil {
			return nil, err
		}
		all.subs = append(all.subs, n)
	}
	return all, nil
}

// repeat reads the quantifier behind an atom.
func (p *backParser) repeat(n *node) (*node, error) {
	r := &node{kind: nodeRepeat, max: -1, subs: []*node{n}}
	switch {
	case p.take("*"):
	case p.take("+"):
		r.min = 1
	case p.take("?"):
		r.max = 1
	case strings.HasPrefix(p.rest(), "{"):
		body, _, ok := strings.Cut(p.rest()[1:], "}")
		low, high, two := strings.Cut(body, ",")
		min, err := strconv.Atoi(low)
		if !ok || err != nil || min > maxRepeat {
			return nil, errBackSyntax
		}
		r.min, r.max = min, min
		if two && high == "" {
			r.max = -1
		} else if two {
			if r.max, err = strconv.Atoi(high); err != nil || r.max < r.min || r.max > maxRepeat {
				return nil, errBackSyntax
			}
		}
		p.at += len(body) + 2
	default:
		return n, nil
	}
	r.lazy = p.take("?") != p.flags.lazy
	return p.repeat(r)
}

func (p *backParser) atom() (*node, error) {
	c := p.in[p.at]
	p.at++
	switch c {
	case '(':
		return p.parens()
	case '[':
		return p.class()
	case '\\':
		return p.escape()
	case '.':
		n := &node{kind: nodeSet, set: byteSet{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}}
		if !p.flags.dot {
			n.set[0] &^= 1 << '\n'
		}
		return n, nil
	case '^':
		if p.flags.multi {
			return &node{kind: nodeAssert, assert: syntax.EmptyBeginLine}, nil
		}
		return &node{kind: nodeAssert, assert: syntax.EmptyBeginText}, nil
	case '$':
		if p.flags.multi {
			return &node{kind: nodeAssert, assert: syntax.EmptyEndLine}, nil
		}
		p.dollar = true
		return &node{kind: nodeAssert, assert: syntax.EmptyEndText}, nil
	case '*', '+', '?', '{':
		return nil, errBackSyntax
	}
	return p.literal(c), nil
}

// literal is a byte; in ASCII, in any case if the flag i is on.
func (p *backParser) literal(c byte) *node {
	n := &node{kind: nodeSet}
	n.set.add(c)
	if p.flags.fold {
		n.set.fold()
	}
	return n
}

// fold adds the other case of the letters of ASCII.
func (s *byteSet) fold() {
	for c := byte('a'); c <= 'z'; c++ {
		if s.has(c) || s.has(c^0x20) {
			s.add(c)
			s.add(c ^ 0x20)
		}
	}
}

// parens reads a group behind its opening.
func (p *backParser) parens() (*node, error) {
	n := &node{}
	switch {
	case p.take("?:"):
		n.kind = nodeConcat
	case p.take("?>"):
		n.kind = nodeAtomic
	case p.take("?="):
		n.kind = nodeLook
	case p.take("?!"):
		n.kind, n.not = nodeLook, true
	case p.take("?<="):
		n.kind, n.behind = nodeLook, true
	case p.take("?<!"):
		n.kind, n.behind, n.not = nodeLook, true, true
	case p.take("?P="):
		name, _, _ := strings.Cut(p.rest(), ")")
		p.at += len(name)
		return p.closing(p.reference(name))
	case p.take("?P<"), p.take("?<"):
		name, _, ok := strings.Cut(p.rest(), ">")
		if !ok {
			return nil, errBackSyntax
		}
		p.at += len(name) + 1
		return p.captured(name)
	case strings.HasPrefix(p.rest(), "?"):
		return p.inline()
	default:
		return p.captured("")
	}
	sub, err := p.either()
	n.subs = []*node{sub}
	return p.closing(n, err)
}

func (p *backParser) closing(n *node, err error) (*node, error) {
	if err == nil && !p.take(")") {
		err = errBackSyntax
	}
	return n, err
}

func (p *backParser) captured(name string) (*node, error) {
	if p.groups++; p.groups > maxBackGroups {
		return nil, errBackSize
	}
	n := &node{kind: nodeGroup, group: p.groups}
	if name != "" {
		p.names[name] = p.groups
	}
	sub, err := p.either()
	n.subs = []*node{sub}
	return p.closing(n, err)
}

func (p *backParser) reference(name string) (*node, error) {
	group, ok := p.names[name]
	if !ok {
		return nil, errBackRef
	}
	return &node{kind: nodeRef, group: group, fold: p.flags.fold}, nil
}

// inline reads flags: (?i) up to the end of the group around it, (?i:...) for a group.
func (p *backParser) inline() (*node, error) {
	was := p.flags
	on := true
	for p.at++; p.at < len(p.in); p.at++ {
		switch p.in[p.at] {
		case '-':
			on = false
		case 'i':
			p.flags.fold = on
		case 's':
			p.flags.dot = on
		case 'm':
			p.flags.multi = on
		case 'U':
			p.flags.lazy = on
		case ')':
			p.at++
			return &node{kind: nodeEmpty}, nil
		case ':':
			p.at++
			sub, err := p.either()
			p.flags = was
			return p.closing(sub, err)
		default:
			return nil, errBackKnown
		}
	}
	return nil, errBackSyntax
}
