package signature

import (
	"bytes"
	"cmp"
	"slices"
)

func (a *Addresses) empty() bool { return len(a.V4) == 0 && len(a.V6) == 0 }

// Any says whether every address is in the set.
func (a *Addresses) Any() bool {
	return len(a.V4) == 1 && len(a.V6) == 1 && a.V4[0] == anyAddresses.V4[0] && a.V6[0] == anyAddresses.V6[0]
}

func (a *Addresses) equal(b *Addresses) bool {
	return slices.Equal(a.V4, b.V4) && slices.Equal(a.V6, b.V6)
}

// join adds the ranges of b; normalise must follow.
func (a *Addresses) join(b Addresses) {
	a.V4 = append(a.V4, b.V4...)
	a.V6 = append(a.V6, b.V6...)
}

// normalise brings ranges in order and joins those that touch.
func (a *Addresses) normalise() {
	slices.SortFunc(a.V4, func(x, y Range4) int { return cmp.Compare(x.Lo, y.Lo) })
	out4 := a.V4[:0]
	for _, r := range a.V4 {
		if n := len(out4); n > 0 && uint64(r.Lo) <= uint64(out4[n-1].Hi)+1 {
			out4[n-1].Hi = max(out4[n-1].Hi, r.Hi)
			continue
		}
		out4 = append(out4, r)
	}
	a.V4 = out4
	slices.SortFunc(a.V6, func(x, y Range6) int { return bytes.Compare(x.Lo[:], y.Lo[:]) })
	out6 := a.V6[:0]
	for _, r := range a.V6 {
		if n := len(out6); n > 0 && touches(out6[n-1].Hi, r.Lo) {
			if bytes.Compare(out6[n-1].Hi[:], r.Hi[:]) < 0 {
				out6[n-1].Hi = r.Hi
			}
			continue
		}
		out6 = append(out6, r)
	}
	a.V6 = out6
}

// touches says whether a range that begins at lo overlaps one that ends at hi and began before, or follows it at once.
func touches(hi, lo [16]byte) bool {
	next, over := after(hi)
	return over || bytes.Compare(lo[:], next[:]) <= 0
}

// after is the next address; over says that there is none.
func after(a [16]byte) (next [16]byte, over bool) {
	for i := 15; i >= 0; i-- {
		a[i]++
		if a[i] != 0 {
			return a, false
		}
	}
	return a, true
}

func before(a [16]byte) [16]byte {
	for i := 15; i >= 0; i-- {
		a[i]--
		if a[i] != 0xff {
			break
		}
	}
	return a
}

// minus is what is in a and not in b; both are normalised.
func (a Addresses) minus(b Addresses) Addresses {
	return Addresses{V4: minus4(a.V4, b.V4), V6: minus6(a.V6, b.V6)}
}

func minus4(a, b []Range4) (out []Range4) {
	j := 0
	for _, r := range a {
		for j < len(b) && b[j].Hi < r.Lo {
			j++
		}
		gone := false
		for k := j; k < len(b) && b[k].Lo <= r.Hi; k++ {
			if b[k].Lo > r.Lo {
				out = append(out, Range4{r.Lo, b[k].Lo - 1})
			}
			if b[k].Hi >= r.Hi {
				gone = true
				break
			}
			r.Lo = b[k].Hi + 1
		}
		if !gone {
			out = append(out, r)
		}
	}
	return out
}

func minus6(a, b []Range6) (out []Range6) {
	less := func(x, y [16]byte) bool { return bytes.Compare(x[:], y[:]) < 0 }
	j := 0
	for _, r := range a {
		for j < len(b) && less(b[j].Hi, r.Lo) {
			j++
		}
		gone := false
		for k := j; k < len(b) && !less(r.Hi, b[k].Lo); k++ {
			if less(r.Lo, b[k].Lo) {
				out = append(out, Range6{r.Lo, before(b[k].Lo)})
			}
			if !less(b[k].Hi, r.Hi) {
				gone = true
				break
			}
			r.Lo, _ = after(b[k].Hi)
		}
		if !gone {
			out = append(out, r)
		}
	}
	return out
}
