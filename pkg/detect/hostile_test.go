package detect_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"citygate/pkg/detect"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/testlab/forge"
)

// maxGrowth is how much an engine's heap may grow under any of these inputs, in bytes. The limits of streams, parsers and flows
// add up to more; none of these reaches all of them.
const maxGrowth = 160 << 20

func zeros(n int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(make([]byte, n))
	z.Close()
	return b.Bytes()
}

// talk is a connection on a port whose sides say something once.
func talk(port uint16, request, response []byte, size int) *forge.Capture {
	c := forge.New()
	k := c.Open(client, netip.AddrPortFrom(server.Addr(), port))
	k.Send(flow.ToServer, request, size)
	k.Send(flow.ToClient, response, size)
	k.Close()
	return c
}

// reversed is one request whose bytes come one by one, the last first.
func reversed(n int) *forge.Capture {
	c := forge.New()
	k := c.Open(client, server)
	data := fmt.Appendf(nil, "POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n))
	for i := len(data) - 1; i >= 0; i-- {
		k.Put(forge.Segment{From: flow.ToServer, Seq: i, Data: data[i : i+1], NoAck: true})
	}
	k.Acknowledge(flow.ToClient)
	return c
}

func flood(n int) *forge.Capture {
	c := forge.New()
	for i := range n {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), uint16(1024+i>>16))
		c.UDP(from, server, []byte("hello"))
	}
	return c
}

// teeth are fragments of datagrams that never become whole.
func teeth(n int) *forge.Capture {
	c := forge.New()
	for i := range n {
		c.IP(forge.Packet{Src: client.Addr(), Dst: server.Addr(), Proto: 17, ID: uint16(i), More: true, Offset: 8 * (i % 100), Payload: make([]byte, 1400)})
	}
	return c
}

func noise(n int) *forge.Capture {
	c := forge.New()
	r := rand.New(rand.NewPCG(1, 2))
	frames := request("/reboot", 30).Frames
	for range n {
		b := bytes.Clone(frames[r.IntN(len(frames))].Data)
		for range 1 + r.IntN(4) {
			b[12+r.IntN(len(b)-12)] = byte(r.Uint32())
		}
		c.Add(b[:14+r.IntN(len(b)-13)])
	}
	return c
}

func TestHostile(t *testing.T) {
	bomb := zeros(64 << 20)
	entities := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>` +
		strings.Repeat("<x>", 50000)
	for name, capture := range map[string]*forge.Capture{
		"bytes in reverse": reversed(30000),
		"gzip bomb": talk(80, []byte("GET / HTTP/1.1\r\n\r\n"),
			append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(bomb)), bomb...), 0),
		"XML bomb": talk(80, fmt.Appendf(nil, "POST /onvif/device_service HTTP/1.1\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n%s",
			len(entities), entities), []byte("HTTP/1.1 200 OK\r\n\r\n"), 0),
		"RTSP lengths": talk(554, []byte("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 4294967295\r\n\r\n"),
			append([]byte("$\x00\xff\xff"), bytes.Repeat([]byte("RTSP/1.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n$\x01\xff\xff"), 500)...), 7),
		"headers without end": talk(80, []byte("GET / HTTP/1.1\r\n"+strings.Repeat("a: b\r\n", 200000)), []byte("HTTP/1.1 200 OK\r\n\r\n"), 0),
		"pipelined":           talk(80, bytes.Repeat([]byte("GET / HTTP/1.1\r\n\r\n"), 20000), bytes.Repeat([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 20000), 0),
		"flows":               flood(120000),
		"fragments":           teeth(40000),
		"noise":               noise(20000),
	} {
		t.Run(name, func(t *testing.T) {
			for _, inline := range []bool{false, true} {
				hostile(t, inline, capture)
			}
		})
	}
}

func hostile(t *testing.T, inline bool, c *forge.Capture) {
	t.Helper()
	r, err := detect.Open(compile(t, someRules+"\n"+strings.ReplaceAll(evasionRules, "sid:", "sid:1")))
	if err != nil {
		t.Fatal(err)
	}
	e := detect.New(config(inline), r, &seen{inline: inline})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	highest := uint64(0)
	for i, f := range c.Frames {
		e.Packet(packet.Record{Data: f.Data, Time: f.Time, Length: len(f.Data), Link: packet.LinkEthernet})
		if i%4096 == 0 {
			runtime.ReadMemStats(&after)
			highest = max(highest, after.HeapAlloc)
		}
	}
	e.Close()
	if highest > before.HeapAlloc+maxGrowth {
		t.Errorf("inline %v: the heap grew by %d MiB", inline, (highest-before.HeapAlloc)>>20)
	}
	if n := e.Counters(); n.Flows.Active != 0 || n.ParserMemory != 0 || n.Streams.Memory != 0 {
		t.Errorf("inline %v: after the end %d flows, %d bytes of parsers, %d of streams", inline, n.Flows.Active, n.ParserMemory, n.Streams.Memory)
	}
}
