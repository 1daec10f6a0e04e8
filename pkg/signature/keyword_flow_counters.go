package signature

import (
	"errors"
	"strings"

	"citygate/pkg/flow"
)

// flowAge is the time since the flow's first packet, in seconds.
var flowAge = Keyword{
	Name: "flow.age", Where: OnHeader,
	Doc:   "the flow's age in seconds",
	Parse: func(b *Builder, value string) error { return b.compare(value, 0, 1<<32-1) },
	Eval: func(c *Context, m *Match) bool {
		return c.Flow != nil && m.inRange((c.Flow.Last-c.Flow.Start)/1e9)
	},
}

var (
	flowPkts   = counter("flow.pkts", "packets", (*State).packets)
	flowBytes  = counter("flow.bytes", "bytes", (*State).bytes)
	flowPktsS  = counterOf("flow.pkts_toserver", "packets", flow.ToServer, (*State).packets)
	flowPktsC  = counterOf("flow.pkts_toclient", "packets", flow.ToClient, (*State).packets)
	flowBytesS = counterOf("flow.bytes_toserver", "bytes", flow.ToServer, (*State).bytes)
	flowBytesC = counterOf("flow.bytes_toclient", "bytes", flow.ToClient, (*State).bytes)
)

func (s *State) packets(d flow.Direction) uint64 { return s.Packets[d&1] }
func (s *State) bytes(d flow.Direction) uint64   { return s.Bytes[d&1] }

// counterSides are what a counter counts: Arg[2].
var counterSides = map[string]int64{"toserver": 0, "toclient": 1, "either": 2}

// counter compares what a side has sent: flow.pkts:toserver,>10.
func counter(name, what string, of func(*State, flow.Direction) uint64) Keyword {
	return Keyword{
		Name: name, Where: OnHeader,
		Doc: "how many " + what + " the flow has had: " + name + ":toserver|toclient|either,N",
		Parse: func(b *Builder, value string) error {
			side, number, ok := strings.Cut(value, ",")
			n, known := counterSides[strings.TrimSpace(side)]
			if !ok || !known {
				return errors.New("write toserver, toclient or either, a comma and a number")
			}
			r, err := parseRange(number, 0, 1<<63-2)
			if err != nil {
				return err
			}
			m := r.match()
			m.Arg[2] = n
			b.Add(m)
			return nil
		},
		Eval: func(c *Context, m *Match) bool {
			if c.Flow == nil {
				return false
			}
			s, d := m.Arg[2] != 1, m.Arg[2] != 0
			return s && m.inRange(int64(of(c.Flow, flow.ToServer))) || d && m.inRange(int64(of(c.Flow, flow.ToClient)))
		},
	}
}

// counterOf is a counter of one side.
func counterOf(name, what string, d flow.Direction, of func(*State, flow.Direction) uint64) Keyword {
	return Keyword{
		Name: name, Where: OnHeader,
		Doc:   "how many " + what + " the flow has had in this direction",
		Parse: func(b *Builder, value string) error { return b.compare(value, 0, 1<<63-2) },
		Eval:  func(c *Context, m *Match) bool { return c.Flow != nil && m.inRange(int64(of(c.Flow, d))) },
	}
}
