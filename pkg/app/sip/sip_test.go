package sip

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

const c, s = flow.ToServer, flow.ToClient

// play feeds one direction in pieces.
func play(p *Parser, d flow.Direction, in string, size int) {
	var rest []byte
	for b := []byte(in); len(b) > 0; {
		n := min(size, len(b))
		rest = append(rest, b[:n]...)
		b = b[n:]
		for {
			n, _ := p.Data(d, rest, false)
			rest = append([]byte(nil), rest[n:]...)
			if n == 0 || len(rest) == 0 {
				break
			}
		}
	}
	p.Data(d, rest, true)
}

func dump(p *Parser) string {
	var b strings.Builder
	for _, x := range p.Txs() {
		t := x.(*Tx)
		fmt.Fprintf(&b, "%d", t.Direction)
		for buf := range layer.Buffers {
			for i := 0; ; i++ {
				v, ok := t.Get(buf, t.Direction, i)
				if !ok {
					break
				}
				fmt.Fprintf(&b, " %s=%q", strings.TrimPrefix(buf.String(), "sip."), v)
			}
		}
		for e := range events {
			if t.events[t.Direction].Has(uint8(e)) {
				fmt.Fprintf(&b, " !%s", events[e])
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

const invite = "INVITE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=1\r\nVia : SIP/2.0/TCP g,\r\n SIP/2.0/TCP i\r\nf: <sip:x>\r\nt: <sip:y>\r\nTo: <sip:z>\r\nUser-Agent: Nero\r\nc: application/sdp\r\nl: 5\r\n\r\nv=0\r\n"

var cases = []struct{ name, in, want string }{
	{"request", invite, `0 method="INVITE" uri="sip:a@b" request_line="INVITE sip:a@b SIP/2.0" protocol="SIP/2.0" from="<sip:x>" to="<sip:y>" to="<sip:z>" via="SIP/2.0/UDP h;branch=1" via="SIP/2.0/TCP g, SIP/2.0/TCP i" user_agent="Nero" content_type="application/sdp" content_length="5"`},
	{"response", "SIP/2.0 200 Very OK\r\nCall-ID: 1\r\n\r\n", `0 stat_code="200" stat_msg="Very OK" response_line="SIP/2.0 200 Very OK" protocol="SIP/2.0"`},
	{"pipelined, kept alive", "\r\n\r\n" + invite + "\r\n\r\nBYE sip:b SIP/2.0\n\n", `method="BYE" uri="sip:b"`},
	{"body covers a message", "INFO sip:a SIP/2.0\r\nl: 5000\r\n\r\nx\r\nBYE sip:hidden SIP/2.0\r\n\r\n", `!content_length_lie` + "\n" + `0 method="BYE" uri="sip:hidden"`},
	{"no end of headers", "INFO sip:a SIP/2.0\r\nf: x\r\nBYE sip:hidden SIP/2.0\r\n\r\n", `!invalid_header` + "\n" + `0 method="BYE" uri="sip:hidden"`},
	{"garbage", "xx\r\ngarbage\r\n\r\n\x00\r\nBYE sip:hidden SIP/2.0\r\n\r\n", "0 !invalid_data\n" + `0 method="BYE" uri="sip:hidden"`},
	{"lengths", "BYE sip:a SIP/2.0\r\nl: x\r\n\r\nBYE sip:b SIP/2.0\r\nl: 100000\r\n\r\n", `content_length="x" !invalid_content_length` + "\n" + `0 method="BYE" uri="sip:b" request_line="BYE sip:b SIP/2.0" protocol="SIP/2.0" content_length="100000" !incomplete_data !body_too_long`},
	{"odd headers", "BYE sip:a SIP/2.0\r\n x\r\nnone\r\nf: " + strings.Repeat("f", 5000) + "\r\n" + strings.Repeat("t: 1\r\n", 200) + "\r\n", `!invalid_header !header_too_long !too_many_headers`},
	{"cut off", "BYE sip:a SIP/2.0\r\nf: 1", `from="1" !incomplete_data`},
	{"odd first line", "bye\t sip:a  b  sip/2.0 \r\n\r\n", `method="bye" uri="sip:a  b"`},
	{"much", "BYE sip:a SIP/2.0\r\n" + strings.Repeat("t: "+strings.Repeat("x", 1000)+"\r\n", 20) + "\r\n", `!header_too_long`},
}

func TestParser(t *testing.T) {
	for _, x := range cases {
		var first string
		for _, size := range []int{100000, 1, 2, 3, 7, 64} {
			p := New(layer.NewPool(1 << 20))
			play(p, c, x.in, size)
			got := dump(p)
			if !strings.Contains(got, x.want) {
				t.Fatalf("%s, pieces of %d:\ngot\n%swant\n%s", x.name, size, got, x.want)
			}
			if first == "" {
				first = got
			}
			if got != first {
				t.Fatalf("%s, pieces of %d:\ngot\n%sfirst\n%s", x.name, size, got, first)
			}
			for _, g := range p.Txs() {
				if o := layer.NewObject([]byte("{")); g.Log(o, c) && !json.Valid(append(o.Bytes(), '}')) {
					t.Errorf("%s: log %s", x.name, o.Bytes())
				}
			}
			p.Reset()
			if p.pool.InUse() != 0 {
				t.Errorf("%s: %d bytes not given back", x.name, p.pool.InUse())
			}
		}
	}
}

func TestDatagrams(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	p.Datagram(c, []byte("OPTIONS sip:a SIP/2.0\r\nf: cut"))
	p.Datagram(s, []byte("SIP/2.0 100 Trying\r\nl: 50\r\n\r\nx"))
	p.Datagram(c, []byte(invite))
	p.Datagram(s, []byte("\r\n\r\n"))
	p.Datagram(s, []byte("    "))
	p.Datagram(s, []byte("\x00\x00\x00\x00"))
	got := dump(p)
	if len(p.Txs()) != 3 || !strings.Contains(got, `from="cut" !incomplete_data`) || !strings.Contains(got, `1 stat_code="100"`) || !strings.Contains(got, "INVITE") {
		t.Error(got)
	}
	p.Datagram(c, []byte(invite+"behind its length\r\nBYE sip:hidden SIP/2.0\r\n\r\n"))
	p.Datagram(c, []byte("nothing\r\n"))
	if got := dump(p); len(p.Txs()) != 6 || strings.Count(got, "!invalid_data") != 1 || !strings.Contains(got, "sip:hidden") {
		t.Error(got)
	}
	for range 2 * maxHeld {
		p.Datagram(c, []byte("x\r\nBYE sip:a SIP/2.0\r\n\r\n"))
	}
	if n := len(p.Txs()); n > maxHeld+2 {
		t.Errorf("%d held", n)
	}
}

func TestProbe(t *testing.T) {
	for in, want := range map[string]layer.Answer{
		"": layer.More, "INV": layer.More, "INVITE sip:": layer.Yes, "OPTIONS * SIP/2.0\r\n": layer.Yes, "OPTIONS * HTTP/1.1\r\n": layer.No,
		"SIP/2.0 2": layer.Yes, "\x16\x03": layer.No, "FOO x SIP/3.0\r\n": layer.Yes, strings.Repeat("a", 50): layer.No,
	} {
		if got := probe(c, []byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	in := []byte(strings.Repeat("BYE sip:a SIP/2.0\n\n", 2*maxHeld))
	if n, _ := p.Data(c, in, false); len(p.Txs()) != maxHeld || n >= len(in) {
		t.Errorf("%d held", len(p.Txs()))
	}
	p = New(layer.NewPool(0))
	play(p, c, invite, 100)
	if !p.Txs()[0].Events(c).Has(eventMemory) {
		t.Error("no memory is no event")
	}
	p = New(layer.NewPool(1 << 20))
	p.Data(c, []byte("BYE sip:a SIP/2.0\r\n"), false)
	p.Gap(c, 5)
	p.Data(c, []byte("x: y\r\n\r\nBYE sip:b SIP/2.0\r\n\r\n"), false)
	if got := dump(p); !strings.Contains(got, "!gap") || !strings.Contains(got, `uri="sip:b"`) {
		t.Error(got)
	}
}

func FuzzParser(f *testing.F) {
	for _, x := range cases {
		f.Add(x.in, 3)
	}
	f.Fuzz(func(t *testing.T, in string, size int) {
		if len(in) > 16<<10 {
			return
		}
		a, b := New(layer.NewPool(16<<20)), New(layer.NewPool(16<<20))
		play(a, c, in, len(in)+1)
		play(b, c, in, size&127+1)
		if len(a.Txs()) < maxHeld && dump(a) != dump(b) {
			t.Fatalf("whole\n%s\nin pieces\n%s", dump(a), dump(b))
		}
		a.Datagram(s, []byte(in))
	})
}

func BenchmarkParser(b *testing.B) {
	p := New(layer.NewPool(1 << 20))
	in := []byte(invite)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		p.Datagram(c, in)
		p.Release(0)
	}
}
