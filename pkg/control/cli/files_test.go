package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"citygate/pkg/control/api"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/journal"
	"citygate/pkg/verdict"
)

func head(clock string) event.Header {
	return event.Header{Wall: at(clock), Bridge: "cctv", Iface: "g0"}
}

func tuple(src, dst string, proto flow.Proto) flow.FiveTuple {
	a, b := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	return flow.FiveTuple{Src: a.Addr(), SrcPort: a.Port(), Dst: b.Addr(), DstPort: b.Port(), Proto: proto}
}

// day is one event of each type.
func day() []event.Event {
	camera := flow.MAC{2, 0, 0, 0, 0, 0x11}
	return []event.Event{
		&event.Device{Header: head("06:00:00"), Event: event.DeviceNew, MAC: camera, Addr: netip.MustParseAddr("10.0.0.11"), Vendor: "Axis", Listed: true, Name: "lobby-1", Role: "camera"},
		&event.Device{Header: head("06:30:00"), Event: event.DeviceNew, MAC: flow.MAC{2, 0, 0, 0, 0, 0x99}, VLAN: 10, Hostname: "x\x1b[2J"},
		&event.Drop{Header: head("07:00:00"), Tuple: tuple("10.0.0.11:5000", "10.0.0.2:22", flow.TCP), SrcMAC: camera, EtherType: 0x800, Reason: verdict.ReasonNoRule, Count: 1, Suppressed: 41, Device: "lobby-1"},
		&event.Drop{Header: head("07:30:00"), SrcMAC: flow.MAC{2, 0, 0, 0, 0, 0x99}, EtherType: 0x88cc, Reason: verdict.ReasonUnknownEthertype, Count: 1, WouldDrop: true},
		&event.Flow{Header: head("08:00:00"), Tuple: tuple("10.0.0.2:40000", "10.0.0.11:554", flow.TCP), FramesToServer: 12, FramesToClient: 990, State: event.FlowClosed, Client: "main", Server: "lobby-1", Service: "rtsp", PolicyLine: "policy.yaml:9"},
		&event.Policy{Header: head("08:10:00"), Action: event.PolicyApplied, Generation: 7, Who: "root", Summary: "1 added, 0 removed, 0 changed"},
		&event.Audit{Header: head("08:20:00"), Who: "root", Verb: "apply", Object: "policy", Result: event.AuditAllowed, Reason: "new camera"},
		&event.Anomaly{Header: head("08:30:00"), Type: event.AnomalyBox, Event: "log_cut", Object: "1/00000001.log", Text: "12 bytes were cut off"},
		&event.Stats{Header: head("08:40:00"), Reasons: []event.ReasonCount{{Reason: verdict.ReasonCached, Verdict: verdict.Pass, Frames: 9}, {Reason: verdict.ReasonNoRule, Verdict: verdict.Drop, Frames: 2}}},
	}
}

func (c *command) writeEvents() {
	c.t.Helper()
	var text bytes.Buffer
	for _, e := range day() {
		text.Write(append(event.EVE(e, "school-14"), '\n'))
	}
	text.WriteString("no JSON\x1b[2J\n")
	if err := os.MkdirAll(filepath.Join(c.dir, "log"), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "log", "eve.json"), text.Bytes(), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func TestEvents(t *testing.T) {
	run := newCommand(t)
	run.writeEvents()
	if code := run.run("events"); code != ExitOK {
		t.Fatalf("exit code %d: %s", code, &run.errs)
	}
	golden(t, "events", run.out.Bytes())
	for args, want := range map[string]int{
		"--type drop": 2, "--type drop,audit": 3, "--since 65m": 5, "--since 1h --type stats": 1, "--since 1s": 0, "--type policy --json": 1,
	} {
		run.out.Reset()
		code := run.run(append([]string{"events"}, strings.Fields(args)...)...)
		if got := bytes.Count(run.out.Bytes(), []byte("\n")); code != ExitOK || got != want {
			t.Errorf("%s: %d lines, want %d; exit code %d\n%s", args, got, want, code, &run.out)
		}
	}
	audit := day()[6]
	if got, want := run.outOf("events", "--json", "--type", "audit"), string(event.EVE(audit, "school-14"))+"\n"; got != want {
		t.Errorf("--json changes the record: %s", got)
	}
}

func (c *command) outOf(args ...string) string {
	c.out.Reset()
	c.run(args...)
	return c.out.String()
}

// With -f a line that is written later comes at once, and an interrupt is a good end.
func TestEventsFollow(t *testing.T) {
	run := newCommand(t)
	run.writeEvents()
	ctx, cancel := context.WithCancel(context.Background())
	lines := make(lineWriter, 16)
	a := run.app()
	a.Out = lines
	done := make(chan int)
	go func() { done <- a.Run(ctx, []string{"events", "-f", "--type", "audit"}) }()
	if first := <-lines; !strings.Contains(first, "new camera") {
		t.Errorf("got %s", first)
	}
	f, err := os.OpenFile(filepath.Join(run.dir, "log", "eve.json"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(append(event.EVE(&event.Audit{Header: head("09:00:00"), Who: "uid 7", Verb: "lift"}, ""), '\n')); err != nil {
		t.Fatal(err)
	}
	if next := <-lines; !strings.Contains(next, "uid 7: lift") {
		t.Errorf("got %s", next)
	}
	cancel()
	if code := <-done; code != ExitOK {
		t.Errorf("exit code %d: %s", code, &run.errs)
	}
}

type lineWriter chan string

func (w lineWriter) Write(b []byte) (int, error) {
	w <- string(b)
	return len(b), nil
}

func TestEventsMissing(t *testing.T) {
	run := newCommand(t)
	if code := run.run("events"); code != ExitError || !strings.Contains(run.errs.String(), "read events") {
		t.Errorf("exit code %d: %s", code, &run.errs)
	}
}

func TestLogVerify(t *testing.T) {
	run := newCommand(t)
	if code := run.run("log", "verify"); code != ExitError {
		t.Errorf("no log: exit code %d", code)
	}
	dir := filepath.Join(run.dir, "state", "journal")
	s, err := journal.OpenStore(journal.Config{Dir: dir, EVE: journal.NewEVEFile(filepath.Join(run.dir, "eve.json"), 1<<20, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s.Write(day())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if code := run.run("log", "verify"); code != ExitOK || !strings.Contains(run.out.String(), "security  7") {
		t.Errorf("exit code %d: %s%s", code, &run.out, &run.errs)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "1", "*"))
	if err != nil {
		t.Fatal(err)
	}
	flip(t, segments)
	run.out.Reset()
	if code := run.run("log", "verify"); code != ExitNo || !strings.Contains(run.out.String(), "is altered") {
		t.Errorf("exit code %d: %s%s", code, &run.out, &run.errs)
	}
	run.out.Reset()
	if code := run.run("log", "verify", "--json"); code != ExitNo || !strings.Contains(run.out.String(), `"ok": false`) {
		t.Errorf("exit code %d: %s", code, &run.out)
	}
}

// flip turns one bit in the middle of the largest file.
func flip(t *testing.T, files []string) {
	t.Helper()
	var largest []byte
	var name string
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && len(b) > len(largest) {
			largest, name = b, f
		}
	}
	largest[len(largest)/2] ^= 1
	if err := os.WriteFile(name, largest, 0o600); err != nil {
		t.Fatal(err)
	}
}

func goodHost() host {
	return host{
		uid: 0, release: "6.18.44", exists: func(string) bool { return true }, landlock: func() int { return 7 },
		seccomp: func() bool { return true }, bpffs: func(string) bool { return true }, free: func(string) (uint64, error) { return 1 << 30, nil },
		port: func(name, _ string) (ipc.PortState, error) {
			return ipc.PortState{Port: name, Up: true, Mode: "none", Checks: []ipc.PortCheck{{Name: "promiscuous", State: ipc.CheckBad, Detail: "set it"}, {Name: "GRO at the veth peer", State: ipc.CheckUnknown, Detail: "look there"}}}, nil
		},
	}
}

func badHost() host {
	return host{
		uid: 1000, release: "5.10.0-9", exists: func(string) bool { return false }, landlock: func() int { return 0 },
		seccomp: func() bool { return false }, bpffs: func(string) bool { return false }, free: func(string) (uint64, error) { return 1 << 20, nil },
		port: func(name, _ string) (ipc.PortState, error) {
			if name == "g1" {
				return ipc.PortState{}, errors.New("bridge port g1: Link not found")
			}
			return ipc.PortState{Port: name, Mode: "generic", Checks: []ipc.PortCheck{{Name: "equal MTU", State: ipc.CheckBad, Detail: "g0 has 1500"}, {Name: "promiscuous", State: ipc.CheckBad, Detail: "set it"}}}, nil
		},
	}
}

func TestDoctor(t *testing.T) {
	run := newCommand(t)
	run.says(`{"ok":true,"file":"policy.yaml","errors":[],"warnings":[],"devices":3,"rules":2,"entries":8}`, nil)
	for _, c := range []struct {
		name string
		host host
	}{{"doctor_good", goodHost()}, {"doctor_bad", badHost()}} {
		name, h := c.name, c.host
		if name == "doctor_bad" {
			run.says(`{"ok":false,"file":"policy.yaml","errors":[{"file":"policy.yaml","line":3,"key":"allow","problem":"it is no list"}],"warnings":[]}`, errors.New("exit status 1"))
		}
		a := run.app()
		d := a.doctor(context.Background(), h)
		if d.Healthy != (name == "doctor_good") {
			t.Errorf("%s: healthy %v", name, d.Healthy)
		}
		var out bytes.Buffer
		printDoctor(&out, d)
		golden(t, name+"_running", clean(run, out.Bytes()))
		// Without a gateway the command looks at the ports itself.
		a.Paths = func(context.Context, string) (api.Paths, error) {
			return api.Paths{RunDir: "/none", StateDir: "/s", LogDir: "/l", BPFDir: "/b", Policy: "p", Bridges: []api.Bridge{{Ports: []api.Port{{Name: "g0"}, {Name: "g1"}}}}}, nil
		}
		out.Reset()
		printDoctor(&out, a.doctor(context.Background(), h))
		golden(t, name+"_alone", clean(run, out.Bytes()))
	}
}

// clean takes the test's own folder out of an output, and the width of its column.
func clean(run *command, b []byte) []byte {
	text := strings.ReplaceAll(string(b), run.dir, "DIR")
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return []byte(out.String())
}

func TestDoctorWithoutConfig(t *testing.T) {
	a := newCommand(t).app()
	a.Paths = func(context.Context, string) (api.Paths, error) {
		return api.Paths{}, fmt.Errorf("citygate.yaml:1: no")
	}
	d := a.doctor(context.Background(), goodHost())
	if d.Healthy || d.Checks[len(d.Checks)-1].Name != "config" {
		t.Errorf("got %+v", d)
	}
}

// The real machine answers without root and without a change.
func TestThisHost(t *testing.T) {
	h := thisHost()
	if h.release == "" || h.landlock() < 0 {
		t.Errorf("%+v", h)
	}
	if free, err := h.free(filepath.Join(t.TempDir(), "not", "there")); err != nil || free == 0 {
		t.Errorf("%d, %v", free, err)
	}
	if _, err := h.port("no-such-port", "lo"); err == nil {
		t.Error("a port that does not exist")
	}
}
