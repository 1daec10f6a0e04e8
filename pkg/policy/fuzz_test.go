package policy

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Parse gives exactly one of a policy and Errors; what it takes compiles, or is too large.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "testdata/contract.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse("policy.yaml", text)
		var errs Errors
		if (p == nil) == (err == nil) || err != nil && (!errors.As(err, &errs) || len(errs) == 0) {
			t.Fatalf("Parse gave %v and %v", p, err)
		}
		if len(message(err)) > 1000*(len(text)+1) {
			t.Fatalf("%d bytes of errors for %d bytes of text", len(err.Error()), len(text))
		}
		if p == nil {
			return
		}
		p.Show()
		if d := Diff(p, p); len(d) != 0 {
			t.Fatalf("a policy differs from itself: %v", d)
		}
		c, err := p.Compile(Inputs{})
		if (c == nil) == (err == nil) || err != nil && !errors.As(err, &errs) {
			t.Fatalf("Compile gave %v and %v", c, err)
		}
	})
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
