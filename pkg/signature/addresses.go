package signature

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// maxNesting is how deep lists of addresses and ports may be nested. Real rules need 3; the parser recurses.
const maxNesting = 32

var anyAddresses = Addresses{
	V4: []Range4{{0, 1<<32 - 1}},
	V6: []Range6{{Hi: [16]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}},
}

// ParseAddresses reads a set of addresses as rules write it: any, an address, a CIDR prefix, a range a-b, $VARIABLE, a list
// in brackets of these, each of them negated by a ! before it. A list is the union of what is not negated (any if all is
// negated) without the union of what is.
func ParseAddresses(text string, vars *Vars) (Addresses, error) {
	a, _, err := parseAddresses(text, vars, 0)
	return a, err
}

// parseAddresses also says whether there is a negation anywhere: what has one is not judged by address alone.
func parseAddresses(text string, vars *Vars, depth int) (a Addresses, negated bool, err error) {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "!"); ok {
		in, _, err := parseAddresses(rest, vars, depth+1)
		if err != nil {
			return a, true, err
		}
		if a = anyAddresses.minus(in); a.empty() {
			return a, true, fmt.Errorf("%q leaves no address", shorten(text))
		}
		return a, true, nil
	}
	switch {
	case depth > maxNesting:
		return a, false, fmt.Errorf("more than %d levels of brackets and negations", maxNesting)
	case text == "":
		return a, false, errors.New("an address is missing, such as any, 10.0.0.0/8 or $HOME_NET")
	case strings.EqualFold(text, "any"):
		return anyAddresses, false, nil
	case text[0] == '$':
		return vars.addresses(text[1:])
	case text[0] == '[':
		return addressList(text, vars, depth)
	case text[0] >= '0' && text[0] <= '9' && strings.IndexByte(text, ':') < 0:
		err = a.add4(text)
	default:
		err = a.add6(text)
	}
	return a, false, err
}

func addressList(text string, vars *Vars, depth int) (a Addresses, negated bool, err error) {
	var in, out Addresses
	positive := false
	err = eachElement(text, func(e string) error {
		bare, not := strings.CutPrefix(e, "!")
		set, n, err := parseAddresses(bare, vars, depth+1)
		if err != nil {
			return err
		}
		negated = negated || n || not
		if not {
			out.join(set)
		} else {
			positive = true
			in.join(set)
		}
		return nil
	})
	if err != nil {
		return a, negated, err
	}
	if positive {
		in.normalise()
	} else {
		in = anyAddresses
	}
	out.normalise()
	if a = in.minus(out); a.empty() {
		return a, negated, fmt.Errorf("%q holds no address", shorten(text))
	}
	return a, negated, nil
}

// eachElement gives the elements of a list in brackets, without the spaces around them.
func eachElement(text string, each func(string) error) error {
	if len(text) < 2 || text[len(text)-1] != ']' {
		return fmt.Errorf("%q has no closing bracket", shorten(text))
	}
	text = text[1 : len(text)-1]
	level, start := 0, 0
	for i := 0; i <= len(text); i++ {
		if i == len(text) || text[i] == ',' && level == 0 {
			e := strings.TrimSpace(text[start:i])
			if e == "" {
				return errors.New("a list has an empty element")
			}
			if err := each(e); err != nil {
				return err
			}
			start = i + 1
			continue
		}
		switch text[i] {
		case '[':
			level++
		case ']':
			level--
		}
		if level < 0 {
			return errors.New("a list has a closing bracket too many")
		}
	}
	if level != 0 {
		return errors.New("a list has no closing bracket")
	}
	return nil
}

// add4 reads a.b.c.d, a.b.c.d/n, a.b.c.d/m.m.m.m and a.b.c.d-e.f.g.h.
func (a *Addresses) add4(text string) error {
	one := func(s string) (uint32, error) {
		ip, err := netip.ParseAddr(strings.TrimSpace(s))
		if err != nil || !ip.Is4() {
			return 0, fmt.Errorf("%q is no IPv4 address", shorten(s))
		}
		b := ip.As4()
		return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]), nil
	}
	if l, h, ok := strings.Cut(text, "-"); ok {
		lo, err := one(l)
		if err != nil {
			return err
		}
		hi, err := one(h)
		if err == nil && hi < lo {
			err = fmt.Errorf("the range %q ends before it begins", shorten(text))
		}
		a.V4 = append(a.V4, Range4{lo, hi})
		return err
	}
	host, bits, prefix := strings.Cut(text, "/")
	ip, err := one(host)
	if err != nil {
		return err
	}
	mask := ^uint32(0)
	if prefix {
		if mask, err = mask4(bits, one); err != nil {
			return err
		}
	}
	a.V4 = append(a.V4, Range4{ip & mask, ip | ^mask})
	return nil
}

func mask4(text string, one func(string) (uint32, error)) (uint32, error) {
	if strings.IndexByte(text, '.') >= 0 {
		m, err := one(text)
		if err == nil && ^m&(^m+1) != 0 {
			err = fmt.Errorf("the mask %q has holes", shorten(text))
		}
		return m, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 32 {
		return 0, fmt.Errorf("the prefix length %q is not from 0 to 32", shorten(text))
	}
	return uint32(uint64(0xffffffff) << (32 - n)), nil
}

func (a *Addresses) add6(text string) error {
	if l, h, ok := strings.Cut(text, "-"); ok {
		lo, err := parse6(l)
		if err != nil {
			return err
		}
		hi, err := parse6(h)
		if err == nil && string(hi[:]) < string(lo[:]) {
			err = fmt.Errorf("the range %q ends before it begins", shorten(text))
		}
		a.V6 = append(a.V6, Range6{lo, hi})
		return err
	}
	host, bits, prefix := strings.Cut(text, "/")
	ip, err := parse6(host)
	if err != nil {
		return err
	}
	n := 128
	if prefix {
		if n, err = strconv.Atoi(bits); err != nil || n < 0 || n > 128 {
			return fmt.Errorf("the prefix length %q is not from 0 to 128", shorten(bits))
		}
	}
	r := Range6{ip, ip}
	for i := n; i < 128; i++ {
		r.Lo[i>>3] &^= 0x80 >> (i & 7)
		r.Hi[i>>3] |= 0x80 >> (i & 7)
	}
	a.V6 = append(a.V6, r)
	return nil
}

func parse6(s string) ([16]byte, error) {
	ip, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil || !ip.Is6() || ip.Zone() != "" {
		return [16]byte{}, fmt.Errorf("%q is no address", shorten(s))
	}
	return ip.As16(), nil
}

// shorten keeps a text that is quoted in an error to a line.
func shorten(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
