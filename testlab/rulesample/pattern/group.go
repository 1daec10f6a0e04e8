package pattern

import (
	"fmt"
	"strings"
)

// group reads what follows an opening parenthesis.
func (r *reader) group(depth int) (*node, error) {
	n := &node{op: opGroup}
	switch {
	case r.take("?:"):
	case r.take("?="):
		n.op = opAhead
	case r.take("?!"):
		n.op, n.negated = opAhead, true
	case r.take("?<="):
		n.op = opBehind
	case r.take("?<!"):
		n.op, n.negated = opBehind, true
	case r.take("?>"):
		n.op = opAtomic
	case r.take("?P<"), r.take("?<"), r.take("?'"):
		end := strings.IndexAny(r.s[r.i:], ">'")
		if end < 0 {
			return nil, fmt.Errorf("%w: a name without an end", errSyntax)
		}
		r.p.groups++
		n.group = r.p.groups
		r.p.names[r.s[r.i:r.i+end]] = n.group
		r.i += end + 1
	case r.take("?P="):
		return r.named(')')
	case r.take("?"):
		return r.inline(depth)
	default:
		r.p.groups++
		n.group = r.p.groups
	}
	sub, err := r.alternatives(depth + 1)
	if err != nil {
		return nil, err
	}
	if !r.take(")") {
		return nil, fmt.Errorf("%w: a group without an end", errSyntax)
	}
	n.subs = []*node{sub}
	return n, nil
}

func (r *reader) named(end byte) (*node, error) {
	i := strings.IndexByte(r.s[r.i:], end)
	if i < 0 {
		return nil, fmt.Errorf("%w: a name without an end", errSyntax)
	}
	g, ok := r.p.names[r.s[r.i:r.i+i]]
	if !ok {
		return nil, fmt.Errorf("%w: an unknown name", errSyntax)
	}
	r.i += i + 1
	return &node{op: opSame, group: g, fold: r.flags.fold}, nil
}

// inline reads (?i) and (?i:...).
func (r *reader) inline(depth int) (*node, error) {
	saved, on := r.flags, true
	for r.more() {
		c := r.s[r.i]
		r.i++
		switch c {
		case '-':
			on = false
		case 'i':
			r.flags.fold = on
		case 's':
			r.flags.dotAll = on
		case 'm':
			r.flags.multi = on
		case 'x':
			r.flags.extended = on
		case ')':
			return nil, nil
		case ':':
			sub, err := r.alternatives(depth + 1)
			r.flags = saved
			if err == nil && !r.take(")") {
				err = errSyntax
			}
			return &node{op: opGroup, subs: []*node{sub}}, err
		default:
			return nil, fmt.Errorf("%w: group %q", errSyntax, c)
		}
	}
	return nil, errSyntax
}
