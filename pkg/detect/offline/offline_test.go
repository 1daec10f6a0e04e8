package offline

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"citygate/pkg/detect/offline/job"
	"citygate/pkg/flow"
	"citygate/testlab/forge"
)

const loginRules = `alert http any any -> any any (msg:"log-in"; flow:established,to_server; http.uri; content:"/login"; sid:1; rev:2;)
alert tcp any any -> any any (msg:"a \"quoted\" word"; content:"password"; nocase; sid:2;)
drop tcp any any -> any any (msg:"drop it"; content:"evil"; sid:3;)
`

// capture is a small capture: a log-in over HTTP, and a DNS query.
func capture(t testing.TB) []byte {
	t.Helper()
	c := forge.New()
	k := c.Open(netip.MustParseAddrPort("10.0.0.2:40000"), netip.MustParseAddrPort("10.0.0.11:80"))
	k.Send(flow.ToServer, []byte("POST /login HTTP/1.1\r\nHost: camera\r\nContent-Length: 13\r\n\r\nPASSWORD=evil"), 40)
	k.Send(flow.ToClient, []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 1000)
	k.Close()
	c.UDP(netip.MustParseAddrPort("10.0.0.2:5000"), netip.MustParseAddrPort("10.0.0.3:53"),
		[]byte("\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03com\x00\x00\x01\x00\x01"))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// memory is an open file that is not there.
type memory struct {
	io.Reader
	bytes.Buffer
}

func (m *memory) Read(p []byte) (int, error)  { return m.Reader.Read(p) }
func (m *memory) Write(p []byte) (int, error) { return m.Buffer.Write(p) }

// run does a job; files are kind, content, ...
func run(j *job.Job, capture io.Reader, files ...string) (*job.Answer, string) {
	out := &memory{}
	var open []io.ReadWriter
	for i := 0; i < len(files); i += 2 {
		name := fmt.Sprintf("%s-%d", files[i], i/2)
		j.Files = append(j.Files, job.File{Name: name, Kind: job.Kind(files[i])})
		open = append(open, &memory{Reader: strings.NewReader(files[i+1])})
	}
	if j.Verb == job.Replay && !j.Count {
		j.Files = append(j.Files, job.File{Name: "eve.json", Kind: job.Events})
		open = append(open, out)
	}
	return Do(j, capture, open), out.Buffer.String()
}

func TestReplay(t *testing.T) {
	in := capture(t)
	var first string
	for range 3 {
		a, out := run(&job.Job{Verb: job.Replay, Capture: "x", Stats: true, Refusals: 9}, bytes.NewReader(in), "rules", loginRules)
		if a.Error != "" || len(a.Warnings) > 0 {
			t.Fatalf("got %+v", a)
		}
		if first == "" {
			first = out
			want := []job.Alerts{{SID: 1, GID: 1, Count: 1, Message: "log-in"}, {SID: 2, GID: 1, Count: 1, Message: `a "quoted" word`}, {SID: 3, GID: 1, Count: 1, Message: "drop it"}}
			if fmt.Sprint(a.Alerts) != fmt.Sprint(want) {
				t.Errorf("alerts %v, want %v", a.Alerts, want)
			}
		}
		if out != first {
			t.Error("the same input gives another output")
		}
	}
	if first == "" || strings.Count(first, `"event_type":"stats"`) != 1 {
		t.Errorf("wrote %s", first)
	}
	for line := range strings.Lines(first) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

// What a job asks for changes what is written.
func TestReplayOptions(t *testing.T) {
	in := capture(t)
	for name, c := range map[string]struct {
		job        job.Job
		has, lacks string
	}{
		"all":         {job.Job{}, `"event_type":"flow"`, `"event_type":"drop"`},
		"alerts only": {job.Job{AlertsOnly: true}, `"event_type":"alert"`, `"event_type":"flow"`},
		"in line":     {job.Job{Inline: true}, `"event_type":"drop"`, `"event_type":"stats"`},
		"stats":       {job.Job{Stats: true}, `"event_type":"stats"`, `"event_type":"drop"`},
		"no HTTP":     {job.Job{Set: []string{"app-layer.protocols.http.enabled=no"}}, `"signature_id":2`, `"signature_id":1,`},
	} {
		c.job.Verb = job.Replay
		a, out := run(&c.job, bytes.NewReader(in), "rules", loginRules)
		if a.Error != "" || !strings.Contains(out, c.has) || strings.Contains(out, c.lacks) {
			t.Errorf("%s: %s, %s", name, a.Error, out)
		}
	}
}

// A capture that is cut anywhere is inspected up to there, or refused.
func TestReplayCut(t *testing.T) {
	in := capture(t)
	for n := range in {
		a, out := run(&job.Job{Verb: job.Replay, Capture: "x"}, bytes.NewReader(in[:n]), "rules", loginRules)
		switch {
		case n < 24 && (a.Error == "" || out != ""):
			t.Errorf("cut at %d: no error", n)
		case n >= 24 && a.Error != "":
			t.Errorf("cut at %d: %s", n, a.Error)
		case n > 24 && len(a.Warnings) == 0 && !boundary(in, n):
			t.Errorf("cut at %d: no warning", n)
		}
		for _, w := range a.Warnings {
			if !strings.Contains(w, "byte ") || !strings.Contains(w, "what stands before it is inspected") {
				t.Errorf("cut at %d: %s", n, w)
			}
		}
	}
}

// boundary says whether a record ends at n.
func boundary(in []byte, n int) bool {
	at := 24
	for at < n {
		at += 16 + int(binary.LittleEndian.Uint32(in[at+8:]))
	}
	return at == n
}

func TestReplayRefuses(t *testing.T) {
	in := capture(t)
	link := bytes.Clone(in)
	binary.LittleEndian.PutUint32(link[20:], 220)
	long := bytes.Clone(in)
	second := 24 + 16 + int(binary.LittleEndian.Uint32(long[32:]))
	binary.LittleEndian.PutUint32(long[second+8:], 4<<20)
	for name, c := range map[string]struct {
		in              io.Reader
		wantErr, warned string
	}{
		"other link type": {bytes.NewReader(link), "replay x: capture, byte 0: link type 220 is not decoded", ""},
		"no capture":      {strings.NewReader("GET / HTTP/1.1\r\nHost: nobody.example"), "neither pcap nor pcapng", ""},
		"empty":           {strings.NewReader(""), "the file is empty", ""},
		"a broken record": {bytes.NewReader(long), "", fmt.Sprintf("x: capture, byte %d: a record of 4194304 bytes", second)},
		"a broken disk":   {io.MultiReader(bytes.NewReader(in[:200]), broken{}), "replay x: read: the disk is gone", ""},
	} {
		a, _ := run(&job.Job{Verb: job.Replay, Capture: "x"}, c.in, "rules", loginRules)
		if !strings.Contains(a.Error, c.wantErr) || (c.wantErr == "") != (a.Error == "") || !strings.Contains(strings.Join(a.Warnings, ""), c.warned) {
			t.Errorf("%s: error %q, warnings %q", name, a.Error, a.Warnings)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// The same frames in a pcapng file give the same events.
func TestReplayNextGeneration(t *testing.T) {
	in := capture(t)
	order := binary.LittleEndian
	block := func(kind uint32, body []byte) []byte {
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
		b := order.AppendUint32(nil, kind)
		b = order.AppendUint32(b, uint32(12+len(body)))
		b = append(b, body...)
		return order.AppendUint32(b, uint32(12+len(body)))
	}
	ng := block(0x0a0d0d0a, append(order.AppendUint32(nil, 0x1a2b3c4d), 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255))
	ng = append(ng, block(1, []byte{1, 0, 0, 0, 0, 0, 4, 0})...)
	for at := 24; at < len(in); {
		n := order.Uint32(in[at+8:])
		us := uint64(order.Uint32(in[at:]))*1e6 + uint64(order.Uint32(in[at+4:]))/1000 // forge writes nanoseconds
		body := order.AppendUint32(nil, 0)
		body = order.AppendUint32(body, uint32(us>>32))
		body = order.AppendUint32(body, uint32(us))
		body = append(body, in[at+8:at+16]...)
		ng = append(ng, block(6, append(body, in[at+16:at+16+int(n)]...))...)
		at += 16 + int(n)
	}
	_, want := run(&job.Job{Verb: job.Replay}, bytes.NewReader(in), "rules", loginRules)
	a, got := run(&job.Job{Verb: job.Replay}, bytes.NewReader(ng), "rules", loginRules)
	if a.Error != "" || got != want {
		t.Errorf("%s\ngot  %s\nwant %s", a.Error, got, want)
	}
}
