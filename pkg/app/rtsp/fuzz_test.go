package rtsp

import (
	"strings"
	"testing"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// FuzzParser reads client and server bytes, whole and in pieces of a size: both must give the same.
func FuzzParser(f *testing.F) {
	for _, c := range hostile {
		var sides [2]strings.Builder
		for _, x := range c.in {
			sides[x.d].WriteString(x.data)
		}
		f.Add(sides[0].String(), sides[1].String(), 3)
	}
	f.Fuzz(func(t *testing.T, client, server string, size int) {
		if len(client)+len(server) > 16<<10 {
			return
		}
		in := []piece{{flow.ToServer, client}, {flow.ToClient, server}}
		a, b := New(layer.NewPool(16<<20)), New(layer.NewPool(16<<20))
		play(t, a, in, whole)
		play(t, b, in, func(int) int { return size%100 + 1 })
		if len(a.Txs()) >= maxHeld { // how many are held at a time depends on when the engine releases
			return
		}
		if x, y := dump(a, events), dump(b, events); x != y {
			t.Fatalf("whole\n%s\nin pieces\n%s", x, y)
		}
		a.Reset()
		if a.pool.InUse() != 0 {
			t.Fatalf("%d bytes not given back", a.pool.InUse())
		}
	})
}

// BenchmarkVideo is a camera's stream over the RTSP connection in segments of 1,460 bytes.
func BenchmarkVideo(b *testing.B) {
	p := New(layer.NewPool(1 << 20))
	play(b, p, session1[:10], whole)
	for len(p.Txs()) > 0 {
		p.Release(0)
	}
	p.sides = [2]side{}
	stream := []byte(strings.Repeat(frame(0, 1400)+frame(0, 700)+frame(1, 28), 500))
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		skip := 0
		for rest := stream; len(rest) > 0; {
			n := min(1460, len(rest))
			if skip < n {
				m, _ := p.Data(flow.ToClient, rest[skip:n], false)
				skip += m
			}
			if skip < n { // a head that is cut comes again
				n = skip
			}
			skip -= n
			rest = rest[n:]
		}
	}
}

// BenchmarkRequests is a keep-alive and its answer.
func BenchmarkRequests(b *testing.B) {
	p := New(layer.NewPool(1 << 20))
	q, r := []byte(ask("GET_PARAMETER", "rtsp://c/1", 6, "Session: 77\r\n").data), []byte(answer("200 OK", 6, "Session: 77\r\n\r\n").data)
	b.SetBytes(int64(len(q) + len(r)))
	b.ReportAllocs()
	for b.Loop() {
		p.Data(flow.ToServer, q, false)
		p.Data(flow.ToClient, r, false)
		p.Release(0)
	}
}
