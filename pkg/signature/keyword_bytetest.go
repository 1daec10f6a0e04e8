package signature

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// byteTest compares a number in the buffer: byte_test:bytes,[!]operator,value,place[,relative][,little]
// [,string,hex|dec|oct][,bitmask n]. A number that is not there does not match, negated or not.
var byteTest = Keyword{
	Name: "byte_test", Where: InBuffer, Parse: parseByteTest, Eval: evalByteTest,
	Doc: "compares a number of the buffer: byte_test:bytes,[!]operator,value,offset and options",
}

// The operators of byte_test and byte_math.
const (
	opLess     = '<'
	opGreater  = '>'
	opEqual    = '='
	opAtMost   = 'l'
	opAtLeast  = 'g'
	opAnd      = '&'
	opXor      = '^'
	opPlus     = '+'
	opMinus    = '-'
	opTimes    = '*'
	opDivide   = '/'
	opShiftUp  = 'L'
	opShiftOff = 'R'
)

var errByteTest = errors.New("it has the form bytes,[!]operator,value,offset and options")

func parseByteTest(b *Builder, value string) error {
	parts := splitOptions(value)
	if len(parts) < 4 {
		return errByteTest
	}
	var n number
	if err := n.bytes(b, parts[0], 0); err != nil {
		return err
	}
	if err := n.compare(parts[1]); err != nil {
		return err
	}
	if err := n.value(b, parts[2]); err != nil {
		return err
	}
	if err := n.place(b, parts[3]); err != nil {
		return err
	}
	for _, o := range parts[4:] {
		if known, err := n.take(b, o); err != nil {
			return err
		} else if !known {
			return fmt.Errorf("unknown option %q", o)
		}
	}
	if n.m.Arg[argBytes] == 0 && n.m.Flags&flagText == 0 {
		return errBytesCount
	}
	return n.finish(b)
}

func (n *number) compare(s string) error {
	op, not := strings.CutPrefix(s, "!")
	op = strings.TrimSpace(op)
	if not {
		n.m.Flags |= MatchNot
	}
	switch op {
	case "<", ">", "=", "&", "^":
		n.form.operator = op[0]
	case "<=":
		n.form.operator = opAtMost
	case ">=":
		n.form.operator = opAtLeast
	case "":
		if n.form.operator = opEqual; !not {
			return errByteTest
		}
	default:
		return fmt.Errorf("unknown operator %q", s)
	}
	return nil
}

// value reads what the number is compared or calculated with: any 64 bits, or a name.
func (n *number) value(b *Builder, s string) error {
	if v, err := strconv.ParseUint(s, 0, 64); err == nil {
		n.m.Arg[argValue] = int64(v)
		return nil
	}
	if v, err := strconv.ParseInt(s, 0, 64); err == nil {
		n.m.Arg[argValue] = v
		return nil
	}
	i, ok := b.vars[s]
	if !ok {
		return fmt.Errorf("%q is neither a number nor a value extracted before", s)
	}
	n.m.Arg[argValue] = int64(i)
	n.m.Flags |= flagValueName
	return nil
}

func (c *Context) other(m *Match) uint64 {
	if m.Flags&flagValueName != 0 {
		return c.Extracted[m.Arg[argValue]&(maxExtracted-1)]
	}
	return uint64(m.Arg[argValue])
}

func evalByteTest(c *Context, m *Match) bool {
	v, _, ok := c.number(m)
	if !ok {
		return false
	}
	v = m.masked(v)
	other := c.other(m)
	switch formOf(m).operator {
	case opLess:
		ok = v < other
	case opGreater:
		ok = v > other
	case opEqual:
		ok = v == other
	case opAtMost:
		ok = v <= other
	case opAtLeast:
		ok = v >= other
	case opAnd:
		ok = v&other != 0
	case opXor:
		ok = v^other != 0
	}
	return ok != (m.Flags&MatchNot != 0)
}
