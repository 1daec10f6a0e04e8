package signature

import (
	"bytes"
	"fmt"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

const (
	// regexTime bounds one search of an expression that needs backtracking, which can take for ever; public rules take
	// microseconds. The library looks at its clock every 100 ms.
	regexTime = 20 * time.Millisecond
	// regexBytes is how much of a value such an expression sees: it reads a copy with four bytes for each.
	regexBytes = 256 << 10
	// maxRegex is how long an expression may be; the longest public one has 2,300 bytes.
	maxRegex = 8 << 10
)

// Regexes are the expressions of a set of rules, compiled when they are first needed. They belong to one engine.
type Regexes struct {
	list     []string // flags/expression: Symbols.Regexes
	compiled []*regex
	machine  machine
	wide     []rune
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
	back *regexp2.Regexp
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
		return r.backtrack(re.back, s, from, count)
	}
	return start, end, ok
}

func (r *Regexes) backtrack(re *regexp2.Regexp, s subject, from int, count *Counters) (start, end int, ok bool) {
	m := r.groups(re, s.data, from, count)
	if m == nil {
		return 0, 0, false
	}
	return m.Index, m.Index + m.Length, true
}

// capture is the place of an expression's first group, or of all that it matches if it has none.
func (r *Regexes) capture(re *regex, data []byte, count *Counters) (start, end int, ok bool) {
	m := r.groups(re.back, data, 0, count)
	if m == nil {
		return 0, 0, false
	}
	if m.GroupCount() > 1 {
		g := m.GroupByNumber(1)
		return g.Index, g.Index + g.Length, len(g.Captures) > 0
	}
	return m.Index, m.Index + m.Length, true
}

func (r *Regexes) groups(re *regexp2.Regexp, data []byte, from int, count *Counters) *regexp2.Match {
	data = data[:min(len(data), regexBytes)]
	if from > len(data) {
		return nil
	}
	r.wide = r.wide[:0]
	for _, b := range data {
		r.wide = append(r.wide, rune(b))
	}
	m, err := re.FindRunesMatchStartingAt(r.wide, from)
	if err != nil {
		count.Regex++
		return nil
	}
	return m
}

// in says whether data has the text.
func (l *literal) in(data []byte) bool {
	switch {
	case len(l.text) == 0:
		return true
	case l.fold:
		return indexFold(data, l.text, rarest(l.text, true)) >= 0
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

// compileBack compiles for backtracking. The flag G is unknown there.
func compileBack(text, flags string) (*regexp2.Regexp, error) {
	if strings.ContainsRune(flags, 'G') {
		return nil, fmt.Errorf("the flag G on an expression that needs backtracking")
	}
	how := regexp2.None
	for _, f := range flags {
		switch f {
		case 'i':
			how |= regexp2.IgnoreCase
		case 'm':
			how |= regexp2.Multiline
		case 's':
			how |= regexp2.Singleline
		}
	}
	text = strings.ReplaceAll(text, "(?P<", "(?<")
	text = namedReference.ReplaceAllString(text, `\k<$1>`)
	re, err := regexp2.Compile(text, regexp2.RegexOptions(how))
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = regexTime
	return re, nil
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
