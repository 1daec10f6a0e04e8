package pattern

import (
	"fmt"
	"strconv"
	"strings"
)

// Parse reads /expression/flags.
func Parse(text string) (*Pattern, error) {
	end := strings.LastIndexByte(text, '/')
	if len(text) < 2 || text[0] != '/' || end == 0 {
		return nil, fmt.Errorf("%w: no slashes", errSyntax)
	}
	p := &Pattern{Flags: text[end+1:], names: map[string]int{}}
	for _, c := range p.Flags {
		switch c {
		case 'i':
			p.flags.fold = true
		case 's':
			p.flags.dotAll = true
		case 'm':
			p.flags.multi = true
		case 'x':
			p.flags.extended = true
		case 'A':
			p.flags.anchored = true
		case 'E':
			p.flags.endOnly = true
		case 'G':
			p.flags.lazy = true
		}
	}
	r := reader{s: text[1:end], p: p, flags: p.flags}
	root, err := r.alternatives(0)
	if err != nil {
		return nil, err
	}
	if r.i < len(r.s) {
		return nil, fmt.Errorf("%w: %q is left over", errSyntax, r.s[r.i:])
	}
	p.root = root
	return p, nil
}

// maxDepth bounds groups in groups.
const maxDepth = 100

type reader struct {
	s     string
	i     int
	p     *Pattern
	flags flags
}

func (r *reader) more() bool { return r.i < len(r.s) }

func (r *reader) take(prefix string) bool {
	if strings.HasPrefix(r.s[r.i:], prefix) {
		r.i += len(prefix)
		return true
	}
	return false
}

func (r *reader) alternatives(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: too deep", errSyntax)
	}
	saved := r.flags
	defer func() { r.flags = saved }()
	all := &node{op: opAlt}
	for {
		n, err := r.sequence(depth)
		if err != nil {
			return nil, err
		}
		all.subs = append(all.subs, n)
		if !r.take("|") {
			break
		}
	}
	if len(all.subs) == 1 {
		return all.subs[0], nil
	}
	return all, nil
}

func (r *reader) sequence(depth int) (*node, error) {
	cat := &node{op: opCat}
	for r.more() && r.s[r.i] != '|' && r.s[r.i] != ')' {
		n, err := r.atom(depth)
		if err != nil {
			return nil, err
		}
		if n == nil {
			continue
		}
		if n, err = r.repeated(n); err != nil {
			return nil, err
		}
		cat.subs = append(cat.subs, n)
	}
	return cat, nil
}

func (r *reader) atom(depth int) (*node, error) {
	c := r.s[r.i]
	r.i++
	switch c {
	case '(':
		return r.group(depth)
	case '[':
		return r.class()
	case '.':
		n := &node{op: opSet}
		if !r.flags.dotAll {
			n.set.add('\n')
		}
		n.set.invert()
		return n, nil
	case '^':
		return &node{op: opBegin, multi: r.flags.multi}, nil
	case '$':
		if r.flags.endOnly && !r.flags.multi {
			return &node{op: opEndText, negated: true}, nil
		}
		return &node{op: opEnd, multi: r.flags.multi}, nil
	case '\\':
		return r.escape()
	case '*', '+', '?':
		return nil, fmt.Errorf("%w: nothing to repeat", errSyntax)
	case '#':
		if r.flags.extended {
			for r.more() && r.s[r.i] != '\n' {
				r.i++
			}
			return nil, nil
		}
	}
	if r.flags.extended && strings.IndexByte(" \t\r\n\v\f", c) >= 0 {
		return nil, nil
	}
	return r.letter(c), nil
}

func (r *reader) letter(c byte) *node {
	n := &node{op: opSet, set: single(c)}
	if r.flags.fold {
		n.set.fold()
	}
	return n
}

func (r *reader) repeated(n *node) (*node, error) {
	for r.more() {
		low, high := 0, -1
		switch c := r.s[r.i]; c {
		case '*':
			r.i++
		case '+':
			low = 1
			r.i++
		case '?':
			high = 1
			r.i++
		case '{':
			end := strings.IndexByte(r.s[r.i:], '}')
			var ok bool
			if end > 0 {
				low, high, ok = counts(r.s[r.i+1 : r.i+end])
			}
			if !ok {
				return n, nil
			}
			r.i += end + 1
		default:
			return n, nil
		}
		n = &node{op: opRepeat, subs: []*node{n}, min: low, max: high, lazy: r.flags.lazy}
		switch {
		case r.take("?"):
			n.lazy = !n.lazy
		case r.take("+"):
			n = &node{op: opAtomic, subs: []*node{n}}
		}
	}
	return n, nil
}

func counts(s string) (low, high int, ok bool) {
	a, b, comma := strings.Cut(s, ",")
	low, err := strconv.Atoi(a)
	if err != nil {
		return 0, 0, false
	}
	high = low
	if comma {
		high = -1
		if b != "" {
			if high, err = strconv.Atoi(b); err != nil {
				return 0, 0, false
			}
		}
	}
	return low, high, true
}
