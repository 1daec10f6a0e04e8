package signature

import (
	"fmt"
	"strings"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Which of a flow's protocols is asked for: Arg[1] of app-layer-protocol.
const (
	protoHere int64 = iota // of the packet's direction
	protoFinal
	protoOriginal
	protoEither
	protoToServer
	protoToClient
)

var protoModes = map[string]int64{
	"final": protoFinal, "original": protoOriginal, "either": protoEither,
	"to_server": protoToServer, "toserver": protoToServer, "to_client": protoToClient, "toclient": protoToClient,
}

// appLayerProtocol asks which protocol a flow was found to speak. Match: Arg[0] the protocol, Arg[1] the mode.
var appLayerProtocol = Keyword{
	Name: "app-layer-protocol", Where: OnHeader,
	Doc: "the application protocol of the packet's direction: [!]NAME|failed|unknown[,final|original|either|to_server|to_client]; " +
		"as long as it is not known only unknown matches",
	Parse: func(b *Builder, value string) error {
		name, mode, moded := strings.Cut(value, ",")
		name, not := strings.CutPrefix(strings.TrimSpace(name), "!")
		if name = strings.TrimSpace(name); name == "http1" {
			name = "http"
		}
		p, ok := layer.ProtoByName(name)
		switch name {
		case "failed":
			p, ok = layer.Failed, true
		case "unknown":
			p, ok = layer.Unknown, true
		}
		if !ok {
			return fmt.Errorf("%q is no protocol of this engine: failed, unknown or one of %s", shorten(name), applicationNames())
		}
		m := Match{Arg: [6]int64{int64(p)}}
		if not {
			m.Flags = MatchNot
		}
		if moded {
			if m.Arg[1], ok = protoModes[strings.TrimSpace(mode)]; !ok {
				return fmt.Errorf("%q is none of final, original, either, to_server, to_client", shorten(mode))
			}
		}
		if b.App != layer.Unknown {
			return fmt.Errorf("the rule is of %s already", b.App)
		}
		b.Add(m)
		return nil
	},
	Eval: func(c *Context, m *Match) bool {
		if c.Conn == nil {
			return false
		}
		want := layer.Proto(m.Arg[0])
		switch m.Arg[1] {
		case protoFinal:
			return protoIs(c.Conn.Proto(), want, m)
		case protoOriginal:
			return protoIs(c.Conn.Orig(), want, m)
		case protoEither:
			return protoIs(c.Conn.ProtoOf(flow.ToServer), want, m) || protoIs(c.Conn.ProtoOf(flow.ToClient), want, m)
		case protoToServer:
			return protoIs(c.Conn.ProtoOf(flow.ToServer), want, m)
		case protoToClient:
			return protoIs(c.Conn.ProtoOf(flow.ToClient), want, m)
		}
		return protoIs(c.Conn.ProtoOf(c.Direction), want, m)
	},
}

// protoIs compares protocols; one that is not known yet is nothing but unknown.
func protoIs(have, want layer.Proto, m *Match) bool {
	if have == layer.Unknown && want != layer.Unknown {
		return false
	}
	return (have == want) != (m.Flags&MatchNot != 0)
}
