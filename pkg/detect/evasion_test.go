package detect_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"citygate/pkg/detect"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/reassembly"
	"citygate/pkg/signature"
	"citygate/testlab/forge"
)

// An evader sends an attack so that an inspector reads something else than its target. Every case is a protocol's attack, sent by
// a trick; its clean twin is sent the same way.

// carrier is a protocol with an attack and its clean twin of the same length.
type carrier struct {
	name          string
	port          uint16
	attack, clean []byte
	sid           string
}

const evasionRules = `drop http any any -> any any (http.uri; content:"/cgi-bin/evil"; sid:1;)
drop rtsp any any -> any any (rtsp.uri; content:"/secret"; sid:2;)
drop http any any -> any any (onvif.op; content:"SystemReboot"; sid:3;)
drop modbus any any -> any any (modbus: function 16; sid:4;)
alert tcp any any -> any any (stream-event:reassembly_overlap_different_data; sid:90;)
alert pkthdr any any -> any any (decode-event:ipv4.frag_overlap; sid:91;)
alert pkthdr any any -> any any (decode-event:ipv6.frag_overlap; sid:92;)`

func soap(op string) []byte {
	body := `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><` + op +
		` xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>`
	return fmt.Appendf(nil, "POST /onvif/device_service HTTP/1.1\r\nHost: c\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n%s",
		len(body), body)
}

// modbusWrite is a request of a function that writes registers (16) or one that reads (3) with the same length.
func modbusRequest(function byte) []byte {
	b := []byte{0, 1, 0, 0, 0, 11, 1, 16, 0, 1, 0, 2, 4, 0, 7, 0, 9}
	if function != 16 {
		b = []byte{0, 1, 0, 0, 0, 6, 1, function, 0, 1, 0, 2}
		b = append(b, 0, 2, 0, 0, 0) // the next header's beginning: the twin is as long
	}
	return b
}

var carriers = []carrier{
	{"http", 80, []byte("GET /cgi-bin/evil?a=1 HTTP/1.1\r\nHost: c\r\n\r\n"), []byte("GET /cgi-bin/good?a=1 HTTP/1.1\r\nHost: c\r\n\r\n"), "1"},
	{"rtsp", 554, []byte("DESCRIBE rtsp://c/secret RTSP/1.0\r\nCSeq: 2\r\n\r\n"), []byte("DESCRIBE rtsp://c/stream RTSP/1.0\r\nCSeq: 2\r\n\r\n"), "2"},
	{"onvif", 80, soap("SystemReboot"), soap("GetHostname0"), "3"},
	{"modbus", 502, modbusRequest(16), modbusRequest(3), "4"},
}

// trick sends data on a connection in its own way.
type trick struct {
	name string
	send func(k *forge.Conn, data []byte)
}

func put(k *forge.Conn, seq int, data []byte, noAck bool) {
	k.Put(forge.Segment{From: flow.ToServer, Seq: seq, Data: data, NoAck: noAck})
}

// pieces are the segments of data of a size, with their places.
func pieces(data []byte, size int) (at []int) {
	for i := 0; i < len(data); i += size {
		at = append(at, i)
	}
	return at
}

func cut(data []byte, at, size int) []byte { return data[at:min(at+size, len(data))] }

// garbage is as long as data and never the same.
func garbage(data []byte) []byte {
	out := make([]byte, len(data))
	for i, b := range data {
		out[i] = b ^ 0x15 | 0x40
		if out[i] == b {
			out[i] = '#'
		}
	}
	return out
}

func splits(sizes ...int) (out []trick) {
	for _, n := range sizes {
		out = append(out,
			trick{fmt.Sprintf("split %d", n), func(k *forge.Conn, data []byte) { k.Send(flow.ToServer, data, n) }},
			trick{fmt.Sprintf("split %d, acknowledged late", n), func(k *forge.Conn, data []byte) {
				for _, at := range pieces(data, n) {
					put(k, at, cut(data, at, n), true)
				}
				k.Acknowledge(flow.ToClient)
			}},
			trick{fmt.Sprintf("reverse %d", n), func(k *forge.Conn, data []byte) {
				all := pieces(data, n)
				for i := len(all) - 1; i >= 0; i-- {
					put(k, all[i], cut(data, all[i], n), true)
				}
				k.Acknowledge(flow.ToClient)
			}},
			trick{fmt.Sprintf("twice %d", n), func(k *forge.Conn, data []byte) {
				for _, at := range pieces(data, n) {
					put(k, at, cut(data, at, n), true)
					put(k, at, cut(data, at, n), false)
				}
			}},
			trick{fmt.Sprintf("overlap %d", n), func(k *forge.Conn, data []byte) {
				for _, at := range pieces(data, n) {
					put(k, at, cut(data, at, n+3), false)
				}
			}})
	}
	return out
}

func shuffles(seeds, size int) (out []trick) {
	for s := range seeds {
		out = append(out, trick{fmt.Sprintf("shuffle %d of %d", s, size), func(k *forge.Conn, data []byte) {
			all := pieces(data, size)
			r := rand.New(rand.NewPCG(uint64(s), 7))
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for _, at := range all {
				put(k, at, cut(data, at, size), true)
				if r.IntN(4) == 0 {
					put(k, at, cut(data, at, size), true)
				}
			}
			k.Acknowledge(flow.ToClient)
		}})
	}
	return out
}

// decoys sends, before or after each true segment, another with the same place that the target does not take, or might take.
func decoys(size int) (out []trick) {
	for name, s := range map[string]forge.Segment{
		"wrong checksum": {BadChecksum: true},
		"low TTL":        {TTL: 1},
		"no flags":       {Flags: forge.PSH},
		"plain":          {},
	} {
		for _, first := range []bool{true, false} {
			out = append(out, trick{fmt.Sprintf("decoy %s, first %v, size %d", name, first, size), func(k *forge.Conn, data []byte) {
				for _, at := range pieces(data, size) {
					d := s
					d.From, d.Seq, d.Data, d.NoAck = flow.ToServer, at, garbage(cut(data, at, size)), true
					if first {
						k.Put(d)
					}
					put(k, at, cut(data, at, size), true)
					if !first {
						k.Put(d)
					}
				}
				k.Acknowledge(flow.ToClient)
			}})
		}
	}
	return out
}

// resets puts segments between the data that no host takes for the end.
func resets() (out []trick) {
	for name, s := range map[string]forge.Segment{
		"RST out of window":  {Flags: forge.RST, Seq: 1 << 28},
		"RST wrong checksum": {Flags: forge.RST, BadChecksum: true},
		"FIN wrong checksum": {Flags: forge.FIN | forge.ACK, BadChecksum: true},
		"SYN again":          {Flags: forge.SYN, Seq: -1, BadChecksum: true},
		"data out of window": {Seq: 1 << 28, Data: []byte("xxxxxxxxxxxxxxxxx")},
	} {
		out = append(out, trick{name, func(k *forge.Conn, data []byte) {
			half := len(data) / 2
			put(k, 0, data[:half], false)
			d := s
			d.From, d.NoAck = flow.ToServer, true
			if d.Seq == 0 {
				d.Seq = half
			}
			next := k.Next
			k.Put(d)
			k.Next = next
			put(k, half, data[half:], false)
		}})
	}
	return out
}

// fragments cuts the segment's packet.
func fragments(sizes ...int) (out []trick) {
	for _, n := range sizes {
		out = append(out, trick{fmt.Sprintf("fragments of %d", n), func(k *forge.Conn, data []byte) {
			var cuts []int
			for at := n; at < len(data)+20; at += n {
				cuts = append(cuts, at)
			}
			k.Put(forge.Segment{From: flow.ToServer, Data: data, Fragments: cuts})
		}})
	}
	return out
}

func tricks() (all []trick) {
	all = append(all, splits(1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 19, 24, 32, 48, 64)...)
	for _, size := range []int{1, 3, 8, 20} {
		all = append(all, shuffles(25, size)...)
		all = append(all, decoys(size)...)
	}
	all = append(all, resets()...)
	return append(all, fragments(24, 32, 40, 64, 96)...)
}

// target is what hosts of all kinds may have read of what passed: for each byte every copy that arrived with a right checksum.
type target struct {
	decoder *packet.Decoder
	defrag  *reassembly.Defragmenter
	isn     uint32
	bytes   map[int][]byte
}

// take gives the target a frame.
func (g *target) take(f forge.Frame) {
	h, err := g.decoder.DecodeLink(packet.LinkEthernet, f.Data, len(f.Data))
	if err == nil && h.Fragment {
		whole := g.defrag.Add(&h, f.Time).Datagram
		if whole == nil {
			return
		}
		h, err = g.decoder.DecodeLink(packet.LinkRaw, whole, len(whole))
	}
	if err != nil || h.Tuple.Proto != flow.TCP || h.Tuple.DstPort == client.Port() || !h.ChecksumsValid() || h.TCP.Flags&packet.ACK == 0 {
		return
	}
	at := int(int32(h.TCP.Seq - g.isn - 1))
	if at < 0 || at > 1<<20 {
		return
	}
	for i, b := range h.Payload {
		g.bytes[at+i] = append(g.bytes[at+i], b)
	}
}

// has says whether some host may have read all of data.
func (g *target) has(data []byte) bool {
	for i, b := range data {
		if !bytes.Contains(g.bytes[i], []byte{b}) {
			return false
		}
	}
	return true
}

// evade sends data by a trick to a carrier's server. It gives the alerts and whether the data arrived.
func evade(t *testing.T, inline bool, rules *detect.Rules, c carrier, tr trick, data []byte, v6 bool) (alerts string, arrived bool) {
	t.Helper()
	from, to := client, netip.AddrPortFrom(server.Addr(), c.port)
	if v6 {
		from = netip.MustParseAddrPort("[2001:db8::2]:40000")
		to = netip.AddrPortFrom(netip.MustParseAddr("2001:db8::11"), c.port)
	}
	capture := forge.New()
	k := capture.Open(from, to)
	tr.send(k, data)
	s := &seen{inline: inline}
	e := detect.New(config(inline), rules, s)
	g := &target{decoder: packet.NewDecoder(), defrag: reassembly.NewDefragmenter(reassembly.DefragConfig{}), isn: k.ISN[0], bytes: map[int][]byte{}}
	for _, f := range capture.Frames {
		if e.Packet(packet.Record{Data: f.Data, Time: f.Time, Length: len(f.Data), Link: packet.LinkEthernet}) == signature.Alert {
			g.take(f)
		}
	}
	e.Close()
	return " " + strings.ReplaceAll(strings.Join(s.alerts, " "), "/blocked", "") + " ", g.has(data)
}

func TestEvasion(t *testing.T) {
	rules, err := detect.Open(compile(t, evasionRules))
	if err != nil {
		t.Fatal(err)
	}
	cases, missed, silent, alarms, arrivals := 0, 0, 0, 0, 0
	for _, c := range carriers {
		for _, tr := range tricks() {
			for _, v6 := range []bool{false, true} {
				for _, inline := range []bool{false, true} {
					cases++
					alerts, arrived := evade(t, inline, rules, c, tr, c.attack, v6)
					if strings.Contains(alerts, " "+c.sid+" ") {
						alarms++
					}
					if arrived {
						arrivals++
					}
					alarmed := strings.Contains(alerts, " "+c.sid+" ") || strings.Contains(alerts, " 9")
					if inline && arrived || !inline && !alarmed {
						missed++
						t.Errorf("%s, %s, IPv6 %v, inline %v: alerts [%s], arrived %v", c.name, tr.name, v6, inline, alerts, arrived)
					}
					alerts, arrived = evade(t, inline, rules, c, tr, c.clean, v6)
					if !inline && !arrived {
						t.Fatalf("%s, %s: the target did not read its request: the test is blind", c.name, tr.name)
					}
					if strings.Contains(alerts, " "+c.sid+" ") {
						silent++
						t.Errorf("%s, %s, IPv6 %v, inline %v: the clean twin gives [%s]", c.name, tr.name, v6, inline, alerts)
					}
				}
			}
		}
	}
	t.Logf("%d cases: %d missed; %d named by the attack's own rule, in %d it arrived (out of line); %d alerts on clean twins",
		cases, missed, alarms, arrivals, silent)
	if cases < 1000 {
		t.Errorf("only %d cases", cases)
	}
}
