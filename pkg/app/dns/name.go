package dns

import "citygate/pkg/app/layer"

const (
	// maxName is where a name is cut: four times what RFC 1035, 3.1 allows, so that oversize names are still seen.
	maxName = 1025
	// maxLabels ends a name: 255 bytes hold no more, and loops of pointers end here.
	maxLabels = 255
)

// appendName decodes the name at a place of a message and adds it to out, labels separated by dots (RFC 1035, 4.1.4).
// next is the place behind it. ok is false when the name has no end.
func appendName(out, msg []byte, at int, ev *layer.EventSet) (name []byte, next int, ok bool) {
	start := len(out)
	for range maxLabels {
		if at >= len(msg) {
			return out, 0, false
		}
		switch c := int(msg[at]); {
		case c == 0:
			if next == 0 {
				next = at + 1
			}
			return out, next, true
		case c < 0x40:
			if at+1+c > len(msg) {
				return out, 0, false
			}
			out = appendLabel(out, start, msg[at+1:at+1+c], ev)
			at += 1 + c
		case c >= 0xc0 && at+2 <= len(msg):
			to := c&0x3f<<8 | int(msg[at+1])
			if next == 0 {
				next = at + 2
			}
			if to == at {
				ev.Add(infiniteLoop)
				return out, next, true
			}
			at = to
		default: // other kinds of labels are not in use (RFC 6891, 5)
			return out, 0, false
		}
	}
	ev.Add(tooManyLabels)
	return out, next, next != 0
}

// appendLabel adds a label, and a dot before it if it is not the first.
func appendLabel(out []byte, start int, label []byte, ev *layer.EventSet) []byte {
	if len(out) > start && len(out)-start < maxName {
		out = append(out, '.')
	}
	if room := maxName - (len(out) - start); len(label) > room {
		ev.Add(nameTooLong)
		label = label[:room]
	}
	return append(out, label...)
}

// skipName is the place behind a name; 0 if it has no end.
func skipName(msg []byte, at int) int {
	for at < len(msg) {
		switch c := int(msg[at]); {
		case c == 0:
			return at + 1
		case c >= 0xc0 && at+2 <= len(msg):
			return at + 2
		case c < 0x40:
			at += 1 + c
		default:
			return 0
		}
	}
	return 0
}
