package http

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

func has(pr *layer.Protocol, t layer.Tx, event string) bool {
	for i, name := range pr.Events {
		if name == event {
			return t.Events(flow.ToServer).Has(uint8(i))
		}
	}
	return false
}

func TestBodyLimit(t *testing.T) {
	pr := ProtocolWith(Config{ResponseBody: 1000})
	p := pr.New(layer.NewPool(1 << 20))
	p.Data(flow.ToServer, []byte(get), false)
	head := "HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n"
	n, _ := p.Data(flow.ToClient, []byte(head+strings.Repeat("x", 2000)), false)
	if n != len(head)+5000000 {
		t.Fatalf("%d bytes consumed, want %d", n, len(head)+5000000)
	}
	x := p.Txs()[0]
	v, _ := x.Get(layer.FileData, flow.ToClient, 0)
	if len(v) != 1000 || !x.Ready(layer.FileData, flow.ToClient) || !x.Complete(flow.ToClient) {
		t.Errorf("%d bytes, ready %v, complete %v", len(v), x.Ready(layer.FileData, flow.ToClient), x.Complete(flow.ToClient))
	}
	p.Data(flow.ToServer, []byte(get), false)
	if n, _ := p.Data(flow.ToClient, []byte("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), false); n == 0 || !p.Txs()[1].Complete(flow.ToClient) {
		t.Error("the next response is not found")
	}
}

func TestChunkLimit(t *testing.T) {
	p := ProtocolWith(Config{ResponseBody: 10}).New(layer.NewPool(1 << 20))
	p.Data(flow.ToServer, []byte(get), false)
	head := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n"
	if n, _ := p.Data(flow.ToClient, []byte(head+strings.Repeat("x", 99)), false); n != len(head)+0x100000 {
		t.Fatalf("%d bytes consumed", n)
	}
	p.Data(flow.ToClient, []byte("\r\n0\r\n\r\n"), false)
	if !p.Txs()[0].Complete(flow.ToClient) {
		t.Error("not complete")
	}
}

func TestHeadLimits(t *testing.T) {
	big := strings.Repeat("x", 30000)
	for _, c := range []struct {
		name, client, event string
		keep                string // a header that is still there
	}{
		{"long line", "GET / HTTP/1.1\r\nHost: h\r\nX: " + big + "\r\nAccept: a\r\n\r\n", "request_field_too_long", "a"},
		{"long request line", "GET /" + big + " HTTP/1.1\r\nHost: h\r\nAccept: a\r\n\r\n", "request_field_too_long", "a"},
		{"long head", "GET / HTTP/1.1\r\nAccept: a\r\n" + strings.Repeat("Y: "+big[:10000]+"\r\n", 10) + "Content-Length: 3\r\n\r\nabc", "request_field_too_long", "a"},
		{"many headers", "GET / HTTP/1.1\r\n" + lines(2000) + "Accept: a\r\n\r\n", "request_too_many_headers", "a"},
		{"many repetitions", "GET / HTTP/1.1\r\nAccept: a\r\n" + strings.Repeat("R: 1\r\n", 100) + "\r\n", "request_header_repetition", "a"},
	} {
		pr := Protocol()
		pool := layer.NewPool(1 << 20)
		p := pr.New(pool)
		p.Data(flow.ToServer, []byte(c.client+get), false)
		if len(p.Txs()) != 2 {
			t.Errorf("%s: %d transactions", c.name, len(p.Txs()))
			continue
		}
		x := p.Txs()[0]
		if v, _ := x.Get(layer.HTTPAccept, flow.ToServer, 0); string(v) != c.keep {
			t.Errorf("%s: Accept is %q", c.name, v)
		}
		if !has(pr, x, c.event) || pool.InUse() > 400<<10 {
			t.Errorf("%s: event %v, %d bytes in use", c.name, has(pr, x, c.event), pool.InUse())
		}
	}
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "H%d: v\r\n", i)
	}
	return b.String()
}

func TestManyTransactions(t *testing.T) {
	pr := ProtocolWith(Config{Transactions: 3})
	pool := layer.NewPool(1 << 20)
	p := pr.New(pool)
	p.Data(flow.ToServer, []byte(strings.Repeat(get, 100)), false)
	txs := p.Txs()
	if len(txs) != 6 || !txs[0].Complete(flow.ToClient) || txs[5].Complete(flow.ToClient) {
		t.Fatalf("%d open, first complete %v", len(txs), txs[0].Complete(flow.ToClient))
	}
	if !has(pr, txs[5], "too_many_transactions") {
		t.Error("no event")
	}
}

func TestNoMemory(t *testing.T) {
	every(func(name, client, server string) {
		for limit := int64(0); limit < 3000; limit += 256 {
			pool := layer.NewPool(limit)
			p := Protocol().New(pool)
			feed(p, flow.ToServer, []byte(client), whole)
			feed(p, flow.ToClient, []byte(server), whole)
			s := render(Protocol(), p)
			if limit == 0 && client != "" && !strings.Contains(s, "memory_limit") {
				t.Errorf("%s: no event:\n%s", name, s)
			}
			p.(*parser).Reset()
			if pool.InUse() != 0 {
				t.Errorf("%s: %d bytes still lent", name, pool.InUse())
			}
		}
	})
}

func TestBomb(t *testing.T) {
	zeros := strings.Repeat("\x00", 8<<20)
	for _, c := range []struct {
		name, encoding, body string
		bomb                 bool
	}{
		{"two layers", "gzip, gzip", gz(gz(zeros)), true},
		{"one layer", "gzip", gz(zeros), false},
		{"two layers of text", "gzip, gzip", gz(gz(lines(20000))), false},
	} {
		for _, piece := range []int{1, 10, 1 << 20} {
			pr := Protocol()
			pool := layer.NewPool(1 << 20)
			p := pr.New(pool)
			feed(p, flow.ToServer, []byte(get), whole)
			feed(p, flow.ToClient, []byte("HTTP/1.1 200 OK\r\nContent-Encoding: "+c.encoding+"\r\n"+sized(c.body)), func() int { return piece })
			x := p.Txs()[0]
			v, _ := x.Get(layer.FileData, flow.ToClient, 0)
			if len(v) != defaultBody || has(pr, x, "compression_bomb") != c.bomb || pool.InUse() > 300<<10 {
				t.Errorf("%s in pieces of %d: %d bytes, bomb %v, %d bytes in use", c.name, piece, len(v), !c.bomb, pool.InUse())
			}
		}
	}
}

func TestGaps(t *testing.T) {
	for _, c := range []struct {
		name, before string
		gap          int
		after, want  string
		ok           bool
	}{
		{"in a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab", 5, "xyz", "abxyz", true},
		{"the rest of a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab", 8, "HTTP/1.1 200 OK\r\n\r\n", "ab", true},
		{"over the end of a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab", 9, "", "ab", false},
		{"in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nab", 5, "xyz\r\n0\r\n\r\n", "abxyz", true},
		{"until the end", "HTTP/1.1 200 OK\r\n\r\nab", 500, "xyz", "abxyz", true},
		{"in headers", "HTTP/1.1 200 OK\r\nX: y", 3, "", "", false},
		{"between responses", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", 9, "", "ab", false},
	} {
		p := Protocol().New(layer.NewPool(1 << 20))
		p.Data(flow.ToServer, []byte(get+get), false)
		p.Data(flow.ToClient, []byte(c.before), false)
		if ok := p.Gap(flow.ToClient, c.gap); ok != c.ok {
			t.Errorf("%s: ok is %v", c.name, ok)
		}
		if c.ok {
			p.Data(flow.ToClient, []byte(c.after), true)
		}
		if v, _ := p.Txs()[0].Get(layer.FileData, flow.ToClient, 0); string(v) != c.want {
			t.Errorf("%s: %q, want %q", c.name, v, c.want)
		}
	}
}

func TestUpgrade(t *testing.T) {
	for _, c := range []struct {
		name, client, server string
		want                 bool
	}{
		{"connect", "CONNECT h:1 HTTP/1.1\r\n\r\nxyz", "HTTP/1.1 200 OK\r\n\r\nabc", true},
		{"connect refused", "CONNECT h:1 HTTP/1.1\r\n\r\nxyz", "HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nabc", false},
		{"101", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 101 Switch\r\n\r\nabc", true},
	} {
		p := Protocol().New(layer.NewPool(1 << 20)).(*parser)
		if n, _ := p.Data(flow.ToServer, []byte(c.client), false); n != strings.Index(c.client, "\r\n\r\n")+4 {
			t.Errorf("%s: %d bytes of the client consumed", c.name, n)
		}
		n, _ := p.Data(flow.ToClient, []byte(c.server), false)
		_, ok := p.Upgrade()
		if ok != c.want || ok && n != len(c.server)-3 || ok != p.Opaque(flow.ToServer) {
			t.Errorf("%s: upgrade %v behind %d bytes", c.name, ok, n)
		}
		if _, again := p.Upgrade(); again {
			t.Errorf("%s: a second upgrade", c.name)
		}
	}
}

func TestTunnelledMedia(t *testing.T) {
	p := Protocol().New(layer.NewPool(1 << 20))
	p.Data(flow.ToServer, []byte("GET /live HTTP/1.0\r\nAccept: application/x-rtsp-tunnelled\r\n\r\n"), false)
	p.Data(flow.ToClient, []byte("HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\nRTSP/1.0 200 OK\r\n\r\n"), false)
	if p.Opaque(flow.ToClient) {
		t.Error("opaque too early")
	}
	p.Data(flow.ToClient, make([]byte, tunnelBody), false)
	if !p.Opaque(flow.ToClient) {
		t.Error("not opaque")
	}
}

// TestLinear feeds single bytes of what is never finished: none of it may be looked at again and again.
func TestLinear(t *testing.T) {
	const n, bound = 200000, 3 * time.Second // milliseconds when linear, minutes when quadratic
	chunks := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	post := "POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=ab\r\n"
	for _, c := range []struct{ name, client, server string }{
		{"lines without a colon", get, "HTTP/1.1 200 OK\r\n" + strings.Repeat("xyz\n", n/4)},
		{"header", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", n), ""},
		{"request line", strings.Repeat("G", n), ""},
		{"white space", get, strings.Repeat(" ", n)},
		{"lines of junk", get, strings.Repeat("x\n", n/2)},
		{"carriage returns", get, "HTTP/1.1 200 OK\r\n" + strings.Repeat("\r", n)},
		{"folds", get, "HTTP/1.1 200 OK\r\nX: y\r\n" + strings.Repeat(" z\r\n", n/4)},
		{"headers", get, "HTTP/1.1 200 OK\r\n" + lines(n/10)},
		{"repetitions", get, "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: 1\r\nB: 2\r\n", n/12)},
		{"chunks", get, chunks + strings.Repeat("1\r\nx\r\n", n/6)},
		{"line ends between chunks", get, chunks + strings.Repeat(strings.Repeat("\n", 100)+"1\r\nx\r\n", n/100)},
		{"zeros of a chunk size", get, chunks + strings.Repeat("0", n)},
		{"almost delimiters", post + sized("--ab\r\n\r\n"+strings.Repeat("--a", n/3)), ""},
		{"headers of a part", post + sized("--ab\r\n"+strings.Repeat("X: y\r\n", n/6)), ""},
		{"rubbish between requests", get + strings.Repeat("x", n), ""},
		{"two layers", get, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n" + sized(gz(gz(lines(n/10))))},
		{"empty gzip members", get, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + sized(strings.Repeat(gz(""), n/23))},
	} {
		p := Protocol().New(layer.NewPool(1 << 20))
		start := time.Now()
		for d, data := range []string{c.client, c.server} {
			feed(p, flow.Direction(d), []byte(data), func() int {
				for _, x := range p.Txs() {
					x.Get(layer.FileData, flow.Direction(d), 0)
				}
				return 1
			})
		}
		if took := time.Since(start); took > bound {
			t.Errorf("%s: %v", c.name, took)
		}
	}
}
