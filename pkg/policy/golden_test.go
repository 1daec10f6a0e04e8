package policy

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

func load(t testing.TB, file string) *Policy {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(filepath.Base(file), text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func compile(t testing.TB, p *Policy, in Inputs) *Compiled {
	t.Helper()
	c, err := p.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBadInput(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := Parse(filepath.Base(file), text)
			var errs Errors
			if p != nil || !errors.As(err, &errs) {
				t.Fatalf("Parse gave %v and %v, want Errors", p, err)
			}
			for _, e := range errs {
				if e.File == "" || e.Problem == "" || e.Remedy == "" {
					t.Errorf("an error without its file, problem or remedy: %+v", e)
				}
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", err.Error()+"\n")
		})
	}
}

func TestShow(t *testing.T) {
	p := load(t, "testdata/contract.yaml")
	golden(t, "testdata/contract.show.golden", strings.Join(p.Show(), "\n")+"\n")
}

func TestCompileContract(t *testing.T) {
	c := compile(t, load(t, "testdata/contract.yaml"), Inputs{})
	golden(t, "testdata/contract.compiled.golden", dump(c))
}

// dump renders all tables with names.
func dump(c *Compiled) string {
	var b strings.Builder
	for _, d := range c.Set.Devices {
		fmt.Fprintf(&b, "device %d %s via %s side %v flags %d pps %d kBps %d\n", d.ID, c.DeviceName(d.ID), c.DeviceName(d.Via), d.Side, d.Flags, d.PPS, d.KBps)
	}
	for _, m := range c.Set.MACs {
		fmt.Fprintf(&b, "mac %v vlan %v %s\n", m.MAC, m.VLAN, c.DeviceName(m.Device))
	}
	for _, a := range c.Set.Addrs {
		fmt.Fprintf(&b, "addr %v vlan %v %s\n", a.Prefix, a.VLAN, c.DeviceName(a.Device))
	}
	for _, s := range c.Set.Services {
		fmt.Fprintf(&b, "service %d %s %v %d-%d\n", s.Service, c.ServiceName(s.Service), s.Proto, s.Lo, s.Hi)
	}
	for _, r := range c.Set.Rules {
		fmt.Fprintf(&b, "rule %d %s -> %s %s\n", r.Rule, c.DeviceName(r.From), c.DeviceName(r.To), c.ServiceName(r.Service))
	}
	for _, w := range c.Warnings {
		fmt.Fprintln(&b, "warning", w)
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	old, now := load(t, "testdata/contract.yaml"), load(t, "testdata/changed.yaml")
	var b strings.Builder
	for _, c := range Diff(old, now) {
		fmt.Fprintln(&b, c)
	}
	golden(t, "testdata/changed.diff.golden", b.String())
	if d := Diff(now, now); len(d) != 0 {
		t.Errorf("a policy differs from itself: %v", d)
	}
	if d := Diff(nil, now); len(d) != len(now.Show()) {
		t.Errorf("against nothing there are %d changes, want one for each of %d lines", len(d), len(now.Show()))
	}
}
