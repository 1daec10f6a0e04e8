package signature

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

func TestReadRules(t *testing.T) {
	text := "\xef\xbb\xbf# a comment that ends with a backslash \\\r\n" +
		"alert tcp any any -> any any (msg:\"one\"; sid:1;)\r\n" +
		"\r\n" +
		"alert tcp any any -> \\\r\n  any any \\\n (msg:\"two\"; sid:2;)\n" +
		"   # alert tcp any any -> any any (sid:3;)\n" +
		"alert tcp any any -> any any (msg:\"four\"; nonsense; sid:4;)\n" +
		"alert tcp any any -> any any (sid:5; msg:\"" + strings.Repeat("x", MaxRule) + "\";)\n" +
		"alert tcp any any -> any any (msg:\"six\"; sid:6;)"
	var got []string
	err := ReadRules("f.rules", strings.NewReader(text), NewEnv(), func(s *Signature, r *Refusal) {
		if s != nil {
			got = append(got, fmt.Sprintf("%d %s", s.Line, s.Msg))
		} else {
			got = append(got, fmt.Sprintf("%d refused %d %s", r.Line, r.SID, r.Keyword))
		}
	})
	want := "2 one, 4 two, 8 refused 4 nonsense, 9 refused 5 syntax, 10 six"
	if err != nil || strings.Join(got, ", ") != want {
		t.Errorf("got  %s (%v)\nwant %s", strings.Join(got, ", "), err, want)
	}
}

// A rule that goes on for ever is refused as one, at its first line.
func TestReadRulesEndless(t *testing.T) {
	text := strings.Repeat(strings.Repeat("x", 1000)+"\\\n", 200) + "\nalert tcp any any -> any any (sid:1;)\nalert \\"
	var lines []int
	if err := ReadRules("f", strings.NewReader(text), NewEnv(), func(s *Signature, r *Refusal) {
		if s != nil {
			lines = append(lines, s.Line)
		} else {
			lines = append(lines, -r.Line)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(lines); got != "[-1 202 -203]" {
		t.Errorf("lines %s", got)
	}
}

// endless gives a text again and again, up to a number of bytes.
type endless struct {
	text []byte
	at   int
	left int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), e.left)], e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	e.left -= n
	return n, nil
}

// A file of 100 MB needs the memory of a rule.
func TestReadRulesOfManyMegabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	// One line without an end, and then lines that are refused.
	for _, text := range []string{"x", "nonsense " + strings.Repeat("y", 5000) + "\n"} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		n, most := 0, uint64(0)
		err := ReadRules("f", &endless{text: []byte(text), left: 100 << 20}, NewEnv(), func(s *Signature, r *Refusal) {
			if n++; n%1000 == 0 {
				runtime.ReadMemStats(&after)
				most = max(most, after.HeapAlloc-min(after.HeapAlloc, before.HeapAlloc))
			}
		})
		if err != nil || n == 0 || most > 16<<20 {
			t.Errorf("%.10q: %v, %d rules, %d MiB", text, err, n, most>>20)
		}
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestReadRulesBroken(t *testing.T) {
	r := io.MultiReader(strings.NewReader("alert tcp any any -> any any (sid:1;)\nalert"), brokenReader{})
	n := 0
	if err := ReadRules("f", r, NewEnv(), func(*Signature, *Refusal) { n++ }); err == nil || n != 1 {
		t.Errorf("error %v after %d rules", err, n)
	}
}

func TestRules(t *testing.T) {
	const head = "alert tcp any any -> any any "
	text := head + `(msg:"a"; sid:1; rev:2;)` + "\n" +
		head + `(msg:"b"; sid:1; rev:3;)` + "\n" + // takes the place of the first
		head + `(msg:"c"; sid:1; rev:3;)` + "\n" + // the same again
		head + `(msg:"d"; sid:1; rev:1;)` + "\n" + // older
		head + `(msg:"e"; gid:2; sid:1; rev:1;)` + "\n" + // of another group
		head + `(msg:"f"; requires: version >= 99; sid:2;)` + "\n"
	var rules Rules
	if err := rules.Read("f", bytes.NewReader([]byte(text))); err != nil {
		t.Fatal(err)
	}
	var msgs []string
	for _, s := range rules.Signatures {
		msgs = append(msgs, s.Msg)
	}
	if fmt.Sprint(msgs) != "[b e]" || rules.Replaced != 1 || rules.Skipped != 1 || len(rules.Refused) != 2 {
		t.Errorf("%v, %d replaced, %d skipped, refused %v", msgs, rules.Replaced, rules.Skipped, rules.Refused)
	}
	for _, r := range rules.Refused {
		if r.Keyword != "sid" || !strings.Contains(r.Reason, "f:2") {
			t.Errorf("%v", r)
		}
	}
}
