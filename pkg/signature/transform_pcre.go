package signature

import "strings"

// pcreXform takes out of a value what an expression's first group captures (all that matches if it has none): pcrexform:"expression".
// A value that does not match stays as it is. Match: Arg[0] is the expression's number in Regexes.
var pcreXform = Keyword{
	Name: "pcrexform", Where: OnValue, Parse: parsePCREXform, Apply: applyPCREXform,
	Doc: "what the first group of a regular expression captures",
}

func parsePCREXform(b *Builder, value string) error {
	text, not, quoted := b.negation(value)
	if not || !quoted {
		return errNoQuotes
	}
	// The mark tells its key from that of a pcre: it is compiled for captures.
	key := regexKey(captures, text)
	if err := checkRegex(key); err != nil {
		return err
	}
	return b.transform(Match{Arg: [6]int64{int64(b.Env.Symbols.Regexes.ID(key))}})
}

// captures is the flag of expressions whose groups are asked for. They are all done by backtracking.
const captures = "#"

func hasCaptures(flags string) bool { return strings.Contains(flags, captures) }

func applyPCREXform(c *Context, m *Match, in, out []byte) []byte {
	re := c.Regexes.get(m.Arg[0])
	if re == nil || re.back == nil {
		return append(out, in...)
	}
	start, end, ok := c.Regexes.capture(re, in, &c.Counters)
	if !ok {
		return append(out, in...)
	}
	return append(out, in[start:end]...)
}
