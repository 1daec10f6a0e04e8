package signature

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var anyPorts = Ports{{0, 65535}}

// ParsePorts reads a set of ports as rules write it: any, n, n:m, n:, :m, $VARIABLE, a list in brackets of these, each of
// them negated by a ! before it, as ParseAddresses does.
func ParsePorts(text string, vars *Vars) (Ports, error) { return parsePorts(text, vars, 0) }

func parsePorts(text string, vars *Vars, depth int) (Ports, error) {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "!"); ok {
		in, err := parsePorts(rest, vars, depth+1)
		if err != nil {
			return nil, err
		}
		out := anyPorts.minus(in)
		if len(out) == 0 {
			return nil, fmt.Errorf("%q leaves no port", shorten(text))
		}
		return out, nil
	}
	switch {
	case depth > maxNesting:
		return nil, fmt.Errorf("more than %d levels of brackets and negations", maxNesting)
	case text == "":
		return nil, errors.New("a port is missing, such as any, 80, 1024:65535 or $HTTP_PORTS")
	case strings.EqualFold(text, "any"):
		return anyPorts, nil
	case text[0] == '$':
		return vars.ports(text[1:])
	case text[0] == '[':
		return portList(text, vars, depth)
	}
	r, err := parsePort(text)
	return Ports{r}, err
}

func portList(text string, vars *Vars, depth int) (Ports, error) {
	var in, out Ports
	positive := false
	err := eachElement(text, func(e string) error {
		bare, not := strings.CutPrefix(e, "!")
		set, err := parsePorts(bare, vars, depth+1)
		if err != nil {
			return err
		}
		if not {
			out = append(out, set...)
		} else {
			positive = true
			in = append(in, set...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !positive {
		in = anyPorts
	}
	set := in.normalise().minus(out.normalise())
	if len(set) == 0 {
		return nil, fmt.Errorf("%q holds no port", shorten(text))
	}
	return set, nil
}

func parsePort(text string) (r PortRange, err error) {
	one := func(s string) uint16 {
		n, e := strconv.ParseUint(strings.TrimSpace(s), 10, 16)
		if e != nil && err == nil {
			err = fmt.Errorf("%q is no port from 0 to 65535", shorten(s))
		}
		return uint16(n)
	}
	lo, hi, isRange := strings.Cut(text, ":")
	switch {
	case !isRange:
		r.Lo = one(lo)
		r.Hi = r.Lo
		return r, err
	case lo == "" && hi == "":
		return r, errors.New("a range of ports has no end")
	}
	r = PortRange{0, 65535}
	if lo != "" {
		r.Lo = one(lo)
	}
	if hi != "" {
		r.Hi = one(hi)
	}
	if err == nil && r.Lo > r.Hi {
		err = fmt.Errorf("the range %q ends before it begins", text)
	}
	return r, err
}

func (p Ports) normalise() Ports {
	p = slices.Clone(p)
	slices.SortFunc(p, func(x, y PortRange) int { return cmp.Compare(x.Lo, y.Lo) })
	out := p[:0]
	for _, r := range p {
		if n := len(out); n > 0 && uint32(r.Lo) <= uint32(out[n-1].Hi)+1 {
			out[n-1].Hi = max(out[n-1].Hi, r.Hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

// minus is what is in p and not in b; both are normalised.
func (p Ports) minus(b Ports) (out Ports) {
	for _, r := range p {
		gone := false
		for _, x := range b {
			if x.Hi < r.Lo || x.Lo > r.Hi {
				continue
			}
			if x.Lo > r.Lo {
				out = append(out, PortRange{r.Lo, x.Lo - 1})
			}
			if x.Hi >= r.Hi {
				gone = true
				break
			}
			r.Lo = x.Hi + 1
		}
		if !gone {
			out = append(out, r)
		}
	}
	return out
}

// Any says whether every port is in the set.
func (p Ports) Any() bool { return len(p) == 1 && p[0] == anyPorts[0] }
