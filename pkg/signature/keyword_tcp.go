package signature

import "citygate/pkg/packet"

// tcpNumber compares a number of the TCP header.
func tcpNumber(name string, aliases []string, high int64, doc string, of func(*packet.TCP) (int64, bool)) Keyword {
	return Keyword{
		Name: name, Aliases: aliases, Where: OnHeader, NeedsPacket: true, Doc: doc,
		Parse: func(b *Builder, value string) error { return b.compare(value, 0, high) },
		Eval: func(c *Context, m *Match) bool {
			if !c.isTCP() {
				return false
			}
			n, ok := of(&c.Packet.TCP)
			return ok && m.inRange(n)
		},
	}
}

var (
	tcpSeq = tcpNumber("seq", []string{"tcp.seq"}, 1<<32-1, "the TCP sequence number",
		func(t *packet.TCP) (int64, bool) { return int64(t.Seq), true })
	tcpAck = tcpNumber("ack", []string{"tcp.ack"}, 1<<32-1, "the TCP acknowledgement number",
		func(t *packet.TCP) (int64, bool) { return int64(t.Ack), true })
	tcpWindow = tcpNumber("window", []string{"tcp.window"}, 65535, "the TCP window as sent, not scaled",
		func(t *packet.TCP) (int64, bool) { return int64(t.Window), true })
	tcpMSS = tcpNumber("tcp.mss", nil, 65535, "the TCP option for the maximum segment size; without the option nothing matches",
		func(t *packet.TCP) (int64, bool) { return int64(t.Options.MSS), t.Options.MSS != 0 })
	tcpScale = tcpNumber("tcp.wscale", nil, 255, "the TCP window scale option; without the option nothing matches",
		func(t *packet.TCP) (int64, bool) { return int64(t.Options.Scale), t.Options.Scaled })
)
