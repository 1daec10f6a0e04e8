package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func tailed(t testing.TB, path string) (lines []string) {
	t.Helper()
	err := Tail(t.Context(), path, false, func(line []byte) error {
		lines = append(lines, string(line))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestTailOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	if got := tailed(t, path); got != nil {
		t.Errorf("no file gives %v", got)
	}
	for name, text := range map[string]string{
		path: "e\n\nf\ntorn", path + ".1": "c\n" + strings.Repeat("x", maxLine+70000) + "\nd\n", path + ".2": "a\nb\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if got := tailed(t, path); !slices.Equal(got, []string{"a", "b", "c", "d", "e", "f"}) {
		t.Errorf("%v", got)
	}
	stop := errors.New("enough")
	if err := Tail(t.Context(), path, true, func([]byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}

// Following misses no line and shows none twice, while the file rotates under it many times.
func TestTailFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	e := NewEVEFile(path, 500, 100)
	const lines = 3000
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, done := 0, make(chan error)
	go func() {
		done <- Tail(ctx, path, true, func(line []byte) error {
			if string(line) != fmt.Sprintf("line %d", got) {
				return fmt.Errorf("%q where line %d comes", line, got)
			}
			if got++; got == lines {
				cancel()
			}
			return nil
		})
	}()
	for n := range lines {
		write(t, e, fmt.Sprintf("line %d\n", n))
	}
	if err := <-done; err != nil || got != lines {
		t.Errorf("%d of %d lines, %v", got, lines, err)
	}
}

// A line that comes in two writes is handed on once, whole; an emptied file is read from its start.
func TestTailPartsAndTruncation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, done := make(chan string), make(chan error, 1)
	go func() {
		done <- Tail(ctx, path, true, func(line []byte) error { got <- string(line); return nil })
	}()
	next := func(want string) {
		t.Helper()
		select {
		case line := <-got:
			if line != want {
				t.Fatalf("%q, want %q", line, want)
			}
		case err := <-done:
			t.Fatal(err)
		}
	}
	fmt.Fprint(f, "one\ntw")
	next("one")
	fmt.Fprint(f, "o\n")
	next("two")
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "3\n")
	next("3")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestFilter(t *testing.T) {
	at := func(s string) string { return `{"timestamp":"` + s + `","event_type":"drop"}` }
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		f    Filter
		line string
		want bool
	}{
		{Filter{}, "not JSON", true},
		{Filter{Types: []string{"drop"}}, "not JSON", false},
		{Filter{Types: []string{"flow", "drop"}}, at("x"), true},
		{Filter{Types: []string{"flow"}}, at("x"), false},
		{Filter{Since: since}, at("x"), false},
		{Filter{Since: since}, at("2026-03-01T12:00:00.000000+0000"), true},
		{Filter{Since: since}, at("2026-03-01T11:59:59.999999+0000"), false},
		{Filter{Since: since}, at("2026-03-01T11:59:59.999999-0100"), true},
		{Filter{Since: since, Types: []string{"flow"}}, at("2026-03-01T12:00:00.000000+0000"), false},
	} {
		if got := c.f.Match([]byte(c.line)); got != c.want {
			t.Errorf("%+v on %s: %v", c.f, c.line, got)
		}
	}
}
