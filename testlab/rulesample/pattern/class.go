package pattern

import (
	"fmt"
	"strconv"
	"strings"
)

func span(from, to byte) (s set) {
	for c := int(from); c <= int(to); c++ {
		s.add(byte(c))
	}
	return s
}

func chars(text string) (s set) {
	for _, c := range []byte(text) {
		s.add(c)
	}
	return s
}

// short is the set of \d, \w, \s and their opposites.
func short(c byte) (s set, ok bool) {
	switch c | 0x20 {
	case 'd':
		s = span('0', '9')
	case 'w':
		s = span('0', '9')
		s.union(span('a', 'z'))
		s.union(span('A', 'Z'))
		s.add('_')
	case 's':
		s = chars(" \t\n\v\f\r")
	case 'h':
		s = chars(" \t\xa0")
	case 'v':
		s = chars("\n\v\f\r\x85")
	default:
		if c != 'N' {
			return s, false
		}
		s = single('\n')
	}
	if c < 'a' {
		s.invert()
	}
	return s, true
}

// posix are the names inside [: and :].
var posix = map[string]func() set{
	"alpha":  func() set { s := span('a', 'z'); s.union(span('A', 'Z')); return s },
	"digit":  func() set { return span('0', '9') },
	"alnum":  func() set { s, _ := short('w'); s[1] &^= 1 << ('_' & 63); return s },
	"upper":  func() set { return span('A', 'Z') },
	"lower":  func() set { return span('a', 'z') },
	"space":  func() set { s, _ := short('s'); return s },
	"punct":  func() set { return chars("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") },
	"xdigit": func() set { s := span('0', '9'); s.union(span('a', 'f')); s.union(span('A', 'F')); return s },
	"print":  func() set { return span(' ', '~') },
	"graph":  func() set { return span('!', '~') },
}

func (r *reader) class() (*node, error) {
	n := &node{op: opSet}
	invert := r.take("^")
	for first := true; ; first = false {
		if !r.more() {
			return nil, fmt.Errorf("%w: a class without an end", errSyntax)
		}
		if !first && r.take("]") {
			break
		}
		if r.take("[:") {
			end := strings.Index(r.s[r.i:], ":]")
			if end < 0 || posix[r.s[r.i:r.i+end]] == nil {
				return nil, fmt.Errorf("%w: a class", errSyntax)
			}
			n.set.union(posix[r.s[r.i:r.i+end]]())
			r.i += end + 2
			continue
		}
		from, some, err := r.member()
		if err != nil {
			return nil, err
		}
		if some != nil {
			n.set.union(*some)
			continue
		}
		to := from
		if r.i+1 < len(r.s) && r.s[r.i] == '-' && r.s[r.i+1] != ']' {
			saved := r.i
			r.i++
			if to, some, err = r.member(); err != nil {
				return nil, err
			}
			if some != nil {
				r.i, to = saved, from
			}
		}
		n.set.union(span(from, to))
	}
	if r.flags.fold {
		n.set.fold()
	}
	if invert {
		n.set.invert()
	}
	return n, nil
}

// member is a byte of a class, or a set of them.
func (r *reader) member() (byte, *set, error) {
	c := r.s[r.i]
	r.i++
	if c != '\\' || !r.more() {
		return c, nil, nil
	}
	c = r.s[r.i]
	if s, ok := short(c); ok {
		r.i++
		return 0, &s, nil
	}
	if c == 'b' {
		r.i++
		return 8, nil, nil
	}
	b, err := r.literal()
	return b, nil, err
}

// literal is the byte that an escape stands for; the backslash is read.
func (r *reader) literal() (byte, error) {
	c := r.s[r.i]
	r.i++
	switch c {
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'f':
		return '\f', nil
	case 'a':
		return 7, nil
	case 'e':
		return 27, nil
	case 'x':
		n := 0
		for n < 2 && r.i+n < len(r.s) && strings.IndexByte("0123456789abcdefABCDEF", r.s[r.i+n]) >= 0 {
			n++
		}
		v, _ := strconv.ParseUint("0"+r.s[r.i:r.i+n], 16, 8)
		r.i += n
		return byte(v), nil
	case '0':
		n := 0
		for n < 2 && r.i+n < len(r.s) && r.s[r.i+n] >= '0' && r.s[r.i+n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint("0"+r.s[r.i:r.i+n], 8, 8)
		r.i += n
		return byte(v), nil
	}
	if c >= '1' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' {
		return 0, fmt.Errorf("%w: \\%c", errSyntax, c)
	}
	return c, nil
}

func (r *reader) escape() (*node, error) {
	if !r.more() {
		return nil, fmt.Errorf("%w: a backslash at the end", errSyntax)
	}
	c := r.s[r.i]
	if s, ok := short(c); ok {
		r.i++
		return &node{op: opSet, set: s}, nil
	}
	simple := map[byte]*node{
		'b': {op: opWord}, 'B': {op: opNotWord}, 'A': {op: opBeginText}, 'Z': {op: opEnd}, 'z': {op: opEndText},
	}
	if n := simple[c]; n != nil {
		r.i++
		return n, nil
	}
	if r.take("k<") {
		return r.named('>')
	}
	if c >= '1' && c <= '9' {
		r.i++
		g := int(c - '0')
		if g > r.p.groups {
			return nil, fmt.Errorf("%w: group %d", errSyntax, g)
		}
		return &node{op: opSame, group: g, fold: r.flags.fold}, nil
	}
	if c == 'Q' {
		return nil, fmt.Errorf("%w: \\Q", errSyntax)
	}
	b, err := r.literal()
	return r.letter(b), err
}
