package signature

import (
	"errors"
	"fmt"
	"strings"

	"citygate/pkg/packet"
)

// How bits are compared: Arg[1] of flags and fragbits.
const (
	bitsExact int64 = iota
	bitsAll         // + : these, and any others
	bitsAny         // * : one of these
	bitsNot         // ! : not all of these
)

// bitsMatch judges bits. Match: Arg[0] the bits, Arg[1] how, Arg[2] the bits that count.
func (m *Match) bitsMatch(have uint8) bool {
	have &= uint8(m.Arg[2])
	want := uint8(m.Arg[0])
	switch m.Arg[1] {
	case bitsAll:
		return have&want == want
	case bitsAny:
		return have&want != 0
	case bitsNot:
		return have&want != want
	}
	return have == want
}

// bitsHow takes the sign off that says how bits are compared.
func bitsHow(s string) (rest string, how int64, err error) {
	for _, c := range s {
		var h int64
		switch c {
		case '+':
			h = bitsAll
		case '*':
			h = bitsAny
		case '!':
			h = bitsNot
		case ' ':
			continue
		default:
			rest += string(c)
			continue
		}
		if how != bitsExact {
			return "", 0, errors.New("only one of +, * and ! may stand there")
		}
		how = h
	}
	return rest, how, nil
}

var tcpFlagBits = map[rune]uint8{
	'F': packet.FIN, 'S': packet.SYN, 'R': packet.RST, 'P': packet.PSH, 'A': packet.ACK, 'U': packet.URG,
	'E': packet.ECE, '2': packet.ECE, 'C': packet.CWR, '1': packet.CWR, '0': 0,
}

func tcpFlagsOf(s string) (bits uint8, err error) {
	if s == "" {
		return 0, errors.New("flags are missing: F S R P A U E C, or 0 for none")
	}
	for _, c := range strings.ToUpper(s) {
		bit, ok := tcpFlagBits[c]
		if !ok {
			return 0, fmt.Errorf("%q is no flag of F S R P A U E C 0", c)
		}
		bits |= bit
	}
	return bits, nil
}

// tcpFlags compares the flags of a segment.
var tcpFlags = Keyword{
	Name: "flags", Aliases: []string{"tcp.flags"}, Where: OnHeader, NeedsPacket: true,
	Doc: "the flags of the TCP segment: F S R P A U E C or 0, exactly; with + these and others, with * one of these, with ! not all of " +
		"these; flags behind a comma do not count",
	Parse: func(b *Builder, value string) error {
		text, ignored, masked := strings.Cut(value, ",")
		text, how, err := bitsHow(text)
		if err != nil {
			return err
		}
		want, err := tcpFlagsOf(text)
		if err != nil {
			return err
		}
		mask := uint8(0xff)
		if masked {
			skip, err := tcpFlagsOf(strings.TrimSpace(ignored))
			if err != nil {
				return err
			}
			mask &^= skip
		}
		b.Add(Match{Arg: [6]int64{int64(want), how, int64(mask)}})
		return nil
	},
	Eval: func(c *Context, m *Match) bool { return c.isTCP() && m.bitsMatch(c.Packet.TCP.Flags) },
}

// isTCP says whether the packet has a TCP header.
func (c *Context) isTCP() bool { return c.Packet.Tuple.Proto == ipTCP && len(c.Packet.Transport) > 0 }
