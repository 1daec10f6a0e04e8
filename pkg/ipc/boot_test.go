package ipc

import (
	"bytes"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"citygate/pkg/flow"
)

func testBoot() *Boot {
	return &Boot{
		Site: "school-14", Config: "/etc/citygate/citygate.yaml", Policy: "/etc/citygate/policy.yaml",
		StateDir: "/var/lib/citygate", LogDir: "/var/log/citygate", RunDir: "/run/citygate", BPFDir: "/sys/fs/bpf/citygate",
		UIDBase: 47100,
		Bridges: []BootBridge{{Name: "cctv", CameraPort: "g0", ServerPort: "g1", Enforce: true, FailOpen: true, STP: true}},
		Management: Management{
			Interface: "eth0", AllowFrom: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/24"), netip.MustParsePrefix("fd00::/8")},
			Ports: []PortRange{{Proto: flow.TCP, Lo: 22, Hi: 22}, {Proto: flow.UDP, Lo: 1000, Hi: 2000}},
		},
	}
}

func TestBoot(t *testing.T) {
	b := testBoot()
	data, err := b.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseBoot(data)
	if err != nil || !reflect.DeepEqual(got, b) {
		t.Errorf("got %+v, %v", got, err)
	}
	for n := range data {
		if _, err := ParseBoot(data[:n]); err == nil {
			t.Errorf("a record cut to %d bytes parses", n)
		}
	}
	if b.UID(Guard) != 47101 || b.UID(Watch) != 47104 {
		t.Errorf("guard is %d, watch %d", b.UID(Guard), b.UID(Watch))
	}
}

func unchecked(b *Boot) []byte {
	var c codec
	b.layout(&c)
	return c.b
}

func TestBootRefuses(t *testing.T) {
	for want, change := range map[string]func(*Boot){
		`"etc/x" is not a clean absolute path`:       func(b *Boot) { b.Config = "etc/x" },
		`"/var/../etc" is not a clean absolute path`: func(b *Boot) { b.StateDir = "/var/../etc" },
		`"/" is not a clean absolute path`:           func(b *Boot) { b.LogDir = "/" },
		`"/run/a\nb" is not a clean absolute path`:   func(b *Boot) { b.RunDir = "/run/a\nb" },
		"uid_base 0 is not between":                  func(b *Boot) { b.UIDBase = 0 },
		"0 bridges, want 1 to 16":                    func(b *Boot) { b.Bridges = nil },
		`bridge ".." with ports`:                     func(b *Boot) { b.Bridges[0].Name = ".." },
		`with ports "g0/../x" and "g1"`:              func(b *Boot) { b.Bridges[0].CameraPort = "g0/../x" },
		`"an interface too long" is no interface`:    func(b *Boot) { b.Management.Interface = "an interface too long" },
		"management port TCP/0-0 is no range":        func(b *Boot) { b.Management.Ports[0] = PortRange{Proto: flow.TCP} },
		"management has more than 256 addresses":     func(b *Boot) { b.Management.Ports = make([]PortRange, 257) },
	} {
		b := testBoot()
		change(b)
		_, err := b.Append(nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		// The writer cleans texts, so this one arrives as a good path.
		if _, err := ParseBoot(unchecked(b)); err == nil && !strings.Contains(want, "\\n") {
			t.Errorf("parses: %s", want)
		}
	}
}

func TestInheritBoot(t *testing.T) {
	data, err := testBoot().Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.CreateTemp(t.TempDir(), "boot")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
	t.Setenv(BootEnv, strconv.Itoa(int(f.Fd())))
	for range 2 {
		if b, err := InheritBoot(); err != nil || !reflect.DeepEqual(b, testBoot()) {
			t.Errorf("got %+v, %v", b, err)
		}
	}
	t.Setenv(BootEnv, "")
	if _, err := InheritBoot(); err == nil {
		t.Error("a record from nowhere")
	}
}

func FuzzParseBoot(f *testing.F) {
	data, err := testBoot().Append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBoot(data)
		if (b == nil) == (err == nil) {
			t.Fatalf("both or neither: %v, %v", b, err)
		}
		if err == nil {
			if again, err := b.Append(nil); err != nil || !bytes.Equal(again, data) {
				t.Fatalf("not canonical: %x becomes %x, %v", data, again, err)
			}
		}
	})
}
