package rtsp

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// piece is what one side says at a time.
type piece struct {
	d    flow.Direction
	data string
}

// feed is a flow's bytes as the engine hands them out.
type feed struct {
	p    layer.Parser
	rest [2][]byte
	skip [2]int
}

func (f *feed) add(t testing.TB, d flow.Direction, data []byte, end bool) {
	t.Helper()
	if f.skip[d] > 0 {
		n := min(f.skip[d], len(data))
		f.skip[d] -= n
		data = data[n:]
	}
	f.rest[d] = append(f.rest[d], data...)
	for {
		n, ok := f.p.Data(d, f.rest[d], end)
		if !ok {
			t.Fatal("gave up")
		}
		if n > len(f.rest[d]) {
			f.skip[d] = n - len(f.rest[d])
			n = len(f.rest[d])
		}
		f.rest[d] = append([]byte(nil), f.rest[d][n:]...)
		if n == 0 || len(f.rest[d]) == 0 {
			break
		}
	}
}

// play feeds pieces, each cut as cut says, and ends both directions.
func play(t testing.TB, p layer.Parser, in []piece, cut func(n int) int) {
	t.Helper()
	f := &feed{p: p}
	for _, x := range in {
		for data := []byte(x.data); len(data) > 0; {
			n := min(max(cut(len(data)), 1), len(data))
			f.add(t, x.d, data[:n], false)
			data = data[n:]
		}
	}
	f.add(t, flow.ToServer, nil, true)
	f.add(t, flow.ToClient, nil, true)
}

func whole(n int) int { return n }

// dump writes down all that a parser found.
func dump(p layer.Parser, events []string) string {
	var b strings.Builder
	for _, x := range p.Txs() {
		fmt.Fprintf(&b, "tx %d", x.Inspection().ID)
		for d := flow.ToServer; d <= flow.ToClient; d++ {
			for buf := range layer.Buffers {
				for i := 0; ; i++ {
					v, ok := x.Get(buf, d, i)
					if !ok {
						break
					}
					fmt.Fprintf(&b, " %s=%q", buf, v)
				}
			}
			for e := range events {
				if x.Events(d).Has(uint8(e)) {
					fmt.Fprintf(&b, " !%s", events[e])
				}
			}
			fmt.Fprintf(&b, " %v;", x.Complete(d))
		}
		o := layer.NewObject([]byte("{"))
		for d := flow.ToServer; d <= flow.ToClient; d++ {
			if x.Log(o, d) {
				fmt.Fprintf(&b, " %s: %s}", d, o.Bytes())
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func ask(method, uri string, cseq int, headers string) piece {
	return piece{flow.ToServer, fmt.Sprintf("%s %s RTSP/1.0\r\nCSeq: %d\r\nUser-Agent: Lavf59\r\n%s\r\n", method, uri, cseq, headers)}
}

func answer(status string, cseq int, rest string) piece {
	return piece{flow.ToClient, fmt.Sprintf("RTSP/1.0 %s\r\nCSeq: %d\r\nServer: gortsplib\r\n%s", status, cseq, rest)}
}

const sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=Stream\r\nm=video 0 RTP/AVP 96\r\n"

// frame is an interleaved RTP frame.
func frame(channel byte, n int) string {
	return "$" + string([]byte{channel, byte(n >> 8), byte(n)}) + "\x80" + strings.Repeat("\n", n-1)
}

var session1 = []piece{
	ask("OPTIONS", "rtsp://c/1", 1, ""),
	answer("200 OK", 1, "Public: DESCRIBE\r\n\r\n"),
	ask("DESCRIBE", "rtsp://c/1", 2, ""),
	answer("401 Unauthorized", 2, "WWW-Authenticate: Digest realm=\"IP Camera(1)\",\r\n nonce=\"a,b\", stale=\"FALSE\"\r\n\r\n"),
	ask("DESCRIBE", "rtsp://c/1", 3, "Authorization: Digest username=\"a\", realm=\"IP Camera(1)\"\r\n"),
	answer("200 OK", 3, "Content-Base: rtsp://c/1/\r\nContent-Type: application/sdp\r\nContent-Length: "+fmt.Sprint(len(sdp))+"\r\n\r\n"+sdp),
	ask("SETUP", "rtsp://c/1/t", 4, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
	answer("200 OK", 4, "Session: 77;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=0A0B0C0D\r\n\r\n"),
	ask("PLAY", "rtsp://c/1", 5, "Session: 77\r\n"),
	answer("200 OK", 5, "Session: 77\r\n\r\n"),
	{flow.ToClient, frame(0, 1400) + frame(1, 28) + frame(0, 900)},
	{flow.ToServer, frame(1, 32)},
	{flow.ToClient, frame(0, 1400)},
	ask("GET_PARAMETER", "rtsp://c/1", 6, "Session: 77\r\n"),
	{flow.ToClient, frame(0, 100)},
	answer("200 OK", 6, "\r\n"),
	{flow.ToClient, "OPTIONS rtsp://v/ RTSP/1.0\r\nCSeq: 1\r\n\r\n" + frame(0, 100)},
	{flow.ToServer, "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"},
	ask("TEARDOWN", "rtsp://c/1", 7, "Session: 77\r\n"),
}

func TestSession(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	play(t, p, session1, whole)
	want := []string{
		`"method":"OPTIONS","uri":"rtsp://c/1","user_agent":"Lavf59","server":"gortsplib","status":200,"cseq":1}`,
		`"method":"DESCRIBE","uri":"rtsp://c/1","user_agent":"Lavf59","server":"gortsplib","status":401,"cseq":2,"realm":"IP Camera(1)","auth":"challenged","auth_scheme":"digest"}`,
		`"status":200,"cseq":3,"realm":"IP Camera(1)","auth":"ok","auth_scheme":"digest"}`,
		`"session":"77;timeout=60","status":200,"cseq":4,"transport":"RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=0A0B0C0D"}`,
		`"method":"PLAY"`, `"method":"GET_PARAMETER"`, `"method":"OPTIONS","uri":"rtsp://v/"`, `"method":"TEARDOWN"`,
	}
	got := strings.Split(strings.TrimSpace(dump(p, events)), "\n")
	if len(got) != len(want) {
		t.Fatalf("%d transactions:\n%s", len(got), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) || strings.Contains(got[i], "!") {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
	tx := p.Txs()[2].(*Tx)
	if string(tx.SDP(flow.ToClient)) != sdp || string(tx.ContentBase()) != "rtsp://c/1/" || tx.Auth != Authorized {
		t.Errorf("SDP %q, base %q", tx.SDP(flow.ToClient), tx.ContentBase())
	}
	if v, _ := p.Txs()[1].Get(layer.RTSPRealm, flow.ToClient, 0); string(v) != "IP Camera(1)" {
		t.Errorf("realm %q", v)
	}
	pool := p.pool
	p.Reset()
	if pool.InUse() != 0 || len(p.Txs()) != 0 {
		t.Errorf("%d bytes in use after Reset", pool.InUse())
	}
}

// hostile are flows with something wrong, and what must be found in them: events with !, and what must not stay hidden.
var hostile = []struct {
	name string
	in   []piece
	want []string
}{
	{"frame that no SETUP announced covers a request", []piece{
		{flow.ToServer, "$\x00\xff\xff" + "\x80xx" + ask("DESCRIBE", "rtsp://c/hidden", 1, "").data},
	}, []string{"!interleaved_unexpected", "!interleaved_length_lie", `rtsp.uri="rtsp://c/hidden"`}},
	{"announced frame covers a request", []piece{
		ask("SETUP", "rtsp://c/1", 1, "Transport: RTP/AVP/TCP;interleaved=0-1\r\n"),
		{flow.ToServer, "$\x00\xff\xff" + "\x80xx" + ask("DESCRIBE", "rtsp://c/hidden", 2, "").data},
	}, []string{"!interleaved_length_lie", `rtsp.uri="rtsp://c/hidden"`}},
	{"frame shorter than it is", []piece{
		ask("SETUP", "rtsp://c/1", 1, "Transport: RTP/AVP/TCP;interleaved=0-1\r\n"),
		{flow.ToServer, "$\x00\x00\x02" + "\x80" + strings.Repeat("x", 5000) + ask("DESCRIBE", "rtsp://c/hidden", 2, "").data},
	}, []string{"!interleaved_length_lie", `rtsp.uri="rtsp://c/hidden"`}},
	{"body covers a request", []piece{
		ask("OPTIONS", "rtsp://c/1", 1, "Content-Length: 100000\r\n"), ask("DESCRIBE", "rtsp://c/hidden", 2, ""),
	}, []string{"!content_length_lie", "!body_too_long", `rtsp.uri="rtsp://c/hidden"`}},
	{"answer's body covers an answer", []piece{
		ask("OPTIONS", "rtsp://c/1", 1, ""), ask("DESCRIBE", "rtsp://c/1", 2, ""),
		answer("200 OK", 1, "Content-Length: 9999\r\n\r\n"), answer("404 No", 2, "\r\n"),
	}, []string{"!content_length_lie", `rtsp.status="404"`}},
	{"lengths that are none", []piece{
		ask("OPTIONS", "rtsp://c/1", 1, "Content-Length: -5\r\n"), ask("OPTIONS", "rtsp://c/2", 2, "Content-Length: 99999999999999999999\r\n"),
		ask("OPTIONS", "rtsp://c/3", 3, "Content-Length: 0x5\r\nContent-Length: 3\r\n"),
	}, []string{"!invalid_content_length", "!duplicate_header", `rtsp.uri="rtsp://c/3"`}},
	{"garbage", []piece{
		{flow.ToServer, "garbage\r\nmore" + strings.Repeat("\xff", 9000) + "\x00\nx y\n" + ask("DESCRIBE", "rtsp://c/hidden", 1, "").data},
		answer("200 OK", 1, "\r\n"),
	}, []string{"!garbage", `rtsp.uri="rtsp://c/hidden"`, `rtsp.status="200"`}},
	{"bytes in front of a request", []piece{
		{flow.ToServer, strings.Repeat("\xff", 9000) + ask("DESCRIBE", "rtsp://c/hidden", 1, "").data},
	}, []string{"!garbage", `rtsp.method="DESCRIBE"`, `rtsp.uri="rtsp://c/hidden"`}},
	{"a request where headers should go on", []piece{
		{flow.ToServer, "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n" + ask("DESCRIBE", "rtsp://c/hidden", 2, "").data},
	}, []string{"!invalid_header", `rtsp.method="OPTIONS"`, `rtsp.uri="rtsp://c/hidden"`}},
	{"odd first lines", []piece{
		{flow.ToServer, "describe  rtsp://c/1\tRTSP/1.0 \r\nCSeq:1\r\n\r\nDESCRIBE rtsp://c/2\nCSeq : 2\n\nOPTIONS RTSP/1.0\n\nFOO x RTSP/9.9\n\n"},
	}, []string{"!invalid_request_line", `rtsp.method="describe"`, `rtsp.uri="rtsp://c/1"`, `rtsp.uri="rtsp://c/2"`, `rtsp.method="FOO"`, "!missing_cseq"}},
	{"odd headers", []piece{
		{flow.ToServer, "OPTIONS * RTSP/1.0\r\n folded\r\nno colon\r\n: x\r\nCSeq: one\r\nSession: 1\r\n\t2\r\nUser-Agent: " + strings.Repeat("u", 9000) + "\r\n\r\n"},
		{flow.ToServer, "OPTIONS rtsp://c/next RTSP/1.0\r\nCSeq: 2\r\n" + strings.Repeat("A: b\r\n", 200) + "\r\n"},
	}, []string{"!invalid_header", "!invalid_cseq", "!header_too_long", `"session":"1 2"`, "!too_many_headers", "rtsp://c/next"}},
	{"long first line", []piece{
		{flow.ToServer, "DESCRIBE rtsp://c/" + strings.Repeat("u", 9000) + " RTSP/1.0\r\nCSeq: 1\r\n\r\n"}, ask("OPTIONS", "rtsp://c/next", 2, ""),
	}, []string{"!header_too_long", `rtsp.method="DESCRIBE"`, "rtsp://c/next"}},
	{"answer to nothing", []piece{answer("200 OK", 9, "\r\n")}, []string{"!unmatched_response"}},
	{"answer in another order, one that informs", []piece{
		ask("OPTIONS", "rtsp://c/1", 1, ""), ask("OPTIONS", "rtsp://c/2", 2, ""),
		answer("100 Continue", 2, "\r\n"), answer("404 No", 2, "\r\n"), answer("200 OK", 1, "\r\n"),
	}, []string{`rtsp.uri="rtsp://c/2" rtsp.user_agent="Lavf59" true; rtsp.status="404"`, `rtsp.uri="rtsp://c/1" rtsp.user_agent="Lavf59" true; rtsp.status="200"`}},
	{"flood of requests", []piece{{flow.ToServer, strings.Repeat("OPTIONS * RTSP/1.0\nCSeq: 1\n\n", maxWaiting+1)}}, []string{"!too_many_transactions"}},
	{"wrong password", []piece{
		ask("DESCRIBE", "rtsp://c/1", 1, "Authorization: Basic YTpi\r\n"), answer("401 Unauthorized", 1, "WWW-Authenticate: Basic realm=\"r\"\r\n\r\n"),
		ask("DESCRIBE", "rtsp://c/1", 2, "Authorization: Digest realm=\"r\"\r\n"), answer("401 Unauthorized", 2, "WWW-Authenticate: Digest realm=\"r\", stale=true\r\n\r\n"),
		ask("DESCRIBE", "rtsp://c/1", 3, "Authorization: x\r\n"), answer("400 Bad Request", 3, "\r\n"),
	}, []string{`"auth":"failed","auth_scheme":"basic"`, `"auth":"challenged","auth_scheme":"digest"`, `"auth":"failed","auth_scheme":"other"`}},
	{"cut off", []piece{{flow.ToServer, "DESCRIBE rtsp://c/1 RTSP/1.0\r\nCSeq: 1"}}, []string{"!truncated_message", `rtsp.uri="rtsp://c/1"`, `"cseq":1`}},
	{"cut off in a frame's head", []piece{ask("OPTIONS", "rtsp://c/1", 1, ""), {flow.ToServer, "$\x00\x01"}}, []string{`rtsp.uri="rtsp://c/1"`}},
	{"media without SETUP", []piece{
		{flow.ToClient, frame(0, 100) + frame(0, 100) + frame(0, 100) + frame(0, 100) + frame(0, 100) + frame(0, 2000)}, answer("200 OK", 1, "\r\n"),
	}, []string{"!interleaved_unexpected", `rtsp.status="200"`}},
}

func TestHostile(t *testing.T) {
	for _, c := range hostile {
		p := New(layer.NewPool(4 << 20))
		play(t, p, c.in, whole)
		got := dump(p, events)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %s in\n%s", c.name, want, got)
			}
		}
	}
}

// Any split gives the same.
func TestSplits(t *testing.T) {
	cases := append(hostile[:len(hostile):len(hostile)], struct {
		name string
		in   []piece
		want []string
	}{name: "session", in: session1})
	for _, c := range cases {
		p := New(layer.NewPool(4 << 20))
		play(t, p, c.in, whole)
		want := dump(p, events)
		state := uint32(1)
		for round := range 40 {
			size := []int{1, 2, 3, 7, 1460, 0}[round%6]
			p := New(layer.NewPool(4 << 20))
			play(t, p, c.in, func(n int) int {
				if size > 0 {
					return size
				}
				state = state*1664525 + 1013904223
				return int(state>>16) % 50
			})
			if got := dump(p, events); got != want {
				t.Fatalf("%s, pieces of %d:\ngot\n%s\nwant\n%s", c.name, size, got, want)
			}
		}
	}
}

func TestTransports(t *testing.T) {
	got := parseTransports(nil, []byte(`RTP/AVP;unicast;client_port=4588-4589;mode="PLAY", RTP/AVP/TCP;interleaved=2-3;ssrc=zz , RTP/SAVP/UDP;multicast;destination=239.0.0.1;port=5000-5001;ttl=16;mode=record;source=10.0.0.9, RTP/AVPF;dest_addr="192.0.2.5:3456"/"192.0.2.5:3457";src_addr="[2001:db8::1]:6256"/":6257";server_port=70000;client_port=9-8,,;x`))
	want := `[{1 false true false [4588 4589] [0 0] [0 0] [-1 -1] invalid IP invalid IP 0 0 false 0} {1 true false false [0 0] [0 0] [0 0] [2 3] invalid IP invalid IP 0 0 false 0} {2 false false true [0 0] [0 0] [5000 5001] [-1 -1] 10.0.0.9 239.0.0.1 16 0 false 1} {3 false false false [3456 3457] [6256 6257] [0 0] [-1 -1] 2001:db8::1 192.0.2.5 0 0 false 0}]`
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	if got := parseTransports(nil, []byte(strings.Repeat("RTP/AVP;ssrc=ABCDEF01,", 100))); len(got) != maxTransports || !got[0].HasSSRC || got[0].SSRC != 0xabcdef01 {
		t.Errorf("%d transports, %+v", len(got), got[0])
	}
}

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		d    flow.Direction
		in   string
		want layer.Answer
	}{
		{flow.ToServer, "", layer.More},
		{flow.ToServer, "DESC", layer.More},
		{flow.ToServer, "\r\nDESCRIBE rtsp://x", layer.Yes},
		{flow.ToServer, "OPTIONS * RTSP/1.0\r\n", layer.Yes},
		{flow.ToServer, "OPTIONS * HTTP/1.1\r\n", layer.No},
		{flow.ToServer, "OPTIONS sip:a SIP/2.0\r\n", layer.No},
		{flow.ToServer, "foo x rtsp/1.0\n", layer.Yes},
		{flow.ToServer, "\x16\x03", layer.No},
		{flow.ToServer, "GET / HTTP/1.0", layer.More},
		{flow.ToServer, strings.Repeat("a", 40), layer.No},
		{flow.ToClient, "RT", layer.More},
		{flow.ToClient, "RTSP/1.0 200", layer.Yes},
		{flow.ToClient, "HTTP/1.0 200", layer.No},
		{flow.ToClient, "OPTIONS rtsp://x RTSP/1.0\r\n", layer.No},
	} {
		if got := probe(c.d, []byte(c.in)); got != c.want {
			t.Errorf("%s %q: %d, want %d", c.d, c.in, got, c.want)
		}
	}
}

func TestGap(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	f := &feed{p: p}
	f.add(t, flow.ToServer, []byte(ask("SET_PARAMETER", "rtsp://c/1", 1, "Content-Length: 50\r\n").data+"12345\n1234"), false)
	f.rest[0] = nil
	p.Gap(flow.ToServer, 40)
	f.add(t, flow.ToServer, []byte(ask("OPTIONS", "rtsp://c/2", 2, "").data+"DESCRIBE rtsp"), false)
	f.rest[0] = nil
	p.Gap(flow.ToServer, 100)
	f.add(t, flow.ToServer, []byte("rubbish\r\n\r\n"+ask("PLAY", "rtsp://c/3", 3, "").data), false)
	f.add(t, flow.ToClient, []byte(frame(0, 50)+frame(0, 60)[:20]), false)
	f.rest[1] = nil
	p.Gap(flow.ToClient, 1000)
	f.add(t, flow.ToClient, []byte(frame(0, 50)[40:]+frame(0, 100)+frame(0, 100)+answer("200 OK", 3, "\r\n").data), false)
	got := dump(p, events)
	for _, want := range []string{`rtsp.method="SET_PARAMETER"`, "!gap", `rtsp.uri="rtsp://c/2"`, `rtsp.uri="rtsp://c/3"`, `rtsp.status="200"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestBounds(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	in := []byte(strings.Repeat("OPTIONS * RTSP/1.0\n\n", 10*maxHeld))
	n, _ := p.Data(flow.ToServer, in, false)
	if len(p.Txs()) != maxHeld || n >= len(in) {
		t.Errorf("%d held, %d of %d consumed", len(p.Txs()), n, len(in))
	}
	for i := 0; len(p.Txs()) > 0; i++ {
		p.Release(0)
	}
	if m, _ := p.Data(flow.ToServer, in[n:], false); m == 0 {
		t.Error("does not go on after release")
	}
	q := New(layer.NewPool(0))
	play(t, q, session1, whole)
	if !strings.Contains(dump(q, events), "!memory_exceeded") {
		t.Error("no memory is no event")
	}
}

// Bytes that make a careless parser look at the same ones again and again: 1 MiB of each, whole and a byte at a time.
func TestLinear(t *testing.T) {
	start := time.Now()
	for _, unit := range []string{"$", "$\x00\x01\x00\x80", "x\nOPTIONS * RTSP/1.0\n\n", "RTSP/1.0 200", "x", "\r\n", " ", "OPTIONS * RTSP/1.0\nA: b\n", "$\x00\x00\x09\x80", "OPTIONS * RTSP/1.0\nContent-Length: 99999\n\n"} {
		in := []byte(strings.Repeat(unit, 1<<20/len(unit)))
		for _, size := range []int{len(in), 1} {
			p := New(layer.NewPool(16 << 20))
			for from, to := 0, 0; to < len(in); {
				to = min(to+size, len(in))
				for from < to {
					n, _ := p.Data(flow.ToServer, in[from:to], false)
					from += n
					for len(p.Txs()) > 0 {
						p.Release(0)
					}
					if n == 0 {
						break
					}
				}
			}
		}
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("20 MiB took %v", d)
	} else {
		t.Log(d)
	}
}

func TestLogIsJSON(t *testing.T) {
	for _, c := range hostile {
		p := New(layer.NewPool(4 << 20))
		play(t, p, c.in, whole)
		for _, x := range p.Txs() {
			for d := flow.ToServer; d <= flow.ToClient; d++ {
				if o := layer.NewObject([]byte("{")); x.Log(o, d) && !json.Valid(append(o.Bytes(), '}')) {
					t.Errorf("%s: %s", c.name, o.Bytes())
				}
			}
		}
	}
}
