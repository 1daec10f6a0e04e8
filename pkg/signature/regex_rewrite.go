package signature

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// rewriter turns a Perl expression on bytes into what regexp/syntax and parseBack read. What it changes:
// bytes from 0x80 and octal, control and short hex escapes are written \xhh; \s has the vertical tab, \h \v \R \N \e \Z and \Q..\E
// are written out; comments and the white space of the flag x are left out; possessive quantifiers become greedy (they only save
// time, except in expressions that then match more); a letter that is escaped without a meaning means itself.
type rewriter struct {
	in       string
	at       int
	out      strings.Builder
	extended bool // the flag x
	fold     bool // the flag i
	class    bool
}

var (
	errClassOpen = errors.New("a [ without its ]")
	errEscapeEnd = errors.New("a \\ at the end")
	errWide      = errors.New("a character beyond \\xff: expressions are matched on bytes")
)

func rewriteRegex(expr, flags string) (string, error) {
	r := rewriter{in: expr, extended: strings.ContainsRune(flags, 'x'), fold: strings.ContainsRune(flags, 'i')}
	for r.at < len(r.in) {
		if err := r.next(); err != nil {
			return "", err
		}
	}
	if r.class {
		return "", errClassOpen
	}
	return r.out.String(), nil
}

// hex writes a byte. Only ASCII has two cases.
func (r *rewriter) hex(b byte) {
	form := `\x%02x`
	if r.fold && b >= 0x80 && !r.class {
		form = `(?-i:\x%02x)`
	}
	fmt.Fprintf(&r.out, form, b)
}

func (r *rewriter) next() error {
	c := r.in[r.at]
	switch {
	case c == '\\':
		return r.escape()
	case c >= 0x80:
		r.hex(c)
	case r.class:
		r.inClass(c)
		return nil
	case c == '[':
		r.openClass()
		return nil
	case c == '(':
		r.group()
		return nil
	case c == '*' || c == '+' || c == '?' || c == '{':
		r.quantifier()
		return nil
	case r.extended && strings.IndexByte(" \t\n\v\f\r", c) >= 0:
	case r.extended && c == '#':
		for r.at+1 < len(r.in) && r.in[r.at] != '\n' {
			r.at++
		}
	default:
		r.out.WriteByte(c)
	}
	r.at++
	return nil
}

func (r *rewriter) rest() string { return r.in[r.at:] }

// openClass reads the start of a class: a ] right behind it means itself.
func (r *rewriter) openClass() {
	r.class = true
	for _, s := range []string{"[^]", "[]", "[^", "["} {
		if strings.HasPrefix(r.rest(), s) {
			r.at += len(s)
			r.out.WriteString(strings.TrimSuffix(s, "]"))
			if strings.HasSuffix(s, "]") {
				r.out.WriteString(`\]`)
			}
			return
		}
	}
}

func (r *rewriter) inClass(c byte) {
	switch {
	case c == ']':
		r.class = false
		r.out.WriteByte(c)
	case c == '[' && strings.HasPrefix(r.rest(), "[:") && strings.Contains(r.rest(), ":]"):
		n := strings.Index(r.rest(), ":]") + 2
		r.out.WriteString(r.rest()[:n])
		r.at += n
		return
	case c == '[':
		r.out.WriteString(`\[`)
	default:
		r.out.WriteByte(c)
	}
	r.at++
}

func (r *rewriter) group() {
	if strings.HasPrefix(r.rest(), "(?#") {
		n := strings.IndexByte(r.rest(), ')')
		if n < 0 {
			n = len(r.rest()) - 1
		}
		r.at += n + 1
		return
	}
	n := 1
	if strings.HasPrefix(r.rest(), "(?") {
		n = 2
	}
	r.out.WriteString(r.rest()[:n])
	r.at += n
}

// quantifier copies * + ? {n,m} and what makes it lazy, and leaves the + of a possessive one out.
func (r *rewriter) quantifier() {
	n := 1
	if r.in[r.at] == '{' {
		end := strings.IndexByte(r.rest(), '}')
		if end < 0 || strings.Trim(r.rest()[1:end], "0123456789,") != "" {
			r.out.WriteString(`\{`)
			r.at++
			return
		}
		n = end + 1
	}
	r.out.WriteString(r.rest()[:n])
	r.at += n
	if r.at < len(r.in) && (r.in[r.at] == '?' || r.in[r.at] == '+') {
		if r.in[r.at] == '?' {
			r.out.WriteByte('?')
		}
		r.at++
	}
}

// vertical and sets are what Perl's classes hold, for use inside of a class.
const vertical = `\n-\r\x85`

var sets = map[byte]string{'s': ` \t-\r`, 'h': ` \t\xa0`, 'v': vertical, 'd': `0-9`, 'w': `_0-9A-Za-z`}

func (r *rewriter) escape() error {
	if r.at+1 >= len(r.in) {
		return errEscapeEnd
	}
	c := r.in[r.at+1]
	r.at += 2
	switch {
	case c >= 0x80:
		r.hex(c)
	case '0' <= c && c <= '9':
		r.digits(c)
	case c == 'x':
		return r.hexEscape()
	case c == 'c' && r.at < len(r.in):
		r.hex(r.in[r.at]&^0x20 ^ 0x40)
		r.at++
	case c == 'Q':
		r.quote()
	case c == 'E':
	case c == 'e':
		r.hex(0x1b)
	case c == 'b' && r.class:
		r.hex(8)
	case strings.IndexByte("shvdwSHVDW", c) >= 0:
		r.set(c)
	case c == 'R' && !r.class:
		r.out.WriteString(`(?:\r\n|[` + vertical + `])`)
	case c == 'N' && !r.class:
		r.out.WriteString(`[^\n]`)
	case c == 'Z':
		r.out.WriteString(`(?-m:$)`)
	case c == '_' || strings.IndexByte("ijlmoquyFIJLMOTUY", c) >= 0:
		r.out.WriteByte(c)
	default:
		r.out.WriteByte('\\')
		r.out.WriteByte(c)
	}
	return nil
}

// set writes one of Perl's classes. In a class, none can be negated.
func (r *rewriter) set(c byte) {
	inside := sets[c|0x20]
	switch {
	case c&0x20 != 0 && r.class:
		r.out.WriteString(inside)
	case c&0x20 != 0:
		r.out.WriteString("[" + inside + "]")
	case r.class:
		r.out.WriteByte('\\')
		r.out.WriteByte(c)
	default:
		r.out.WriteString("[^" + inside + "]")
	}
}

// digits are a byte in octal (\0, \012, \101, and every number in a class), else a reference to a group, which is left as it is.
func (r *rewriter) digits(first byte) {
	n := 0
	for r.at+n < len(r.in) && n < 2 && '0' <= r.in[r.at+n] && r.in[r.at+n] <= '7' {
		n++
	}
	if first > '7' || first != '0' && !r.class && n < 2 {
		r.out.WriteByte('\\')
		r.out.WriteByte(first)
		return
	}
	v, _ := strconv.ParseUint(r.in[r.at-1:r.at+n], 8, 16)
	r.hex(byte(v))
	r.at += n
}

func (r *rewriter) hexEscape() error {
	digits := ""
	if strings.HasPrefix(r.rest(), "{") {
		end := strings.IndexByte(r.rest(), '}')
		if end < 0 {
			return errEscapeEnd
		}
		digits = r.rest()[1:end]
		r.at += end + 1
	} else {
		for len(digits) < 2 && r.at < len(r.in) {
			if _, ok := hexDigit(r.in[r.at]); !ok {
				break
			}
			digits += r.in[r.at : r.at+1]
			r.at++
		}
	}
	v, err := strconv.ParseUint("0"+digits, 16, 32)
	if err != nil || v > 0xff {
		return errWide
	}
	r.hex(byte(v))
	return nil
}

// quote writes what is between \Q and \E as it is.
func (r *rewriter) quote() {
	text, _, found := strings.Cut(r.rest(), `\E`)
	r.at += len(text)
	if found {
		r.at += 2
	}
	for i := range len(text) {
		r.hex(text[i])
	}
}
