package signature

import "bytes"

// findContent is the first place of a content at or behind from, within its bounds.
func findContent(c *Context, m *Match, from int) (start, end int, ok bool) {
	pattern := c.Bytes(m)
	data := c.In.Data
	lo, hi := c.window(m, len(pattern), from)
	if m.Flags&flagEnds != 0 {
		// Only the end of the buffer will do, and only if it is known.
		if !c.In.End || hi < len(data) {
			return 0, 0, false
		}
		lo = max(lo, len(data)-len(pattern))
	}
	if lo < 0 || hi-lo < len(pattern) {
		return 0, 0, false
	}
	var i int
	if m.Flags&flagNoCase != 0 {
		i = indexFold(data[lo:hi], pattern, int(m.Arg[argAnchor]))
	} else {
		i = bytes.Index(data[lo:hi], pattern)
	}
	if i < 0 {
		return 0, 0, false
	}
	return lo + i, lo + i + len(pattern), true
}

// window is the part of the data in which a content of n bytes must lie; from is the least place of its start.
func (c *Context) window(m *Match, n, from int) (lo, hi int) {
	size := int64(len(c.In.Data))
	low, high := int64(from), size
	switch {
	case m.Flags&flagStarts != 0:
		// A start that is gone leaves no room: high is less than low.
		at := -c.start()
		low, high = max(low, at), min(high, at+int64(n))
		if at < 0 {
			return 0, 0
		}
	case m.Flags&flagRelative != 0:
		at := int64(c.In.Cursor)
		if m.Flags&flagDistance != 0 {
			at += c.value(m.Arg[argDistance])
		}
		low = max(low, at)
		if m.Flags&flagWithin != 0 {
			high = min(high, at+c.value(m.Arg[argWithin]))
		}
	case m.Flags&flagsAbsolute != 0:
		at := c.value(m.Arg[argOffset]) - c.start()
		low = max(low, at)
		if m.Flags&flagDepth != 0 {
			high = min(high, at+c.value(m.Arg[argDepth]))
		}
	}
	low = max(low, 0)
	if low > size || high < low {
		return 0, 0
	}
	return int(low), int(high)
}

// farStart bounds a stream's offset, so that sums with it do not overflow: any bound of a rule lies before it.
const farStart = 1 << 50

// start is the offset of the data in its stream.
func (c *Context) start() int64 { return int64(min(c.In.Start, farStart)) }

// absent says whether a content that was not found will not come: its window is all there, or nothing will be added.
func (c *Context) absent(m *Match, n int) bool {
	if c.In.End {
		return true
	}
	if m.Flags&flagEnds != 0 {
		return false
	}
	size, bound := int64(len(c.In.Data)), int64(0)
	switch {
	case m.Flags&flagStarts != 0:
		bound = int64(n) - c.start()
	case m.Flags&flagWithin != 0:
		bound = int64(c.In.Cursor) + c.value(m.Arg[argWithin])
		if m.Flags&flagDistance != 0 {
			bound += c.value(m.Arg[argDistance])
		}
	case m.Flags&flagDepth != 0:
		bound = c.value(m.Arg[argOffset]) - c.start() + c.value(m.Arg[argDepth])
	default:
		return false
	}
	return bound <= size
}

// lower is ASCII in lower case, other bytes as they are.
var lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] |= 0x20
		}
	}
	return t
}()

func lowerInPlace(b []byte) {
	for i, c := range b {
		b[i] = lower[c]
	}
}

// hasPrefixFold says whether data begins with pattern, which is in lower case.
func hasPrefixFold(data, pattern []byte) bool {
	if len(data) < len(pattern) {
		return false
	}
	data = data[:len(pattern)]
	for i, c := range pattern {
		if lower[data[i]] != c {
			return false
		}
	}
	return true
}

// indexFold is the first place of pattern, which is in lower case, in data in any case, or -1. Candidates are the places of the
// pattern's rarest byte, in both cases.
func indexFold(data, pattern []byte, anchor int) int {
	last := len(data) - len(pattern)
	if last < 0 || anchor < 0 || anchor >= len(pattern) {
		return -1
	}
	if last == 0 {
		if hasPrefixFold(data, pattern) {
			return 0
		}
		return -1
	}
	small := pattern[anchor]
	big := small
	if 'a' <= small && small <= 'z' {
		big ^= 0x20
	}
	area := data[anchor : anchor+last+1]
	if small == big {
		return indexAnchor(data, area, pattern, small)
	}
	return indexTwo(data, area, pattern, small, big)
}

func indexAnchor(data, area, pattern []byte, b byte) int {
	for i := 0; ; i++ {
		n := bytes.IndexByte(area[i:], b)
		if n < 0 {
			return -1
		}
		if i += n; hasPrefixFold(data[i:], pattern) {
			return i
		}
	}
}

// indexTwo goes through the places of two bytes in order, each looked for only when its last place is used up.
func indexTwo(data, area, pattern []byte, a, b byte) int {
	const unknown = -1
	nextA, nextB := unknown, unknown
	for i := 0; i < len(area); i++ {
		if nextA < i {
			nextA = nextByte(area, i, a)
		}
		if nextB < i {
			nextB = nextByte(area, i, b)
		}
		i = min(nextA, nextB)
		if i == len(area) {
			return -1
		}
		if hasPrefixFold(data[i:], pattern) {
			return i
		}
	}
	return -1
}

func nextByte(data []byte, from int, b byte) int {
	if n := bytes.IndexByte(data[from:], b); n >= 0 {
		return from + n
	}
	return len(data)
}

// plenty are the bytes that are frequent in traffic, the most frequent first; all others are rarer.
const plenty = "e \x00taonirs/lcdhmp.u0=1-\n\r2:gb;3fw,y4\"v586k97\xff\x01x_ETACSNRIOPL&<>jqzHDMGB%()\\'UW+F\x02?VKJXYQZ[]{}\x04\x03\x08\x10\x80@*#!"

// rank is how frequent a byte is: 0 for the rare ones.
var rank = func() (t [256]byte) {
	for i := range len(plenty) {
		t[plenty[i]] = byte(len(plenty) - i)
	}
	return t
}()

// rarest is the place of the byte in pattern that is the rarest in traffic.
func rarest(pattern []byte, fold bool) int {
	best, least := 0, 1<<10
	for i, c := range pattern {
		n := int(rank[c])
		if fold && 'a' <= c && c <= 'z' {
			n += int(rank[c^0x20]) + 20 // two searches instead of one
		}
		if n < least {
			best, least = i, n
		}
	}
	return best
}
