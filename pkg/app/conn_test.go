package app

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

const (
	ts = flow.ToServer
	tc = flow.ToClient
)

// script is a parser that writes down what it is given, and obeys words in it: SKIP skips 5 bytes more, STOP ends
// parsing, SWITCH upgrades to TLS, CLOSED makes the direction opaque.
type script struct {
	got      [2]bytes.Buffer
	gaps     [2]int
	opaque   [2]bool
	handOver bool
	failed   bool
	resets   int
}

func (s *script) Data(d flow.Direction, data []byte, end bool) (int, bool) {
	for i := 0; i < len(data); i++ {
		s.got[d].WriteByte(data[i])
		said := s.got[d].Bytes()
		switch {
		case bytes.HasSuffix(said, []byte("SKIP")):
			if i += 5; i >= len(data) {
				return i + 1, true
			}
		case bytes.HasSuffix(said, []byte("STOP")):
			return i + 1, false
		case bytes.HasSuffix(said, []byte("SWITCH")):
			s.handOver = true
			return i + 1, true
		case bytes.HasSuffix(said, []byte("CLOSED")):
			s.opaque[d] = true
		}
	}
	if end {
		s.got[d].WriteByte('$')
	}
	return len(data), true
}

func (s *script) Gap(d flow.Direction, n int) bool { s.gaps[d] += n; return s.got[d].Len() < 100 }
func (s *script) Txs() []layer.Tx                  { return nil }
func (s *script) Release(int)                      {}
func (s *script) Opaque(d flow.Direction) bool     { return s.opaque[d] }
func (s *script) Reset()                           { *s = script{resets: s.resets + 1} }
func (s *script) UpgradeFailed()                   { s.failed = true }
func (s *script) Upgrade() (layer.Proto, bool) {
	sw := s.handOver
	s.handOver = false
	return layer.TLS, sw
}

// spoken is a protocol whose client says one word first, and whose server another.
func spoken(p layer.Proto, client, server string, hinted bool, ports ...uint16) *layer.Protocol {
	return &layer.Protocol{
		Proto: p, TCP: true, UDP: true, Ports: ports, Hinted: hinted,
		Probe: func(d flow.Direction, data []byte) layer.Answer {
			word := client
			if d == tc {
				word = server
			}
			n := min(len(word), len(data))
			switch {
			case word == "" || string(data[:n]) != word[:n]:
				return layer.No
			case n < len(word):
				return layer.More
			}
			return layer.Yes
		},
		New: func(*layer.Pool) layer.Parser { return new(script) },
	}
}

func testTable() *Table {
	return NewTable([]*layer.Protocol{
		spoken(layer.HTTP, "GET ", "HTTP", false, 80),
		spoken(layer.SMTP, "EHLO", "220 ", false, 25),
		spoken(layer.TLS, "TLSC", "TLSS", false, 443),
		spoken(layer.Modbus, "G", "H", true, 502),
	}, layer.NewPool(1<<20))
}

// step is bytes of a direction; gap bytes are missing before them.
type step struct {
	d    flow.Direction
	data string
	gap  int
	end  bool
}

// caller keeps what is not consumed, as the engine does.
type caller struct {
	c    Conn
	t    *Table
	h    Hint
	kept [2][]byte
	skip [2]int
	end  [2]bool
}

func (e *caller) offer(d flow.Direction) {
	swapped := e.c.Swapped()
	n := e.c.Stream(e.t, d, e.h, e.kept[d], e.end[d])
	e.skip[d] += max(0, n-len(e.kept[d]))
	e.kept[d] = e.kept[d][min(n, len(e.kept[d])):]
	if e.c.Swapped() != swapped {
		e.kept[0], e.kept[1] = e.kept[1], e.kept[0]
		e.skip[0], e.skip[1] = e.skip[1], e.skip[0]
		e.end[0], e.end[1] = e.end[1], e.end[0]
		e.h.Client, e.h.Server = e.h.Server, e.h.Client
	}
	if other, ok := e.c.Turn(); ok {
		e.offer(other)
		e.offer(other.Reverse())
	}
}

func (e *caller) feed(s step) {
	d := s.d
	if e.c.Swapped() {
		d = d.Reverse()
	}
	if s.gap > 0 {
		e.kept[d] = nil
		e.c.Gap(e.t, d, s.gap)
	}
	data := s.data
	n := min(e.skip[d], len(data))
	e.skip[d] -= n
	e.kept[d] = append(e.kept[d], data[n:]...)
	e.end[d] = s.end
	e.offer(d)
}

// run gives the steps in pieces of a size (0: whole) and tells what became of them.
func run(t *Table, h Hint, steps []step, piece func(int) int) string {
	e := &caller{t: t, h: h}
	for _, s := range steps {
		for data := s.data; ; {
			n := min(len(data), piece(len(data)))
			part := step{d: s.d, data: data[:n], gap: s.gap, end: s.end && n == len(data)}
			e.feed(part)
			data, s.gap = data[n:], 0
			if data == "" {
				break
			}
		}
	}
	var names []string
	for i, n := range Events {
		if e.c.Events().Has(uint8(i)) {
			names = append(names, strings.TrimPrefix(n, "applayer_"))
		}
	}
	out := fmt.Sprintf("%v %v/%v %v", e.c.Proto(), e.c.ProtoOf(ts), e.c.ProtoOf(tc), names)
	if p, ok := e.c.parser.(*script); ok {
		out += fmt.Sprintf(" %q %q %v", p.got[ts].String(), p.got[tc].String(), p.gaps)
	}
	if e.c.Swapped() {
		out += " swapped"
	}
	if e.c.Orig() != layer.Unknown {
		s, ok := e.c.earlier.parser.(*script)
		out += fmt.Sprintf(" after %v %v", e.c.Orig(), ok && s.failed)
	}
	e.c.Close(t)
	return out
}

func whole(n int) int { return n }

var connCases = []struct {
	name  string
	h     Hint
	steps []step
	want  string
}{
	{"known from the client", Hint{}, []step{{d: ts, data: "GET /"}, {d: tc, data: "HTTP ok"}}, `http http/http [] "GET /" "HTTP ok" [0 0]`},
	{"still open", Hint{}, []step{{d: ts, data: "GE"}}, `unknown unknown/unknown []`},
	{"the server speaks first", Hint{}, []step{{d: tc, data: "220 hi"}, {d: ts, data: "EHLO"}}, `smtp smtp/smtp [] "EHLO" "220 hi" [0 0]`},
	{"known from the server, the client's bytes waited", Hint{}, []step{{d: ts, data: "QUUX"}, {d: tc, data: "220 hi"}, {d: ts, data: "more"}},
		`smtp smtp/smtp [detect_protocol_only_one_direction] "QUUXmore" "220 hi" [0 0]`},
	{"server first where it must not", Hint{}, []step{{d: tc, data: "HTTP"}, {d: ts, data: "GET /"}}, `failed failed/http [wrong_direction_first_data]`},
	{"the server says something else", Hint{}, []step{{d: ts, data: "GET /"}, {d: tc, data: "220 x"}},
		`http http/smtp [mismatch_protocol_both_directions] "GET /" "220 x" [0 0]`},
	{"only one direction", Hint{}, []step{{d: ts, data: "GET /"}, {d: tc, data: "blah"}},
		`http http/http [detect_protocol_only_one_direction] "GET /" "blah" [0 0]`},
	{"nobody knows", Hint{}, []step{{d: ts, data: "blah"}, {d: tc, data: "blub"}}, `failed failed/failed []`},
	{"the end decides", Hint{}, []step{{d: ts, data: "GE", end: true}, {d: tc, end: true}}, `failed failed/failed []`},
	{"too much of one direction", Hint{}, []step{{d: ts, data: strings.Repeat("x", detectHold)}}, `failed failed/failed [proto_detection_skipped]`},
	{"hinted, on its port", Hint{Server: 502}, []step{{d: ts, data: "Gx"}}, `modbus modbus/unknown [] "Gx" "" [0 0]`},
	{"hinted, on another port", Hint{Server: 503}, []step{{d: ts, data: "Gx"}}, `unknown unknown/unknown []`},
	{"content before port", Hint{Server: 502}, []step{{d: ts, data: "GET /"}}, `http http/unknown [] "GET /" "" [0 0]`},
	{"midstream, the wrong way round", Hint{Midstream: true}, []step{{d: tc, data: "GET /"}, {d: ts, data: "HTTP"}},
		`http http/http [] "GET /" "HTTP" [0 0] swapped`},
	{"midstream, by the client's port", Hint{Midstream: true, Client: 502}, []step{{d: ts, data: "Hx"}, {d: tc, data: "Gx"}},
		`modbus modbus/modbus [] "Gx" "Hx" [0 0] swapped`},
	{"midstream, the request's start is missing", Hint{Midstream: true}, []step{{d: ts, data: "rest"}, {d: tc, data: "HTTP"}}, `failed failed/failed []`},
	{"no swap when the start was seen", Hint{}, []step{{d: tc, data: "GET /"}}, `unknown unknown/unknown []`},
	{"missing bytes, known by the other direction", Hint{}, []step{{d: ts, data: "EH"}, {d: ts, gap: 7, data: "x"}, {d: tc, data: "220 "}},
		`smtp smtp/smtp [] "x" "220 " [7 0]`},
	{"missing bytes in both", Hint{}, []step{{d: ts, gap: 1, data: "GET /"}, {d: tc, gap: 1, data: "HTTP"}}, `failed failed/failed []`},
	{"missing bytes later", Hint{}, []step{{d: ts, data: "GET /"}, {d: tc, gap: 3, data: "b"}, {d: ts, gap: 2, data: "c"}},
		`http http/http [] "GET /c" "b" [2 3]`},
	{"skip", Hint{}, []step{{d: ts, data: "GET SKIP12345on"}}, `http http/unknown [] "GET SKIPon" "" [0 0]`},
	{"the parser stops", Hint{}, []step{{d: ts, data: "GET STOPmore"}, {d: tc, data: "HTTP"}}, `http http/http [parser_stopped] "GET STOP" "" [0 0]`},
	{"upgrade", Hint{}, []step{{d: tc, data: "220 x"}, {d: ts, data: "EHLO SWITCH"}, {d: ts, data: "TLSC hello"}, {d: tc, data: "TLSS"}},
		`tls tls/tls [] "TLSC hello" "TLSS" [0 0] after smtp false`},
	{"upgrade within a segment", Hint{}, []step{{d: ts, data: "EHLO SWITCHTLSC hello"}}, `tls tls/unknown [] "TLSC hello" "" [0 0] after smtp false`},
	{"upgrade to something else", Hint{}, []step{{d: ts, data: "EHLO SWITCHGET /"}},
		`http http/unknown [no_tls_after_starttls unexpected_protocol] "GET /" "" [0 0] after smtp false`},
	{"upgrade to nothing", Hint{}, []step{{d: ts, data: "EHLO SWITCHblah"}, {d: tc, data: "blub"}},
		`failed failed/failed [no_tls_after_starttls unexpected_protocol] after smtp true`},
}

func TestStream(t *testing.T) {
	for _, c := range connCases {
		if got := run(testTable(), c.h, c.steps, whole); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
		one := func(int) int { return 1 }
		if got := run(testTable(), c.h, c.steps, one); got != c.want {
			t.Errorf("%s, byte by byte:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestStreamSplits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		for _, c := range connCases {
			if got := run(testTable(), c.h, c.steps, func(n int) int { return 1 + r.IntN(max(n, 1)) }); got != c.want {
				t.Fatalf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
			}
		}
	}
}

func TestDatagram(t *testing.T) {
	for _, c := range []struct {
		name  string
		h     Hint
		steps []step
		want  string
	}{
		{"known", Hint{}, []step{{d: ts, data: "GET /"}, {d: tc, data: "HTTP"}}, "http http/http [] swapped false"},
		{"the answer came first", Hint{}, []step{{d: ts, data: "HTTP"}, {d: tc, data: "GET /"}}, "http http/http [] swapped true"},
		{"by the client's port", Hint{Client: 502}, []step{{d: ts, data: "Hx"}}, "modbus unknown/modbus [] swapped true"},
		{"never", Hint{}, []step{{d: ts, data: "x"}, {d: ts, data: "GET /"}}, "failed failed/unknown [] swapped false"},
		{"the other direction knows", Hint{}, []step{{d: ts, data: "x"}, {d: tc, data: "HTTP"}}, "http failed/http [] swapped false"},
		{"the other direction says nothing", Hint{}, []step{{d: ts, data: "GET /"}, {d: tc, data: "x"}}, "http http/http [] swapped false"},
		{"mismatch", Hint{}, []step{{d: ts, data: "GET /"}, {d: tc, data: "220 "}}, "http http/smtp [mismatch] swapped false"},
		{"too short", Hint{}, []step{{d: ts, data: "GE"}}, "failed failed/unknown [] swapped false"},
		{"empty", Hint{}, []step{{d: ts}}, "unknown unknown/unknown [] swapped false"},
	} {
		tab, conn := testTable(), Conn{}
		for _, s := range c.steps {
			d := s.d
			if conn.Swapped() {
				d = d.Reverse()
			}
			conn.Datagram(tab, d, c.h, []byte(s.data))
		}
		events := ""
		if conn.Events().Has(Mismatch) {
			events = "mismatch"
		}
		got := fmt.Sprintf("%v %v/%v [%s] swapped %v", conn.Proto(), conn.ProtoOf(ts), conn.ProtoOf(tc), events, conn.Swapped())
		if got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestParsersAreUsedAgain(t *testing.T) {
	tab := testTable()
	var c Conn
	c.Expect(tab, layer.HTTP)
	first := c.parser
	c.Close(tab)
	c.Stream(tab, ts, Hint{}, []byte("GET /CLOSED"), false)
	if c.parser != first || first.(*script).resets != 1 {
		t.Error("the parser was not used again")
	}
	if !c.Opaque(ts) || c.Opaque(tc) {
		t.Errorf("opaque: %v %v", c.Opaque(ts), c.Opaque(tc))
	}
}

func TestSecondUpgrade(t *testing.T) {
	tab := testTable()
	var c Conn
	data := []byte("EHLO SWITCHTLSC SWITCHmore")
	n := c.Stream(tab, ts, Hint{}, data, false)
	now, before := c.parser.(*script), c.earlier.parser.(*script)
	if n != len(data) || !c.Stopped() || !now.failed || before.failed || now.got[ts].String() != "TLSC SWITCH" {
		t.Errorf("%d consumed, stopped %v, told %v and %v, got %q", n, c.Stopped(), now.failed, before.failed, now.got[ts].String())
	}
}

func TestTable(t *testing.T) {
	seen := map[[2]bool]map[layer.Proto]bool{{true, false}: {}, {false, true}: {}, {true, true}: {}}
	for _, p := range Protocols() {
		if p.Probe == nil && p.Proto != layer.FTPData || !p.TCP && !p.UDP || p.Hinted && len(p.Ports) == 0 {
			t.Errorf("%v: incomplete", p.Proto)
		}
		over := seen[[2]bool{p.TCP, p.UDP}]
		if over[p.Proto] || len(p.Events) > 64 {
			t.Errorf("%v: twice, or %d events", p.Proto, len(p.Events))
		}
		over[p.Proto] = true
	}
}

// TestProbes holds what every probe promises: an answer of yes or no stands, whatever follows, and no byte is no answer.
func TestProbes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	words := []string{"GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "220 hi\r\n", "EHLO x\r\n", "SSH-2.0-x\r\n", "\x16\x03\x01\x00\x05\x01\x00\x00\x01",
		"\x80\x2e\x01\x00\x02", "\x00\x00\x00\x10\xfeSMB", "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01",
		"\x00\x1b\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", "OPTIONS rtsp://x RTSP/1.0\r\n", "RTSP/1.0 200 OK\r\n", "\xff\xfb\x01", "\x00\x01\x00\x00\x00\x06\x01\x03",
		"INVITE sip:x SIP/2.0\r\n", "SIP/2.0 200 OK\r\n", "USER x\r\n"}
	for range 3000 {
		data := []byte(words[r.IntN(len(words))] + words[r.IntN(len(words))])
		for range r.IntN(3) {
			data[r.IntN(len(data))] = byte(r.Uint32())
		}
		for _, p := range Protocols() {
			if p.Probe == nil || !p.TCP || p.Proto == layer.Telnet { // Telnet's takes the first text for an answer
				continue
			}
			for _, d := range []flow.Direction{ts, tc} {
				last := layer.More
				for n := range len(data) + 1 {
					a := p.Probe(d, data[:n])
					if last != layer.More && a != last {
						t.Fatalf("%v %v: %q is %d, one byte less was %d", p.Proto, d, data[:n], a, last)
					}
					last = a
				}
			}
		}
	}
}

func TestNothingIsAllocatedForAnUnknownFlow(t *testing.T) {
	tab := testTable()
	data := bytes.Repeat([]byte("x"), 1000)
	if n := testing.AllocsPerRun(100, func() {
		var c Conn
		c.Stream(tab, ts, Hint{}, data, false)
		c.Stream(tab, tc, Hint{}, data, false)
		c.Stream(tab, tc, Hint{}, data, true)
		c.Close(tab)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFailed(b *testing.B) {
	tab := NewTable(Protocols(), layer.NewPool(1<<20))
	data := bytes.Repeat([]byte("x"), 1000)
	b.ReportAllocs()
	for b.Loop() {
		var c Conn
		c.Stream(tab, ts, Hint{}, data, false)
		c.Stream(tab, tc, Hint{}, data, false)
		c.Close(tab)
	}
}
