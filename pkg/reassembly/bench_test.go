package reassembly

import (
	"testing"
	"time"

	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

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
	k := newTalk(b, Config{Inline: true})
	k.shake()
	k.s.Stream(client).Stop()
	transfer(b, k, false)
}

func benchTransfer(b *testing.B, c Config, swapped bool) {
	k := newTalk(b, c)
	k.shake()
	transfer(b, k, swapped)
}

func transfer(b *testing.B, k *talk, swapped bool) {
	const size = 1400
	st := k.s.Stream(client)
	data := packet.Headers{Payload: make([]byte, size)}
	data.TCP = packet.TCP{Flags: packet.ACK, Ack: k.isn[1] + 1, Window: 65535}
	ack := packet.Headers{TCP: packet.TCP{Flags: packet.ACK, Seq: k.isn[1] + 1, Window: 65535}}
	seq, read, now := k.isn[0]+1, uint64(0), time.Unix(1, 0)
	send := func(h *packet.Headers, d flow.Direction) {
		k.a.Segment(&k.s, d, h, now)
		if ready := st.Ready(); ready > read {
			read += uint64(len(st.Bytes(read)))
			st.Release(read)
		}
		k.a.Settle(&k.s)
	}
	b.SetBytes(2 * size)
	b.ReportAllocs()
	for b.Loop() {
		first, second := seq, seq+size
		if swapped {
			first, second = second, first
		}
		data.TCP.Seq = first
		send(&data, client)
		data.TCP.Seq = second
		send(&data, client)
		seq += 2 * size
		ack.TCP.Ack = seq
		send(&ack, server)
	}
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
