package reassembly

import "math/bits"

// A bitset has one bit per byte of a buffer. Ranges are [from, to); from and to lie inside the set.
type bitset []uint64

func (s bitset) set(i int)      { s[i>>6] |= 1 << (i & 63) }
func (s bitset) unset(i int)    { s[i>>6] &^= 1 << (i & 63) }
func (s bitset) has(i int) bool { return s[i>>6]>>(i&63)&1 != 0 }

// setRange sets the bits of a range.
func (s bitset) setRange(from, to int) {
	for from < to {
		n := min(64-from&63, to-from)
		s[from>>6] |= (1<<n - 1) << (from & 63)
		from += n
	}
}

// nextSet is the first bit of a range that is set, or to.
func (s bitset) nextSet(from, to int) int { return s.next(from, to, 0) }

// nextClear is the first bit of a range that is not set, or to.
func (s bitset) nextClear(from, to int) int { return s.next(from, to, ^uint64(0)) }

func (s bitset) next(from, to int, flip uint64) int {
	for from < to {
		if w := (s[from>>6] ^ flip) >> (from & 63); w != 0 {
			return min(from+bits.TrailingZeros64(w), to)
		}
		from = (from | 63) + 1
	}
	return to
}

// lastSet is the last bit of [0, to) that is set, or -1.
func (s bitset) lastSet(to int) int {
	for to > 0 {
		i := to - 1
		if w := s[i>>6] << (63 - i&63); w != 0 {
			return i - bits.LeadingZeros64(w)
		}
		to = i &^ 63
	}
	return -1
}
