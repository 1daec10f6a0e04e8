package signature

import (
	"strings"
	"testing"
	"time"
)

// rule is a signature of options, made by the reader of rules.
func rule(t testing.TB, env *Env, options string) (*Signature, error) {
	t.Helper()
	return Parse("test.rules", 1, "alert ip any any -> any any (msg:\"t\"; "+options+" sid:1;)", env)
}

// judge says whether all lists of a rule hold for one value, each with the values that it is put through.
func judge(t testing.TB, options string, in Input) bool {
	t.Helper()
	env := NewEnv()
	s, err := rule(t, env, options)
	if err != nil {
		t.Fatalf("%s: %v", options, err)
	}
	c := &Context{Blob: s.Blob, Regexes: NewRegexes(env.Symbols.Regexes.List)}
	return judgeOn(c, s, in)
}

func judgeOn(c *Context, s *Signature, in Input) bool {
	data := in.Data
	for i := range s.Lists {
		l := &s.Lists[i]
		c.In = in
		c.In.Buffer = l.Buffer
		c.In.Data = c.Transform(l, data)
		if !c.Inspect(l.Matches) {
			return false
		}
	}
	return true
}

type judgement struct {
	options string
	data    string
	want    bool
}

func checkJudgements(t *testing.T, tests []judgement) {
	t.Helper()
	for _, tt := range tests {
		if got := judge(t, tt.options, Input{Data: []byte(tt.data), End: true}); got != tt.want {
			t.Errorf("%s on %q: %v, want %v", tt.options, tt.data, got, tt.want)
		}
	}
}

func TestContent(t *testing.T) {
	checkJudgements(t, []judgement{
		{`content:"abc";`, "xxabcx", true},
		{`content:"abc";`, "xxabC", false},
		{`content:"abc"; nocase;`, "xxaBCx", true},
		{`content:"ABC"; nocase;`, "xxaBc", true},
		{`content:!"abc";`, "xyz", true},
		{`content:!"abc";`, "xabcyz", false},
		{`content:"a|0D 0a|b";`, "a\r\nb", true},
		{`content:"|0D0a|";`, "a\r\nb", true},
		{`content:"a\;\"\:\\b";`, `a;":\b`, true},
		{`content:"!abc";`, "!abc", true},
		{`content:"!abc";`, "abc", false},
		{`content:"b"; offset:1;`, "bac", false},
		{`content:"b"; offset:1;`, "bab", true},
		{`content:"bc"; offset:1; depth:2;`, "abc", true},
		{`content:"bc"; offset:1; depth:2;`, "aabc", false},
		{`content:"bc"; depth:3;`, "abc", true},
		{`content:"bc"; depth:3;`, "aabc", false},
		{`content:!"bc"; depth:3;`, "aabc", true},
		{`content:"AB"; pcre:"/a/"; nocase;`, "ab", true},
		{`content:"ab"; startswith;`, "abab", true},
		{`content:"ab"; startswith;`, "xab", false},
		{`content:"ab"; endswith;`, "abxab", true},
		{`content:"ab"; endswith;`, "abx", false},
		{`content:"AB"; nocase; endswith;`, "xab", true},
		{`content:"ab"; startswith; endswith;`, "ab", true},
		{`content:"ab"; startswith; endswith;`, "abab", false},
		{`content:"ab"; depth:3; endswith;`, "xxab", false},
		{`content:!"ab"; endswith;`, "abx", true},
		{`content:!"ab"; endswith;`, "xab", false},
		{`content:"a"; content:"b"; distance:0;`, "ab", true},
		{`content:"a"; content:"b"; distance:0;`, "ba", false},
		{`content:"a"; content:"b"; distance:1;`, "ab", false},
		{`content:"a"; content:"b"; distance:1;`, "acb", true},
		{`content:"b"; content:"a"; distance:-2;`, "ab", true},
		{`content:"b"; content:"a"; distance:-9;`, "ab", true},
		{`content:"a"; content:"b"; within:1;`, "ab", true},
		{`content:"a"; content:"b"; within:1;`, "acb", false},
		{`content:"a"; content:"b"; distance:1; within:1;`, "acb", true},
		{`content:"a"; content:"b"; distance:1; within:1;`, "accb", false},
		{`content:"a"; content:!"b"; within:1;`, "acb", true},
		{`content:"a"; content:!"b"; within:1;`, "ab", false},
		{`content:"abc"; within:3;`, "abc", true},
		{`content:"abc"; within:3;`, "xabc", false},
		{`content:"abc"; distance:1;`, "xabc", true},
		{`content:"abc"; distance:1;`, "abc", false},
	})
}

// A content is tried again further behind if one that counts from it fails.
func TestContentTriedAgain(t *testing.T) {
	checkJudgements(t, []judgement{
		{`content:"a"; content:"b"; within:1;`, "axab", true},
		{`content:"a"; content:"b"; distance:0; content:"c"; within:1;`, "a b abc", true},
		{`content:"a"; content:"b"; within:1; content:"c"; within:1;`, "ab abc", true},
		{`content:"a"; content:"b"; within:1; content:"c"; within:1;`, "ab ab c", false},
		{`content:"a"; content:!"b"; within:1;`, "abac", true},
		{`content:"aa"; content:"b"; within:1;`, "aaab", true},
		{`content:"a"; content:"z"; content:"b"; within:1;`, "ab zzb", true},
		{`content:"z"; content:"a"; content:"b"; within:1; content:!"q";`, "z ax ab", true},
		{`content:"a"; content:"b"; within:2; content:"q"; offset:3;`, "ab ab", false},
	})
}

func TestContentLists(t *testing.T) {
	s, err := rule(t, NewEnv(), `content:"a"; http_uri; content:"b"; nocase; http_header; content:"c"; distance:0; http_uri; content:"d";`)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, l := range s.Lists {
		got += l.Buffer.String() + ":"
		for _, m := range l.Matches {
			got += string(s.Blob[m.Data.Off : m.Data.Off+m.Data.Len])
		}
		got += " "
	}
	if want := "http.uri:ac http.header:b pkt_data:d "; sorted(got) != sorted(want) {
		t.Errorf("lists %q, want %q", got, want)
	}
}

func sorted(s string) string {
	f := strings.Fields(s)
	for i := range f {
		for j := i + 1; j < len(f); j++ {
			if f[j] < f[i] {
				f[i], f[j] = f[j], f[i]
			}
		}
	}
	return strings.Join(f, " ")
}

// Of a stream that goes on, places count from its start, and what may still come is not absent.
func TestContentOfStream(t *testing.T) {
	tests := []struct {
		options string
		data    string
		start   uint64
		end     bool
		want    bool
	}{
		{`content:"abc"; startswith;`, "abc", 0, false, true},
		{`content:"abc"; startswith;`, "abc", 1, false, false},
		{`content:"bc"; offset:10;`, "abc", 8, false, false},
		{`content:"bc"; offset:9;`, "abc", 8, false, true},
		{`content:"bc"; offset:2;`, "abc", 8, false, true},
		{`content:"bc"; depth:11;`, "abc", 8, false, true},
		{`content:"bc"; depth:10;`, "abc", 8, false, false},
		{`content:"bc"; within:11;`, "abc", 8, false, true},
		{`content:"bc"; within:10;`, "abc", 8, false, false},
		{`content:"bc"; endswith;`, "abc", 0, false, false},
		{`content:"bc"; endswith;`, "abc", 0, true, true},
		{`content:!"bc"; endswith;`, "abd", 0, false, false},
		{`content:!"x";`, "abc", 0, false, false},
		{`content:!"x";`, "abc", 0, true, true},
		{`content:!"x"; depth:3;`, "abc", 0, false, true},
		{`content:!"x"; depth:4;`, "abc", 0, false, false},
		{`content:"a"; content:!"x"; within:2;`, "abc", 0, false, true},
		{`content:"a"; content:!"x"; within:3;`, "abc", 0, false, false},
		{`content:"abc"; depth:3;`, "abc", 1 << 63, false, false},
	}
	for _, tt := range tests {
		in := Input{Data: []byte(tt.data), Start: tt.start, End: tt.end}
		if got := judge(t, tt.options, in); got != tt.want {
			t.Errorf("%s on %q at %d, end %v: %v, want %v", tt.options, tt.data, tt.start, tt.end, got, tt.want)
		}
	}
}

func TestContentRefused(t *testing.T) {
	for _, options := range []string{
		`content:"";`, `content:"|0|";`, `content:"|00";`, `content:"|0g|";`, `content:"a\b";`, `content:abc;`,
		`nocase;`, `content:"a"; nocase; nocase;`, `content:"a"; nocase:1;`, `content:"a"; rawbytes; rawbytes;`,
		`content:"abc"; depth:2;`, `content:"abc"; within:2; `, `content:"abc"; offset:70000;`, `content:"abc"; offset:-1;`,
		`content:"abc"; startswith; offset:1;`, `content:"abc"; depth:3; startswith;`, `content:"abc"; offset:1; distance:1;`,
		`content:"abc"; distance:x;`, `content:"abc"; offset:1; offset:1;`,
		`content:"abc"; fast_pattern; content:"d"; fast_pattern;`, `content:"abc"; fast_pattern:2,2;`, `content:"abc"; fast_pattern:x;`,
		`content:!"abc"; depth:3; fast_pattern;`, `content:"abc"; depth:3; fast_pattern:only;`, `content:!"abc"; fast_pattern:only;`,
		`content:"abc"; replace:"def";`, `http_uri;`, `http.uri; content:"a"; http_header;`, `http.uri; http.header; content:"a";`,
		`content:"a"; http.uri;`, `http.uri:1; content:"a";`, `file_data_; content:"a";`, `base64_data; content:"a";`,
	} {
		if _, err := rule(t, NewEnv(), options); err == nil {
			t.Errorf("%s was taken", options)
		} else if r, ok := err.(*Refusal); !ok || r.Keyword == "" || r.Reason == "" {
			t.Errorf("%s: %v", options, err)
		}
	}
}

func TestContentOfFastPattern(t *testing.T) {
	s, err := rule(t, NewEnv(), `content:"ABCdef"; nocase; offset:2; depth:20; fast_pattern:1,3; content:!"x"; content:"y"; distance:1;`)
	if err != nil {
		t.Fatal(err)
	}
	m := s.Lists[0].Matches
	c, _ := m[0].Content()
	if want := (Content{NoCase: true, Offset: 2, Depth: 20, FastPattern: true, ChopOff: 1, ChopLen: 3}); c != want {
		t.Errorf("%+v, want %+v", c, want)
	}
	if got := string(s.Blob[m[0].Data.Off : m[0].Data.Off+m[0].Data.Len]); got != "abcdef" {
		t.Errorf("the pattern is %q", got)
	}
	if c, _ := m[1].Content(); !c.Negated {
		t.Errorf("%+v", c)
	}
	if c, _ := m[2].Content(); !c.Relative {
		t.Errorf("%+v", c)
	}
	if keywords[kindContent] != &content || keywords[kindPCRE] != &pcre {
		t.Error("content and pcre do not stand first in the table")
	}
}

// Lists and data that are made for each other end at the limit, and it is counted.
func TestInspectionLimit(t *testing.T) {
	env := NewEnv()
	s, err := rule(t, env, `content:"a"; content:"a"; distance:0; content:"a"; distance:0; content:"a"; distance:0; content:"b"; distance:0;`)
	if err != nil {
		t.Fatal(err)
	}
	c := &Context{Blob: s.Blob}
	if judgeOn(c, s, Input{Data: []byte(strings.Repeat("a", 4000)), End: true}) || c.Counters.Steps != 1 {
		t.Errorf("%d inspections reached the limit", c.Counters.Steps)
	}
}

// Expressions in lists that are made for their data end at the limit, too: the time of an inspection has a bound.
func TestInspectionLimitOfExpressions(t *testing.T) {
	for options, data := range map[string]string{
		`content:"a"; pcre:"/^(a+)+(?!b)(?=b)./R";`: strings.Repeat("a", 60),
		`content:"a"; pcre:"/[^b]*[cd]/R";`:         "c" + strings.Repeat("a", 1<<19),
	} {
		env := NewEnv()
		s, err := rule(t, env, options)
		if err != nil {
			t.Fatal(err)
		}
		c := &Context{Blob: s.Blob, Regexes: NewRegexes(env.Symbols.Regexes.List)}
		start := time.Now()
		if judgeOn(c, s, Input{Data: []byte(data), End: true}) || c.Counters.Steps != 1 {
			t.Errorf("%s: %+v", options, c.Counters)
		}
		t.Log(options, time.Since(start))
	}
}

func TestIndexFold(t *testing.T) {
	data := []byte("The quick Brown fox; the QUICK bROWN FOX. 0123")
	low := strings.ToLower(string(data))
	for i := range low {
		for j := i + 1; j <= len(low); j++ {
			p := []byte(low[i:j])
			want := strings.Index(low, low[i:j])
			for a := range p {
				if got := indexFold(data, p, a); got != want {
					t.Fatalf("%q by its byte %d: %d, want %d", p, a, got, want)
				}
			}
		}
	}
}
