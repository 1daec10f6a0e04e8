package signature

import (
	"errors"
	"fmt"
	"strings"

	"citygate/pkg/flow"
)

// Which streams are measured: Arg[2] of stream_size.
const (
	sizeServer int64 = iota
	sizeClient
	sizeBoth
	sizeEither
)

var sizeStreams = map[string]int64{"server": sizeServer, "client": sizeClient, "both": sizeBoth, "either": sizeEither}

// streamSize compares how many sequence numbers a side has used so far: its bytes, its SYN and its FIN.
var streamSize = Keyword{
	Name: "stream_size", Where: OnHeader,
	Doc: "how many bytes (and SYN and FIN) a side of a TCP session has sent so far: stream_size:server|client|both|either,OP,N",
	Parse: func(b *Builder, value string) error {
		parts := strings.Split(value, ",")
		if len(parts) != 3 {
			return errors.New("write side,comparison,number, such as server,>,1000")
		}
		side, ok := sizeStreams[strings.TrimSpace(parts[0])]
		if !ok {
			return fmt.Errorf("%q is none of server, client, both, either", shorten(parts[0]))
		}
		op := strings.TrimSpace(parts[1])
		switch op {
		case "=", "<", ">", "<=", ">=", "!=":
		default:
			return fmt.Errorf("%q is none of = != < <= > >=", shorten(op))
		}
		r, err := parseRange(op+strings.TrimSpace(parts[2]), 0, 1<<32-1)
		if err != nil {
			return err
		}
		m := r.match()
		m.Arg[2] = side
		b.Add(m)
		return nil
	},
	Eval: func(c *Context, m *Match) bool {
		if c.Session == nil {
			return false
		}
		server := func() bool { return m.inRange(int64(c.Session.Stream(flow.ToClient).Size())) }
		client := func() bool { return m.inRange(int64(c.Session.Stream(flow.ToServer).Size())) }
		switch m.Arg[2] {
		case sizeServer:
			return server()
		case sizeClient:
			return client()
		case sizeBoth:
			return server() && client()
		}
		return server() || client()
	},
}
