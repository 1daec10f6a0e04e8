package signature

import (
	"fmt"
	"strings"

	"citygate/pkg/packet"
)

// Which tags vlan.id looks at: Arg[2], beside a tag's place from -3 to 2.
const (
	anyTag int64 = iota + 10
	allTags
)

// vlanID compares VLAN ids. Match: Arg[2] which.
var vlanID = Keyword{
	Name: "vlan.id", Where: OnHeader, NeedsPacket: true,
	Doc: "the id of a VLAN tag: vlan.id:N[,any|all|PLACE]; place 0 is the outermost, -1 the innermost; without a place any tag will do",
	Parse: func(b *Builder, value string) error {
		number, place, placed := strings.Cut(value, ",")
		r, err := parseRange(number, 0, 4095)
		if err != nil {
			return err
		}
		m := r.match()
		m.Arg[2] = anyTag
		switch place = strings.TrimSpace(place); {
		case !placed, place == "any":
		case place == "all":
			m.Arg[2] = allTags
		default:
			n, err := parseInt(place)
			if err != nil || n < -packet.MaxVLANs || n >= packet.MaxVLANs {
				return fmt.Errorf("%q is none of any, all, 0 to 2, -1 to -3", shorten(place))
			}
			m.Arg[2] = n
		}
		b.Add(m)
		return nil
	},
	Eval: func(c *Context, m *Match) bool {
		ids := c.Packet.VLANs[:min(int(c.Packet.VLANCount), packet.MaxVLANs)]
		switch place := m.Arg[2]; place {
		case anyTag, allTags:
			for _, id := range ids {
				if m.inRange(int64(id)) != (place == allTags) {
					return place == anyTag
				}
			}
			return place == allTags && len(ids) > 0
		default:
			if place < 0 {
				place += int64(len(ids))
			}
			return place >= 0 && place < int64(len(ids)) && m.inRange(int64(ids[place]))
		}
	},
}

// vlanLayers compares how many VLAN tags a packet has.
var vlanLayers = Keyword{
	Name: "vlan.layers", Where: OnHeader, NeedsPacket: true,
	Doc:   "how many VLAN tags the packet has, 0 to 3",
	Parse: func(b *Builder, value string) error { return b.compare(value, 0, packet.MaxVLANs) },
	Eval:  func(c *Context, m *Match) bool { return m.inRange(int64(c.Packet.VLANCount)) },
}
