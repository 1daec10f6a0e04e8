package signature

import (
	"errors"
	"fmt"
	"strings"
)

// ttl is IPv4's TTL or IPv6's hop limit.
var ttl = Keyword{
	Name: "ttl", Where: OnHeader, NeedsPacket: true,
	Doc:   "the TTL of IPv4, or the hop limit of IPv6",
	Parse: func(b *Builder, value string) error { return b.compare(value, 0, 255) },
	Eval:  func(c *Context, m *Match) bool { return c.Packet.IPVersion != 0 && m.inRange(int64(c.Packet.TTL)) },
}

// ipID is IPv4's identification.
var ipID = Keyword{
	Name: "id", Where: OnHeader, NeedsPacket: true,
	Doc:   "the identification of IPv4",
	Parse: func(b *Builder, value string) error { return b.compare(value, 0, 65535) },
	Eval:  func(c *Context, m *Match) bool { return c.Packet.IPVersion == 4 && m.inRange(int64(c.Packet.ID)) },
}

// tos is IPv4's type of service.
var tos = Keyword{
	Name: "tos", Where: OnHeader, NeedsPacket: true,
	Doc: "the type of service of IPv4, decimal or hexadecimal behind an x",
	Parse: func(b *Builder, value string) error {
		return b.compare(strings.Replace(strings.ToLower(strings.TrimSpace(value)), "x", "0x", 1), 0, 255)
	},
	Eval: func(c *Context, m *Match) bool { return c.Packet.IPVersion == 4 && m.inRange(int64(c.Packet.TOS)) },
}

// sameIP matches packets whose ends have one address (the land attack).
var sameIP = Keyword{
	Name: "sameip", Where: OnHeader, NeedsPacket: true,
	Doc: "source and destination are one address",
	Parse: func(b *Builder, value string) error {
		b.Add(Match{})
		return noValue(value)
	},
	Eval: func(c *Context, _ *Match) bool {
		return c.Packet.Tuple.Src.IsValid() && c.Packet.Tuple.Src == c.Packet.Tuple.Dst
	},
}

// fragOffset is a fragment's place, in units of 8 bytes as it stands in the header.
var fragOffset = Keyword{
	Name: "fragoffset", Where: OnHeader, NeedsPacket: true,
	Doc:   "a fragment's offset in units of 8 bytes",
	Parse: func(b *Builder, value string) error { return b.compare(value, 0, 8191) },
	Eval:  func(c *Context, m *Match) bool { return c.Packet.IPVersion != 0 && m.inRange(int64(c.Packet.Offset/8)) },
}

// fragBits are the bits beside it.
var fragBits = Keyword{
	Name: "fragbits", Where: OnHeader, NeedsPacket: true,
	Doc: "the bits M (more fragments), D (don't fragment), R (reserved) of IPv4, exactly; with + these and others, with * one of these, " +
		"with ! not all of these",
	Parse: func(b *Builder, value string) error {
		text, how, err := bitsHow(value)
		if err != nil {
			return err
		}
		want := uint8(0)
		for _, letter := range strings.ToUpper(text) {
			i := strings.IndexRune("MDR", letter)
			if i < 0 {
				return fmt.Errorf("%q is none of M, D, R", letter)
			}
			want |= 1 << i
		}
		if want == 0 {
			return errors.New("bits are missing: M, D, R")
		}
		b.Add(Match{Arg: [6]int64{int64(want), how, 7}})
		return nil
	},
	Eval: func(c *Context, m *Match) bool {
		have := uint8(0)
		for i, set := range [...]bool{c.Packet.MoreFragments, c.Packet.DontFragment, c.Packet.Reserved} {
			if set {
				have |= 1 << i
			}
		}
		return c.Packet.IPVersion == 4 && m.bitsMatch(have)
	},
}
