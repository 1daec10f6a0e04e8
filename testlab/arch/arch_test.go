// Package arch holds the table of who may import what, and tests that hold the tree to it.
package arch

import (
	"bufio"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "citygate/"
)

// bands are the layers, lowest first. A package imports packages of lower bands, and those of its own band that are
// named beside it. A package that is not here fails: add it to the list.
var bands = []map[string][]string{
	{"bpf": nil, "rules": nil, "pkg/verdict": nil, "pkg/flow": nil, "pkg/flow/notation": {"pkg/flow"}},
	{"pkg/ipc": nil, "pkg/event": nil, "pkg/app/layer": nil, "pkg/app/line": nil, "pkg/app/tx": {"pkg/app/layer"}},
	{
		"pkg/packet": nil, "pkg/reassembly": {"pkg/packet"},
		"pkg/app/dns": nil, "pkg/app/ftp": nil, "pkg/app/modbus": nil, "pkg/app/onvif": nil, "pkg/app/rtsp": nil,
		"pkg/app/sip": nil, "pkg/app/smb": nil, "pkg/app/smtp": nil, "pkg/app/ssh": nil, "pkg/app/telnet": nil,
		"pkg/app/tls": nil, "pkg/app/http": {"pkg/app/onvif"},
	},
	{"pkg/app": nil},
	{"pkg/signature": nil},
	{"pkg/detect/prefilter": nil, "pkg/detect": {"pkg/detect/prefilter"}},
	{"pkg/detect/eve": nil},
	{"pkg/detect/offline/job": nil, "pkg/detect/offline": {"pkg/detect/offline/job"}},
	{"pkg/policy/document": nil, "pkg/policy": {"pkg/policy/document"}, "pkg/device": nil},
	{"pkg/config": nil},
	{
		"pkg/link": nil, "pkg/datapath/reader": nil, "pkg/datapath": {"pkg/link"}, "pkg/firewall": nil,
		"pkg/journal": nil, "pkg/sandbox": nil, "pkg/sandbox/profile": {"pkg/sandbox"},
		"pkg/datapath/guard": {"pkg/datapath", "pkg/link"}, "pkg/device/sight": {"pkg/datapath/reader"},
	},
	{"pkg/control/api": nil, "pkg/control": {"pkg/control/api"}, "pkg/control/cli": {"pkg/control/api"}},
}

// modules says which packages may use a module besides testlab; no other package may, directly.
var modules = map[string][]string{
	"github.com/cilium/ebpf":              {"bpf", "pkg/datapath", "pkg/datapath/reader"},
	"github.com/vishvananda/netlink":      {"pkg/link"},
	"github.com/safchain/ethtool":         {"pkg/link"},
	"github.com/google/nftables":          {"pkg/firewall"},
	"github.com/google/gopacket":          {"pkg/packet"},
	"go.yaml.in/yaml":                     {"pkg/policy/document", "pkg/config", "pkg/policy"},
	"github.com/landlock-lsm/go-landlock": {"pkg/sandbox"},
	"golang.org/x/net/bpf":                {"pkg/sandbox"},
	"github.com/spf13/cobra":              {"pkg/control/cli", "cmd/citygate"},
	"github.com/spf13/pflag":              {"pkg/control/cli"},
}

// plain modules may be used everywhere above the vocabulary.
var plain = []string{"golang.org/x/sys", "golang.org/x/sync", "golang.org/x/term"}

// packages are the tree's packages with their imports, by folder; tests apart, lab files too.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	ctx := build.Default
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if ok, err := ctx.MatchFile(filepath.Dir(path), filepath.Base(path)); err != nil || !ok {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, _ := filepath.Rel(root, filepath.Dir(path))
		out[dir] = append(out[dir], []string{}...)
		for _, i := range f.Imports {
			out[dir] = append(out[dir], strings.Trim(i.Path.Value, `"`))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func band(pkg string) int {
	for i, b := range bands {
		if _, ok := b[pkg]; ok {
			return i
		}
	}
	return -1
}

func TestImports(t *testing.T) {
	for pkg, imports := range packages(t) {
		program := strings.HasPrefix(pkg, "cmd/")
		lab := strings.HasPrefix(pkg, "testlab") || pkg == "cmd/citygate-lab" || pkg == "rules/devices/ouigen"
		if !program && !lab && band(pkg) < 0 {
			t.Errorf("%s is in no layer: add it to the list in testlab/arch", pkg)
			continue
		}
		for _, i := range imports {
			switch {
			case lab:
			case strings.HasPrefix(i, module):
				own(t, pkg, strings.TrimPrefix(i, module), program)
			case strings.Contains(i, "."):
				foreign(t, pkg, i)
			}
		}
	}
}

func own(t *testing.T, pkg, i string, program bool) {
	t.Helper()
	switch {
	case strings.HasPrefix(i, "cmd/") || strings.HasPrefix(i, "testlab"):
		t.Errorf("%s imports %s: nothing builds on programs or the lab", pkg, i)
	case program:
	case band(i) > band(pkg), band(i) == band(pkg) && !slices.Contains(bands[band(pkg)][pkg], i):
		t.Errorf("%s imports %s, which is not below it", pkg, i)
	case i == "bpf" && pkg != "pkg/datapath" && pkg != "pkg/datapath/reader":
		t.Errorf("%s imports bpf: only the data path does", pkg)
	}
}

func foreign(t *testing.T, pkg, i string) {
	t.Helper()
	for m, users := range modules {
		if i == m || strings.HasPrefix(i, m+"/") {
			if !slices.Contains(users, pkg) {
				t.Errorf("%s imports %s: only %v may", pkg, i, users)
			}
			return
		}
	}
	for _, m := range plain {
		if strings.HasPrefix(i, m) && (band(pkg) > 0 || strings.HasPrefix(pkg, "cmd/")) {
			return
		}
	}
	t.Errorf("%s imports %s, which no package may: add it to the list in testlab/arch", pkg, i)
}

// graph is all of our own packages that some packages import, themselves included.
func graph(all map[string][]string, from ...string) []string {
	seen := map[string]bool{}
	for len(from) > 0 {
		p := from[0]
		from = from[1:]
		if seen[p] {
			continue
		}
		seen[p] = true
		for _, i := range all[p] {
			if rest, ok := strings.CutPrefix(i, module); ok {
				from = append(from, rest)
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// What runs with privilege stays small enough to read in a day. The aim is 2,500 lines (docs/adr/0004-privileged-lines.md);
// the limit only goes down.
func TestPrivilegedCodeIsSmall(t *testing.T) {
	const limit = 3200
	total := 0
	for _, pkg := range graph(packages(t), "cmd/citygate-launch", "cmd/citygate-guard") {
		files, _ := filepath.Glob(filepath.Join(root, pkg, "*.go"))
		n := 0
		for _, f := range files {
			built, err := build.Default.MatchFile(filepath.Split(f))
			if err != nil {
				t.Fatal(err)
			}
			if built && !strings.HasSuffix(f, "_test.go") && !generated(t, f) {
				n += codeLines(t, f)
			}
		}
		t.Logf("%5d %s", n, pkg)
		total += n
	}
	t.Logf("%5d lines of code in the launcher and the guard", total)
	if total > limit {
		t.Errorf("the launcher and the guard have %d lines of code, at most %d", total, limit)
	}
}

// codeLines counts lines that hold code: not blank, not only a comment.
func codeLines(t *testing.T, path string) (n int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		if line != "" && !strings.HasPrefix(line, "//") {
			n++
		}
	}
	return n
}

func generated(t *testing.T, path string) bool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.HasPrefix(string(b), "// Code generated")
}

// A program only wires: what it does is in packages.
func TestProgramsAreWiring(t *testing.T) {
	const limit = 150
	mains, _ := filepath.Glob(root + "/cmd/*/main.go")
	if len(mains) == 0 {
		t.Fatal("no programs found")
	}
	for _, m := range mains {
		if n := codeLines(t, m); n > limit {
			t.Errorf("%s has %d lines of code, at most %d", m, n, limit)
		}
	}
}
