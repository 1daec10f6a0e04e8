package pattern

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

func TestFind(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`/^\d{4}[01]/R`, "12341", true},
		{`/^\d{4}[01]/R`, "12342", false},
		{`/a.c/`, "a\nc", false},
		{`/a.c/s`, "a\nc", true},
		{`/^b/`, "a\nb", false},
		{`/^b/m`, "a\nb", true},
		{`/a$/`, "a\n", true},
		{`/a$/E`, "a\n", false},
		{`/(?P<v>[a-z]+)=(?P=v)/i`, "xab=AB", true},
		{`/([ab])\1/`, "abba", true},
		{`/^((?!<\/applet>).)+?x/s`, "abc</applet>x", false},
		{`/^(?=[^>]*?a)(?=[^>]*?b)[^>]*?c/`, "b a c", true},
		{`/(?<!x)y/`, "xy", false},
		{`/(?<!x)y/`, "zy", true},
		{`/a++a/`, "aaa", false},
		{`/[\x22\x27]\bq/`, "'q", true},
		{`/x{0,}y{,3}/`, "y{,3}", true},
		{`/[]a]+$/`, "]a", true},
		{`/(?:a|ab)(?:c|bcd)$/`, "abcd", true},
		{`/a*?$/`, "aaa", true},
		{`/(?i)ABC(?-i)d/`, "abcD", false},
		{`/b/A`, "ab", false},
	} {
		p, err := Parse(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if _, _, ok := p.Find([]byte(c.text), 0); ok != c.want {
			t.Errorf("%s on %q: %v", c.pattern, c.text, ok)
		}
	}
}

// What is made matches, also in the eyes of another engine.
func TestMake(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, e := range []string{
		`^[a-f0-9]{8}\x2d[a-f0-9]{4}$`, `(?i)clsid\s*\x3a\s*\x7B?\s*36723F97`, `(?:DQpT|0KU2){2,3}[^\r\n]+x`,
		`^(?:\s(?:co(?:rp)?|l(?:lc|td)|inc))?[01]`, `[a-z]*?[0-9]{3,9}\.[a-z]{2,4}$`,
	} {
		p, err := Parse("/" + e + "/")
		if err != nil {
			t.Fatal(err)
		}
		judge := regexp.MustCompile(e)
		for range 50 {
			b, ok := p.Make(rng, nil, 100)
			if !ok || !judge.Match(b) {
				t.Fatalf("%s: %q, %v", e, b, ok)
			}
		}
	}
}

func TestAnchored(t *testing.T) {
	for pattern, want := range map[string][2]bool{`/^a$/`: {true, true}, `/a/`: {}, `/^(?:a|b$)/`: {true, false}, `/(?:^a|^b)/`: {true, false}, `/^a/m`: {}} {
		p, err := Parse(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if b, e := p.Anchored(); [2]bool{b, e} != want {
			t.Errorf("%s: %v %v", pattern, b, e)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`/^(?:a|b)[^x]{1,3}(?=c)\1/smi`, []byte("abc"))
	f.Add(`/(?P<v>a)(?P=v)[[:alpha:]]\x41/`, []byte("aab"))
	f.Fuzz(func(t *testing.T, text string, in []byte) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		if len(in) > 50 || len(text) > 50 {
			return
		}
		if b, e, ok := p.Find(in, 0); ok && (b < 0 || e < b && e < 0 || e > len(in)) {
			t.Fatalf("match %d to %d of %d", b, e, len(in))
		}
	})
}
