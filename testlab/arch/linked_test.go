package arch

import (
	"debug/elf"
	"debug/gosym"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// banned says what a program must not even link: its text is the proof of what it cannot do. A package's name means those
// beneath it too; with a dot behind it, it alone.
var banned = map[string][]string{
	"citygate-launch":   {"net/http", "crypto/tls", "go.yaml.in/", "citygate/pkg/packet", "github.com/cilium/ebpf", "encoding/json"},
	"citygate-guard":    {"net/http", "crypto/tls", "os/exec", "go.yaml.in/", "citygate/pkg/packet", "citygate/pkg/policy", "github.com/google/nftables"},
	"citygate-firewall": {"net/http", "crypto/tls", "os/exec", "go.yaml.in/", "citygate/pkg/packet", "github.com/cilium/ebpf"},
	"citygate-watch":    {"net/http", "crypto/tls", "os/exec", "go.yaml.in/"},
	"citygate-journal":  {"net/http", "crypto/tls", "os/exec", "go.yaml.in/", "github.com/cilium/ebpf", "citygate/pkg/packet"},
	"citygate-inspect":  {"net/http", "crypto/tls", "crypto/x509", "net.", "os/exec", "go.yaml.in/", "github.com/cilium/ebpf"},
	"citygate-control":  {"os/exec", "citygate/pkg/packet"},
}

func TestProgramsDoNotLink(t *testing.T) {
	for name, bad := range banned {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), name)
			cmd := exec.Command("go", "build", "-o", out, "./cmd/"+name)
			cmd.Dir = root
			cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
			if msg, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, msg)
			}
			functions := functionsOf(t, out)
			if len(functions) < 1000 {
				t.Fatalf("only %d functions found", len(functions))
			}
			for _, prefix := range bad {
				for _, f := range functions {
					if strings.HasPrefix(f, prefix+".") || strings.HasPrefix(f, prefix+"/") || strings.HasSuffix(prefix, "/") && strings.HasPrefix(f, prefix) ||
						strings.HasSuffix(prefix, ".") && strings.HasPrefix(f, prefix) {
						t.Errorf("links %s", f)
						break
					}
				}
			}
		})
	}
}

func functionsOf(t *testing.T, path string) (out []string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := f.Section(".gopclntab").Data()
	if err != nil {
		t.Fatal(err)
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(lines, f.Section(".text").Addr))
	if err != nil {
		t.Fatal(err)
	}
	for _, fn := range table.Funcs {
		out = append(out, fn.Name)
	}
	return out
}
