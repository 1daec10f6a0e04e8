package signature

import (
	"errors"
	"fmt"
	"strings"
)

// byteMath calculates with a number of the buffer and gives the result a name: byte_math:bytes n, offset n, oper +|-|*|/|<<|>>,
// rvalue n, result name[, relative][, endian little][, string hex|dec|oct][, bitmask n].
var byteMath = Keyword{
	Name: "byte_math", Where: InBuffer, Moves: true, Parse: parseByteMath, Eval: evalByteMath,
	Doc: "calculates with a number of the buffer: byte_math:bytes n, offset n, oper +, rvalue n, result name and options",
}

var errByteMath = errors.New("bytes, offset, oper, rvalue and result must each stand there once")

func parseByteMath(b *Builder, value string) error {
	var n number
	seen := map[string]bool{}
	result := ""
	for _, o := range splitOptions(value) {
		name, v, _ := strings.Cut(o, " ")
		name, v = strings.ToLower(name), strings.TrimSpace(v)
		if seen[name] {
			return fmt.Errorf("%s stands there twice", name)
		}
		seen[name] = true
		var err error
		switch name {
		case "bytes":
			err = n.bytes(b, v, 1)
		case "offset":
			err = n.place(b, v)
		case "oper":
			err = n.calculate(v)
		case "rvalue":
			err = n.value(b, v)
		case "result":
			result = v
		default:
			var known bool
			if known, err = n.take(b, o); err == nil && !known {
				err = fmt.Errorf("unknown option %q", o)
			}
		}
		if err != nil {
			return err
		}
	}
	for _, name := range []string{"bytes", "offset", "oper", "rvalue", "result"} {
		if !seen[name] {
			return errByteMath
		}
	}
	var err error
	if n.form.result, err = b.variable(result); err != nil {
		return err
	}
	return n.finish(b)
}

func (n *number) calculate(s string) error {
	switch s {
	case "+", "-", "*", "/":
		n.form.operator = s[0]
	case "<<":
		n.form.operator = opShiftUp
	case ">>":
		n.form.operator = opShiftOff
	default:
		return fmt.Errorf("unknown operator %q", s)
	}
	return nil
}

// evalByteMath calculates in 64 bits that wrap; there is no division by 0.
func evalByteMath(c *Context, m *Match) bool {
	v, end, ok := c.number(m)
	if !ok {
		return false
	}
	other := c.other(m)
	f := formOf(m)
	switch f.operator {
	case opPlus:
		v += other
	case opMinus:
		v -= other
	case opTimes:
		v *= other
	case opDivide:
		if other == 0 {
			return false
		}
		v /= other
	case opShiftUp:
		v <<= other
	case opShiftOff:
		v >>= other
	}
	c.Extracted[f.result&(maxExtracted-1)] = m.masked(v)
	c.In.Cursor = int(end)
	return true
}
