//go:build lab

package scenario

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"citygate/testlab/city"
	"citygate/testlab/gateway"
	"citygate/testlab/stream"
	"citygate/testlab/topology"
	"citygate/testlab/traffic"
	"citygate/testlab/vms"
)

// partVar makes the test program, started on a host of the city, a part of the stories below: TestReplayPart does it.
const partVar = "CITYGATE_REPLAY_PART"

const victim = "gate-1"

// TestReplayAttacks records attacks with payload in a city whose gateway is a plain bridge, and replays the recording
// with the rules that ship.
func TestReplayAttacks(t *testing.T) {
	s := bridged(t)
	s.part(victim, "victims")
	capture := filepath.Join(t.TempDir(), "attacks.pcap")
	rec := s.part(topology.GatewayHost, "record "+capture)
	s.part("attacker-srv", "attack").wait()
	s.wait(time.Second) // the last connections end
	rec.end()
	want := map[int]int{}
	for _, a := range assaults {
		for sid, n := range a.alerts {
			want[sid] += n
		}
	}
	eve := s.replay(capture)
	got := map[int]int{}
	for _, e := range eve {
		if e.Type == "alert" {
			got[e.Alert.SID]++
		}
	}
	for _, sid := range slices.Sorted(maps.Keys(union(got, want))) {
		if got[sid] != want[sid] {
			t.Errorf("signature %d: %d alerts, %d expected", sid, got[sid], want[sid])
		}
	}
}

func union(a, b map[int]int) map[int]int {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// TestReplayNormal records a day at the video server in short: all streams over UDP, TCP and IPv6, questions about
// devices, a search for cameras, a stream that is set up anew. The rules that ship say nothing.
func TestReplayNormal(t *testing.T) {
	s := bridged(t)
	capture := filepath.Join(t.TempDir(), "normal.pcap")
	rec := s.part(topology.GatewayHost, "record "+capture)
	for _, cam := range []string{"lobby-1", "gate-1", "yard-1"} {
		var q vms.Inquiry
		s.must(s.city.Call(s.ctx, topology.Main, "Inquire", cam, &q))
	}
	for range 3 {
		var found []netip.Addr
		s.must(s.city.Call(s.ctx, topology.Main, "Discover", struct{}{}, &found))
		if len(found) == 0 {
			t.Error("no camera answers WS-Discovery")
		}
	}
	for _, transport := range []stream.Transport{stream.TCP, stream.UDP} {
		if _, err := s.city.FFmpeg(s.ctx, topology.Main, "lobby-1", transport, 1); !errors.Is(err, city.ErrNoTool) {
			s.must(err)
		}
	}
	rec.end()
	kinds := map[string]int{}
	for _, e := range s.replay(capture) {
		kinds[e.Type]++
		if e.Type == "alert" {
			t.Errorf("an alert by signature %d: %s", e.Alert.SID, e.Alert.Signature)
		}
	}
	t.Log(kinds)
	if kinds["flow"] == 0 || kinds["http"] == 0 || kinds["rtsp"] == 0 {
		t.Errorf("the replay saw too little: %v", kinds)
	}
}

// part is the test program at work on a host of the city.
type part struct {
	story *story
	cmd   *exec.Cmd
	in    io.Closer
	out   *bufio.Reader
}

// part starts a part and waits until it is ready. It ends with the test.
func (s *story) part(host, what string) *part {
	s.Helper()
	cmd := exec.CommandContext(s.ctx, "/proc/self/exe", "-test.run=^TestReplayPart$")
	cmd.Env = append(os.Environ(), partVar+"="+what)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	s.must(err)
	out, err := cmd.StdoutPipe()
	s.must(err)
	s.must(s.city.Start(host, cmd))
	p := &part{s, cmd, in, bufio.NewReader(out)}
	s.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // a part that failed has failed the test already
	})
	if line, err := p.out.ReadString('\n'); line != "ready\n" {
		s.Fatalf("%s on %s: %q, %v", what, host, line, err)
	}
	return p
}

// wait waits until a part has done its work, and end lets one end that works until then.
func (p *part) wait() {
	p.story.Helper()
	if line, err := p.out.ReadString('\n'); line != "done\n" {
		rest, _ := io.ReadAll(p.out)
		p.story.Fatalf("%s: %q, %v: %s", p.cmd.Args, line, err, rest)
	}
}

func (p *part) end() {
	p.story.Helper()
	p.in.Close()
	p.wait()
}

// TestReplayPart is no test of its own, but a part of the others, in the network of a host.
func TestReplayPart(t *testing.T) {
	what, path, _ := strings.Cut(os.Getenv(partVar), " ")
	ready := func() { fmt.Println("ready") }
	var err error
	switch what {
	case "":
		return
	case "record":
		err = recordPart(path, ready)
	case "victims":
		err = victimsPart(ready)
	case "attack":
		ready()
		target := topology.Find(victim).Addr4()
		for _, a := range assaults {
			if aerr := a.do(target); aerr != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", a.name, aerr))
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("done")
}

func recordPart(path string, ready func()) error {
	r, err := traffic.NewRecorder(topology.CameraPort, path)
	if err != nil {
		return err
	}
	ready()
	_, _ = io.Copy(io.Discard, os.Stdin) // until the story closes it
	return r.Stop()
}

func victimsPart(ready func()) error {
	for port, serve := range victims {
		l, err := net.Listen("tcp4", fmt.Sprint(":", port))
		if err != nil {
			return err
		}
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					serve(c)
				}()
			}
		}()
	}
	ready()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}

// eveLine is what the stories look at in an EVE record.
type eveLine struct {
	Type  string `json:"event_type"`
	Alert struct {
		SID       int    `json:"signature_id"`
		Signature string `json:"signature"`
	} `json:"alert"`
}

// replay runs citygate replay on a capture with the rules that ship, and gives the EVE records, which are held against
// Suricata's schema where that is at hand.
func (s *story) replay(capture string) (out []eveLine) {
	s.Helper()
	dir := s.TempDir()
	cmd := exec.CommandContext(s.ctx, filepath.Join(os.Getenv(gateway.BinVar), "citygate"), "replay", "-r", capture, "-l", dir)
	said, err := cmd.CombinedOutput()
	if err != nil {
		s.Fatalf("%s: %v: %s", cmd, err, said)
	}
	s.Logf("%s", said)
	f, err := os.Open(filepath.Join(dir, "eve.json"))
	s.must(err)
	defer f.Close()
	for d := json.NewDecoder(f); ; {
		var e eveLine
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			s.Fatal(err)
		}
		out = append(out, e)
	}
	s.validate(f.Name())
	return out
}

const eveSchema = "../../../shared/data/eve/schema.json"

// validator holds each line of an EVE file against the schema, without what is ours: it all stands under citygate.
const validator = `
import json, sys
from jsonschema import Draft7Validator
schema = json.load(open(sys.argv[1]))
v, bad, n = Draft7Validator(schema), 0, 0
for line in open(sys.argv[2]):
    e = json.loads(line)
    e.pop("citygate", None)
    n += 1
    for x in v.iter_errors(e):
        bad += 1
        if bad <= 10: print(e["event_type"], list(x.path), x.message)
print(n, "records,", bad, "errors")
sys.exit(bad > 0)
`

// validate does nothing where the schema or Python's jsonschema is not installed.
func (s *story) validate(eve string) {
	s.Helper()
	if _, err := os.Stat(eveSchema); err != nil || exec.Command("python3", "-c", "import jsonschema").Run() != nil {
		s.Log("no schema or no python3-jsonschema: the records are not validated")
		return
	}
	said, err := exec.CommandContext(s.ctx, "python3", "-c", validator, eveSchema, eve).CombinedOutput()
	if err != nil {
		s.Errorf("the schema does not hold: %s", said)
	}
	s.Logf("%s", said)
}
