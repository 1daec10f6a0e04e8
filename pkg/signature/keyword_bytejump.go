package signature

import (
	"errors"
	"fmt"
	"strings"
)

// byteJump reads a number and moves the place from which relative keywords count by as many bytes: byte_jump:bytes,place
// [,relative][,little][,string,hex|dec|oct][,multiplier n][,align][,from_beginning|from_end][,post_offset n][,bitmask n].
// It matches if the new place is in the buffer.
var byteJump = Keyword{
	Name: "byte_jump", Where: InBuffer, Moves: true, Parse: parseByteJump, Eval: evalByteJump,
	Doc: "reads a number and moves as many bytes on: byte_jump:bytes,offset and options",
}

var errByteJump = errors.New("it has the form bytes,offset and options")

func parseByteJump(b *Builder, value string) error {
	parts := splitOptions(value)
	if len(parts) < 2 {
		return errByteJump
	}
	var n number
	n.m.Arg[argValue] = 1
	if err := n.bytes(b, parts[0], 0); err != nil {
		return err
	}
	if err := n.place(b, parts[1]); err != nil {
		return err
	}
	for _, o := range parts[2:] {
		if err := n.jumpOption(b, o); err != nil {
			return err
		}
	}
	if n.m.Flags&flagFromStart != 0 && n.m.Flags&flagFromEnd != 0 {
		return errors.New("from_beginning and from_end")
	}
	return n.finish(b)
}

func (n *number) jumpOption(b *Builder, o string) (err error) {
	name, value, _ := strings.Cut(o, " ")
	switch strings.ToLower(name) {
	case "multiplier":
		n.m.Arg[argValue], err = b.operand(value, 1, maxFactor)
	case "align":
		n.form.align = 4
	case "from_beginning":
		n.m.Flags |= flagFromStart
	case "from_end":
		n.m.Flags |= flagFromEnd
	case "post_offset":
		n.m.Arg[argPost], err = b.operand(value, -maxPlace, maxPlace)
	default:
		var known bool
		if known, err = n.take(b, o); err == nil && !known {
			err = fmt.Errorf("unknown option %q", o)
		}
	}
	return err
}

// maxJump is farther than any buffer is long.
const maxJump = 1 << 40

func evalByteJump(c *Context, m *Match) bool {
	v, end, ok := c.number(m)
	if !ok {
		return false
	}
	v = m.masked(v)
	if v > maxJump {
		return false
	}
	v = roundUp(v*uint64(c.value(m.Arg[argValue])), uint64(formOf(m).align))
	to := int64(v) + c.value(m.Arg[argPost])
	switch {
	case m.Flags&flagFromStart != 0:
		to -= c.start()
	case m.Flags&flagFromEnd != 0:
		if !c.In.End {
			return false
		}
		to += int64(len(c.In.Data))
	default:
		to += end
	}
	if to < 0 || to >= int64(len(c.In.Data)) {
		return false
	}
	c.In.Cursor = int(to)
	return true
}
