package signature

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// byteExtract gives a number of the buffer a name: byte_extract:bytes,place,name[,relative][,multiplier n][,little]
// [,string,hex|dec|oct][,align 2|4][,bitmask n]. Later keywords of the rule take the name for a number.
var byteExtract = Keyword{
	Name: "byte_extract", Where: InBuffer, Moves: true, Parse: parseByteExtract, Eval: evalByteExtract,
	Doc: "gives a number of the buffer a name for later keywords: byte_extract:bytes,offset,name and options",
}

var errByteExtract = errors.New("it has the form bytes,offset,name and options")

func parseByteExtract(b *Builder, value string) error {
	parts := splitOptions(value)
	if len(parts) < 3 {
		return errByteExtract
	}
	var n number
	n.m.Arg[argValue] = 1
	if err := n.bytes(b, parts[0], 1); err != nil {
		return err
	}
	if err := n.place(b, parts[1]); err != nil {
		return err
	}
	for _, o := range parts[3:] {
		if err := n.extractOption(b, o); err != nil {
			return err
		}
	}
	var err error
	if n.form.result, err = b.variable(parts[2]); err != nil {
		return err
	}
	return n.finish(b)
}

func (n *number) extractOption(b *Builder, o string) (err error) {
	name, value, _ := strings.Cut(o, " ")
	switch strings.ToLower(name) {
	case "multiplier":
		var factor uint64
		factor, err = strconv.ParseUint(strings.TrimSpace(value), 10, 16)
		n.m.Arg[argValue] = int64(factor)
		if err == nil && factor == 0 {
			err = errors.New("multiplier 0")
		}
	case "align":
		switch strings.TrimSpace(value) {
		case "2":
			n.form.align = 2
		case "4":
			n.form.align = 4
		default:
			err = fmt.Errorf("align %q is neither 2 nor 4", value)
		}
	default:
		var known bool
		if known, err = n.take(b, o); err == nil && !known {
			err = fmt.Errorf("unknown option %q", o)
		}
	}
	return err
}

func evalByteExtract(c *Context, m *Match) bool {
	v, end, ok := c.number(m)
	if !ok {
		return false
	}
	f := formOf(m)
	c.Extracted[f.result&(maxExtracted-1)] = roundUp(m.masked(v)*uint64(m.Arg[argValue]), uint64(f.align))
	c.In.Cursor = int(end)
	return true
}
