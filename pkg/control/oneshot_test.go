package control

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"citygate/pkg/ipc"
)

const goodConfig = `site: {name: school-14}
bridges:
  - {name: cctv, camera_port: g0, server_port: g1, mode: enforce, inspect: off, on_failure: open, on_overload: pass}
policy: policy.yaml
management: {interface: eth0, allow_from: [10.9.0.0/24], ports: [tcp/22, tcp/8443]}
state_dir: /var/lib/citygate
log_dir: /var/log/citygate
run_dir: /run/citygate
`

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "citygate.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBootRecord(t *testing.T) {
	file := writeConfig(t, goodConfig)
	c, err := ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	record, err := BootRecord(c).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ipc.ParseBoot(record)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Site":"school-14","Config":"` + file + `","Policy":"` + filepath.Join(filepath.Dir(file), "policy.yaml") +
		`","StateDir":"/var/lib/citygate","LogDir":"/var/log/citygate","RunDir":"/run/citygate","BPFDir":"/sys/fs/bpf/citygate","UIDBase":47100,` +
		`"Bridges":[{"Name":"cctv","CameraPort":"g0","ServerPort":"g1","Enforce":true,"FailOpen":true,"OverloadPass":true,"STP":true,"LLDP":false}],` +
		`"Management":{"Interface":"eth0","AllowFrom":["10.9.0.0/24"],"Ports":[{"Proto":6,"Lo":22,"Hi":22},{"Proto":6,"Lo":8443,"Hi":8443}]}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	p := Paths(c)
	if p.RunDir != "/run/citygate" || p.Bridges[0].Ports[1].Name != "g1" || p.Bridges[0].Mode != "enforce" {
		t.Errorf("paths %+v", p)
	}
}

func TestCheck(t *testing.T) {
	all := []string{"lo", "g0", "g1", "eth0"}
	for _, c := range []struct {
		name, config, policy string
		interfaces           []string
		ok                   bool
		says                 string
	}{
		{"all is well", goodConfig, goodPolicy, all, true, ""},
		{"the config alone", goodConfig, "", all, true, ""},
		{"a port that does not exist", goodConfig, goodPolicy, []string{"lo", "g0", "eth0"}, false, ":3: bridges[1].server_port: there is no interface g1"},
		{"a config with errors", "sites: 1\n", goodPolicy, all, false, "sites"},
		{"a policy with errors", goodConfig, badPolicy, all, false, "new.yaml:2: allow"},
		{"both", "sites: 1\n", badPolicy, all, false, "new.yaml:2: allow"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Files{Config: writeConfig(t, c.config), Interfaces: c.interfaces, Text: []byte(c.policy)}
			if c.policy != "" {
				f.Policy = "new.yaml"
			}
			got, err := Check(f)
			if err != nil || got.OK != c.ok || got.OK != (len(got.Errors) == 0) {
				t.Fatalf("got %+v, %v", got, err)
			}
			var lines []string
			for _, e := range got.Errors {
				lines = append(lines, e.String())
			}
			if text := strings.Join(lines, "\n"); !strings.Contains(text, c.says) {
				t.Errorf("got %s", text)
			}
		})
	}
}

func TestCheckWithoutConfig(t *testing.T) {
	f := Files{Config: filepath.Join(t.TempDir(), "none.yaml"), Policy: "p.yaml", Text: []byte(goodPolicy)}
	if _, err := Check(f); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	f.Optional = true
	if got, err := Check(f); err != nil || !got.OK || got.Devices != 3 || got.Rules != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
}
