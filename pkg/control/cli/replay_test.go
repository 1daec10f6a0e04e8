package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"citygate/pkg/detect/offline"
	"citygate/pkg/detect/offline/job"
	"citygate/pkg/flow"
	"citygate/testlab/forge"
)

const testRules = `alert http any any -> any any (msg:"log-in"; http.uri; content:"/login"; classtype:attempted-recon; sid:1; rev:2;)
alert tcp any any -> any any (msg:"word"; content:"password"; nocase; sid:2;)
`

// unboxed does a job in this process: the sandbox has tests of its own.
func unboxed(_ context.Context, j *job.Job, in io.Reader, files []*os.File) (*job.Answer, error) {
	var open []io.ReadWriter
	for _, f := range files {
		open = append(open, f)
	}
	return offline.Do(j, in, open), nil
}

// desk is a folder with a capture and rules, and a command in it.
type desk struct {
	t         *testing.T
	dir       string
	out, errs bytes.Buffer
	inspect   func(context.Context, *job.Job, io.Reader, []*os.File) (*job.Answer, error)
	in        io.Reader
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), inspect: unboxed}
	t.Chdir(d.dir)
	d.write("test.rules", testRules)
	d.write("in.pcap", string(testCapture(t, "/login?password")))
	d.write("clean.pcap", string(testCapture(t, "/index")))
	if err := os.Mkdir(filepath.Join(d.dir, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	return d
}

func testCapture(t *testing.T, uri string) []byte {
	t.Helper()
	c := forge.New()
	k := c.Open(netip.MustParseAddrPort("10.0.0.2:40000"), netip.MustParseAddrPort("10.0.0.11:80"))
	k.Send(flow.ToServer, []byte("GET "+uri+" HTTP/1.1\r\nHost: camera\r\n\r\n"), 1000)
	k.Send(flow.ToClient, []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 1000)
	k.Close()
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (d *desk) write(name, text string) {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// run runs words in the folder.
func (d *desk) run(words string) int {
	d.out.Reset()
	d.errs.Reset()
	a := &App{Out: &d.out, Err: &d.errs, In: d.in, Inspect: d.inspect}
	return a.Run(context.Background(), strings.Fields(words))
}

func TestReplay(t *testing.T) {
	d := newDesk(t)
	if code := d.run("replay -r in.pcap -S test.rules -l out -k none --runmode=single -v"); code != ExitOK {
		t.Fatalf("exit code %d: %s", code, &d.errs)
	}
	const want = "ALERTS  SID  MESSAGE\n1       1    log-in\n1       2    word\nin.pcap: 10 packets, 1 flow, 2 alerts in out/eve.json\n"
	if d.out.String() != want || d.errs.Len() > 0 {
		t.Errorf("got %s, %s", &d.out, &d.errs)
	}
	first, err := os.ReadFile(filepath.Join(d.dir, "out/eve.json"))
	if err != nil || bytes.Count(first, []byte(`"event_type":"alert"`)) != 2 {
		t.Fatalf("%v, %s", err, first)
	}
	if code := d.run("replay -r in.pcap -S test.rules -l out --stats --json"); code != ExitOK {
		t.Fatalf("exit code %d: %s", code, &d.errs)
	}
	var s replaySummary
	if err := json.Unmarshal(d.out.Bytes(), &s); err != nil || s.Packets != 10 || s.Alerts != 2 || s.Loaded != 2 || len(s.By) != 2 || s.Counters["decoder.pkts"] != 10 {
		t.Errorf("%v, %+v", err, s)
	}
	if !strings.HasPrefix(d.errs.String(), "COUNTER ") || !strings.Contains(d.errs.String(), "\ndetect.alert ") {
		t.Errorf("counters: %s", &d.errs)
	}
	second, _ := os.ReadFile(filepath.Join(d.dir, "out/eve.json"))
	if !bytes.HasPrefix(second, first) || !bytes.Contains(second, []byte(`"event_type":"stats"`)) {
		t.Error("another output than before, or no stats")
	}
	if left, _ := filepath.Glob(filepath.Join(d.dir, "out/.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A capture comes from a pipe too, and rules from folders and patterns.
func TestReplayInputs(t *testing.T) {
	d := newDesk(t)
	d.write("more/b.rules", strings.ReplaceAll(testRules, "sid:", "sid:10"))
	d.write("more/a.rules", "alert tcp any any -> any any (nonsense; sid:77;)\n")
	d.write("more/notes.txt", "alert")
	in, err := os.Open(filepath.Join(d.dir, "in.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	d.in = in
	if code := d.run("replay -r - -S test.rules -S more -l out"); code != ExitOK || !strings.Contains(d.out.String(), "standard input: 10 packets, 1 flow, 4 alerts") {
		t.Errorf("exit code %d: %s %s", code, &d.out, &d.errs)
	}
	const want = "4 rules loaded, 1 refused:\n  more/a.rules:1: sid 77: nonsense: "
	if !strings.HasPrefix(d.errs.String(), want) {
		t.Errorf("got %s", &d.errs)
	}
	if code := d.run("replay -r in.pcap -S more/*.rules -l out --alerts-only"); code != ExitOK || !strings.Contains(d.out.String(), "2 alerts") {
		t.Errorf("exit code %d: %s %s", code, &d.out, &d.errs)
	}
	if code := d.run("replay -r in.pcap -l out"); code != ExitOK {
		t.Errorf("the rules that ship: exit code %d: %s %s", code, &d.out, &d.errs)
	}
}

// Wrong usage has exit code 2, says what is wrong, and leaves the old events alone.
func TestReplayRefuses(t *testing.T) {
	d := newDesk(t)
	d.write("out/eve.json", "old\n")
	d.write("text.pcap", "GET / HTTP/1.1 and so on and so on\r\n")
	d.write("link.pcap", "\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\xdc\x00\x00\x00")
	d.write("wrong.config", "nonsense\n")
	const base = "replay -r in.pcap -S test.rules -l out "
	for words, want := range map[string]string{
		"replay -l out":      "which capture? name it: citygate replay -r FILE.pcap",
		base + "-k some":     "-k some: it is all or none",
		base + "--runmode x": "--runmode x: it is single or autofp",
		base + "extra":       `unknown command "extra" for "citygate replay"`,
		base + "--simulate-packet-tcp-ssn-memcap=1": "unknown flag: --simulate-packet-tcp-ssn-memcap",
		base + "--data-dir=x":                       "unknown flag: --data-dir",
		base + "--memory lots":                      `invalid argument "lots" for "--memory" flag: a size is 512MiB or 2GiB`,
		base + "--set stream.midstrem=1":            "--set stream.midstrem: unknown key; the nearest that is known is stream.midstream; citygate replay --list-settings prints all",
		base + "--set threshold-file=none":          "threshold.config: open none: no such file or directory",
		base + "--set threshold-file=wrong.config":  "wrong.config:1: ",
		base + "--disable-conf none":                "disable.conf: open none: no such file or directory",
		"replay -r none -S test.rules -l out":       "open none: no such file or directory",
		"replay -r out -S test.rules -l out":        "out is a folder",
		"replay -r - -S test.rules -l out":          "-r -: a capture comes from a pipe or a file, not from a terminal",
		"replay -r in.pcap -S none.rules -l out":    "read rules: stat none.rules: no such file or directory",
		"replay -r in.pcap -S out -l out":           "read rules: out/*.rules: it finds no file",
		"replay -r in.pcap -S x*.rules -l out":      "read rules: x*.rules: it finds no file",
		"replay -r in.pcap -S test.rules -l none":   "-l none: there is no such folder: mkdir none",
		"replay -r text.pcap -S test.rules -l out":  "replay text.pcap: capture, byte 0: neither pcap nor pcapng",
		"replay -r link.pcap -S test.rules -l out":  "replay link.pcap: capture, byte 0: link type 220 is not decoded; Ethernet, raw IP, BSD loopback, Linux SLL and PPP are",
		"rules check none.rules":                    "read rules: stat none.rules: no such file or directory",
		"rules check test.rules --set x=1":          "--set x: unknown key; ",
		"rules show zero -S test.rules":             "zero is no sid: a rule has a number from 1 to 4294967295",
		"rules list --grep ( -S test.rules":         "--grep: error parsing regexp",
		"rules test none":                           "open none: no such file or directory",
		"rules test out":                            "out has no folder that is called as a sid",
	} {
		if code := d.run(words); code != ExitError || !strings.HasPrefix(d.errs.String(), "citygate: "+want) {
			t.Errorf("%s: exit code %d, %s", words, code, &d.errs)
		}
	}
	if b, err := os.ReadFile(filepath.Join(d.dir, "out/eve.json")); err != nil || string(b) != "old\n" {
		t.Errorf("eve.json is %q, %v", b, err)
	}
	if left, _ := filepath.Glob(filepath.Join(d.dir, "out/.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestReplayCut(t *testing.T) {
	d := newDesk(t)
	d.write("cut.pcap", string(testCapture(t, "/login")[:200]))
	if code := d.run("replay -r cut.pcap -S test.rules -l out"); code != ExitOK ||
		d.errs.String() != "warning: cut.pcap: capture, byte 172: the file ends in the middle of a record; what stands before it is inspected\n" {
		t.Errorf("exit code %d, %s", code, &d.errs)
	}
}

func TestReplayListSettings(t *testing.T) {
	d := newDesk(t)
	if code := d.run("replay --list-settings"); code != ExitOK || !strings.Contains(d.out.String(), "\nstream.midstream ") {
		t.Errorf("exit code %d: %s", code, &d.out)
	}
	if code := d.run("replay --list-settings --json"); code != ExitOK || !json.Valid(d.out.Bytes()) {
		t.Errorf("exit code %d: %s", code, &d.out)
	}
}

// The inspector may be taken over: what it says is shown harmless, and its end is explained.
func TestInspectorFails(t *testing.T) {
	d := newDesk(t)
	d.inspect = func(context.Context, *job.Job, io.Reader, []*os.File) (*job.Answer, error) {
		return &job.Answer{Error: "\x1b[2Jboo"}, nil
	}
	if code := d.run("replay -r in.pcap -S test.rules -l out"); code != ExitError || d.errs.String() != "citygate: ?[2Jboo\n" {
		t.Errorf("exit code %d, %q", code, &d.errs)
	}
	failed := exec.Command("false").Run()
	for complaint, want := range map[string]string{
		"fatal error: runtime: out of memory\n":                "citygate-inspect needs more than 64 MiB of memory: give it more with --memory, or less to read",
		"runtime: cannot allocate memory\nfatal error":         "citygate-inspect needs more than 64 MiB of memory",
		"citygate-inspect: enter the sandbox: no\n":            "citygate-inspect did not start: enter the sandbox: no",
		"panic: \x1bsomething\n\ngoroutine 1 [running]:\nmain": "citygate-inspect ended without an answer (exit status 1): panic: ?something",
	} {
		if err := ended(failed, complaint, 64<<20); !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", complaint, err, want)
		}
	}
}

// An interrupted replay leaves the old events, and nothing of its own.
func TestReplayInterrupted(t *testing.T) {
	d := newDesk(t)
	d.write("out/eve.json", "old\n")
	d.inspect = func(_ context.Context, _ *job.Job, _ io.Reader, files []*os.File) (*job.Answer, error) {
		if _, err := files[len(files)-1].WriteString("half of it"); err != nil {
			t.Error(err)
		}
		return nil, errors.New("interrupted")
	}
	if code := d.run("replay -r in.pcap -S test.rules -l out"); code != ExitError || d.errs.String() != "citygate: interrupted\n" {
		t.Errorf("exit code %d, %s", code, &d.errs)
	}
	entries, err := os.ReadDir("out")
	if b, _ := os.ReadFile("out/eve.json"); err != nil || len(entries) != 1 || string(b) != "old\n" {
		t.Errorf("%v, %v, eve.json is %q", entries, err, b)
	}
}

func TestBounded(t *testing.T) {
	b := bounded{most: 4}
	if n, err := fmt.Fprint(&b, "abcdef"); n != 6 || err != nil || b.String() != "abcd" {
		t.Errorf("%d, %v, %s", n, err, &b)
	}
	b = bounded{most: 4, whole: true}
	if _, err := fmt.Fprint(&b, "abcdef"); !errors.Is(err, errTooMuch) {
		t.Errorf("got %v", err)
	}
}
