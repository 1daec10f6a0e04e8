package document

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func read(t *testing.T, text string, env map[string]string) *Document {
	t.Helper()
	d, err := Parse("f.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	d.Env = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	return d
}

func TestEnvironment(t *testing.T) {
	env := map[string]string{"SITE": "school-14", "EMPTY": ""}
	for _, test := range []struct{ text, want, problem string }{
		{"a: plain", "plain", ""},
		{"a: ${SITE}", "school-14", ""},
		{"a: x-${SITE}-${SITE}", "x-school-14-school-14", ""},
		{"a: $SITE", "$SITE", ""},
		{"a: ${NOBODY}", "", `environment variable "NOBODY" is not set`},
		{"a: ${EMPTY}", "", "this is empty after ${NAME} was replaced"},
		{"a: ${SITE", "", `"${SITE" is no ${NAME}`},
		{"a: ${}", "", `"${}" is no ${NAME}`},
		{"a:", "", "this is empty"},
		{"a: ''", "", "this is empty"},
		{"a: [b]", "", "this is a list"},
		{"a: {b: c}", "", "this is a map"},
		{"a: !x b", "b", `tag "!x" is not read here`},
	} {
		d := read(t, test.text, env)
		v, _ := d.Root().Fields("a").Get("a")
		got, _ := v.Text("a text")
		err := d.Err()
		if test.problem == "" && err != nil || test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)) {
			t.Errorf("%s: error %v, want %q", test.text, err, test.problem)
		}
		if test.problem == "" && got != test.want {
			t.Errorf("%s: got %q, want %q", test.text, got, test.want)
		}
	}
}

func TestErrorsAreInTheOrderOfTheFile(t *testing.T) {
	d := read(t, "b: x\na: y\nc: 1\n", nil)
	f := d.Root().Fields("a", "b")
	a, _ := f.Get("a")
	a.Int(1, 9)
	b, _ := f.Get("b")
	b.Bool()
	var errs Errors
	if !errors.As(d.Err(), &errs) || len(errs) != 3 {
		t.Fatalf("got %v, want three errors", d.Err())
	}
	for i, want := range []string{"b", "a", "c"} {
		if errs[i].Key != want || errs[i].Line != i+1 {
			t.Errorf("error %d is about %s in line %d, want %s in line %d", i, errs[i].Key, errs[i].Line, want, i+1)
		}
	}
}

func TestErrorsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range maxErrors + 500 {
		fmt.Fprintf(&b, "k%d: x\n", i)
	}
	d := read(t, b.String(), nil)
	d.Root().Fields("a")
	var errs Errors
	if !errors.As(d.Err(), &errs) || len(errs) != maxErrors+1 || errs[maxErrors].Problem != "500 more errors are left out" {
		t.Errorf("%d errors, the last: %v", len(errs), errs[len(errs)-1])
	}
}

func TestKeysWithStrangeBytesStayPrintable(t *testing.T) {
	d := read(t, `"a\e[31m": 1`+"\n"+`"b c": 2`, nil)
	d.Root().Fields("x")
	if got := d.Err().Error(); strings.ContainsRune(got, 0x1b) || !strings.Contains(got, `"a\x1b[31m": unknown key`) || !strings.Contains(got, `"b c": unknown key`) {
		t.Errorf("got %q", got)
	}
}
