package signature

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

// A rule is a signature or a refusal that says why, never both, the same each time, and no larger than its text allows.
func FuzzParse(f *testing.F) {
	odd, err := os.ReadFile("testdata/odd.rules")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.SplitSeq(string(odd), "\n") {
		f.Add(line)
	}
	for _, seed := range []string{
		"", "alert", "alert tcp any any -> any any (", "alert tcp any any -> any any ()", "alert tcp [[[[ any -> any any (sid:1;)",
		`alert tcp any any -> any any (requires:version >= 7 | < 3, keyword x; sid:1;)`, `alert tcp any any -> any any (msg:"\`,
		"alert tcp ![!$HOME_NET,![!10.0.0.0/8]] ![80,!1:90] -> any any (sid:1;)",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("f", 1, text, NewEnv())
		again, err2 := Parse("f", 1, text, NewEnv())
		if (s == nil) == (err == nil) || !reflect.DeepEqual(s, again) || !reflect.DeepEqual(err, err2) {
			t.Fatalf("%q: %v, %v; again %v, %v", text, s, err, again, err2)
		}
		if err != nil {
			var r *Refusal
			if !errors.As(err, &r) || r.Keyword == "" || r.Reason == "" || len(r.Error()) > 2000+len(text) {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		checkBounds(t, text, s)
	})
}

func checkBounds(t *testing.T, text string, s *Signature) {
	t.Helper()
	matches := len(s.Packet) + len(s.Post)
	lists := append([][]Match{s.Packet, s.Post}, nil)
	for _, l := range s.Lists {
		matches += len(l.Matches) + len(l.Transforms)
		lists = append(lists, l.Matches, l.Transforms)
	}
	if s.SID == 0 || len(s.Blob) > 8*len(text)+64 || matches > 2*maxOptions {
		t.Fatalf("%q: sid %d, %d bytes, %d matches", text, s.SID, len(s.Blob), matches)
	}
	for _, list := range lists {
		for _, m := range list {
			if uint64(m.Data.Off)+uint64(m.Data.Len) > uint64(len(s.Blob)) || int(m.Kind) >= len(keywords) {
				t.Fatalf("%q: %+v points outside of %d bytes", text, m, len(s.Blob))
			}
		}
	}
}

// A file is read to its end, whatever is in it.
func FuzzReadRules(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbf# x\r\nalert tcp any any -> \\\r\n any any (sid:1;)\n\\\n\\"))
	f.Add([]byte("alert tcp any any -> any any (sid:1;)\x00\n\n#alert \\\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		last := 0
		err := ReadRules("f", bytes.NewReader(data), NewEnv(), func(s *Signature, r *Refusal) {
			line := 0
			if s != nil {
				line = s.Line
			} else {
				line = r.Line
			}
			if (s == nil) == (r == nil) || line <= last || line > 1+bytes.Count(data, []byte("\n")) {
				t.Fatalf("%q: %v, %v at line %d after %d", data, s, r, line, last)
			}
			last = line
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// The files of a site are read, or refused by line; what they give can be applied to any line.
func FuzzConfigs(f *testing.F) {
	f.Add("suppress gen_id 1, sig_id 2, track by_src, ip [10.0.0.0/8,!10.1.0.0/16]", "alert tcp any any -> any any (sid:1;)")
	f.Add("rate_filter gen_id 1, sig_id 2, track by_rule, count 1, seconds 1, new_action drop, timeout 1", "# alert (sid:1;)")
	f.Add(`re:a "b(c)" "\1$"`, "x")
	f.Add("1:2, 3", "drop ip any any -> any any (gid:1; sid:2; metadata:a b;)")
	f.Add("metadata: a b\nconfig classification: a,b,1\nconfig reference: a b", "")
	f.Fuzz(func(t *testing.T, config, line string) {
		vars := DefaultVars()
		if _, err := ReadThresholds("t", strings.NewReader(config), &vars); err != nil && !strings.HasPrefix(err.Error(), "t:") {
			t.Fatal(err)
		}
		_ = DefaultClasses().ReadClasses("c", strings.NewReader(config))
		_ = ReadReferences("r", strings.NewReader(config), map[string]string{})
		tu, err := ReadTuning(strings.NewReader(config), strings.NewReader(config), strings.NewReader(config), nil)
		if err == nil {
			tu.Apply("f.rules", line)
		}
		if tu, err = ReadTuning(nil, nil, nil, strings.NewReader(config)); err == nil {
			tu.Apply("f.rules", line)
		}
	})
}
