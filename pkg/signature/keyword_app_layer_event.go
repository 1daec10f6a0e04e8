package signature

import (
	"fmt"
	"slices"
	"strings"

	"citygate/pkg/app"
	"citygate/pkg/app/layer"
)

// ofConnection in Flags says that an event is of the connection (app.Events), not of a transaction.
const ofConnection uint16 = 1

// appLayerEvent asks for an event of a protocol's parser. Match: Arg[0] the event's number.
var appLayerEvent = Keyword{
	Name: "app-layer-event", Where: OnHeader,
	Doc: "an event of an application protocol's parser: PROTOCOL.EVENT, or applayer_EVENT of the detection of protocols",
	Parse: func(b *Builder, value string) error {
		name, event, ok := strings.Cut(value, ".")
		if !ok {
			i := slices.Index(app.Events, value)
			if i < 0 {
				return fmt.Errorf("unknown event %q: the engine has %s, and PROTOCOL.EVENT", shorten(value), strings.Join(app.Events, ", "))
			}
			b.Add(Match{Arg: [6]int64{int64(i)}, Flags: ofConnection})
			return nil
		}
		p, known := layer.ProtoByName(name)
		if !known {
			return fmt.Errorf("%q is no protocol of this engine: one of %s", shorten(name), applicationNames())
		}
		for _, line := range b.Env.table() {
			if line.Proto != p {
				continue
			}
			if i := slices.Index(line.Events, event); i >= 0 {
				b.Add(Match{Arg: [6]int64{int64(i)}})
				return b.ofTx(p)
			}
		}
		return fmt.Errorf("unknown event %q of %s: docs/reference/keywords.md lists them", shorten(event), p)
	},
	Eval: func(c *Context, m *Match) bool {
		if m.Flags&ofConnection != 0 {
			return c.Conn != nil && c.Conn.Events().Has(uint8(m.Arg[0]))
		}
		return c.Tx != nil && c.Tx.Events(c.Direction).Has(uint8(m.Arg[0]))
	},
}
