package signature

import "fmt"

// isDataAt asks whether the buffer goes on: isdataat:[!]n[,relative]. Alone: there is a byte at offset n, from 0; relative: there
// are n bytes behind the last match. Match: Arg[0] is n.
var isDataAt = Keyword{
	Name: "isdataat", Where: InBuffer, Parse: parseIsDataAt, Eval: evalIsDataAt,
	Doc: "the buffer has (isdataat:!n: does not have) data at an offset, or so many bytes behind the last match",
}

func parseIsDataAt(b *Builder, value string) error {
	text, not, _ := b.negation(value)
	parts := splitOptions(text)
	var m Match
	if not {
		m.Flags = MatchNot
	}
	var err error
	if m.Arg[0], err = b.operand(parts[0], 0, maxOffset); err != nil {
		return err
	}
	if m.Arg[0] >= isVariable {
		m.Flags |= flagVariable
	}
	for _, o := range parts[1:] {
		switch o {
		case "relative":
			m.Flags |= flagRelative
		case "rawbytes": // bytes are raw
		default:
			return fmt.Errorf("unknown option %q", o)
		}
	}
	b.Add(m)
	return nil
}

func evalIsDataAt(c *Context, m *Match) bool {
	n := c.value(m.Arg[0])
	if m.Flags&flagRelative != 0 {
		n += int64(c.In.Cursor)
	} else {
		n += 1 - c.start()
	}
	if n <= int64(len(c.In.Data)) {
		return m.Flags&MatchNot == 0
	}
	// What is not there may still come.
	return m.Flags&MatchNot != 0 && c.In.End
}
