package signature

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// Any list on any data: an answer within the limit of steps; and a yes to the first part of a value stays a yes when the rest comes.
func FuzzInspect(f *testing.F) {
	for _, o := range []string{
		`content:"a"; content:!"b"; within:3; content:"c"; distance:-2; nocase;`,
		`content:"ab"; offset:1; depth:4; isdataat:!2,relative;`, `content:"b"; endswith; byte_jump:1,0,relative; content:"c"; within:2;`,
		`byte_extract:1,1,n; content:"a"; offset:n; depth:2; byte_test:1,>,n,-1,relative;`,
		`byte_jump:0,0,from_end,post_offset -2; content:"c";`, `byte_math:bytes 1,offset 0,oper -,rvalue 96,result n; isdataat:!n;`,
		`content:"a"; base64_decode:relative; content:"b"; startswith;`, `http.uri; content:!"b"; endswith; bsize:2<>9;`,
	} {
		f.Add(o, "xab1acab bca", uint8(4), uint16(0))
		f.Add(o, "aaaaaaaaaaaa", uint8(9), uint16(2))
	}
	f.Fuzz(func(t *testing.T, options, data string, cut uint8, start uint16) {
		env := NewEnv()
		if len(options) > 300 || strings.Contains(options, "asn1") {
			return
		}
		s, err := rule(t, env, options)
		if err != nil {
			return
		}
		c := &Context{Blob: s.Blob, Regexes: NewRegexes(env.Symbols.Regexes.List)}
		part := []byte(data)[:min(int(cut), len(data))]
		for i := range s.Lists {
			l := &s.Lists[i]
			if len(l.Transforms) > 0 {
				continue
			}
			inspect := func(data []byte, end bool) bool {
				c.In = Input{Buffer: l.Buffer, Data: data, Start: uint64(start), End: end}
				return c.Inspect(l.Matches)
			}
			first := inspect(part, false)
			for _, end := range []bool{false, true} {
				if whole := inspect([]byte(data), end); first && !whole && c.Counters == (Counters{}) && !strings.Contains(options, "pcre") {
					t.Errorf("%s at %d: yes to %q, no to %q, end %v", options, start, part, data, end)
				}
			}
		}
	})
}

// A content found by Inspect is what a plain search finds, whatever its bounds.
func TestContentAgainstPlainSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	letters := []byte("abAB")
	text := func(n int) []byte {
		s := make([]byte, n)
		for i := range s {
			s[i] = letters[r.IntN(len(letters))]
		}
		return s
	}
	for range 20000 {
		pattern, data := text(1+r.IntN(3)), text(r.IntN(12))
		offset, depth := r.IntN(6), r.IntN(6)
		m := Match{Data: Span{0, uint32(len(pattern))}, Flags: flagOffset}
		m.Arg[argOffset] = int64(offset)
		lo, hi := min(offset, len(data)), len(data)
		if depth >= len(pattern) {
			m.Flags |= flagDepth
			m.Arg[argDepth] = int64(depth)
			hi = min(hi, offset+depth)
		}
		area := string(data[lo:max(lo, hi)])
		if r.IntN(2) == 0 {
			m.Flags |= flagNoCase
			lowerInPlace(pattern)
			area = strings.ToLower(area)
			m.Arg[argAnchor] = int64(rarest(pattern, true))
		}
		want := strings.Index(area, string(pattern))
		if want >= 0 {
			want += lo
		}
		c := &Context{Blob: pattern, In: Input{Data: data, End: true}}
		start, end, ok := findContent(c, &m, 0)
		if ok != (want >= 0) || ok && (start != want || end != want+len(pattern)) {
			t.Fatalf("%q in %q, offset %d depth %d: %d to %d %v, want %d", pattern, data, offset, depth, start, end, ok, want)
		}
	}
}

// typical are lists as public rules have them, with data on which they hold.
var typical = []struct{ name, options, data string }{
	{"uri", `http.uri; content:"/index.php?id="; fast_pattern; content:"&cmd="; nocase; distance:0; pcre:"/^[a-z0-9]{4,12}$/R";`, "/site/index.php?id=12&CMD=whoami"},
	{"host", `http.host; dotprefix; content:".example.com"; endswith; bsize:>11;`, "www.evil.example.com"},
	{"headers", `http.header; content:"User-Agent|3a 20|Mozilla/4.0"; nocase; content:!"Referer|3a|"; content:"|0d 0a|Accept|3a 20|*/*|0d 0a|"; within:60;`,
		"Host: example.com\r\nUser-Agent: mozilla/4.0 (compatible)\r\nAccept: */*\r\nConnection: close\r\n"},
	{"payload", `content:"|ff|SMB"; offset:4; depth:5; byte_test:2,>,10,2,relative,little; byte_jump:2,0,relative,little; content:"pipe"; nocase; distance:1;`,
		"\x00\x00\x00\x60\xffSMB\x04\x00\x20\x00abcdef" + strings.Repeat("x", 1000) + "\\PIPE\\"},
}

func BenchmarkInspect(b *testing.B) {
	for _, bench := range typical {
		b.Run(bench.name, func(b *testing.B) {
			c, s := typicalContext(b, bench.options)
			in := Input{Data: []byte(bench.data), End: true}
			b.ReportAllocs()
			for b.Loop() {
				if !judgeOn(c, s, in) {
					b.Fatal("no match")
				}
			}
		})
	}
}

func typicalContext(t testing.TB, options string) (*Context, *Signature) {
	env := NewEnv()
	s, err := rule(t, env, options)
	if err != nil {
		t.Fatal(err)
	}
	return &Context{Blob: s.Blob, Regexes: NewRegexes(env.Symbols.Regexes.List)}, s
}

func TestInspectAllocatesNothing(t *testing.T) {
	for _, tt := range typical {
		c, s := typicalContext(t, tt.options)
		in := Input{Data: []byte(tt.data), End: true}
		if !judgeOn(c, s, in) {
			t.Errorf("%s does not hold", tt.name)
		}
		if n := testing.AllocsPerRun(100, func() { judgeOn(c, s, in) }); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
	c, s := typicalContext(t, `pcre:"/(?<!x)(a)\1(?!z)/";`)
	in := Input{Data: []byte("xaabaa"), End: true}
	if n := testing.AllocsPerRun(100, func() { judgeOn(c, s, in) }); n != 0 {
		t.Errorf("backtracking: %v allocations", n)
	}
}

func BenchmarkIndexFold(b *testing.B) {
	data := []byte(strings.Repeat("GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0\r\n\r\n", 200))
	for _, p := range []string{"cmd.exe", "x-forwarded-for", "seller"} {
		b.Run(p, func(b *testing.B) {
			at := rarest([]byte(p), true)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if indexFold(data, []byte(p), at) >= 0 {
					b.Fatal("found")
				}
			}
		})
	}
}
