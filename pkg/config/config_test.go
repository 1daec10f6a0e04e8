package config

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"citygate/pkg/flow"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func noEnv(string) (string, bool) { return "", false }

func TestContract(t *testing.T) {
	text, err := os.ReadFile("testdata/contract.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse("/etc/citygate/citygate.yaml", text, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	c.ports = nil
	want := &Config{
		File:    "/etc/citygate/citygate.yaml",
		Site:    Site{Name: "school-14"},
		Bridges: []Bridge{{Name: "cctv", CameraPort: "g0", ServerPort: "g1", Mode: Enforce, OnFailure: Open, OnOverload: Pass, STP: true}},
		Policy:  "/etc/citygate/policy.yaml",
		Management: &Management{
			Interface: "eth0", AllowFrom: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/24")},
			Ports: []Port{{flow.TCP, 22}, {flow.TCP, 8443}},
		},
		StateDir: "/var/lib/citygate", LogDir: "/var/log/citygate", RunDir: "/run/citygate", BPFDir: "/sys/fs/bpf/citygate", UIDBase: 47100,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestValues(t *testing.T) {
	const least = "site: {name: a}\nbridges: [{name: cctv, camera_port: g0, server_port: g1%s}]\npolicy: %s\n%s"
	env := func(name string) (string, bool) { return map[string]string{"DIR": "/srv/cg"}[name], name == "DIR" }
	for _, test := range []struct {
		bridge, policy, more string
		check                func(*Config) any
		want                 any
	}{
		{"", "p.yaml", "", func(c *Config) any { return c.Bridges[0] }, Bridge{"cctv", "g0", "g1", Enforce, false, Open, Pass, true, false}},
		{", mode: monitor, stp: false, lldp: true, on_failure: closed, on_overload: drop", "p.yaml", "", func(c *Config) any { return c.Bridges[0] }, Bridge{"cctv", "g0", "g1", Monitor, false, Closed, Drop, false, true}},
		{"", "../p.yaml", "", func(c *Config) any { return c.Policy }, "site/p.yaml"},
		{"", "/srv/p.yaml", "", func(c *Config) any { return c.Policy }, "/srv/p.yaml"},
		{"", "p.yaml", "", func(c *Config) any { return c.Management }, (*Management)(nil)},
		{"", "p.yaml", "state_dir: ${DIR}/state/", func(c *Config) any { return c.StateDir }, "/srv/cg/state"},
		{"", "p.yaml", "uid_base: 60000", func(c *Config) any { return c.UIDBase }, 60000},
		{"", "p.yaml", "bpf_dir: /sys/fs/bpf/second", func(c *Config) any { return c.BPFDir }, "/sys/fs/bpf/second"},
		{"", "p.yaml", "management: {interface: eth0.10, allow_from: 10.9.0.5, ports: udp/161}", func(c *Config) any { return *c.Management }, Management{"eth0.10", []netip.Prefix{netip.MustParsePrefix("10.9.0.5/32")}, []Port{{flow.UDP, 161}}}},
	} {
		text := strings.NewReplacer("%s}]", test.bridge+"}]", "policy: %s", "policy: "+test.policy, "\n%s", "\n"+test.more).Replace(least)
		c, err := Parse("site/conf/citygate.yaml", []byte(text), env)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := test.check(c); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", text, got, test.want)
		}
	}
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
			c, err := Parse(filepath.Base(file), text, noEnv)
			var errs Errors
			if c != nil || !errors.As(err, &errs) {
				t.Fatalf("Parse gave %v and %v, want Errors", c, err)
			}
			for _, e := range errs {
				if e.File == "" || e.Problem == "" || e.Remedy == "" {
					t.Errorf("an error without its file, problem or remedy: %+v", e)
				}
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if got := err.Error() + "\n"; got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestCheckPorts(t *testing.T) {
	text, err := os.ReadFile("testdata/contract.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse("citygate.yaml", text, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckPorts(func(string) bool { return true }); err != nil {
		t.Errorf("all interfaces exist: %v", err)
	}
	err = c.CheckPorts(func(name string) bool { return name == "g0" })
	want := "citygate.yaml:4:48: bridges[1].server_port: there is no interface g1 on this machine; name one that `ip link` lists\n" +
		"citygate.yaml:6:25: management.interface: there is no interface eth0 on this machine; name one that `ip link` lists"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "testdata/contract.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("citygate.yaml", text, noEnv)
		var errs Errors
		if (c == nil) == (err == nil) || err != nil && (!errors.As(err, &errs) || len(errs) == 0) {
			t.Fatalf("Parse gave %v and %v", c, err)
		}
		if c != nil && (len(c.Bridges) == 0 || c.Policy == "" || c.StateDir == "" || c.LogDir == "" || c.RunDir == "" || c.BPFDir == "" || c.UIDBase < 1000) {
			t.Fatalf("Parse took a config with gaps: %+v", c)
		}
	})
}
