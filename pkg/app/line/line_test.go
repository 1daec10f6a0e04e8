package line

import (
	"fmt"
	"strings"
	"testing"
)

// lines reads all of s in pieces of a size.
func lines(s string, piece, max int) []string {
	var sc Scan
	var out []string
	rest := ""
	for i := 0; i <= len(s); i += piece {
		rest += s[i:min(i+piece, len(s))]
		end := i+piece > len(s)
		for {
			text, n, long, ok := sc.Next([]byte(rest), max, end)
			rest = rest[n:]
			if ok {
				out = append(out, fmt.Sprintf("%s/%v", text, long))
			}
			if n == 0 {
				break
			}
		}
	}
	return append(out, rest)
}

func TestScan(t *testing.T) {
	const in = "a\r\n\r\nbc\ndefgh\r\nabcdefg\nx\n\nlast"
	want := "a/false /false bc/false defgh/false abcdef/true x/false /false last/false "
	for piece := 1; piece <= len(in); piece++ {
		if got := strings.Join(lines(in, piece, 6), " "); got != want {
			t.Errorf("pieces of %d:\ngot  %s\nwant %s", piece, got, want)
		}
	}
}

func TestScanLooksOnce(t *testing.T) {
	var s Scan
	data := []byte(strings.Repeat("a", 100))
	for i := range data {
		if _, n, _, ok := s.Next(data[:i], 1000, false); n != 0 || ok {
			t.Fatal("a line out of nothing")
		}
		if s.seen != i {
			t.Fatalf("looked at %d of %d bytes", s.seen, i)
		}
	}
}

func TestField(t *testing.T) {
	for _, c := range []struct {
		in, name, value string
		ok              bool
	}{
		{"A: b", "A", "b", true}, {"A :\tb ", "A", "b", true}, {"A:", "A", "", true}, {": b", "", "b", false}, {"A b", "", "", false},
	} {
		name, value, ok := Field([]byte(c.in))
		if string(name) != c.name || string(value) != c.value || ok != c.ok {
			t.Errorf("%q: %q %q %v", c.in, name, value, ok)
		}
	}
}

func TestNumber(t *testing.T) {
	for in, want := range map[string]int{"0": 0, "65535": 65535, "65536": -1, "": -1, "-1": -1, " 1": -1, "1x": -1, "99999999999999999999999999": -1} {
		v, ok := Number([]byte(in), 65535)
		if !ok {
			v = -1
		}
		if v != want {
			t.Errorf("%q: %d, want %d", in, v, want)
		}
	}
}

func TestContains(t *testing.T) {
	for text, want := range map[string]bool{"220 ProFTPD": true, "220 FT P": false, "ftp": true, "": false, "xfTp": true} {
		if got := Contains([]byte(text), "ftp"); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
