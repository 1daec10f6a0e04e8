package reassembly

import (
	"bytes"
	"math/rand/v2"
	"net"
	"testing"

	"citygate/pkg/flow"
	"citygate/pkg/packet"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	oracle "github.com/google/gopacket/reassembly"
)

// other is the other implementation: it collects what it puts together.
type other struct{ got [2][]byte }

func (o *other) New(_, _ gopacket.Flow, _ *layers.TCP, _ oracle.AssemblerContext) oracle.Stream {
	return o
}

func (o *other) Accept(*layers.TCP, gopacket.CaptureInfo, oracle.TCPFlowDirection, oracle.Sequence, *bool,
	oracle.AssemblerContext,
) bool {
	return true
}

func (o *other) ReassembledSG(sg oracle.ScatterGather, _ oracle.AssemblerContext) {
	n, _ := sg.Lengths()
	d := client
	if dir, _, _, _ := sg.Info(); dir == oracle.TCPDirServerToClient {
		d = server
	}
	o.got[d] = append(o.got[d], sg.Fetch(n)...)
}

func (o *other) ReassemblyComplete(oracle.AssemblerContext) bool { return true }

type context struct{}

func (context) GetCaptureInfo() gopacket.CaptureInfo { return gopacket.CaptureInfo{} }

// Without differing overlaps both implementations read the same bytes of both directions.
func TestAsGopacket(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		o := &other{}
		a := oracle.NewAssembler(oracle.NewStreamPool(o))
		k := newTalk(t, Config{Inline: seed%2 == 0})
		k.isn = [2]uint32{rng.Uint32(), rng.Uint32()}
		net4, _ := gopacket.FlowFromEndpoints(layers.NewIPEndpoint(net.IP{10, 0, 0, 1}), layers.NewIPEndpoint(net.IP{10, 0, 0, 2}))
		send := func(x sent) {
			tcp := &layers.TCP{
				SrcPort: 1000, DstPort: 80, Seq: k.isn[x.d] + 1 + uint32(x.seq), Window: 65535,
				SYN: x.flags&packet.SYN != 0, ACK: x.flags&packet.ACK != 0, FIN: x.flags&packet.FIN != 0,
			}
			tcp.Payload = []byte(x.data)
			hosts := net4
			if x.d == server {
				tcp.SrcPort, tcp.DstPort, hosts = 80, 1000, net4.Reverse()
			}
			if tcp.ACK {
				tcp.Ack = k.isn[x.d^1] + 1 + uint32(x.ack)
			}
			tcp.SetInternalPortsForTesting()
			a.AssembleWithContext(hosts, tcp, context{})
			k.send(x)
		}
		send(sent{d: client, flags: packet.SYN, seq: -1})
		send(sent{d: server, flags: packet.SYN | packet.ACK, seq: -1})
		send(sent{d: client, flags: packet.ACK})
		var said [2]int64
		for range 20 {
			d := client
			if rng.IntN(2) == 0 {
				d = server
			}
			said[d] = burst(rng, d, said, send)
			send(sent{d: d ^ 1, flags: packet.ACK, seq: said[d^1], ack: said[d]})
		}
		k.end()
		for d := range k.read {
			if !bytes.Equal(k.read[d], o.got[d]) || int64(len(k.read[d])) != said[d] {
				t.Fatalf("seed %d, direction %d: %d bytes, the other has %d, %d were sent", seed, d, len(k.read[d]),
					len(o.got[d]), said[d])
			}
		}
	}
}

// burst sends some segments of a side in any order, some of them twice, and gives the offset behind them.
func burst(rng *rand.Rand, d flow.Direction, said [2]int64, send func(sent)) int64 {
	var list []sent
	at := said[d]
	for range 1 + rng.IntN(8) {
		data := make([]byte, 1+rng.IntN(1400))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		x := sent{d: d, flags: packet.ACK, seq: at, ack: said[d^1], data: string(data)}
		list = append(list, x)
		if rng.IntN(5) == 0 {
			list = append(list, x)
		}
		at += int64(len(data))
	}
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	for _, x := range list {
		send(x)
	}
	return at
}
