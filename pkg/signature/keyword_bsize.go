package signature

import (
	"errors"
	"math"
)

// bsize compares the buffer's size: bsize:n, <n, <=n, >n, >=n, a<>b (both ends out), !n.
var bsize = Keyword{
	Name: "bsize", Where: InBuffer, Eval: evalSize,
	Doc: "the size of the buffer in bytes: bsize:n, <n, >n, a<>b",
	Parse: func(b *Builder, value string) error {
		r, err := parseRange(value, 0, math.MaxUint32)
		if err != nil {
			return err
		}
		b.Add(r.match())
		return nil
	},
}

// evalSize judges the size of a value. One that goes on is only larger than it is now.
func evalSize(c *Context, m *Match) bool {
	n := int64(len(c.In.Data)) + c.start()
	if !c.In.End {
		outside := n > m.Arg[1]
		if m.Flags&MatchNot != 0 {
			return outside
		}
		return n >= m.Arg[0] && m.Arg[1] == math.MaxUint32
	}
	return m.inRange(n)
}

var errSize = errors.New("the content is longer than the size that bsize or urilen asks for")

// checkSize refuses lists that cannot match.
func checkSize(l *List) error {
	for i := range l.Matches {
		m := &l.Matches[i]
		k := keywords[m.Kind]
		if k != &bsize && k != &urilen || m.Flags&MatchNot != 0 {
			continue
		}
		for j := range l.Matches {
			o := &l.Matches[j]
			if o.Kind == kindContent && o.Flags&MatchNot == 0 && int64(o.Data.Len) > m.Arg[1] {
				return faultf(k.Name, "%w", errSize)
			}
		}
	}
	return nil
}
