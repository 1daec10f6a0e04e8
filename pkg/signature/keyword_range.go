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

// parseRange reads Suricata's comparisons: n, =n, !n, <n, <=n, >n, >=n, a-b (both ends in it), a<>b (both ends out).
func parseRange(s string, low, high int64) (r interval, err error) {
	s = strings.ReplaceAll(strings.TrimSpace(s), " ", "")
	number := func(t string) int64 {
		n, e := strconv.ParseInt(t, 0, 64)
		switch {
		case e != nil:
			err = fmt.Errorf("%q is %w", s, errNumber)
		case n < low || n > high:
			err = fmt.Errorf("%q is not from %d to %d", t, low, high)
		}
		return n
	}
	r = interval{lo: low, hi: high}
	switch {
	case strings.Contains(s, "<>"):
		a, b, _ := strings.Cut(s, "<>")
		r.lo, r.hi = number(a)+1, number(b)-1
	case strings.HasPrefix(s, "<="):
		r.hi = number(s[2:])
	case strings.HasPrefix(s, "<"):
		r.hi = number(s[1:]) - 1
	case strings.HasPrefix(s, ">="):
		r.lo = number(s[2:])
	case strings.HasPrefix(s, ">"):
		r.lo = number(s[1:]) + 1
	case strings.IndexByte(s, '-') > 0:
		a, b, _ := strings.Cut(s, "-")
		r.lo, r.hi = number(a), number(b)
	default:
		r.not = strings.HasPrefix(s, "!")
		r.lo = number(strings.TrimPrefix(strings.TrimPrefix(s, "!"), "="))
		r.hi = r.lo
	}
	if err == nil && r.lo > r.hi {
		err = fmt.Errorf("%q holds no number", s)
	}
	return r, err
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
