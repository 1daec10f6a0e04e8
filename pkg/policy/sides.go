package policy

import (
	"fmt"

	"citygate/pkg/flow"
)

// maxPairs bounds the pairs of names that warnSides looks at.
const maxPairs = 1 << 20

// warnSides names the parts of lines that allow nothing, because no frame between the two crosses the bridge.
func (c *compiler) warnSides() {
	p := c.policy
	pairs := 0
	for i := range p.Rules {
		r := &p.Rules[i]
		for _, from := range r.From {
			for _, to := range r.To {
				if pairs++; pairs > maxPairs || len(c.Warnings) > maxWarnings {
					return
				}
				if why := apart(c.sidesOf(from), c.sidesOf(to)); why != "" {
					c.warn(fmt.Sprintf("%s:%d: %s: %s -> %s allows nothing: %s", p.File, r.Line, r.key(i, p), from, to, why))
				}
			}
		}
	}
}

// sides says for each VLAN on which sides the devices of a name are: bit 0 camera, bit 1 server.
type sides map[flow.VLAN]uint8

func (c *compiler) sidesOf(name string) sides {
	if s, ok := c.sides[name]; ok {
		return s
	}
	p := c.policy
	s := make(sides)
	for _, i := range p.members([]string{name}).list() {
		s[p.Devices[i].VLAN] |= 1 << p.Devices[i].Side
	}
	c.sides[name] = s
	return s
}

// crosses reports whether a line allows anything at all.
func (c *compiler) crosses(r *Rule) bool {
	for _, from := range r.From {
		for _, to := range r.To {
			if apart(c.sidesOf(from), c.sidesOf(to)) == "" {
				return true
			}
		}
	}
	return false
}

// apart says why no frame from one to the other crosses the bridge, "" if some can.
func apart(a, b sides) string {
	shared := false
	for vlan, on := range a {
		if on&1 != 0 && b[vlan]&2 != 0 || on&2 != 0 && b[vlan]&1 != 0 {
			return ""
		}
		shared = shared || b[vlan] != 0
	}
	if !shared {
		return "they have no VLAN in common"
	}
	return "both are on the same side of the bridge"
}
