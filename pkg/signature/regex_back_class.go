package signature

import (
	"regexp/syntax"
	"strings"
)

// controls are the escapes of single bytes.
var controls = map[byte]byte{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': 7}

// escape reads what stands behind a backslash, outside of a class.
func (p *backParser) escape() (*node, error) {
	if p.at >= len(p.in) {
		return nil, errBackSyntax
	}
	c := p.in[p.at]
	switch {
	case c == 'A' || c == 'z' || c == 'b' || c == 'B':
		p.at++
		op := map[byte]syntax.EmptyOp{
			'A': syntax.EmptyBeginText, 'z': syntax.EmptyEndText, 'b': syntax.EmptyWordBoundary, 'B': syntax.EmptyNoWordBoundary,
		}[c]
		return &node{kind: nodeAssert, assert: op}, nil
	case '1' <= c && c <= '9':
		p.at++
		p.least = max(p.least, int(c-'0'))
		return &node{kind: nodeRef, group: int(c - '0'), fold: p.flags.fold}, nil
	case strings.HasPrefix(p.rest(), "k<") || strings.HasPrefix(p.rest(), "k{") || strings.HasPrefix(p.rest(), "k'"):
		end := map[byte]string{'<': ">", '{': "}", '\'': "'"}[p.in[p.at+1]]
		name, _, ok := strings.Cut(p.rest()[2:], end)
		if !ok {
			return nil, errBackSyntax
		}
		p.at += len(name) + 3
		return p.reference(name)
	}
	b, err := p.escapedByte()
	if err != nil {
		return nil, err
	}
	return p.literal(b), nil
}

func (p *backParser) escapedByte() (byte, error) {
	if p.at >= len(p.in) {
		return 0, errBackSyntax
	}
	c := p.in[p.at]
	p.at++
	if c == 'x' && p.at+2 <= len(p.in) {
		high, ok1 := hexDigit(p.in[p.at])
		low, ok2 := hexDigit(p.in[p.at+1])
		if ok1 && ok2 {
			p.at += 2
			return high<<4 | low, nil
		}
	}
	if b, ok := controls[c]; ok {
		return b, nil
	}
	if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' {
		return 0, errBackKnown
	}
	return c, nil
}

// class reads a class behind its opening.
func (p *backParser) class() (*node, error) {
	n := &node{kind: nodeSet}
	not := p.take("^")
	for first := true; ; first = false {
		if p.at >= len(p.in) {
			return nil, errBackSyntax
		}
		if !first && p.take("]") {
			break
		}
		if err := p.classItem(&n.set); err != nil {
			return nil, err
		}
	}
	if p.flags.fold {
		n.set.fold()
	}
	if not {
		n.set.invert()
	}
	return n, nil
}

func (s *byteSet) invert() {
	for i := range s {
		s[i] = ^s[i]
	}
}

// classItem reads a byte, a range or a named set.
func (p *backParser) classItem(set *byteSet) error {
	if strings.HasPrefix(p.rest(), "[:") {
		name, _, ok := strings.Cut(p.rest()[2:], ":]")
		if ok {
			p.at += len(name) + 4
			return posix(set, name)
		}
	}
	if strings.HasPrefix(p.rest(), `\`) && p.at+1 < len(p.in) && strings.IndexByte("SDWHV", p.in[p.at+1]) >= 0 {
		other, err := setOf(sets[p.in[p.at+1]|0x20])
		p.at += 2
		other.invert()
		for i := range set {
			set[i] |= other[i]
		}
		return err
	}
	low, err := p.classByte()
	if err != nil {
		return err
	}
	high := low
	if strings.HasPrefix(p.rest(), "-") && !strings.HasPrefix(p.rest(), "-]") && p.at+1 < len(p.in) {
		was := p.at
		p.at++
		if high, err = p.classByte(); err != nil {
			p.at, high = was, low // the - means itself
		}
	}
	if high < low {
		return errBackSyntax
	}
	for c := int(low); c <= int(high); c++ {
		set.add(byte(c))
	}
	return nil
}

func (p *backParser) classByte() (byte, error) {
	if p.take(`\`) {
		return p.escapedByte()
	}
	c := p.in[p.at]
	p.at++
	return c, nil
}

// setOf reads the inside of a class.
func setOf(text string) (set byteSet, err error) {
	p := backParser{in: text}
	for p.at < len(text) && err == nil {
		err = p.classItem(&set)
	}
	return set, err
}

// posixSets are the names of POSIX.
var posixSets = map[string]string{
	"alpha": `A-Za-z`, "digit": `0-9`, "alnum": `A-Za-z0-9`, "upper": `A-Z`, "lower": `a-z`, "space": `\t-\r `,
	"blank": ` \t`, "punct": `!-/:-@\[-` + "`" + `{-~`, "xdigit": `0-9A-Fa-f`, "word": `_0-9A-Za-z`, "cntrl": `\x00-\x1f\x7f`, "print": ` -~`, "graph": `!-~`,
	"ascii": `\x00-\x7f`,
}

func posix(set *byteSet, name string) error {
	name, not := strings.CutPrefix(name, "^")
	text, ok := posixSets[name]
	if !ok {
		return errBackKnown
	}
	other, err := setOf(text)
	if not {
		other.invert()
	}
	for i := range set {
		set[i] |= other[i]
	}
	return err
}
