package ssh

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

const (
	ts = flow.ToServer
	tc = flow.ToClient
)

// packet is a packet of the key exchange.
func packet(kind byte, n int) string {
	return string([]byte{0, 0, byte((n + 2) >> 8), byte(n + 2), 4, kind}) + strings.Repeat("p", n)
}

const key = 20 // SSH_MSG_KEXINIT

// hear gives the server's, then the client's bytes in pieces and tells what was found.
func hear(p *parser, server, client string, piece int) string {
	out := ""
	for i, all := range []string{server, client} {
		d := tc - flow.Direction(i)
		var kept []byte
		skip := 0
		for len(all) > 0 {
			now := all[:min(piece, len(all))]
			all = all[len(now):]
			m := min(skip, len(now))
			skip -= m
			kept = append(kept, now[m:]...)
			n, ok := p.Data(d, kept, false)
			if !ok {
				out = "stopped "
				break
			}
			skip += max(0, n-len(kept))
			kept = kept[min(n, len(kept)):]
		}
	}
	t := p.Txs()[0]
	for _, d := range []flow.Direction{ts, tc} {
		proto, _ := t.Get(layer.SSHProto, d, 0)
		software, ok := t.Get(layer.SSHSoftware, d, 0)
		out += fmt.Sprintf("%s %s %v/%v opaque %v ", proto, software, ok, t.Complete(d), p.Opaque(d))
		for i, e := range events {
			if t.Events(d).Has(uint8(i)) {
				out += e + " "
			}
		}
	}
	return out
}

func newParser() *parser { return Protocol().New(layer.NewPool(1 << 16)).(*parser) }

func TestFlows(t *testing.T) {
	kex := packet(key, 700) + packet(30, 40) + packet(newKeys, 10) + "encrypted"
	long := "SSH-2.0-" + strings.Repeat("x", 300) + "\r\n"
	for _, c := range []struct{ name, server, client, want string }{
		{"both", "SSH-2.0-OpenSSH_9.6 Debian\r\n" + kex, "SSH-2.0-dropbear\r\n" + kex,
			"2.0 dropbear true/true opaque true 2.0 OpenSSH_9.6 true/true opaque true "},
		{"open yet", "SSH-1.99-x\n" + packet(key, 9), "SSH-2.0-y", " " + " false/false opaque false 1.99 x true/true opaque false "},
		{"lines before", "hello\r\nworld\r\nSSH-2.0-s\r\n", "SSH-2.0-c\r\n", "2.0 c true/true opaque false 2.0 s true/true opaque false "},
		{"no software", "SSH-2.0\r\n", "SSH--\r\n", "  true/true opaque false invalid_banner 2.0  false/true opaque false invalid_banner "},
		{"long", long, "SSH-2.0-c\r\n", "2.0 c true/true opaque false 2.0 " + strings.Repeat("x", 247) + " true/true opaque false long_banner "},
		{"no identification", strings.Repeat("x\n", maxLines), "", "stopped   false/true opaque false   false/true opaque false invalid_banner "},
		{"record", "SSH-2.0-s\n\x00\x00\x00\x01\x00\x00", "SSH-2.0-c\n\x7f\x00\x00\x01\x00\x00", "2.0 c true/true opaque true long_kex_record 2.0 s true/true opaque true invalid_record "},
	} {
		for _, piece := range []int{1 << 16, 1, 2, 3, 5, 7, 256, 300} {
			if got := hear(newParser(), c.server, c.client, piece); got != c.want {
				t.Errorf("%s, pieces of %d:\ngot  %q\nwant %q", c.name, piece, got, c.want)
			}
		}
	}
}

func TestLogAndReset(t *testing.T) {
	pool := layer.NewPool(1 << 16)
	p := Protocol().New(pool).(*parser)
	for range 2 {
		hear(p, "SSH-2.0-OpenSSH_9.6 Debian\r\n", "SSH-2.0-\"x\"\r\n", 100)
		o := layer.NewObject([]byte("{"))
		ok := p.Txs()[0].Log(o, tc)
		want := `{"ssh":{"client":{"proto_version":"2.0","software_version":"\"x\""},"server":{"proto_version":"2.0","software_version":"OpenSSH_9.6"}}`
		if string(o.Bytes()) != want || !ok || p.Txs()[0].Log(o, ts) {
			t.Errorf("%s", o.Bytes())
		}
		p.Reset()
		if pool.InUse() != 0 || len(p.Txs()) != 0 {
			t.Errorf("%d bytes in use", pool.InUse())
		}
	}
}

func TestGap(t *testing.T) {
	p := newParser()
	p.Data(tc, []byte("SSH-2"), false)
	if !p.Gap(tc, 10) || !p.Opaque(tc) || !p.Txs()[0].Complete(tc) {
		t.Error("a gap in the identification")
	}
	if n, ok := p.Data(tc, []byte("0-x\r\n"), false); n != 5 || !ok {
		t.Errorf("behind the gap: %d %v", n, ok)
	}
}

func TestNoMemory(t *testing.T) {
	p := Protocol().New(layer.NewPool(10)).(*parser)
	p.Data(tc, []byte("SSH-2.0-x\r\n"), false)
	if !p.Txs()[0].Events(tc).Has(noMemory) {
		t.Error("no event")
	}
}

func FuzzSSH(f *testing.F) {
	f.Add("SSH-2.0-OpenSSH_9.6 Debian\r\n"+packet(key, 70)+packet(newKeys, 1), "SSH-2.0-dropbear\r\n"+packet(key, 50), uint8(3))
	f.Add("hello\r\nSSH-1.99-\n", "SSH-2.0-c\r\n\x00\x00\x00\x01\x00\x00", uint8(1))
	f.Fuzz(func(t *testing.T, server, client string, piece uint8) {
		if server == "" {
			return
		}
		p := newParser()
		whole := hear(p, server, client, 1<<20)
		o := layer.NewObject([]byte("{"))
		if p.Txs()[0].Log(o, tc); !json.Valid(append(o.Bytes(), '}')) {
			t.Fatalf("%s", o.Bytes())
		}
		if got := hear(newParser(), server, client, 1+int(piece)); got != whole {
			t.Fatalf("pieces of %d:\ngot  %s\nwant %s", 1+int(piece), got, whole)
		}
	})
}

func BenchmarkBanners(b *testing.B) {
	p := newParser()
	server, client := []byte("SSH-2.0-OpenSSH_9.6 Debian\r\n"), []byte("SSH-2.0-dropbear\r\n")
	b.ReportAllocs()
	for b.Loop() {
		p.Data(tc, server, false)
		p.Data(ts, client, false)
		p.Reset()
	}
}
