package signature

import (
	"fmt"
	"strings"
)

// anyOption in Arg[0] of ipopts stands for all.
const anyOption = -1

// ipOptions are the types of IPv4 options (IANA, IP option numbers).
var ipOptions = map[string]int64{
	"any": anyOption, "eol": 0, "nop": 1, "rr": 7, "qs": 25, "ts": 68, "sec": 130, "lsrr": 131, "esec": 133, "cipso": 134,
	"satid": 136, "ssrr": 137, "rtralt": 148,
}

// ipOpts looks for an option of the IPv4 header.
var ipOpts = Keyword{
	Name: "ipopts", Where: OnHeader, NeedsPacket: true,
	Doc: "an option of the IPv4 header: any, eol, nop, rr, qs, ts, sec, lsrr, esec, cipso, satid, ssrr, rtralt",
	Parse: func(b *Builder, value string) error {
		option, ok := ipOptions[strings.ToLower(strings.TrimSpace(value))]
		if !ok {
			return fmt.Errorf("%q is none of %s", shorten(value), strings.Join(sortedKeys(ipOptions), ", "))
		}
		b.Add(Match{Arg: [6]int64{option}})
		return nil
	},
	Eval: func(c *Context, m *Match) bool {
		const fixed = 20 // bytes of an IPv4 header without options (RFC 791, 3.1)
		if c.Packet.IPVersion != 4 || len(c.Packet.Network) <= fixed {
			return false
		}
		return m.Arg[0] == anyOption || hasIPOption(c.Packet.Network[fixed:], byte(m.Arg[0]))
	},
}

func hasIPOption(options []byte, want byte) bool {
	for len(options) > 0 {
		if options[0] == want {
			return true
		}
		n := 1
		switch options[0] {
		case 0: // the end of the list
			return false
		case 1:
		default:
			if len(options) < 2 || options[1] < 2 {
				return false
			}
			n = int(options[1])
		}
		if n > len(options) {
			return false
		}
		options = options[n:]
	}
	return false
}
