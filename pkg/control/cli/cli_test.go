package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"citygate/pkg/control/api"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// testdata is absolute: some tests work in a folder of their own.
var testdata, _ = filepath.Abs("testdata")

func TestMain(m *testing.M) {
	if os.Getenv(jailedEnv) != "" {
		tellJail()
		return
	}
	time.Local = time.UTC
	os.Exit(m.Run())
}

func at(s string) time.Time {
	t, err := time.Parse(time.DateTime, "2026-11-23 "+s)
	if err != nil {
		panic(err)
	}
	return t
}

// gateway answers like a box in the middle of a day's work, and remembers what it was asked.
type gateway struct {
	asked  []string
	answer map[string]any // by method and path
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	_, _ = body.ReadFrom(r.Body)
	g.asked = append(g.asked, strings.TrimSpace(r.Method+" "+r.URL.String()+" "+body.String()))
	out, ok := g.answer[r.Method+" "+r.URL.Path]
	if !ok {
		out = &api.Problem{Title: "not found", Status: 404, Detail: r.URL.Path}
	}
	if p, bad := out.(*api.Problem); bad {
		w.Header().Set("Content-Type", api.ProblemType)
		w.WriteHeader(p.Status)
	}
	_ = json.NewEncoder(w).Encode(out)
}

func newGateway() *gateway {
	info := api.PolicyInfo{
		Source: "applied", File: "/etc/citygate/policy.yaml", Hash: "ab12cd34ef567890", Generation: 7, Applied: at("08:00:00"), By: "root",
		Reason: "new camera", Devices: 3, Rules: 2, Entries: 8, ConfirmBy: at("08:01:00"), PreviousHash: "ffee00112233",
	}
	final := info
	final.ConfirmBy, final.PreviousHash = time.Time{}, ""
	diff := api.PolicyDiff{Summary: "1 added, 1 removed, 0 changed", Changes: []api.Change{{Op: "-", Text: "allow main -> cameras rtsp,http"}, {Op: "+", Text: "allow main -> cameras rtsp"}}}
	block := api.Block{Src: netip.MustParseAddr("10.0.0.11"), Dst: netip.MustParseAddr("10.0.0.2"), Until: at("09:10:00"), Reason: "isolate lobby-1", By: "root", Since: at("09:00:00"), Hits: 17}
	forever := api.Block{Src: netip.MustParseAddr("fd00::11"), Dst: netip.MustParseAddr("fd00::2"), By: "uid 1000", Since: at("09:01:00")}
	cached := api.Flow{
		Bridge: "cctv", SrcIP: "10.0.0.2", SrcPort: 40000, DestIP: "10.0.0.11", DestPort: 554, Proto: "TCP", VLAN: "untagged", From: "main", To: "lobby-1",
		Service: "rtsp", Rule: "policy.yaml:9", Generation: 7, Frames: 1200, Bytes: 64000, First: at("07:00:00"), Last: at("09:00:00"),
	}
	reply := cached
	reply.SrcIP, reply.SrcPort, reply.DestIP, reply.DestPort, reply.Reply = cached.DestIP, 554, cached.SrcIP, 40000, true
	reply.From, reply.To, reply.Frames, reply.Bytes = "lobby-1", "main", 99000, 128000000
	return &gateway{answer: map[string]any{
		"GET /v1/status": api.Status{
			Site: "school-14", Version: "v0.1.0", State: "degraded", Started: at("06:00:00"),
			Degraded: []api.Degraded{{What: "policy", Text: "policy.yaml:7: allow: it is no list", Remedy: "correct it"}},
			Bridges: []api.Bridge{{Name: "cctv", Mode: "enforce", Inspect: "off", OnFailure: "open", OnOverload: "pass", Generation: 7, Ports: []api.Port{
				{Name: "g0", Side: "camera", XDP: "native", Up: true, MTU: 1500, Faults: []string{}},
				{Name: "g1", Side: "server", XDP: "generic", MTU: 1500, Faults: []string{"not promiscuous"}},
			}}},
			Policy:    info,
			Processes: []api.Process{{Name: "guard", State: "running"}, {Name: "watch", State: "running", Restarts: 2, LastExit: "killed"}},
			Devices:   api.DeviceTotals{Listed: 16, Seen: 17, Unknown: 1}, Frames: api.FrameTotals{Passed: 1000, Dropped: 20, Lost: 3},
			Blocks: 2, Journal: api.Journal{Written: 44, Suppressed: 5},
		},
		"GET /v1/devices": api.Devices{Uncounted: 4, Devices: []api.Device{
			{Name: "lobby-1", Role: "camera", Listed: true, MAC: "02:00:00:00:00:11", VLAN: "untagged", IPs: []string{"10.0.0.11", "fd00::11"}, Port: "camera", Vendor: "Axis Communications AB", LastSeen: at("09:00:00"), PassFrames: 900, DropFrames: 7},
			{MAC: "02:00:00:00:00:99", VLAN: "10", IPs: []string{}, Port: "camera", LastSeen: at("08:59:00"), DropFrames: 12},
		}},
		"PUT /v1/devices/02:00:00:00:00:99": api.Device{MAC: "02:00:00:00:00:99"},
		"GET /v1/flows":                     api.Flows{Flows: []api.Flow{reply, cached}, More: true},
		"GET /v1/counters": api.Counters{Bridges: []api.BridgeCounters{{
			Bridge: "cctv", Reasons: []api.ReasonCount{
				{Reason: "cached", Text: "a cached verdict of an allow line", Verdict: "pass", Frames: 1000, Bytes: 64000},
				{Reason: "no_rule", Text: "no allow line covers it", Verdict: "drop", Frames: 20, Bytes: 1200, WouldDrop: 1},
			}, Losses: []api.LossCount{{What: "not_taken_by_g1", Frames: 3}}, FrameTotals: api.FrameTotals{Passed: 1000, Dropped: 20, Lost: 3},
		}}},
		"GET /v1/blocks": api.Blocks{Blocks: []api.Block{block, forever}}, "POST /v1/blocks": block, "DELETE /v1/blocks": block,
		"GET /v1/policy":          api.Policy{PolicyInfo: final, Text: "devices: {}\n", Rendered: []string{"device main role vms", "allow main -> cameras rtsp,http"}, Warnings: []string{"policy.yaml:9: nothing"}},
		"POST /v1/policy/diff":    diff,
		"POST /v1/policy/apply":   api.PolicyApply{Applied: true, Policy: info, Diff: diff, ConfirmBy: info.ConfirmBy, Warnings: []string{}},
		"POST /v1/policy/confirm": api.PolicyApply{Applied: true, Policy: final},
		"GET /v1/why": api.Why{
			SrcIP: "10.0.0.2", SrcPort: 40000, DestIP: "10.0.0.11", DestPort: 554, Proto: "TCP", VLAN: "untagged", Verdict: "pass", Mode: "enforce",
			Reason: "policy", Text: "an allow line", From: "main", To: "lobby-1", Service: "rtsp",
			Rule: &api.Rule{File: "policy.yaml", Line: 9, Text: "- {from: main, to: cameras, services: [rtsp]}"}, Flow: &cached,
		},
		"GET /v1/doctor": api.Doctor{Healthy: true, Checks: []api.Check{{Name: "port g0", State: "ok", Text: "native XDP"}}},
	}}
}

// command is one run of citygate beside a gateway.
type command struct {
	t       *testing.T
	gateway *gateway
	dir     string
	in      string
	control func(context.Context, io.Reader, ...string) ([]byte, error)
	// controlArgs is what citygate-control was last asked.
	controlArgs []string
	out, errs   bytes.Buffer
}

func newCommand(t *testing.T) *command {
	t.Helper()
	c := &command{t: t, gateway: newGateway(), dir: t.TempDir()}
	l, err := net.Listen("unix", filepath.Join(c.dir, api.Socket))
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: c.gateway}}
	s.Start()
	t.Cleanup(s.Close)
	return c
}

func (c *command) app() *App {
	return &App{
		Out: &c.out, Err: &c.errs, In: strings.NewReader(c.in), Version: "v0.1.0", Control: c.control, now: func() time.Time { return at("09:00:00") },
		Paths: func(context.Context, string) (api.Paths, error) {
			return api.Paths{RunDir: c.dir, LogDir: filepath.Join(c.dir, "log"), StateDir: filepath.Join(c.dir, "state"), BPFDir: "/sys/fs/bpf/citygate", Policy: filepath.Join(c.dir, "policy.yaml"), Bridges: []api.Bridge{
				{Name: "cctv", Ports: []api.Port{{Name: "g0"}, {Name: "g1"}}},
			}}, nil
		},
	}
}

func (c *command) run(args ...string) int { return c.app().Run(context.Background(), args) }

// says makes citygate-control print a text and complain.
func (c *command) says(text string, complaint error) {
	c.control = func(_ context.Context, _ io.Reader, args ...string) ([]byte, error) {
		c.controlArgs = args
		return []byte(text), complaint
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join(testdata, name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; -update rewrites it\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestOutput(t *testing.T) {
	for _, c := range []struct {
		name, args string
		code       int
		asked      string
	}{
		{"status", "status", ExitNo, "GET /v1/status"},
		{"devices", "devices", ExitOK, "GET /v1/devices"},
		{"devices_unknown", "devices --unknown", ExitOK, "GET /v1/devices"},
		{"devices_name", "devices name 02:00:00:00:00:99 laptop --tag a --tag b --vlan 10", ExitOK, `PUT /v1/devices/02:00:00:00:00:99?vlan=10 {"name":"laptop","tags":["a","b"]}`},
		{"flows", "flows --limit 2", ExitOK, "GET /v1/flows?limit=2"},
		{"counters", "counters", ExitOK, "GET /v1/counters"},
		{"blocks", "blocks", ExitOK, "GET /v1/blocks"},
		{"blocks", "blocks list", ExitOK, "GET /v1/blocks"},
		{"blocks_add", "blocks add 10.0.0.11 10.0.0.2 --for 10m --reason isolate", ExitOK, `POST /v1/blocks {"src":"10.0.0.11","dst":"10.0.0.2","duration_s":600,"reason":"isolate"}`},
		{"blocks_lift", "blocks lift 10.0.0.11 10.0.0.2", ExitOK, "DELETE /v1/blocks?src=10.0.0.11&dst=10.0.0.2"},
		{"policy_show", "policy show", ExitOK, "GET /v1/policy"},
		{"policy_show_yaml", "policy show --yaml", ExitOK, "GET /v1/policy"},
		{"policy_confirm", "policy confirm", ExitOK, "POST /v1/policy/confirm {}"},
		{"why_pass", "why flow 10.0.0.2:40000 10.0.0.11:554 tcp", ExitOK, "GET /v1/why?dst=10.0.0.11&dst_port=554&proto=tcp&src=10.0.0.2&src_port=40000&vlan=untagged"},
		{"version", "version", ExitOK, ""},
	} {
		t.Run(c.args, func(t *testing.T) {
			run := newCommand(t)
			if code := run.run(strings.Fields(c.args)...); code != c.code {
				t.Errorf("exit code %d, want %d: %s", code, c.code, &run.errs)
			}
			golden(t, c.name, run.out.Bytes())
			if asked := strings.Join(run.gateway.asked, "\n"); asked != c.asked {
				t.Errorf("asked %s", asked)
			}
			if c.asked == "" || strings.Contains(c.args, "yaml") {
				return
			}
			run.out.Reset()
			run.run(append(strings.Fields(c.args), "--json")...)
			if !json.Valid(run.out.Bytes()) {
				t.Errorf("--json prints %s", &run.out)
			}
		})
	}
}

func TestWhyDrop(t *testing.T) {
	run := newCommand(t)
	run.gateway.answer["GET /v1/why"] = api.Why{
		Verdict: "drop", Mode: "monitor", Reason: "blocked", Text: "the pair is blocked", From: "lobby-1", To: "main", Reply: true,
		Block: &api.Block{By: "root", Until: at("10:00:00"), Reason: "scan"}, Drops: map[string]uint64{"no_rule": 3, "blocked": 9, "rate": 3},
		Change: "citygate blocks lift 10.0.0.11 10.0.0.2",
	}
	if code := run.run("why", "flow", "10.0.0.11", "10.0.0.2", "icmp", "--vlan", "10"); code != ExitNo {
		t.Errorf("exit code %d: %s", code, &run.errs)
	}
	golden(t, "why_drop", run.out.Bytes())
}

func TestPolicyApply(t *testing.T) {
	run := newCommand(t)
	run.in = "devices: {}\n"
	if code := run.run("policy", "apply", "-", "--confirm-within", "60s", "--reason", "test"); code != ExitOK {
		t.Fatalf("exit code %d: %s", code, &run.errs)
	}
	golden(t, "policy_apply", run.out.Bytes())
	if want := `POST /v1/policy/apply {"text":"devices: {}\n","file":"standard input","reason":"test","confirm_within_s":60}`; run.gateway.asked[0] != want {
		t.Errorf("asked %s", run.gateway.asked[0])
	}
	// Without an argument it is the config's policy file.
	file := filepath.Join(run.dir, "policy.yaml")
	if err := os.WriteFile(file, []byte("x: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run.out.Reset()
	if code := run.run("policy", "diff"); code != ExitNo || run.gateway.asked[1] != `POST /v1/policy/diff {"text":"x: 1\n","file":"`+file+`"}` {
		t.Errorf("exit code %d, asked %s", code, run.gateway.asked[1])
	}
	golden(t, "policy_diff", run.out.Bytes())
	run.gateway.answer["POST /v1/policy/apply"] = &api.Problem{Title: "the policy has errors", Status: 422, Errors: []api.PolicyError{
		{File: "p.yaml", Line: 3, Column: 5, Key: "allow[1].from", Problem: "nobody is no device or group", Remedy: "list it"},
	}}
	if code := run.run("policy", "apply"); code != ExitNo {
		t.Errorf("exit code %d", code)
	}
	golden(t, "policy_refused", run.errs.Bytes())
}

func TestPolicyCheck(t *testing.T) {
	run := newCommand(t)
	run.says(`{"ok":false,"file":"p.yaml","errors":[{"file":"p.yaml","line":3,"key":"allow","problem":"it is no list","remedy":"write a list"}],"warnings":["p.yaml:9: nothing"]}`, errors.New("exit status 1"))
	if code := run.run("policy", "check", "p.yaml"); code != ExitNo {
		t.Errorf("exit code %d: %s", code, &run.errs)
	}
	golden(t, "policy_check", run.out.Bytes())
	if got := strings.Join(run.controlArgs, " "); got != "check -c "+DefaultConfig+" p.yaml" {
		t.Errorf("asked %s", got)
	}
	run.says(`{"ok":true,"file":"p.yaml","errors":[],"warnings":[],"devices":1,"rules":2,"entries":8}`, nil)
	run.out.Reset()
	if code := run.run("policy", "check"); code != ExitOK {
		t.Errorf("exit code %d: %s", code, &run.errs)
	}
	golden(t, "policy_right", run.out.Bytes())
	run.says("no JSON", nil)
	if code := run.run("policy", "check"); code != ExitError {
		t.Errorf("exit code %d", code)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range []string{
		"nonsense", "status extra", "why flow 10.0.0.1:5 x tcp", "why flow 10.0.0.1:5 10.0.0.2:5", "blocks add 10.0.0.1", "blocks add x y",
		"policy apply --confirm-within 100ms", "blocks add 10.0.0.1 10.0.0.2 --for 1ms", "events --type nonsense", "--nonsense", "policy apply /does/not/exist",
	} {
		run := newCommand(t)
		if code := run.run(strings.Fields(args)...); code != ExitError || run.errs.Len() == 0 {
			t.Errorf("%s: exit code %d, %s", args, code, &run.errs)
		}
	}
}

func TestNotRunning(t *testing.T) {
	run := newCommand(t)
	if err := os.Remove(filepath.Join(run.dir, api.Socket)); err != nil {
		t.Fatal(err)
	}
	if code := run.run("status", "-c", "box.yaml"); code != ExitError || !strings.Contains(run.errs.String(), "start it: systemctl start citygate, or: citygate run -c box.yaml") {
		t.Errorf("exit code %d: %s", code, &run.errs)
	}
}

// Every verb has a help that teaches, and stands in the reference with all its flags.
func TestReference(t *testing.T) {
	page, err := os.ReadFile("../../../docs/reference/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Runnable() {
			if !strings.Contains(string(page), "`"+c.CommandPath()) {
				t.Errorf("docs/reference/cli.md does not have %s", c.CommandPath())
			}
			if c.Example == "" || c.Short == "" {
				t.Errorf("%s --help has no example", c.CommandPath())
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !strings.Contains(string(page), "`--"+f.Name) {
				t.Errorf("docs/reference/cli.md does not have --%s of %s", f.Name, c.CommandPath())
			}
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newCommand(t).app().root())
}
