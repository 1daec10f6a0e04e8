package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"citygate/pkg/control/api"
)

// jailedEnv makes this test binary say what it is allowed, instead of running tests.
const jailedEnv = "CITYGATE_TEST_JAILED"

func tellJail() {
	in, _ := io.ReadAll(os.Stdin)
	all, _ := net.Interfaces()
	status, _ := os.ReadFile("/proc/self/status")
	bounding := "?"
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			bounding = strings.TrimSpace(rest)
		}
	}
	fmt.Printf("uid %d bounding %s interfaces %d told %s args %s in %s", os.Getuid(), bounding, len(all), os.Getenv(api.InterfacesEnv), os.Args[1:], in)
}

// For root the program that parses runs as nobody, without capabilities and network, and is told what it cannot see.
func TestJailed(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: a person's own process is not jailed")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // nobody has no way into it
	if err := os.Link(self, filepath.Join(dir, "citygate-control")); err != nil {
		if err := copyFile(self, filepath.Join(dir, "citygate-control")); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(jailedEnv, "1")
	a := &App{Tools: dir}
	got, err := a.control(context.Background(), strings.NewReader("text"), "check", "-c", "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"uid 65534 ", "bounding 0000000000000000 ", "interfaces 1 ", "told lo", "args [check -c x]", "in text"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("want %q in %q", want, got)
		}
	}
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o755)
}

func TestControlMissing(t *testing.T) {
	a := &App{Tools: t.TempDir()}
	if _, err := a.control(context.Background(), nil, "check"); err == nil || !strings.Contains(err.Error(), "citygate-control") {
		t.Errorf("got %v", err)
	}
}
