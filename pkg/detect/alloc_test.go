package detect_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"citygate/pkg/detect"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/testlab/forge"
)

const someRules = `alert http any any -> any any (http.uri; content:"/cgi-bin/"; pcre:"/passwd|shadow/"; sid:1;)
alert tcp any any -> any any (content:"etc/passwd"; sid:2;)
alert udp any any -> any any (content:"|00 01 02 03 04 05 06 07 08|"; sid:3;)
alert http any any -> any any (flow:to_client; file.data; content:"root:"; nocase; sid:4;)
alert http any any -> any any (http.host; dotprefix; content:".evil.example"; endswith; sid:5;)
alert tcp any any -> any any (flow:established,to_server; dsize:>4; content:"USER root"; threshold:type limit,track by_src,count 1,seconds 60; sid:6;)
alert dns any any -> any any (dns.query; content:"evil"; sid:7;)`

// busy is n rounds of requests and answers on one connection, with a video beside it.
func busy(n int) *forge.Capture {
	c := forge.New()
	k := c.Open(client, server)
	video := make([]byte, 1400)
	for i := range n {
		k.Send(flow.ToServer, fmt.Appendf(nil, "GET /image/%d HTTP/1.1\r\nHost: cam.example\r\nUser-Agent: vms\r\nAccept: */*\r\n\r\n", i), 0)
		body := strings.Repeat("picture ", 300)
		k.Send(flow.ToClient, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s", len(body), body), 0)
		for j := range 5 {
			binary.BigEndian.PutUint32(video, uint32(i*5+j)*2654435761)
			c.UDP(server, client, video)
		}
	}
	return c
}

// play gives an engine frames.
func play(e *detect.Engine, frames []forge.Frame) {
	for _, f := range frames {
		e.Packet(packet.Record{Data: f.Data, Time: f.Time, Length: len(f.Data), Link: packet.LinkEthernet})
	}
}

// Once flows and transactions are warm, a packet costs no allocation.
func TestNoAllocations(t *testing.T) {
	for _, inline := range []bool{false, true} {
		r, err := detect.Open(compile(t, someRules))
		if err != nil {
			t.Fatal(err)
		}
		e := detect.New(config(inline), r, &seen{})
		frames := busy(400).Frames
		play(e, frames[:len(frames)/2])
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		play(e, frames[len(frames)/2:])
		runtime.ReadMemStats(&after)
		per := float64(after.Mallocs-before.Mallocs) / float64(len(frames)/2)
		if per > 0.005 { // the runtime's own count a little
			t.Errorf("inline %v: %.3f allocations per packet", inline, per)
		}
	}
}

func BenchmarkPacket(b *testing.B) {
	r, err := detect.Open(compile(b, someRules))
	if err != nil {
		b.Fatal(err)
	}
	frames := busy(200).Frames
	n := 0
	for _, f := range frames {
		n += len(f.Data)
	}
	b.SetBytes(int64(n / len(frames)))
	b.ReportAllocs()
	e := detect.New(config(true), r, &seen{})
	for i := 0; b.Loop(); i++ {
		if i%len(frames) == 0 { // the same connection again is another one
			e.Close()
		}
		f := frames[i%len(frames)]
		e.Packet(packet.Record{Data: f.Data, Time: f.Time, Length: len(f.Data), Link: packet.LinkEthernet})
	}
}
