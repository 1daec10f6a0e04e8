package firewall

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

func TestIntervals(t *testing.T) {
	for _, c := range []struct {
		prefixes []string
		four     []string
		six      []string
	}{
		{nil, nil, nil},
		{[]string{"10.9.0.0/24"}, []string{"10.9.0.0", "10.9.1.0 end"}, nil},
		{
			[]string{"10.9.0.0/24", "10.9.0.7/32", "10.9.1.0/24", "10.9.0.0/25", "10.9.0.0/24"},
			[]string{"10.9.0.0", "10.9.1.0 end", "10.9.1.0", "10.9.2.0 end"},
			nil,
		},
		{[]string{"10.9.0.5/24"}, []string{"10.9.0.0", "10.9.1.0 end"}, nil},
		{[]string{"0.0.0.0/0", "::/0", "fd00::/8"}, []string{"0.0.0.0"}, []string{"::"}},
		{
			[]string{"255.255.255.255/32", "fd00::1/128"},
			[]string{"255.255.255.255"},
			[]string{"fd00::1", "fd00::2 end"},
		},
	} {
		var prefixes []netip.Prefix
		for _, p := range c.prefixes {
			prefixes = append(prefixes, netip.MustParsePrefix(p))
		}
		for want, family := range map[*[]string]func(netip.Addr) bool{&c.four: netip.Addr.Is4, &c.six: netip.Addr.Is6} {
			var got []string
			for _, e := range intervals(prefixes, family) {
				a, _ := netip.AddrFromSlice(e.Key)
				text := a.String()
				if e.IntervalEnd {
					text = fmt.Sprint(text, " end")
				}
				got = append(got, text)
			}
			if !slices.Equal(got, *want) {
				t.Errorf("%v: %v, want %v", c.prefixes, got, *want)
			}
		}
	}
}
