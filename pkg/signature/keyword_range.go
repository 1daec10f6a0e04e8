package signature

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// interval is a comparison of a number: from lo to hi, both in it, or outside of it.
type interval struct {
	lo, hi int64
	not    bool
}

var errNumber = errors.New("not a number, or a comparison such as >10, <10, 10<>20, !10")

// parseRange reads Suricata's comparisons: n, =n, !n, !=n, <n, <=n, >n, >=n, a<>b and a-b (both ends out), and !a-b.
// Numbers are decimal, or hexadecimal behind 0x.
func parseRange(s string, low, high int64) (r interval, err error) {
	s = strings.ReplaceAll(strings.TrimSpace(s), " ", "")
	number := func(t string) int64 {
		n, e := parseInt(t)
		switch {
		case err != nil:
		case e != nil:
			err = fmt.Errorf("%q is %w", shorten(s), errNumber)
		case n < low || n > high:
			err = fmt.Errorf("%q is not from %d to %d", t, low, high)
		}
		return n
	}
	r = interval{lo: low, hi: high}
	t, not := strings.CutPrefix(s, "!")
	r.not = not
	switch {
	case strings.Contains(t, "<>"):
		a, b, _ := strings.Cut(t, "<>")
		r.lo, r.hi = number(a)+1, number(b)-1
	case strings.HasPrefix(t, "<="):
		r.hi = number(t[2:])
	case strings.HasPrefix(t, "<"):
		r.hi = number(t[1:]) - 1
	case strings.HasPrefix(t, ">="):
		r.lo = number(t[2:])
	case strings.HasPrefix(t, ">"):
		r.lo = number(t[1:]) + 1
	case strings.IndexByte(t, '-') > 0:
		a, b, _ := strings.Cut(t, "-")
		r.lo, r.hi = number(a)+1, number(b)-1
	default:
		r.lo = number(strings.TrimPrefix(t, "="))
		r.hi = r.lo
	}
	if err == nil && r.lo > r.hi {
		err = fmt.Errorf("%q holds no number", s)
	}
	return r, err
}

// parseInt reads a decimal number, or a hexadecimal one behind 0x. A leading zero means nothing.
func parseInt(s string) (int64, error) {
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		return strconv.ParseInt(hex, 16, 64)
	}
	return strconv.ParseInt(s, 10, 64)
}

// match is a match that inRange judges.
func (r interval) match() Match {
	m := Match{Arg: [6]int64{r.lo, r.hi}}
	if r.not {
		m.Flags = MatchNot
	}
	return m
}

func (m *Match) inRange(n int64) bool {
	return (m.Arg[0] <= n && n <= m.Arg[1]) != (m.Flags&MatchNot != 0)
}

// compare adds a comparison with a number from low to high; quotes around it do not count.
func (b *Builder) compare(value string, low, high int64) error {
	r, err := parseRange(value, low, high)
	if err == nil {
		b.Add(r.match())
	}
	return err
}
