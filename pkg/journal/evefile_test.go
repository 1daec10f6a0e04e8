package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func content(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t testing.TB, e *EVEFile, lines string) {
	t.Helper()
	if err := e.Write([]byte(lines)); err != nil {
		t.Fatal(err)
	}
}

func TestEVERotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	e := NewEVEFile(path, 20, 3)
	for n := range 10 {
		write(t, e, fmt.Sprintf("line %03d\n", n)) // 9 bytes, two a file
	}
	for name, want := range map[string]string{
		path: "line 008\nline 009\n", path + ".1": "line 006\nline 007\n", path + ".2": "line 004\nline 005\n",
	} {
		if got := content(t, name); got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	if files, _ := filepath.Glob(path + "*"); len(files) != 3 {
		t.Errorf("files %v", files)
	}
	write(t, e, strings.Repeat("x", 50)+"\n") // longer than a file may be: alone in one
	if got := content(t, path); len(got) != 51 {
		t.Errorf("%q", got)
	}
	if info, _ := os.Stat(path); info.Mode() != 0o640 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestEVEOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	e := NewEVEFile(path, 20, 1)
	write(t, e, "aaaaaaaaa\n")
	write(t, e, "bbbbbbbbbbbbb\n")
	if files, _ := filepath.Glob(path + "*"); len(files) != 1 || content(t, path) != "bbbbbbbbbbbbb\n" {
		t.Errorf("%v, %q", files, content(t, path))
	}
}

func TestEVETakenAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	e := NewEVEFile(path, 1000, 3)
	write(t, e, "a\n")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	write(t, e, "b\n")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, e, "c\n")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	write(t, e, "d\n")
	if err := e.Reopen(); err != nil {
		t.Fatal(err)
	}
	write(t, e, "e\n")
	if got := content(t, path); got != "d\ne\n" {
		t.Errorf("%q", got)
	}
	if got := content(t, path+".old"); got != "a\n" {
		t.Errorf("%q", got)
	}
}

func TestEVEEndsTornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	if err := os.WriteFile(path, []byte("a\n{\"tor"), 0o640); err != nil {
		t.Fatal(err)
	}
	write(t, NewEVEFile(path, 1000, 3), "b\n")
	if got := content(t, path); got != "a\n{\"tor\nb\n" {
		t.Errorf("%q", got)
	}
}
