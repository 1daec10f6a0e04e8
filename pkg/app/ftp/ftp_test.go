package ftp

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

const c, s = flow.ToServer, flow.ToClient

type piece struct {
	d    flow.Direction
	data string
}

func play(p layer.Parser, in []piece, size int) {
	var rest [2][]byte
	give := func(d flow.Direction, end bool) {
		for {
			n, _ := p.Data(d, rest[d], end)
			rest[d] = append([]byte(nil), rest[d][n:]...)
			if n == 0 || len(rest[d]) == 0 {
				return
			}
		}
	}
	for _, x := range in {
		for b := []byte(x.data); len(b) > 0; {
			n := min(size, len(b))
			rest[x.d] = append(rest[x.d], b[:n]...)
			b = b[n:]
			give(x.d, false)
		}
	}
	give(c, true)
	give(s, true)
}

func dump(p *Parser) string {
	var b strings.Builder
	for _, x := range p.Txs() {
		t := x.(*Tx)
		o := layer.NewObject([]byte("{"))
		t.Log(o, s)
		fmt.Fprintf(&b, "%s} %d", o.Bytes(), t.Code)
		if t.DataAddr.Port() > 0 {
			fmt.Fprintf(&b, " %v", t.DataAddr)
		}
		for d := range t.events {
			for e := range events {
				if t.events[d].Has(uint8(e)) {
					fmt.Fprintf(&b, " !%s", events[e])
				}
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

var cases = []struct {
	name string
	in   []piece
	want string
}{
	{"session", []piece{
		{s, "220-Hello\r\n 220 not the end\r\n220 FTP\r\n"},
		{c, "USER alice\r\n"},
		{s, "331 pass\r\n"},
		{c, "PASS secret\r\n"},
		{s, "230 in\r\n"},
		{c, "PASV\r\n"},
		{s, "227 Entering Passive Mode (172,23,0,2,82,11).\r\n"},
		{c, "STOR a b.txt\r\n"},
		{s, "150 go\r\n226 done\r\n"},
	}, `{"ftp":{"completion_code":["220","220"],"reply":["Hello"," 220 not the end","FTP"],"reply_received":"yes"}} 220
{"ftp":{"command":"USER","command_data":"alice","completion_code":["331"],"reply":["pass"],"reply_received":"yes"}} 331
{"ftp":{"command":"PASS","completion_code":["230"],"reply":["in"],"reply_received":"yes"}} 230
{"ftp":{"command":"PASV","completion_code":["227"],"reply":["Entering Passive Mode (172,23,0,2,82,11)."],"dynamic_port":21003,"mode":"passive","reply_received":"yes"}} 227 172.23.0.2:21003
{"ftp":{"command":"STOR","command_data":"a b.txt","completion_code":["150","226"],"reply":["go","done"],"dynamic_port":21003,"mode":"passive","reply_received":"yes"}} 226
`},
	{
		"pipelined",
		[]piece{{c, "SYST\r\nPORT 10,0,0,1,4,1\r\nRETR x\r\n"}, {s, "215 a\r\n200 b\r\n550 c\r\n"}},
		`{"ftp":{"command":"SYST","completion_code":["215"],"reply":["a"],"reply_received":"yes"}} 215
{"ftp":{"command":"PORT","command_data":"10,0,0,1,4,1","completion_code":["200"],"reply":["b"],"dynamic_port":1025,"mode":"active","reply_received":"yes"}} 200 10.0.0.1:1025
{"ftp":{"command":"RETR","command_data":"x","completion_code":["550"],"reply":["c"],"dynamic_port":1025,"mode":"active","reply_received":"yes"}} 550
`,
	},
	{"extended", []piece{{c, "EPRT |2|2001:db8::1|5282|\r\nEPSV\r\n"}, {s, "200 ok\r\n229 Extended (|||6446|)\r\n"}}, `229 invalid AddrPort` + "\n"},
	{"addresses that are none", []piece{{c, "PORT 10,0,0,256,4,1\r\nEPRT |1|2001:db8::1|5282|\r\nPASV\r\nEPSV\r\n"}, {s, "200 a\r\n200 b\r\n227 nothing\r\n229 (|||x|)\r\n"}}, `!invalid_data_address`},
	{"long lines", []piece{{c, "RETR " + strings.Repeat("A", 9000) + "\r\nNOOP\r\n"}, {s, "550 " + strings.Repeat("B", 9000) + "\r\n200 n\r\n"}}, `"command_truncated":true`},
	{"replies", []piece{{s, "220 FTP\r\n200 again\r\nxx\r\n"}, {c, "NOOP\r\n"}, {s, "yy\r\n200 ok\r\n"}}, `{"ftp":{"completion_code":["200"],"reply":["again"],"reply_received":"yes"}} 200 !unmatched_reply`},
	{"too many", []piece{{c, strings.Repeat("NOOP\r\n", maxWaiting+1)}}, `!too_many_transactions`},
	{"long reply", []piece{{c, "STAT\r\n"}, {s, "211-" + strings.Repeat("x\r\n", 100) + "211 end\r\n"}}, `"reply_truncated":true`},
	{"abort behind Telnet's commands", []piece{{c, "\xff\xf4\xff\xf2ABOR\r\n"}, {s, "226 ok\r\n"}}, `"command":"ABOR"`},
	{"cut off", []piece{{c, "RETR x"}}, `{"ftp":{"command":"RETR","command_data":"x","reply_received":"no"}} 0`},
}

func TestParser(t *testing.T) {
	for _, x := range cases {
		first := ""
		for _, size := range []int{1 << 20, 1, 2, 3, 7, 64} {
			p := New(layer.NewPool(1 << 20))
			play(p, x.in, size)
			got := dump(p)
			if x.name == "extended" && (p.list.At(0).DataAddr.String() != "[2001:db8::1]:5282" || p.list.At(1).DataAddr.Port() != 6446) {
				t.Fatalf("%v, %v", p.list.At(0).DataAddr, p.list.At(1).DataAddr)
			}
			if x.name != "extended" && !strings.Contains(got, x.want) {
				t.Fatalf("%s, pieces of %d:\ngot\n%.3000s\nwant\n%s", x.name, size, got, x.want)
			}
			if first == "" {
				first = got
			}
			if got != first {
				t.Fatalf("%s, pieces of %d:\ngot\n%.2000s\nfirst\n%.2000s", x.name, size, got, first)
			}
			if strings.Contains(got, "secret") {
				t.Error("a password is logged")
			}
			for _, l := range strings.Split(strings.TrimSpace(got), "\n") {
				if i := strings.LastIndex(l, "}}"); !json.Valid([]byte(l[:i+2])) {
					t.Errorf("%s: %s", x.name, l)
				}
			}
			p.Reset()
			if p.pool.InUse() != 0 {
				t.Fatalf("%s: %d bytes not given back", x.name, p.pool.InUse())
			}
		}
	}
}

func TestEvents(t *testing.T) {
	for i, want := range map[int][]uint8{3: {eventAddress, eventAddress}, 4: {eventCommandLong, eventReplyLong}} {
		p := New(layer.NewPool(1 << 20))
		play(p, cases[i].in, 100)
		x := p.Txs()[0]
		y := p.Txs()[len(p.Txs())-1]
		if i == 4 {
			y = x
		}
		if !x.Events(c).Has(want[0]) || !y.Events(s).Has(want[1]) {
			t.Errorf("%s:\n%s", cases[i].name, dump(p))
		}
	}
}

func TestExpected(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	p.Data(c, []byte("PASV\r\n"), false)
	p.Data(s, []byte("227 (1,2,3,4,5,6)\r\n"), false)
	e, ok := p.Expected()
	if !ok || e.Addr.String() != "1.2.3.4:1286" || !e.Passive || e.Transfer.Verb != Other {
		t.Fatalf("%+v %v", e, ok)
	}
	if _, ok := p.Expected(); ok {
		t.Error("expected twice")
	}
	d := NewData(layer.NewPool(1 << 20))
	d.Attach(e.Transfer)
	d.Data(s, []byte("ro"), false)
	p.Data(c, []byte("RETR a.txt\r\n"), false)
	d.Data(s, []byte("ot"), false)
	x := d.Txs()[0].(*DataTx)
	if x.Ready(layer.FileData, s) || x.Complete(s) || x.Verb() != Retr {
		t.Error("ready before its end")
	}
	d.Data(s, nil, true)
	data, _ := x.Get(layer.FileData, s, 0)
	name, _ := x.Get(layer.FileName, s, 0)
	if string(data) != "root" || string(name) != "a.txt" || !x.Complete(s) || !x.Ready(layer.FileData, s) {
		t.Errorf("%q %q", data, name)
	}
	if _, ok := x.Get(layer.FileData, c, 0); ok {
		t.Error("a value in the other direction")
	}
	o := layer.NewObject([]byte("{"))
	if !x.Log(o, s) || string(o.Bytes()) != `{"ftp_data":{"filename":"a.txt","command":"RETR"}` {
		t.Errorf("log %s", o.Bytes())
	}
	d.Reset()
	if d.pool.InUse() != 0 {
		t.Error("memory not given back")
	}
	for range 3 * maxExpect {
		p.Data(c, []byte("PORT 1,2,3,4,5,6\r\n"), false)
	}
	if len(p.expected) != maxExpect {
		t.Errorf("%d expected", len(p.expected))
	}
}

func TestBounds(t *testing.T) {
	d := NewData(layer.NewPool(1 << 20))
	for range 300 {
		d.Data(c, make([]byte, 1000), false)
	}
	x := d.Txs()[0].(*DataTx)
	if x.content.Len() != maxFile || !d.Opaque(c) || d.Opaque(s) || !x.Events(c).Has(dataTruncated) || x.Size != 300000 {
		t.Errorf("%d of %d bytes kept", x.content.Len(), x.Size)
	}
	p := New(layer.NewPool(1 << 20))
	in := []byte(strings.Repeat("NOOP\r\n", 2*maxHeld))
	if n, _ := p.Data(c, in, false); len(p.Txs()) != maxHeld || n != len(in)/2 {
		t.Errorf("%d held, %d consumed", len(p.Txs()), n)
	}
	p = New(layer.NewPool(0))
	play(p, cases[0].in, 100)
	if !p.Txs()[1].Events(c).Has(eventMemory) {
		t.Error("no memory is no event")
	}
	p = New(layer.NewPool(1 << 20))
	p.Data(c, []byte("USER a\r\nNO"), false)
	p.Gap(c, 5)
	p.Data(c, []byte("OP\r\nSYST\r\n"), false)
	if got := dump(p); len(p.Txs()) != 2 || !strings.Contains(got, `"SYST"`) || !strings.Contains(got, "!gap") {
		t.Error(got)
	}
}

func TestUpgrade(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	p.Data(c, []byte("AUTH TLS\r\n"), false)
	p.Data(s, []byte("234 go\r\n"), false)
	if proto, ok := p.Upgrade(); !ok || proto != layer.TLS {
		t.Error("no upgrade")
	}
	if n, _ := p.Data(c, []byte("\x16\x03"), false); n != 0 {
		t.Error("took bytes of TLS")
	}
}

func TestProbe(t *testing.T) {
	for _, x := range []struct {
		d    flow.Direction
		in   string
		want layer.Answer
	}{
		{c, "", layer.More},
		{c, "US", layer.More},
		{c, "user x", layer.Yes},
		{c, "EHLO", layer.No},
		{c, "FEAT\r\n", layer.Yes},
		{c, "AUTH TLS", layer.Yes},
		{c, "AUTH LOGIN", layer.No},
		{s, "22", layer.More},
		{s, "220 x", layer.More},
		{s, "220 FTP", layer.Yes},
		{s, "220 (x", layer.Yes},
		{s, "220 mx SMTP\r\n", layer.No},
		{s, "250", layer.No},
	} {
		if got := probe(x.d, []byte(x.in)); got != x.want {
			t.Errorf("%q: %d, want %d", x.in, got, x.want)
		}
	}
}

func FuzzParser(f *testing.F) {
	for _, x := range cases {
		var sides [2]string
		for _, y := range x.in {
			sides[y.d] += y.data
		}
		f.Add(sides[0], sides[1], 3)
	}
	f.Fuzz(func(t *testing.T, client, server string, size int) {
		if len(client)+len(server) > 16<<10 {
			return
		}
		a, b := New(layer.NewPool(16<<20)), New(layer.NewPool(16<<20))
		in := []piece{{s, server}, {c, client}, {s, server}}
		play(a, in, len(client)+len(server)+1)
		play(b, in, size&127+1)
		if len(a.Txs()) < maxHeld && dump(a) != dump(b) {
			t.Fatalf("whole\n%s\nin pieces\n%s", dump(a), dump(b))
		}
	})
}

func BenchmarkParser(b *testing.B) {
	p := New(layer.NewPool(1 << 20))
	q, r := []byte("NOOP\r\n"), []byte("200 ok\r\n")
	b.ReportAllocs()
	for b.Loop() {
		p.Data(c, q, false)
		p.Data(s, r, false)
		p.Release(0)
	}
}
