package signature

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// relaxed is a program that finds at least what an expression finds that needs backtracking: without what looks around, with any
// text for a reference to a group. Values that it does not match need no backtracking. nil if there is none.
func relaxed(text, flags string) *regex {
	text = namedReference.ReplaceAllString(text, `(?s:.*)`)
	text = numberedReference.ReplaceAllString(text, `$1(?s:.*)`)
	text = longRepeat.ReplaceAllString(text, `{100,}`)
	text = strings.ReplaceAll(text, "(?>", "(?:")
	text, ok := dropLookaround(text)
	if !ok {
		return nil
	}
	re, err := syntax.Parse(text, regexMode(flags))
	if err != nil {
		return nil
	}
	x, err := newRegex(re, flags)
	if err != nil {
		return nil
	}
	return x
}

var (
	numberedReference = regexp.MustCompile(`(^|[^\\])\\[1-9]`)
	// longRepeat is a repetition beyond what package syntax takes.
	longRepeat = regexp.MustCompile(`\{(?:[1-9]\d{3,})(?:,\d*)?\}`)
)

// dropLookaround takes the groups (?= (?! (?<= (?<! out of a rewritten expression.
func dropLookaround(s string) (string, bool) {
	var out strings.Builder
	depth, class := 0, false // depth of groups within one that is left out
	for i := 0; i < len(s); i++ {
		c := s[i]
		n := 1
		switch {
		case c == '\\' && i+1 < len(s):
			n = 2
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(' && (depth > 0 || lookaround(s[i:])):
			depth++
		case c == ')' && depth > 0:
			if depth--; depth == 0 {
				out.WriteString("(?:)") // a quantifier may follow
				continue
			}
		}
		if depth == 0 {
			out.WriteString(s[i : i+n])
		}
		i += n - 1
	}
	return out.String(), depth == 0 && !class
}

func lookaround(s string) bool {
	for _, p := range []string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
