package http

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// feed gives a direction's bytes to a parser in pieces of the sizes that next says.
func feed(p layer.Parser, d flow.Direction, data []byte, next func() int) {
	have, off := 0, 0
	for have < len(data) || have == 0 {
		have = min(len(data), max(have, off)+next())
		if off > have {
			continue
		}
		n, ok := p.Data(d, data[off:have], have == len(data))
		if !ok {
			return
		}
		off += n
		if have == len(data) {
			return
		}
	}
}

// render writes all that transactions show.
func render(pr *layer.Protocol, p layer.Parser) string {
	var b strings.Builder
	for _, t := range p.Txs() {
		fmt.Fprintf(&b, "transaction %d\n", t.Inspection().ID)
		for d := flow.ToServer; d <= flow.ToClient; d++ {
			for k := layer.HTTPMethod; k <= layer.ONVIFOp; k++ {
				for i := 0; ; i++ {
					v, ok := t.Get(k, d, i)
					if !ok {
						break
					}
					fmt.Fprintf(&b, "  %d %s %q\n", d, k, v)
				}
				if !t.Ready(k, d) {
					fmt.Fprintf(&b, "  %d %s is not ready\n", d, k)
				}
			}
			if !t.Complete(d) {
				fmt.Fprintf(&b, "  %d is not complete\n", d)
			}
		}
		for e, name := range pr.Events {
			if t.Events(0).Has(uint8(e)) {
				fmt.Fprintf(&b, "  event %s\n", name)
			}
		}
		o := layer.NewObject([]byte("{"))
		if t.Log(o, flow.ToClient) {
			fmt.Fprintf(&b, "  %s}\n", o.Bytes())
		}
	}
	return b.String()
}

// talk runs both directions, the client first.
func talk(t testing.TB, c Config, client, server string, next func() int) string {
	pr := ProtocolWith(c)
	pool := layer.NewPool(64 << 20)
	p := pr.New(pool)
	feed(p, flow.ToServer, []byte(client), next)
	feed(p, flow.ToClient, []byte(server), next)
	s := render(pr, p)
	p.(*parser).Reset()
	if n := pool.InUse(); n != 0 {
		t.Errorf("%d bytes of the pool are still lent after %q, %q", n, client, server)
	}
	return s
}

func whole() int { return 1 << 30 }

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s:%d: %s\nwant %s", file, i+1, g[i], w[min(i, len(w)-1)])
		}
	}
	t.Fatalf("%s is longer", file)
}

func TestOddServers(t *testing.T) {
	var b strings.Builder
	for _, c := range oddServers {
		s := talk(t, Config{}, get, c.data, whole)
		if n := strings.Count(s, "1 file.data"); n != 1 || !strings.Contains(s, marker+"\"") && !strings.Contains(s, marker) {
			t.Errorf("%s: the marker is not found in one file:\n%s", c.name, s)
		}
		fmt.Fprintf(&b, "# %s\n%s", c.name, s)
	}
	golden(t, "testdata/servers.golden", b.String())
}

func TestTalks(t *testing.T) {
	var b strings.Builder
	for _, c := range talks {
		fmt.Fprintf(&b, "# %s\n%s", c.name, talk(t, Config{}, c.client, c.server, whole))
	}
	golden(t, "testdata/talks.golden", b.String())
}

// every calls f with all talks.
func every(f func(name, client, server string)) {
	for _, c := range oddServers {
		f(c.name, get, c.data)
	}
	for _, c := range talks {
		f(c.name, c.client, c.server)
	}
}

func TestSplits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	every(func(name, client, server string) {
		want := talk(t, Config{}, client, server, whole)
		check := func(how string, next func() int) {
			if got := talk(t, Config{}, client, server, next); got != want {
				t.Fatalf("%s, %s:\n%s\nwant\n%s", name, how, got, want)
			}
		}
		for cut := 1; cut < max(len(client), len(server)); cut++ {
			at := cut
			check(fmt.Sprint("cut at ", cut), func() int { n := at; at = 1 << 30; return n })
		}
		for _, n := range []int{1, 2, 3, 7} {
			check(fmt.Sprint("pieces of ", n), func() int { return n })
		}
		for range 20 {
			check("random pieces", func() int { return 1 + r.IntN(20) })
		}
	})
}

// TestGrowing looks at all buffers after each byte: what was ready stays, and bodies only grow.
func TestGrowing(t *testing.T) {
	every(func(name, client, server string) {
		pr := Protocol()
		p := pr.New(layer.NewPool(64 << 20))
		seen := map[string]string{}
		look := func() {
			for _, x := range p.Txs() {
				for d := flow.ToServer; d <= flow.ToClient; d++ {
					for k := layer.HTTPMethod; k <= layer.ONVIFOp; k++ {
						v, _ := x.Get(k, d, 0)
						_, grows := k.Growing()
						if !grows && !x.Ready(k, d) {
							continue
						}
						id := fmt.Sprint(x.Inspection().ID, d, k)
						if old, ok := seen[id]; ok && (old != string(v) && !grows || !strings.HasPrefix(string(v), old)) {
							t.Fatalf("%s: %s was %q and is %q", name, k, old, v)
						}
						if x.Ready(k, d) && grows {
							id += "ready"
							if old, ok := seen[id]; ok && old != string(v) {
								t.Fatalf("%s: %s was ready as %q and is %q", name, k, old, v)
							}
						}
						seen[id] = string(v)
					}
				}
			}
		}
		feed(p, flow.ToServer, []byte(client), func() int { look(); return 1 })
		look()
		feed(p, flow.ToClient, []byte(server), func() int { look(); return 1 })
		look()
	})
}

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		d    flow.Direction
		data string
		want layer.Answer
	}{
		{0, "GET / HTTP/1.1\r\n", layer.Yes},
		{0, "\r\n\nGET / HTTP/1.0\r\n", layer.Yes},
		{0, "GET / HT", layer.More},
		{0, "", layer.More},
		{0, "GE", layer.More},
		{0, "FOO /x HTTP/1.1\r\n", layer.Yes},
		{0, "FOO /x\r\n", layer.No},
		{0, "GET /x\r\n", layer.Yes},
		{0, "OPTIONS rtsp://x RTSP/1.0\r\n", layer.No},
		{0, "REGISTER sip:x SIP/2.0\r\n", layer.No},
		{0, "PRI * HTTP/2.0\r\n", layer.No},
		{0, "EHLO x\r\n", layer.No},
		{0, "\x16\x03\x01", layer.No},
		{0, "GET\r\n", layer.No},
		{0, strings.Repeat("A", 100), layer.No},
		{0, "GET " + strings.Repeat("A", 5000), layer.Yes},
		{1, "HTTP/1.1 200 OK\r\n", layer.Yes},
		{1, "\r\n HTTP/1.1", layer.Yes},
		{1, "HTT", layer.More},
		{1, "RTSP/1.0 200", layer.No},
		{1, "<html>", layer.No},
	} {
		if got := probe(c.d, []byte(c.data)); got != c.want {
			t.Errorf("probe(%d, %.20q) = %d, want %d", c.d, c.data, got, c.want)
		}
	}
}

func FuzzTalk(f *testing.F) {
	every(func(_, client, server string) { f.Add([]byte(client), []byte(server), uint8(3)) })
	f.Fuzz(func(t *testing.T, client, server []byte, step uint8) {
		if len(client)+len(server) > 1<<16 {
			return
		}
		c := Config{Line: 200, Head: 500, Fields: 10, RequestBody: 300, ResponseBody: 300, Transactions: 4}
		want := talk(t, c, string(client), string(server), whole)
		got := talk(t, c, string(client), string(server), func() int { return int(step)%50 + 1 })
		if got != want {
			t.Fatalf("in pieces of %d:\n%s\nat once:\n%s", step%50+1, got, want)
		}
		probe(flow.ToServer, client)
		probe(flow.ToClient, server)
	})
}

func BenchmarkTalk(b *testing.B) {
	q := []byte("GET /index.html?a=b HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html,*/*;q=0.8\r\nAccept-Language: en-US\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nCookie: a=b; c=d\r\n\r\n")
	for _, body := range []struct {
		name, data string
	}{
		{"1KiB", "Server: x\r\nContent-Type: text/html\r\n" + sized(strings.Repeat("x", 1000))},
		{"gzip", "Server: x\r\nContent-Encoding: gzip\r\n" + sized(gz(strings.Repeat(envelope, 100)))},
		{"1MiB", sized(strings.Repeat("x", 1<<20))},
	} {
		b.Run(body.name, func(b *testing.B) {
			r := []byte("HTTP/1.1 200 OK\r\n" + body.data)
			p := Protocol().New(layer.NewPool(64 << 20))
			b.SetBytes(int64(len(q) + len(r)))
			b.ReportAllocs()
			for b.Loop() {
				p.Data(flow.ToServer, q, false)
				for off := 0; off < len(r); {
					n, _ := p.Data(flow.ToClient, r[off:min(len(r), off+1460)], false)
					off += n
				}
				x := p.Txs()[0]
				x.Get(layer.HTTPURI, flow.ToServer, 0)
				x.Get(layer.HTTPHeader, flow.ToServer, 0)
				x.Get(layer.HTTPHost, flow.ToServer, 0)
				if !x.Complete(flow.ToClient) || bytes.Equal(r, nil) {
					b.Fatal("not complete")
				}
				p.Release(0)
			}
		})
	}
}
