package control

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestStore(t *testing.T) {
	s := store{t.TempDir()}
	var got savedPolicy
	if err := s.load("policy.json", &got); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no file: %v", err)
	}
	want := savedPolicy{Text: "devices: {}\n\nsha256 0000\n", File: "p.yaml", Source: sourceFile, Applied: time.Unix(1, 0).UTC()}
	if err := s.save("policy.json", want); err != nil {
		t.Fatal(err)
	}
	if err := s.load("policy.json", &got); err != nil || got != want {
		t.Fatalf("got %+v, %v", got, err)
	}
	info, err := os.Stat(filepath.Join(s.dir, "policy.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// Every file that a torn write or a bad disk can leave is refused, and never gives a wrong state.
func TestStoreRefusesDamage(t *testing.T) {
	s := store{t.TempDir()}
	if err := s.save("x.json", map[string]int{"a": 1}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.dir, "x.json")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := [][]byte{append(append([]byte{}, whole...), '\n')}
	for n := range whole {
		damaged = append(damaged, whole[:n])
		for bit := range 8 {
			flipped := append([]byte{}, whole...)
			flipped[n] ^= 1 << bit
			damaged = append(damaged, flipped)
		}
	}
	for _, d := range damaged {
		if err := os.WriteFile(path, d, 0o600); err != nil {
			t.Fatal(err)
		}
		var got map[string]int
		if err := s.load("x.json", &got); !errors.Is(err, errCorrupt) || got != nil {
			t.Fatalf("%q: got %v, %v", d, got, err)
		}
	}
	aside, err := s.setAside("x.json", time.Unix(5, 0))
	if err != nil || aside != "x.json.damaged-5" {
		t.Errorf("set aside as %q, %v", aside, err)
	}
	if err := s.load("x.json", &map[string]int{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after it was set aside: %v", err)
	}
}

func TestStoreRefusesUnknownFields(t *testing.T) {
	s := store{t.TempDir()}
	if err := s.save("x.json", map[string]int{"later": 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.load("x.json", &struct{ Now int }{}); !errors.Is(err, errCorrupt) {
		t.Errorf("got %v", err)
	}
}

func TestStoreCannotWrite(t *testing.T) {
	s := store{filepath.Join(t.TempDir(), "gone")}
	if err := s.save("x.json", 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
