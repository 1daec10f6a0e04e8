package signature

import (
	"bytes"
	"fmt"
	"regexp/syntax"
	"strings"
)

// maxRegex is how long an expression may be; the longest public one has 2,300 bytes.
const maxRegex = 8 << 10

// Regexes are the expressions of a set of rules, compiled when they are first needed. They belong to one engine.
type Regexes struct {
	list     []string // flags/expression: Symbols.Regexes
	compiled []*regex
	machine  machine
}

// NewRegexes numbers expressions: Symbols.Regexes.List.
func NewRegexes(list []string) *Regexes {
	return &Regexes{list: list, compiled: make([]*regex, len(list))}
}

// get is an expression by its number, or nil.
func (r *Regexes) get(n int64) *regex {
	if r == nil || n < 0 || n >= int64(len(r.list)) {
		return nil
	}
	if r.compiled[n] == nil {
		re, err := compileRegex(r.list[n])
		if err != nil {
			re = &regex{} // rules are refused when they are read, so this is of no rule: it never matches
		}
		r.compiled[n] = re
	}
	return r.compiled[n]
}

// regex is a compiled expression.
type regex struct {
	program  *program // nil only beside back
	need     literal
	first    *byteSet
	anchored bool
	// back does what needs backtracking, and is asked where the program, which finds at least as much, finds something.
	back *backProgram
}

// find is the first match at or behind from.
func (r *Regexes) find(re *regex, s subject, from int, count *Counters) (start, end int, ok bool) {
	if from > len(s.data) {
		return 0, 0, false
	}
	if !re.need.in(s.data[from:]) {
		return 0, 0, false
	}
	if re.program != nil {
		if re.anchored && from > 0 {
			return 0, 0, false
		}
		start, end, ok = r.machine.search(re.program, s, from, re.anchored, re.first)
		if r.machine.steps <= 0 {
			count.Regex++
		}
	}
	if re.back != nil && (ok || re.program == nil) {
		if ok {
			from = start
		}
		start, end, ok = r.machine.searchBack(re.back, s, from, re.first)
		if r.machine.steps <= 0 {
			count.Regex++
		}
	}
	return start, end, ok
}

// capture is the place of an expression's first group, or of all that it matches if it has none.
func (r *Regexes) capture(re *regex, data []byte, count *Counters) (start, end int, ok bool) {
	start, end, ok = r.find(re, subject{data: data}, 0, count)
	if slots := r.machine.slots; ok && re.back.groups > 0 {
		start, end = int(slots[2]), int(slots[3])
		ok = start >= 0 && end >= start
	}
	return start, end, ok
}

// in says whether data has the text.
func (l *literal) in(data []byte) bool {
	switch {
	case len(l.text) == 0:
		return true
	case l.fold:
		return indexFold(data, l.text, l.anchor) >= 0
	}
	return bytes.Contains(data, l.text)
}

// regexKey is an expression with its flags as one name: it is all that a set of rules keeps of it.
func regexKey(flags, expr string) string { return flags + "/" + expr }

// parseRegex reads a key for the machine.
func parseRegex(key string) (re *syntax.Regexp, text, flags string, err error) {
	flags, text, _ = strings.Cut(key, "/")
	if text, err = rewriteRegex(text, flags); err != nil {
		return nil, "", "", err
	}
	if strings.ContainsRune(flags, 'A') {
		text = `\A(?:` + text + `)`
	}
	re, err = syntax.Parse(text, regexMode(flags))
	return re, text, flags, err
}

func regexMode(flags string) syntax.Flags {
	how := syntax.Perl
	for _, f := range flags {
		switch f {
		case 'i':
			how |= syntax.FoldCase
		case 'm':
			how &^= syntax.OneLine
		case 's':
			how |= syntax.DotNL
		case 'G':
			how |= syntax.NonGreedy
		}
	}
	return how
}

// checkRegex says whether an expression can be compiled.
func checkRegex(key string) error {
	if len(key) > maxRegex {
		return fmt.Errorf("the expression is longer than %d bytes", maxRegex)
	}
	_, text, flags, err := parseRegex(key)
	if text != "" && (err != nil || hasCaptures(flags)) {
		_, err = compileBack(text, flags)
	}
	return err
}

func compileRegex(key string) (*regex, error) {
	re, text, flags, err := parseRegex(key)
	if err != nil && text == "" {
		return nil, err
	}
	if err == nil && !hasCaptures(flags) {
		return newRegex(re, flags)
	}
	x := relaxed(text, flags)
	if x == nil {
		x = &regex{}
	}
	x.back, err = compileBack(text, flags)
	return x, err
}

func newRegex(re *syntax.Regexp, flags string) (*regex, error) {
	x := &regex{need: required(re), anchored: isAnchored(re)}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, err
	}
	x.program = translate(prog, !strings.ContainsRune(flags, 'E') && hasDollar(re))
	if set, ok := x.program.first(); ok {
		x.first = &set
	}
	return x, nil
}

// isAnchored says whether matches can only start where the text starts.
func isAnchored(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginText:
		return true
	case syntax.OpCapture, syntax.OpConcat:
		return len(re.Sub) > 0 && isAnchored(re.Sub[0])
	}
	return false
}

// hasDollar says whether an expression has a $ that stands for the end of the text.
func hasDollar(re *syntax.Regexp) bool {
	if re.Op == syntax.OpEndText && re.Flags&syntax.WasDollar != 0 {
		return true
	}
	for _, s := range re.Sub {
		if hasDollar(s) {
			return true
		}
	}
	return false
}
