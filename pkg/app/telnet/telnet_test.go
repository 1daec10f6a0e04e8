package telnet

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

func play(p *Parser, in []piece, size int) {
	for _, x := range in {
		for b := []byte(x.data); len(b) > 0; {
			n, _ := p.Data(x.d, b[:min(size, len(b))], false)
			if n == 0 {
				return
			}
			b = b[n:]
		}
	}
	p.Data(c, nil, true)
	p.Data(s, nil, true)
}

func dump(p *Parser) string {
	var b strings.Builder
	for _, x := range p.Txs() {
		t := x.(*Tx)
		if t.Kind == Command {
			fmt.Fprintf(&b, "command %q", t.Command())
		} else {
			fmt.Fprintf(&b, "login %q %q %v", t.Username(), t.Password(), t.Result)
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
	{"options, refusal, log-in, command", []piece{
		{s, "\xff\xfd\x18\xff\xfb\x01\xff\xfa\x18\x01\xff\xff\xff\xf0\r\nBusyBox v1\r\n\r\ncam login: "},
		{c, "\xff\xfb\x18\xff\xfa\x18\x00xterm\xff\xf0root\r\n"},
		{s, "root\r\nPassword: "},
		{c, "xc3511\r\x00"},
		{s, "\r\nLogin incorrect\r\ncam login: "},
		{c, "adx\x7fmin\r\n"},
		{s, "Password: "},
		{c, "secret\r\n"},
		{s, "\r\nWelcome\r\n# "},
		{c, "cd /tmp; wget x\r\n"},
		{s, "cd /tmp; wget x\r\n# "},
		{c, "\r\n\r\n"},
	}, "login \"root\" \"xc3511\" failed !default_credentials\nlogin \"admin\" \"secret\" ok\ncommand \"cd /tmp; wget x\"\n"},
	{"a character at a time, echoed", []piece{
		{s, "Username:"}, {c, "r"}, {s, "r"}, {c, "oot"}, {s, "oot"}, {c, "\r"}, {s, "\r\nPassword:"}, {c, "a"}, {s, "*"}, {c, "b\n"}, {s, "\r\n> "},
	}, "login \"root\" \"ab\" ok\n"},
	{"only the client is seen", []piece{{c, "root\r\nvizxv\r\nenable\r\n"}}, "login \"root\" \"vizxv\" unknown !default_credentials\ncommand \"enable\"\n"},
	{"asked for a password only", []piece{{s, "Password: "}, {c, "x\n"}, {s, "\r\nPassword: "}, {c, "y\n"}}, "login \"\" \"x\" failed\nlogin \"\" \"y\" unknown\n"},
	{"a name, then nothing", []piece{{s, "login: "}, {c, "root"}}, "login \"root\" \"\" unknown\n"},
	{"empty password of a worm", []piece{{s, "login: "}, {c, "root\r\n"}, {s, "Password: "}, {c, "\r\n"}}, "login \"root\" \"\" unknown !default_credentials\n"},
	{"long line", []piece{{s, "$ "}, {c, strings.Repeat("a", 1000) + "\n"}}, fmt.Sprintf("command %q !line_too_long\n", strings.Repeat("a", maxLine))},
	{"subnegotiation without end", []piece{{s, "login: "}, {c, "\xff\xfa\x18" + strings.Repeat("x", maxSub) + "root\n"}}, "login \"root\" \"\" unknown !subnegotiation_too_long\n"},
	{"kill and escape", []piece{{s, "$ "}, {c, "abc\x15l\xff\xffs\r\n"}}, "command \"l\\xffs\"\n"},
}

func TestParser(t *testing.T) {
	for _, x := range cases {
		for _, size := range []int{1, 2, 3, 5, 1000} {
			p := New(layer.NewPool(1 << 20))
			play(p, x.in, size)
			if got := dump(p); got != x.want {
				t.Fatalf("%s, pieces of %d:\ngot\n%swant\n%s", x.name, size, got, x.want)
			}
			for _, g := range p.Txs() {
				o := layer.NewObject([]byte("{"))
				if g.Log(o, c) || !g.Log(o, s) || !json.Valid(append(o.Bytes(), '}')) || strings.Contains(string(o.Bytes()), "secret") {
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

func TestPrompts(t *testing.T) {
	for in, want := range map[string]prompt{
		"": asksNothing, "login: ": asksName, "User Name :": asksName, "password: ": asksPassword, "Enter Passwd:": asksPassword, "login>": asksName,
		"/ # ": asksCommand, "root@cam:~$": asksCommand, "Username or password wrong, try": asksNothing, "date:": asksNothing, "PASSWORD>": asksPassword,
	} {
		if got := promptOf([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestProbe(t *testing.T) {
	for in, want := range map[string]layer.Answer{
		"": layer.More, "\xff": layer.More, "\xff\xfd": layer.Yes, "\xff\x10": layer.No, "login: ": layer.Yes, "\r\n": layer.Yes, "\x16\x03\x01": layer.No, "\x00\x00\x00\x05": layer.No,
	} {
		if got := probe(c, []byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	in := []byte(strings.Repeat("x\n", 2*maxHeld))
	if n, _ := p.Data(c, in, false); len(p.Txs()) != maxHeld || n >= len(in) {
		t.Errorf("%d held, %d consumed", len(p.Txs()), n)
	}
	p = New(layer.NewPool(0))
	play(p, cases[2].in, 100)
	if !p.Txs()[0].Events(c).Has(eventMemory) {
		t.Error("no memory is no event")
	}
	p = New(layer.NewPool(1 << 20))
	p.Data(s, []byte("login: "), false)
	p.Data(c, []byte("\xff\xfaro"), false)
	p.Gap(c, 10)
	p.Data(c, []byte("ot\n"), false)
	if got := dump(p); got != "login \"ot\" \"\" unknown !gap\n" {
		t.Errorf("after a gap: %s", got)
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
		if len(client)+len(server) > 4000 {
			return
		}
		a, b := New(layer.NewPool(1<<20)), New(layer.NewPool(1<<20))
		in := []piece{{s, server}, {c, client}, {s, server}}
		play(a, in, len(client)+len(server)+1)
		play(b, in, size&63+1)
		if len(a.Txs()) < maxHeld && dump(a) != dump(b) {
			t.Fatalf("whole\n%s\nin pieces\n%s", dump(a), dump(b))
		}
	})
}
