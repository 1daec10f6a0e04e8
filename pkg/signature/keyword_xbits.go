package signature

import (
	"errors"
	"fmt"
	"strings"
)

// What a bit is tracked by: Arg[2] of xbits and hostbits.
const (
	trackSrc int64 = iota
	trackDst
	trackPair
)

// How long bits live if the rule does not say, seconds: Suricata's numbers.
const (
	xbitExpire    = 30
	hostbitExpire = 300
)

var bitTracks = map[string]int64{"ip_src": trackSrc, "ip_dst": trackDst, "ip_pair": trackPair}

// xbits sets and reads bits of addresses. Match: Arg[0] the operation, Arg[1] the number of the name, Arg[2] what it is tracked
// by, Arg[3] its life in seconds, Arg[4] the kind of bit.
var xbits = Keyword{
	Name: "xbits", Where: OnHeader,
	Doc: "bits that rules keep for an address or a pair: xbits:set|unset|toggle|isset|isnotset,name,track ip_src|ip_dst|ip_pair,expire SECONDS; " +
		"they live 30 s if expire is not given",
	Parse: func(b *Builder, value string) error {
		if strings.TrimSpace(value) == "noalert" {
			b.Flags |= NoAlert
			return nil
		}
		parts := strings.Split(value, ",")
		if len(parts) < 3 {
			return errors.New("write operation,name,track ip_src|ip_dst|ip_pair")
		}
		m, err := bitMatch(parts[0], parts[1], &b.Env.Symbols.Xbits)
		if err != nil {
			return err
		}
		m.Arg[3], m.Arg[4] = xbitExpire, int64(xBit)
		tracked := false
		for _, part := range parts[2:] {
			word, arg, _ := strings.Cut(strings.TrimSpace(part), " ")
			switch arg = strings.TrimSpace(arg); word {
			case "track":
				if m.Arg[2], tracked = bitTracks[arg]; !tracked {
					return fmt.Errorf("track cannot be %q: ip_src, ip_dst and ip_pair are known", shorten(arg))
				}
			case "expire":
				n, err := parseNumber(arg, 1, 1<<31-1)
				if err != nil {
					return fmt.Errorf("expire: %w", err)
				}
				m.Arg[3] = int64(n)
			default:
				return fmt.Errorf("%q is neither track nor expire", shorten(word))
			}
		}
		if !tracked {
			return errors.New("track is missing")
		}
		b.addBit(m)
		return nil
	},
	Eval: evalHostBit,
}

// hostbits is the older form: bits of the source's or the destination's address.
var hostbits = Keyword{
	Name: "hostbits", Where: OnHeader,
	Doc: "bits that rules keep for an address, for 300 s: hostbits:set|unset|toggle|isset|isnotset,name[,src|dst]; noalert",
	Parse: func(b *Builder, value string) error {
		if strings.TrimSpace(value) == "noalert" {
			b.Flags |= NoAlert
			return nil
		}
		parts := strings.Split(value, ",")
		if len(parts) < 2 || len(parts) > 3 {
			return errors.New("write operation,name or operation,name,src|dst")
		}
		m, err := bitMatch(parts[0], parts[1], &b.Env.Symbols.Hostbits)
		if err != nil {
			return err
		}
		m.Arg[3], m.Arg[4] = hostbitExpire, int64(hostBit)
		if len(parts) == 3 {
			switch side := strings.TrimSpace(parts[2]); side {
			case "src":
			case "dst":
				m.Arg[2] = trackDst
			default:
				return fmt.Errorf("%q is neither src nor dst", shorten(side))
			}
		}
		b.addBit(m)
		return nil
	},
	Eval: evalHostBit,
}

func bitMatch(word, name string, names *Names) (m Match, err error) {
	op, ok := bitOperations[strings.TrimSpace(word)]
	if !ok {
		return m, fmt.Errorf("%q is none of set, unset, toggle, isset, isnotset", shorten(word))
	}
	if name = strings.TrimSpace(name); name == "" {
		return m, errors.New("the bit has no name")
	}
	return Match{Arg: [6]int64{op, int64(names.ID(name))}}, nil
}

func evalHostBit(c *Context, m *Match) bool {
	src, dst := c.Packet.Tuple.Src, c.Packet.Tuple.Dst
	if c.Hosts == nil || !src.IsValid() || !dst.IsValid() {
		return false
	}
	var k HostKey
	switch kind, bit := uint8(m.Arg[4]), uint32(m.Arg[1]); m.Arg[2] {
	case trackSrc:
		k = HostKeyOf(kind, bit, src)
	case trackDst:
		k = HostKeyOf(kind, bit, dst)
	default:
		k = PairKeyOf(kind, bit, src, dst)
	}
	until := c.Now + m.Arg[3]*1e9
	switch m.Arg[0] {
	case bitSet:
		c.Hosts.Set(k, until)
	case bitUnset:
		c.Hosts.Unset(k)
	case bitToggle:
		if c.Hosts.IsSet(k, c.Now) {
			c.Hosts.Unset(k)
		} else {
			c.Hosts.Set(k, until)
		}
	case bitIsSet:
		return c.Hosts.IsSet(k, c.Now)
	case bitIsNotSet:
		return !c.Hosts.IsSet(k, c.Now)
	}
	return true
}
