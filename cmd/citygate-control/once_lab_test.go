//go:build lab

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"citygate/pkg/control/cli"
)

const configText = `site: {name: school-14}
bridges: [{name: cctv, camera_port: lo, server_port: g1}]
policy: policy.yaml
run_dir: RUN
state_dir: RUN-state
log_dir: RUN-log
`

const policyText = `devices:
  main: {mac: "02:00:00:00:00:02", ip: [10.0.0.2], role: vms}
`

// root's questions are answered from within the sandbox: the programs as they ship, on real files.
func TestOnceAsRoot(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	build := exec.Command("go", "build", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, d := range []string{filepath.Dir(dir), dir} { // nobody reads it
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "citygate.yaml")
	for name, text := range map[string]string{file: strings.ReplaceAll(configText, "RUN", filepath.Join(dir, "run")), filepath.Join(dir, "policy.yaml"): policyText} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		in, args, says string
		code           int
	}{
		{"", "policy check -c " + file, ":2: bridges[1].server_port: there is no interface g1", cli.ExitNo},
		{"", "policy check -c " + file + "x", "no such file", cli.ExitError},
		{policyText, "policy check -", "standard input is right: 1 device", cli.ExitOK},
		{"", "policy check " + filepath.Join(dir, "policy.yaml"), "policy.yaml is right", cli.ExitOK},
		{"devices: 3\n", "policy check -", "standard input:1: devices: this is", cli.ExitNo},
		{"", "status -c " + file, "nobody answers on " + filepath.Join(dir, "run", "citygate.sock"), cli.ExitError},
	} {
		var out bytes.Buffer
		a := cli.New("test")
		a.Tools, a.Out, a.Err, a.In = bin, &out, &out, strings.NewReader(c.in)
		if code := a.Run(context.Background(), strings.Fields(c.args)); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: exit code %d, %s", c.args, code, &out)
		}
	}
	// Called by root without the sandbox, it refuses to parse.
	out, err := exec.Command(filepath.Join(bin, "citygate-control"), "paths", "-c", file).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "it runs as root") {
		t.Errorf("as root: %v, %s", err, out)
	}
}
