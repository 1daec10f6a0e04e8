package detect_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"citygate/pkg/app/layer"
	"citygate/pkg/detect"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/reassembly"
	"citygate/pkg/signature"
	"citygate/testlab/forge"
)

var (
	client = netip.MustParseAddrPort("10.0.0.2:40000")
	server = netip.MustParseAddrPort("10.0.0.11:80")
)

// compile makes an image of rules; each must be taken.
func compile(t testing.TB, rules string) []byte {
	t.Helper()
	var set signature.Rules
	if err := set.Read("test.rules", strings.NewReader(rules)); err != nil {
		t.Fatal(err)
	}
	for _, r := range set.Refused {
		t.Fatal(r)
	}
	signature.Sort(set.Signatures)
	return detect.Compile(detect.Set{Signatures: set.Signatures, Symbols: set.Env.Symbols})
}

// seen collects what an engine says.
type seen struct {
	alerts []string // sid, sid/blocked
	drops  []string
	// anomalies as type.event
	anomalies []string
	flows     int
	inline    bool
}

func (s *seen) Alert(a *detect.Alert) {
	text := fmt.Sprint(a.Rule.SID())
	if a.Blocked(s.inline) {
		text += "/blocked"
	}
	s.alerts = append(s.alerts, text)
}

func (s *seen) Anomaly(_ *detect.Packet, a detect.Anomaly) {
	s.anomalies = append(s.anomalies, a.Type+"."+a.Event)
}

func (s *seen) Drop(_ *detect.Packet, reason string) { s.drops = append(s.drops, reason) }
func (s *seen) Flow(*detect.Flow)                    { s.flows++ }
func (s *seen) Transaction(*detect.Packet, *detect.Flow, layer.Proto, layer.Tx, flow.Direction) {
}

// inspect runs a capture through an engine.
func inspect(t testing.TB, cfg detect.Config, rules string, c *forge.Capture) *seen {
	t.Helper()
	r, err := detect.Open(compile(t, rules))
	if err != nil {
		t.Fatal(err)
	}
	s := &seen{inline: cfg.Inline}
	e := detect.New(cfg, r, s)
	for _, f := range c.Frames {
		e.Packet(packet.Record{Data: f.Data, Time: f.Time, Length: len(f.Data), Link: packet.LinkEthernet})
	}
	e.Close()
	return s
}

func config(inline bool) detect.Config {
	return detect.Config{Inline: inline, Checksums: true, Streams: reassembly.Config{
		Inline: inline, DropInvalid: true, Depth: reassembly.DefaultDepth,
	}}
}

// request is a connection with one request and its answer.
func request(uri string, size int) *forge.Capture {
	c := forge.New()
	k := c.Open(client, server)
	k.Send(flow.ToServer, []byte("GET "+uri+" HTTP/1.1\r\nHost: Camera.example\r\nUser-Agent: test\r\n\r\n"), size)
	k.Send(flow.ToClient, []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), size)
	k.Close()
	return c
}

// hole is a connection in which a part of what one side says is not in the capture.
func hole(d flow.Direction) *forge.Capture {
	c := forge.New()
	k := c.Open(client, server)
	k.Put(forge.Segment{From: d, Data: []byte("\x01\x02some protocol\r\n")})
	k.Put(forge.Segment{From: d, Seq: 60, Data: []byte("and the marker")})
	return c
}

// answers is a connection with n requests and answers.
func answers(n int) *forge.Capture {
	c := forge.New()
	k := c.Open(client, server)
	for range n {
		k.Send(flow.ToServer, []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0)
		k.Send(flow.ToClient, []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), 0)
	}
	k.Close()
	return c
}

func TestAlerts(t *testing.T) {
	for _, c := range []struct {
		name, rules string
		capture     *forge.Capture
		want        string
	}{
		{"a buffer", `alert http any any -> any any (http.uri; content:"/reboot"; sid:1;)`, request("/reboot", 0), "1"},
		{"another value", `alert http any any -> any any (http.uri; content:"/reboot"; sid:1;)`, request("/index", 0), ""},
		{"two buffers", `alert http any any -> any any (http.method; content:"GET"; http.host; content:"camera.example"; bsize:14; sid:1;)`, request("/", 0), "1"},
		{"the stream", `alert tcp any any -> any any (content:"Camera.example"; sid:1;)`, request("/", 3), "1"},
		{"the stream's start", `alert tcp any any -> any any (content:"GET"; depth:3; flow:to_server; sid:1;)`, request("/", 1), "1"},
		{"the answer", `alert http any any -> any any (flow:to_client; file.data; content:"hello"; sid:1;)`, request("/", 0), "1"},
		{"a packet", `alert tcp any any -> any 80 (flags:S; sid:1;)`, request("/", 0), "1"},
		{"a pass rule wins", `alert http any any -> any any (http.uri; content:"/"; sid:1;)
pass http any any -> any any (http.uri; content:"/"; sid:2;)`, request("/", 0), ""},
		{"a buffer and the payload", `alert http any any -> any any (flow:to_server; content:"User-Agent"; http.uri; content:"/reboot"; sid:1;)`, request("/reboot", 0), "1"},
		{"behind a gap", `alert tcp any any -> any any (content:"marker"; sid:1;)`, hole(flow.ToServer), "1"},
		{"behind a gap of the answer", `alert tcp any any -> any any (content:"marker"; sid:1;)`, hole(flow.ToClient), "1"},
		{"each answer", `alert tcp any any -> any any (flow:to_client; content:"hello"; sid:1;)`, answers(4), "1 1 1 1"},
		{"bits", `alert http any any -> any any (http.method; content:"GET"; flowbits:set,got; noalert; sid:1;)
alert http any any -> any any (flow:to_client; flowbits:isset,got; http.stat_code; content:"200"; sid:2;)`, request("/", 0), "2"},
		{"the other direction", `alert http any any -> any any (flow:to_client; http.uri; content:"/x"; sid:1;)`, request("/", 0), "refused"},
		{"wrong port", `alert tcp any any -> any 81 (content:"GET"; sid:1;)`, request("/", 0), ""},
		{"wrong address", `alert tcp any any -> 10.0.0.12 any (content:"GET"; sid:1;)`, request("/", 0), ""},
		{"address only", `alert ip any any -> 10.0.0.11 any (sid:1;)`, request("/", 0), "1"},
		{"limit", `alert tcp any any -> any any (flow:to_server; dsize:>0; threshold:type limit, track by_src, count 2, seconds 60; sid:1;)`, request("/", 10), "1 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == "refused" {
				var set signature.Rules
				if err := set.Read("test.rules", strings.NewReader(c.rules)); err != nil || len(set.Refused) != 1 {
					t.Fatalf("%v, %d refused", err, len(set.Refused))
				}
				return
			}
			for _, inline := range []bool{false, true} {
				if got := strings.Join(inspect(t, config(inline), c.rules, c.capture).alerts, " "); got != c.want {
					t.Errorf("inline %v: alerts %q, want %q", inline, got, c.want)
				}
			}
		})
	}
}

// In line the packet that completes the attack is dropped, and all that follow in its flow.
func TestDrop(t *testing.T) {
	s := inspect(t, config(true), `drop http any any -> any any (http.uri; content:"/reboot"; sid:1;)`, request("/reboot", 0))
	if len(s.drops) == 0 || s.drops[0] != "rules" || !slices.Equal(s.alerts, []string{"1/blocked"}) {
		t.Errorf("alerts %v, drops %v", s.alerts, s.drops)
	}
	for _, d := range s.drops[1:] {
		if d != "flow drop" {
			t.Errorf("a packet after the attack: %q", d)
		}
	}
	out := inspect(t, config(false), `drop http any any -> any any (http.uri; content:"/reboot"; sid:1;)`, request("/reboot", 0))
	if len(out.drops) != 0 || !slices.Equal(out.alerts, []string{"1"}) {
		t.Errorf("out of line: alerts %v, drops %v", out.alerts, out.drops)
	}
}

// What cannot be inspected is answered as the policies say.
func TestExceptions(t *testing.T) {
	late := request("/reboot", 0)
	late.Frames = late.Frames[3 : len(late.Frames)-3] // neither handshake nor end
	const rule = `drop http any any -> any any (http.uri; content:"/reboot"; sid:1;)`
	for _, c := range []struct {
		policy    detect.Exception
		midstream bool
		alerts    int
		dropped   bool
	}{
		{detect.Ignore, false, 0, false},
		{detect.Ignore, true, 1, true},
		{detect.PassFlow, true, 0, false},
		{detect.DropFlow, true, 0, true},
		{detect.DropFlow, false, 0, true},
		{detect.RejectPacket, false, 0, true},
		{detect.PassPacket, false, 0, false},
	} {
		cfg := config(true)
		cfg.Streams.Midstream, cfg.MidstreamPolicy = c.midstream, c.policy
		s := inspect(t, cfg, rule, late)
		if len(s.alerts) != c.alerts || (len(s.drops) > 0) != c.dropped {
			t.Errorf("policy %d, midstream %v: alerts %v, drops %v", c.policy, c.midstream, s.alerts, s.drops)
		}
	}
}

// In line an attack in a body is dropped before the body is complete, also when it never will be.
func TestGrowingBody(t *testing.T) {
	const rule = `drop http any any -> any any (http.request_body; content:"reboot"; content:!"allowed"; distance:0; within:20; sid:1;)`
	for name, c := range map[string]struct{ body, want string }{
		"attack":  {strings.Repeat("x", 700) + "reboot now and for ever, this is not all" + strings.Repeat("x", 700), "[1/blocked]"},
		"allowed": {strings.Repeat("x", 700) + "reboot is allowed" + strings.Repeat("x", 700), "[]"},
		"unknown": {strings.Repeat("x", 700) + "reboot", "[]"},
	} {
		capture := forge.New()
		k := capture.Open(client, server)
		k.Send(flow.ToServer, []byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"), 0)
		k.Send(flow.ToServer, []byte(c.body), 400)
		s := newest(t, rule, capture)
		if got := fmt.Sprint(s); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// newest is what was said before the flows end.
func newest(t *testing.T, rules string, c *forge.Capture) []string {
	t.Helper()
	r, err := detect.Open(compile(t, rules))
	if err != nil {
		t.Fatal(err)
	}
	s := &seen{inline: true}
	play(detect.New(config(true), r, s), c.Frames)
	return s.alerts
}

// Any split of a stream gives the same alerts.
func TestSplit(t *testing.T) {
	const rules = `alert http any any -> any any (http.uri; content:"/cgi-bin/"; sid:1;)
alert tcp any any -> any any (content:"passwd"; sid:2;)
alert tcp any any -> any any (content:"cgi-bin"; content:"HTTP/1.1"; distance:0; within:60; sid:3;)
alert tcp any any -> any any (content:"aaaaaaaaXbbbbbbbb"; sid:4;)
alert http any any -> any any (flow:to_client; file.data; content:"hello"; sid:5;)`
	body := strings.Repeat("a", 2555) + "aaaaaaaaXbbbbbbbb" + strings.Repeat("b", 3000)
	for _, inline := range []bool{false, true} {
		var want []string
		for _, size := range []int{1460, 1, 2, 3, 7, 100, 511, 1000} {
			c := forge.New()
			k := c.Open(client, server)
			k.Send(flow.ToServer, []byte("POST /cgi-bin/passwd HTTP/1.1\r\nHost: a\r\nContent-Length: "+fmt.Sprint(len(body))+"\r\n\r\n"+body), size)
			k.Send(flow.ToClient, []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), size)
			k.Close()
			got := inspect(t, config(inline), rules, c).alerts
			slices.Sort(got)
			if want == nil {
				want = got
				if len(want) != 5 {
					t.Errorf("inline %v: alerts %v, want each rule once", inline, want)
				}
			} else if !slices.Equal(got, want) {
				t.Errorf("inline %v, segments of %d bytes: %v, want %v", inline, size, got, want)
			}
		}
	}
}

// An image that is cut or changed is refused or harmless.
func FuzzOpen(f *testing.F) {
	image := compile(f, `alert http any any -> any any (http.uri; content:"/reboot"; sid:1;)
alert tcp 10.0.0.0/8 any -> any [80,81] (content:"GET"; pcre:"/x+/"; sid:2;)`)
	f.Add(uint32(0), byte(0), uint32(len(image)))
	f.Add(uint32(30), byte(1), uint32(len(image)))
	f.Add(uint32(len(image)-20), byte(255), uint32(len(image)))
	c := request("/reboot", 0)
	f.Fuzz(func(t *testing.T, at uint32, x byte, n uint32) {
		b := bytes.Clone(image)
		b[at%uint32(len(b))] ^= x
		r, err := detect.Open(b[:min(n, uint32(len(b)))])
		if (err == nil) == (r == nil) {
			t.Fatal("neither rules nor an error")
		}
		if err != nil {
			return
		}
		e := detect.New(config(true), r, &seen{})
		for _, fr := range c.Frames {
			e.Packet(packet.Record{Data: fr.Data, Time: fr.Time, Length: len(fr.Data), Link: packet.LinkEthernet})
		}
		e.Close()
	})
}

// FuzzPacket gives an engine arbitrary frames of one flow.
func FuzzPacket(f *testing.F) {
	image := compile(f, `alert http any any -> any any (http.uri; content:"/reboot"; sid:1;)
alert ip any any -> any any (content:"GET"; sid:2;)`)
	for _, fr := range request("/reboot", 20).Frames {
		f.Add(fr.Data, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, inline bool) {
		r, err := detect.Open(image)
		if err != nil {
			t.Fatal(err)
		}
		e := detect.New(config(inline), r, &seen{})
		for _, fr := range request("/reboot", 20).Frames[:4] {
			e.Packet(packet.Record{Data: fr.Data, Time: fr.Time, Length: len(fr.Data), Link: packet.LinkEthernet})
			e.Packet(packet.Record{Data: data, Time: fr.Time, Length: len(data), Link: packet.LinkEthernet})
		}
		e.Close()
	})
}
