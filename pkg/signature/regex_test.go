package signature

import (
	"regexp"
	"strings"
	"testing"
)

func TestPCRE(t *testing.T) {
	checkJudgements(t, []judgement{
		{`pcre:"/a.c/";`, "xabc", true},
		{`pcre:"/a.c/";`, "xaBC", false},
		{`pcre:"/a.c/i";`, "xaBC", true},
		{`pcre:!"/a.c/i";`, "xaBC", false},
		{`pcre:!"/a.c/i";`, "xBC", true},
		{`pcre:"/a.c/";`, "a\nc", false},
		{`pcre:"/a.c/s";`, "a\nc", true},
		{`pcre:"/^b/";`, "a\nb", false},
		{`pcre:"/^b/m";`, "a\nb", true},
		{`pcre:"/a$/";`, "a\nb", false},
		{`pcre:"/a$/m";`, "a\nb", true},
		{`pcre:"/a$/";`, "a\n", true},
		{`pcre:"/a$/E";`, "a\n", false},
		{`pcre:"/a\Z/";`, "a\n", true},
		{`pcre:"/a\z/";`, "a\n", false},
		{`pcre:"/b/A";`, "ab", false},
		{`pcre:"/a b # c/x";`, "ab", true},
		{`pcre:"/a|b/A";`, "cb", false},
		{`content:"a"; pcre:"/^b/R";`, "xab", true},
		{`content:"a"; pcre:"/^b/R";`, "xacb", false},
		{`content:"a"; pcre:"/^b/R";`, "xacab", true},
		{`content:"a"; pcre:!"/^b/R";`, "xabac", true},
		{`pcre:"/a+?/"; content:"a"; within:1;`, "aaa", true},
		{`pcre:"/a+/G"; content:"a"; within:1;`, "aa", true},
		{`pcre:"/a+/"; content:"b"; within:1;`, "a aab", true},
		{`pcre:"/\x3a\d{2}\//";`, ":12/", true},
		{`pcre:"/a\/b\;\"/";`, `a/b;"`, true},
	})
}

// Bytes from 0x80 are bytes, not characters.
func TestPCREOnBytes(t *testing.T) {
	checkJudgements(t, []judgement{
		{`pcre:"/\xe9/";`, "\xe9", true},
		{`pcre:"/\xe9/";`, "é", false},
		{`pcre:"/^.$/s";`, "\xff", true},
		{`pcre:"/^.$/s";`, "é", false},
		{`pcre:"/^..$/s";`, "é", true},
		{`pcre:"/^[^a]{2}$/";`, "é", true},
		{`pcre:"/^[^a]{2}$/";`, "\xff\x80", true},
		{`pcre:"/^\W\W$/";`, "é", true},
		{`pcre:"/^é$/";`, "é", true},
		{`pcre:"/[\x80-\xff]{3}/";`, "a\x80\xc0\xff", true},
		{`pcre:"/[\x80-\xff]{3}/i";`, "a\x80\xc0\x7f", false},
		{`pcre:"/\xe9/i";`, "\xc9", false},
		{`pcre:"/^\S\S$/";`, "\x85\xa0", true},
		{`pcre:"/^\s$/";`, "\v", true},
		{`pcre:"/^\h\R\N$/";`, "\xa0\r\nx", true},
		{`pcre:"/^[\s\w-]+$/";`, "a -\v", true},
		{`pcre:"/^\0\01\101\cA\e\x1$/";`, "\x00\x01A\x01\x1b\x01", true},
		{`pcre:"/^[]a]+[^]]$/";`, "]a]b", true},
		{`pcre:"/^\Qa.b\E$/";`, "a.b", true},
		{`pcre:"/^\Qa.b\E$/";`, "axb", false},
	})
}

// Expressions that no automaton can do.
func TestPCREBacktracking(t *testing.T) {
	checkJudgements(t, []judgement{
		{`pcre:"/a(?!b)/";`, "abac", true},
		{`pcre:"/a(?!b)/";`, "ab", false},
		{`pcre:"/(?<=x)a/i";`, "XA", true},
		{`pcre:"/(.)\1/";`, "abb", true},
		{`pcre:"/(.)\1/";`, "aba", false},
		{`pcre:"/(?P<v>.)(?P=v)/";`, "\xff\xff", true},
		{`pcre:"/^(?>a+)b/";`, "aab", true},
		{`pcre:"/a++b/";`, "aab", true},
		{`content:"x"; pcre:"/^(?!b)./R";`, "xbxc", true},
		{`pcre:"/^\w{1,1500}(?=z)/";`, "aaz", true},
		{`pcre:"/^(?!q)\w$/";`, "\xe9", false},
		{`pcre:"/(?<!a)b/";`, "ab b", true},
		{`pcre:"/(?<!a)b/";`, "ab", false},
		{`pcre:"/(?<=a|bcd)e/";`, "xbcde", true},
		{`pcre:"/(?<=a|bcd)e/";`, "xbcdae", true},
		{`pcre:"/(?<=a|bcd)e/";`, "bcxe", false},
		{`pcre:"/(?=(a+))\1b/";`, "aab", true},
		{`pcre:"/^(?:(a)|b)*\1$/";`, "abba", true},
		{`pcre:"/^(a|ab)(?=c)c/";`, "abc", true},
		{`pcre:"/^(?>a|ab)c/";`, "abc", false},
		{`pcre:"/^(?!a(?!b))a/";`, "ab", true},
		{`pcre:"/^(?!a(?!b))a/";`, "ac", false},
		{`pcre:"/^((?!<\/s>).)+x/s";`, "a\nx</s>", true},
		{`pcre:"/^((?!<\/s>).)+x/s";`, "a</s>x", false},
		{`pcre:"/^(?:(?=a)a*)*$/";`, "aaa", true},
		{`pcre:"/^(?=a)(?:a|)*b/";`, "aab", true},
		{`pcre:"/(\w)(?i)\1Z/";`, "aAz", true},
		{`pcre:"/(?i:(?=A))a[^B-D](?-i)e/i";`, "aXe", true},
		{`pcre:"/^(?=.)[[:digit:]\D]{3}$/";`, "1a2", true},
		{`pcre:"/^(?<q>x)[[:^digit:]]\k<q>(?=$)/";`, "xax\n", true},
		{`pcre:"/a(?=b$)/m";`, "ab\nc", true},
		{`pcre:"/(?=a)a{2,3}?(?!a)$/";`, "aaa", true},
		{`pcre:"/^(?=a)a{2,}+a/G";`, "aaaa", true},
	})
	// An expression that takes too many steps ends, and is counted.
	env := NewEnv()
	s, err := rule(t, env, `pcre:"/^(a+)+(?!b)(?=b)./";`)
	if err != nil {
		t.Fatal(err)
	}
	c := &Context{Blob: s.Blob, Regexes: NewRegexes(env.Symbols.Regexes.List)}
	if judgeOn(c, s, Input{Data: []byte(strings.Repeat("a", 40) + "b"), End: true}) || c.Counters.Regex != 1 {
		t.Errorf("%d expressions reached the limit", c.Counters.Regex)
	}
}

func TestPCREOfStream(t *testing.T) {
	for _, tt := range []struct {
		options string
		in      Input
		want    bool
	}{
		{`pcre:"/b$/";`, Input{Data: []byte("ab")}, false},
		{`pcre:"/b$/";`, Input{Data: []byte("ab"), End: true}, true},
		{`pcre:"/b\b/";`, Input{Data: []byte("ab")}, false},
		{`pcre:"/^a/";`, Input{Data: []byte("ab"), Start: 3}, false},
		{`pcre:"/^a/m";`, Input{Data: []byte("ab"), Start: 3}, false},
		{`pcre:"/ab/";`, Input{Data: []byte("ab"), Start: 3}, true},
		{`pcre:!"/x/";`, Input{Data: []byte("ab")}, false},
	} {
		if got := judge(t, tt.options, tt.in); got != tt.want {
			t.Errorf("%s on %+v: %v", tt.options, tt.in, got)
		}
	}
}

func TestPCREBuffers(t *testing.T) {
	s, err := rule(t, NewEnv(), `content:"x"; http_uri; pcre:"/a/RU"; pcre:"/b/R"; content:"y"; http_uri;`)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Lists) != 2 || s.Lists[0].Buffer.String() == s.Lists[1].Buffer.String() {
		t.Errorf("%+v", s.Lists)
	}
	for _, options := range []string{
		`pcre:"/a";`, `pcre:"a/";`, `pcre:"/";`, `pcre:"/a/N";`, `pcre:"/a(/";`, `pcre:"/a/UH";`, `pcre:"/(?P<flow_x>a)/";`,
		`pcre:"/(a)/, flow:x";`, `http.uri; pcre:"/a/H";`, `pcre:"/[a/";`, `pcre:"/\x{100}/";`, `pcre:"/a(?=/";`, `pcre:"/(a)\2/";`, `pcre:"/(?(1)a)/";`, `pcre:"/(?R)/";`, `pcre:"/(?<=a+)b/";`, `pcre:"/(?=(a{9000}){9000})/";`,
		`pcre:"/` + strings.Repeat("a", maxRegex) + `/";`,
	} {
		if _, err := rule(t, NewEnv(), options); err == nil {
			t.Errorf("%.40s was taken", options)
		}
	}
}

// What regexp finds in ASCII, all searches find.
func FuzzRegex(f *testing.F) {
	for _, s := range []string{"a+b|ac", "(ab?)*?c", "^x$|y", "(?m)^[^\n]*b$", "(?:a{2,5}){1,3}b", `\bfoo\b`, `(|a)*b`, `(?i)Kelvin[s-z]`, `x*`, "a$\n?"} {
		f.Add(s, "foo aab\nxaaac ab Kelvins\n", uint8(0))
	}
	f.Fuzz(func(t *testing.T, expr, data string, from uint8) {
		if len(expr) > 100 || len(data) > 400 || int(from) > len(data) || !ascii(expr) || !ascii(data) || strings.ContainsAny(expr, `\`) {
			return
		}
		// Go's text end is Perl's with E.
		re, err := compileRegex("E/" + expr)
		if err != nil || re.program == nil {
			return
		}
		text, _ := rewriteRegex(expr, "")
		oracle, err := regexp.Compile(text)
		if err != nil {
			return
		}
		loc := oracle.FindStringIndex(data)
		rs := NewRegexes(nil)
		var count Counters
		s := subject{data: []byte(data)}
		for name, find := range map[string]func() (int, int, bool){
			"find": func() (int, int, bool) { return rs.find(re, s, 0, &count) },
			"parallel": func() (int, int, bool) {
				rs.machine.steps = machineSteps
				return rs.machine.parallel(re.program, s, 0, re.anchored, re.first)
			},
		} {
			start, end, ok := find()
			if ok != (loc != nil) || ok && (start != loc[0] || end != loc[1]) {
				t.Errorf("%q on %q: %s: %d to %d %v, want %v", expr, data, name, start, end, ok, loc)
			}
		}
		// In a loop whose body can be empty Perl and Go differ.
		if back, err := compileBack(text, "E"); err == nil && !strings.ContainsAny(expr, "*?|{") {
			start, end, ok := rs.machine.searchBack(back, s, 0, nil)
			if rs.machine.steps > 0 && (ok != (loc != nil) || ok && (start != loc[0] || end != loc[1])) {
				t.Errorf("%q on %q: back: %d to %d %v, want %v", expr, data, start, end, ok, loc)
			}
		}
		a1, b1, ok1 := rs.find(re, s, int(from), &count)
		rs.machine.steps = machineSteps
		a2, b2, ok2 := rs.machine.parallel(re.program, s, int(from), false, nil)
		if ok1 != ok2 || ok1 && (a1 != a2 || b1 != b2) {
			t.Errorf("%q on %q from %d: %d %d %v and %d %d %v", expr, data, from, a1, b1, ok1, a2, b2, ok2)
		}
	})
}

// Any expression and any bytes: an answer, in bounds.
func FuzzPCRE(f *testing.F) {
	f.Add("/a(?!b)\\x80[^\\s]/Rsi", []byte("xxa\x80y"))
	f.Add("/^(.)\\1(?<n>a*+)\\Z/m", []byte("aaa\n"))
	f.Add("/[[:alpha:]\\d-]{2,}?\\Q.\\E/xG", []byte("ab."))
	f.Fuzz(func(t *testing.T, value string, data []byte) {
		env := NewEnv()
		b := &Builder{Signature: &Signature{}, Env: env, Quoted: true, keyword: &pcre, kind: kindPCRE}
		if len(value) > 200 || pcre.Parse(b, value) != nil {
			return
		}
		c := &Context{Regexes: NewRegexes(env.Symbols.Regexes.List), In: Input{Data: data, End: len(data)&1 == 0}}
		start, end, ok := findPCRE(c, &b.Lists[len(b.Lists)-1].Matches[0], 0)
		if ok && (start < 0 || end < start || end > len(data)) {
			t.Errorf("%q on %q: %d to %d", value, data, start, end)
		}
	})
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] == 0 {
			return false
		}
	}
	return true
}

func BenchmarkPCRE(b *testing.B) {
	data := []byte(strings.Repeat("GET /index.php?id=12345&name=abc HTTP/1.1\r\nHost: www.example.com\r\nAccept: */*\r\n", 16))
	for _, expr := range []string{`i/host\x3a\s[^\r\n]+\.ru`, `/^[a-z]{5,10}\x2ephp\?id=\d+$`, `/[A-Z][a-z]+\d{9}`, `s/<script.*eval\(`} {
		b.Run(expr, func(b *testing.B) {
			r := NewRegexes([]string{expr})
			re := r.get(0)
			var count Counters
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				r.find(re, subject{data: data}, 0, &count)
			}
		})
	}
}
