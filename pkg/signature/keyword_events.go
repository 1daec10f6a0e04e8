package signature

import (
	"fmt"

	"citygate/pkg/packet"
	"citygate/pkg/reassembly"
)

// decodeEvent asks for an event of the decoder or the defragmenter. Match: Arg[0] the event.
var decodeEvent = Keyword{
	Name: "decode-event", Aliases: []string{"engine-event"}, Where: OnHeader, NeedsPacket: true,
	Doc: "an event of the decoder or the defragmenter, such as ipv4.trunc_pkt; packets that cannot be decoded are looked at, too",
	Parse: func(b *Builder, value string) error {
		e, ok := packet.EventByName(value)
		if !ok {
			return fmt.Errorf("unknown event %q: docs/reference/keywords.md lists them", shorten(value))
		}
		b.Flags |= DecodeEvent
		b.Add(Match{Arg: [6]int64{int64(e)}})
		return nil
	},
	Eval: func(c *Context, m *Match) bool { return c.Events != nil && c.Events.Has(packet.Event(m.Arg[0])) },
}

// streamEvent asks for an event of a TCP session. Match: Arg[0] the event.
var streamEvent = Keyword{
	Name: "stream-event", Where: OnHeader, NeedsPacket: true,
	Doc: "an event of a TCP session, such as est_packet_out_of_window",
	Parse: func(b *Builder, value string) error {
		e, ok := reassembly.EventByName(value)
		if !ok {
			return fmt.Errorf("unknown event %q: docs/reference/keywords.md lists them", shorten(value))
		}
		b.Add(Match{Arg: [6]int64{int64(e)}})
		return nil
	},
	Eval: func(c *Context, m *Match) bool { return c.Stream.Has(reassembly.Event(m.Arg[0])) },
}
