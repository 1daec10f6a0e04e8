package signature

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"strings"
	"testing"
)

// transformed is what a rule's only list makes of a value.
func transformed(t testing.TB, options, value string) (string, *Context) {
	t.Helper()
	env := NewEnv()
	s, err := rule(t, env, "http.uri; "+options+` content:"x";`)
	if err != nil {
		t.Fatalf("%s: %v", options, err)
	}
	c := &Context{Blob: s.Blob, Regexes: NewRegexes(env.Symbols.Regexes.List)}
	return string(c.Transform(&s.Lists[0], []byte(value))), c
}

func zipped(t testing.TB, text string) (gz, z string) {
	var a, b bytes.Buffer
	w := gzip.NewWriter(&a)
	w.Write([]byte(text))
	w.Close()
	v := zlib.NewWriter(&b)
	v.Write([]byte(text))
	v.Close()
	return a.String(), b.String()
}

func TestTransform(t *testing.T) {
	long := strings.Repeat("compressed ", 1000)
	gz, z := zipped(t, long)
	for _, tt := range []struct{ options, in, want string }{
		{`dotprefix;`, "a.com", ".a.com"},
		{`dotprefix; dotprefix; to_uppercase;`, "a.com", "..A.COM"},
		{`strip_whitespace;`, " a\t\r\n\v\fb ", "ab"},
		{`compress_whitespace;`, "a  b\t\tc ", "a b\tc "},
		{`to_lowercase;`, "AbÉ1", "abÉ1"},
		{`to_uppercase;`, "aBé1", "ABé1"},
		{`to_md5;`, "abc", "\x90\x01\x50\x98\x3c\xd2\x4f\xb0\xd6\x96\x3f\x7d\x28\xe1\x7f\x72"},
		{`to_sha1;`, "abc", "\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e\x25\x71\x78\x50\xc2\x6c\x9c\xd0\xd8\x9d"},
		{`to_sha256;`, "", "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f\xb9\x24\x27\xae\x41\xe4\x64\x9b\x93\x4c\xa4\x95\x99\x1b\x78\x52\xb8\x55"},
		{`url_decode;`, "a+b%20c%zz%4", "a b c%zz%4"},
		{`xor:"42";`, "\x32\x23\x31\x31", "pass"},
		{`xor:"0d0a";`, "\x0d\x0a\x0c", "\x00\x00\x01"},
		{`xor:offset 1,extract 1 0;`, "\x42\x32\x23\x31\x31", "pass"},
		{`xor:offset   2,  extract 1 1;`, "/0@QDX", "path"},
		{`xor:extract 1 200;`, "abc", "abc"},
		{`from_base64;`, "dGVzdA==", "test"},
		{`from_base64: offset 6;`, "/?arg=dGhpc2lzYXRlc3QK", "thisisatest\n"},
		{`from_base64: bytes 6, offset 6;`, "/?arg=dGhpc2lzYXRlc3QK", "this"},
		{`from_base64: mode rfc2045;`, "dG-Vz dA==", "test"},
		{`from_base64: mode rfc4648;`, "dGVz-dA==", "tes"},
		{`from_base64: mode strict;`, "dGVz-dA==", "dGVz-dA=="},
		{`from_base64: mode strict;`, "dGVzdA==", "test"},
		{`from_base64;`, "!!", "!!"},
		{`from_base64: offset 9;`, "abc", "abc"},
		{`header_lowercase;`, "Host: ExAmple\r\n:Method: GET\r\nX-A: B", "host: ExAmple\r\n:method: GET\r\nx-a: B"},
		{`strip_pseudo_headers;`, ":method: GET\r\nHost: a\r\n:path", "Host: a\r\n"},
		{`gunzip;`, gz, long[:1024]},
		{`gunzip: max-size 4kb;`, gz, long[:4096]},
		{`gunzip: max-size 1mb;`, gz, long},
		{`zlib_deflate: max-size 8;`, z, long[:8]},
		{`zlib_deflate: max-size 64kib;`, z, long},
		{`zlib_deflate;`, "no", ""},
		{`gunzip;`, z, ""},
		{`gunzip;`, gz[:20], ""},
		{`pcrexform:"[a-zA-Z]+\s+(.*)\s+HTTP";`, "GET /a b HTTP/1.1", "/a b"},
		{`pcrexform:"a.";`, "xab\xff", "ab"},
		{`pcrexform:"(q)";`, "abc", "abc"},
		{`pcrexform:"\xff(\x80)";`, "a\xff\x80", "\x80"},
		{`pcrexform:"a(b)?";`, "a", "a"},
	} {
		if got, _ := transformed(t, tt.options, tt.in); got != tt.want {
			t.Errorf("%s of %.40q: %.60q, want %.60q", tt.options, tt.in, got, tt.want)
		}
	}
}

// The values of limits: decompression ends, and it is counted; the memory is used again.
func TestTransformLimits(t *testing.T) {
	gz, _ := zipped(t, strings.Repeat("\x00", 2<<20))
	got, c := transformed(t, `gunzip: max-size 1mb;`, gz)
	if len(got) != maxTransformed || c.Counters.Inflate != 1 {
		t.Errorf("%d bytes, %d counted", len(got), c.Counters.Inflate)
	}
	got, c = transformed(t, `dotprefix;`, strings.Repeat("a", maxTransformed))
	if len(got) != maxTransformed || c.Counters.Transforms != 1 {
		t.Errorf("%d bytes, %d counted", len(got), c.Counters.Transforms)
	}
}

func TestTransformLists(t *testing.T) {
	for _, tt := range []judgement{
		{`http.uri; content:"B"; to_lowercase; content:"b";`, "AB", true},
		{`http.uri; content:"b"; to_lowercase; content:"b";`, "AB", false},
		{`http.uri; to_lowercase; content:"ab"; dotprefix; content:".ab"; startswith;`, "AB", true},
		{`http.uri; to_lowercase; content:"a"; http.uri; content:"A";`, "A", true},
		{`http.uri; dotprefix; content:".b.c"; endswith; bsize:6;`, "a.b.c", true},
		{`http.uri; dotprefix; content:".b.c"; endswith;`, "axb.c", false},
	} {
		if got := judge(t, tt.options, Input{Data: []byte(tt.data), End: true}); got != tt.want {
			t.Errorf("%s on %q: %v", tt.options, tt.data, got)
		}
	}
	for _, options := range []string{
		`dotprefix; content:"a";`, `http.uri; dotprefix;`, `http.uri; dotprefix:1; content:"a";`, `http.uri; xor:"0"; content:"a";`,
		`http.uri; xor:extract 0 1; content:"a";`, `http.uri; xor:extract 1; content:"a";`, `http.uri; from_base64:mode x; content:"a";`,
		`http.uri; gunzip:max-size 2mb; content:"a";`, `http.uri; gunzip:1; content:"a";`, `http.uri; pcrexform:"("; content:"a";`,
		`http.uri; content:"a"; dotprefix;`, `http.uri; dotprefix; http.header; content:"a";`,
	} {
		if _, err := rule(t, NewEnv(), options); err == nil {
			t.Errorf("%s was taken", options)
		}
	}
}

// Every transformation of any value: an answer within the limit, and the same one again.
func FuzzTransform(f *testing.F) {
	gz, z := zipped(f, "some text")
	for _, v := range []string{"", "A b\r\n:c: %41", "dGVz\ndA==", gz, z} {
		f.Add([]byte(v), uint16(0))
	}
	env := NewEnv()
	s, err := rule(f, env, `http.uri; dotprefix; strip_whitespace; compress_whitespace; to_lowercase; to_uppercase; to_md5; to_sha1; to_sha256;
		url_decode; xor:"42"; xor:offset 1,extract 2 0; pcrexform:"(a?)\W"; from_base64; from_base64:offset 1,mode rfc2045; from_base64:mode strict;
		header_lowercase; strip_pseudo_headers; gunzip; zlib_deflate; content:"x";`)
	if err != nil {
		f.Fatal(err)
	}
	all := s.Lists[0].Transforms
	f.Fuzz(func(t *testing.T, value []byte, pair uint16) {
		c := &Context{Blob: s.Blob, Regexes: NewRegexes(env.Symbols.Regexes.List)}
		for i := range all {
			once := bytes.Clone(c.Transformed(all[i:i+1], value))
			if len(once) > maxTransformed || !bytes.Equal(once, c.Transformed(all[i:i+1], value)) {
				t.Errorf("transformation %d of %q", i, value)
			}
		}
		two := []Match{all[int(pair)%len(all)], all[int(pair>>8)%len(all)]}
		got := bytes.Clone(c.Transformed(two, value))
		if want := c.Transformed(two[1:], bytes.Clone(c.Transformed(two[:1], value))); !bytes.Equal(got, want) {
			t.Errorf("%d of %q: %q, want %q", pair, value, got, want)
		}
	})
}
