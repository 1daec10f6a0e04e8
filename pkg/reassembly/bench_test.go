package reassembly

import (
	"testing"

	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

// Nothing is allocated per segment, in order or not.
func TestNoAllocations(t *testing.T) {
	for _, c := range []Config{{Inline: true}, {}, {Policy: PolicyLinux}} {
		for _, swapped := range []bool{false, true} {
			x := newTransfer(t, c, swapped)
			for range 100 {
				x.step()
			}
			if n := testing.AllocsPerRun(1000, x.step); n != 0 {
				t.Errorf("%+v, swapped %v: %v allocations", c, swapped, n)
			}
		}
	}
}

// BenchmarkInOrder is a bulk transfer: segments of 1,400 bytes, an acknowledgement for each second one.
func BenchmarkInOrder(b *testing.B) {
	for name, c := range map[string]Config{"inline": {Inline: true}, "ids": {}, "linux": {Policy: PolicyLinux}} {
		b.Run(name, func(b *testing.B) { benchTransfer(b, c, false) })
	}
}

// BenchmarkSwapped is the same with each pair of segments in the wrong order.
func BenchmarkSwapped(b *testing.B) {
	for name, c := range map[string]Config{"inline": {Inline: true}, "ids": {}} {
		b.Run(name, func(b *testing.B) { benchTransfer(b, c, true) })
	}
}

// BenchmarkStopped is a transfer that nobody reads, such as video.
func BenchmarkStopped(b *testing.B) {
	x := newTransfer(b, Config{Inline: true}, false)
	x.k.s.Stream(client).Stop()
	x.bench(b)
}

func benchTransfer(b *testing.B, c Config, swapped bool) { newTransfer(b, c, swapped).bench(b) }

// bulk is a transfer of segments of 1,400 bytes.
type bulk struct {
	k         *talk
	swapped   bool
	read      uint64
	seq       uint32
	data, ack packet.Headers
}

const bulkSize = 1400

func newTransfer(t testing.TB, c Config, swapped bool) *bulk {
	k := newTalk(t, c)
	k.shake()
	x := &bulk{k: k, swapped: swapped, seq: k.isn[0] + 1}
	x.data = packet.Headers{Payload: make([]byte, bulkSize)}
	x.data.TCP = packet.TCP{Flags: packet.ACK, Ack: k.isn[1] + 1, Window: 65535}
	x.ack = packet.Headers{TCP: packet.TCP{Flags: packet.ACK, Seq: k.isn[1] + 1, Window: 65535}}
	return x
}

func (x *bulk) bench(b *testing.B) {
	b.SetBytes(2 * bulkSize)
	b.ReportAllocs()
	for b.Loop() {
		x.step()
	}
}

// step sends two segments and their acknowledgement.
func (x *bulk) step() {
	first, second := x.seq, x.seq+bulkSize
	if x.swapped {
		first, second = second, first
	}
	x.data.TCP.Seq = first
	x.send(&x.data, client)
	x.data.TCP.Seq = second
	x.send(&x.data, client)
	x.seq += 2 * bulkSize
	x.ack.TCP.Ack = x.seq
	x.send(&x.ack, server)
}

func (x *bulk) send(h *packet.Headers, d flow.Direction) {
	x.k.a.Segment(&x.k.s, d, h, x.k.now)
	st := x.k.s.Stream(client)
	if ready := st.Ready(); ready > x.read {
		x.read += uint64(len(st.Bytes(x.read)))
		st.Release(x.read)
	}
	x.k.a.Settle(&x.k.s)
}

// BenchmarkReversedBytes is 64 Ki segments of one byte, the last one first.
func BenchmarkReversedBytes(b *testing.B) {
	h := packet.Headers{Payload: []byte{1}}
	h.TCP = packet.TCP{Flags: packet.ACK, Window: 65535}
	for b.Loop() {
		k := newTalk(b, Config{Inline: true})
		k.shake()
		for i := uint32(65500); i > 0; i-- {
			h.TCP.Seq, h.TCP.Ack = k.isn[0]+i, k.isn[1]+1
			k.a.Segment(&k.s, client, &h, k.now)
			k.a.Settle(&k.s)
		}
		if k.s.Stream(client).Ready() != 65500 {
			b.Fatal(k.s.Stream(client).Ready())
		}
		k.a.Close(&k.s)
	}
}
