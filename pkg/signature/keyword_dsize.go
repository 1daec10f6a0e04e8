package signature

import "fmt"

// dsize compares the size of the packet's payload: dsize:min<>max (both ends out), dsize:>n, <n, n, !n.
var dsize = Keyword{
	Name: "dsize", Where: OnHeader, NeedsPacket: true,
	Doc: "the size of the packet's payload in bytes",
	Parse: func(b *Builder, value string) error {
		r, err := parseRange(value, 0, 65535)
		if err != nil {
			return fmt.Errorf("dsize: %w", err)
		}
		b.Add(r.match())
		return nil
	},
	Eval: func(c *Context, m *Match) bool { return m.inRange(int64(len(c.Packet.Payload))) },
}
