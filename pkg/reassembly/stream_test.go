package reassembly

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"unsafe"

	"citygate/pkg/packet"

	"pgregory.net/rapid"
)

func TestInOrder(t *testing.T) {
	for _, inline := range []bool{true, false} {
		k := newTalk(t, Config{Inline: inline})
		k.shake()
		k.say(client, 0, "GET / ")
		if want := map[bool]string{true: "GET / ", false: ""}[inline]; string(k.read[client]) != want {
			t.Errorf("inline %v: read %q before the acknowledgement, want %q", inline, k.read[client], want)
		}
		k.say(client, 6, "HTTP/1.1\r\n")
		k.acks(server, 16)
		k.wantRead(client, "GET / HTTP/1.1\r\n")
		k.say(server, 0, "HTTP/1.1 200 OK\r\n")
		k.acks(client, 17)
		k.wantRead(server, "HTTP/1.1 200 OK\r\n")
		if got := k.s.Stream(client).Size(); got != 17 {
			t.Errorf("size %d, want 17: SYN and data", got)
		}
		k.end()
	}
}

func TestSessionIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Session{}); n > 400 {
		t.Errorf("a session has %d bytes, want at most 400", n)
	}
}

func TestOutOfOrder(t *testing.T) {
	k := newTalk(t, Config{Inline: true})
	k.shake()
	k.say(client, 5, "fgh")
	k.say(client, 3, "de")
	k.wantRead(client, "")
	k.say(client, 0, "abc")
	k.wantRead(client, "abcdefgh")
	k.acks(server, 8)
	if c := k.a.Counters(); c.OutOfOrder != 2 || c.Memory != 0 {
		t.Errorf("%d segments out of order, want 2", c.OutOfOrder)
	}
	k.end()
}

func TestSequenceWrap(t *testing.T) {
	for _, inline := range []bool{true, false} {
		k := newTalk(t, Config{Inline: inline})
		k.isn = [2]uint32{0xfffffffa, 0xffffffff}
		k.shake()
		k.say(client, 4, "efgh")
		k.say(client, 0, "abcd")
		k.acks(server, 8)
		k.say(server, 0, "xyz")
		k.acks(client, 3)
		k.wantRead(client, "abcdefgh")
		k.wantRead(server, "xyz")
		k.end()
	}
}

// A stream of more than 4 GiB: offsets are 64 bits wide.
func TestLongStream(t *testing.T) {
	k := newTalk(t, Config{Inline: true})
	k.shake()
	block := string(bytes.Repeat([]byte("0123456789abcdef"), 4000))
	st := k.s.Stream(client)
	at := uint64(0)
	for at < 1<<32+1<<20 {
		h := packet.Headers{Payload: []byte(block)[:64000]}
		h.TCP = packet.TCP{Flags: packet.ACK, Seq: k.isn[0] + 1 + uint32(at), Ack: k.isn[1] + 1, Window: 65535}
		if o := k.a.Segment(&k.s, client, &h, k.now); !o.Events.Empty() {
			t.Fatalf("at %d: %v", at, o.Events.AppendTo(nil))
		}
		at += 64000
		if st.Ready() != at {
			t.Fatalf("ready %d, want %d", st.Ready(), at)
		}
		st.Release(at)
		h = packet.Headers{TCP: packet.TCP{Flags: packet.ACK, Seq: k.isn[1] + 1, Ack: k.isn[0] + 1 + uint32(at), Window: 65535}}
		k.a.Segment(&k.s, server, &h, k.now)
		k.a.Settle(&k.s)
	}
	k.end()
}

func TestGap(t *testing.T) {
	k := newTalk(t, Config{})
	k.shake()
	k.say(client, 0, "abc")
	k.say(client, 6, "ghi")
	k.acks(server, 3)
	k.wantRead(client, "abc")
	o := k.acks(server, 9)
	wantEvents(t, o, SeqGap)
	if !o.Gap {
		t.Error("no gap is said")
	}
	k.wantRead(client, "abc?ghi")
	if c := k.a.Counters(); c.Gaps != 1 || c.GapBytes != 3 {
		t.Errorf("%d gaps of %d bytes, want 1 of 3", c.Gaps, c.GapBytes)
	}
	k.end()
}

func TestFlushPassesGaps(t *testing.T) {
	k := newTalk(t, Config{})
	k.shake()
	k.say(client, 0, "abc")
	k.say(client, 6, "ghi")
	k.say(client, 12, "m")
	k.wantRead(client, "")
	k.end()
	k.wantRead(client, "abc?ghi?m")
}

// In line a receiver cannot acknowledge what has not passed: that would make later bytes "missing" and unread.
func TestOptimisticAckInline(t *testing.T) {
	k := newTalk(t, Config{Inline: true})
	k.shake()
	k.say(client, 0, "abc")
	k.acks(server, 100)
	k.say(client, 3, "def")
	k.acks(server, 200)
	k.say(client, 6, "ghi")
	k.wantRead(client, "abcdefghi")
	k.end()
}

// What comes after its gap was passed was never read: in line it must not go on.
func TestLateInlineDrop(t *testing.T) {
	k := newTalk(t, Config{Inline: true})
	k.shake()
	k.say(client, 0, "abc")
	k.say(client, 6, "ghi")
	k.acks(server, 9)
	k.wantRead(client, "abc?ghi")
	o := k.say(client, 3, "def")
	if !o.Drop {
		t.Error("late bytes of a gap pass")
	}
	k.wantRead(client, "abc?ghi")
	k.end()
}

func TestDepth(t *testing.T) {
	for _, inline := range []bool{true, false} {
		k := newTalk(t, Config{Inline: inline, Depth: 10})
		k.shake()
		wantEvents(t, k.say(client, 0, "01234567"))
		wantEvents(t, k.say(client, 8, "89abcd"), DepthReached)
		wantEvents(t, k.say(client, 14, "efgh"))
		k.acks(server, 18)
		k.wantRead(client, "0123456789")
		if st := k.s.Stream(client); !st.DepthReached() || st.Ready() != 10 {
			t.Errorf("depth reached %v at %d", st.DepthReached(), st.Ready())
		}
		if k.s.Stream(server).DepthReached() {
			t.Error("the other stream has reached it, too")
		}
		k.end()
	}
}

func TestSetDepth(t *testing.T) {
	k := newTalk(t, Config{Inline: true, Depth: 4})
	k.shake()
	k.s.Stream(client).SetDepth(0)
	k.s.Stream(server).SetDepth(2)
	k.say(client, 0, "abcdefgh")
	k.say(server, 0, "abcdefgh")
	k.wantRead(client, "abcdefgh")
	k.wantRead(server, "ab")
	k.end()
}

func TestStop(t *testing.T) {
	k := newTalk(t, Config{})
	k.shake()
	k.say(client, 0, "abc")
	k.say(client, 10, "xyz")
	k.s.Stream(client).Stop()
	k.a.Settle(&k.s)
	if c := k.a.Counters(); c.Memory != 0 {
		t.Errorf("a stopped stream has %d bytes of memory", c.Memory)
	}
	k.say(client, 13, "more")
	k.acks(server, 17)
	k.wantRead(client, "")
	k.send(sent{d: client, flags: packet.FIN | packet.ACK, seq: 17})
	k.wantState(CloseWait)
	k.end()
}

// A reader that keeps bytes finds them again, contiguous, over any number of segments.
func TestKeptBytes(t *testing.T) {
	k := newTalk(t, Config{Inline: true})
	k.shake()
	st := k.s.Stream(client)
	var want []byte
	for i := range 3000 {
		data := fmt.Appendf(nil, "line %d\n", i)
		h := packet.Headers{Payload: bytes.Clone(data)}
		h.TCP = packet.TCP{Flags: packet.ACK, Seq: k.isn[0] + 1 + uint32(len(want)), Ack: k.isn[1] + 1, Window: 65535}
		k.a.Segment(&k.s, client, &h, k.now)
		want = append(want, data...)
		k.acks(server, int64(len(want)))
		k.at[client] = 0
		if i == 1500 {
			st.Release(1000)
		}
		from := min(uint64(1000), uint64(len(want)))
		if !bytes.Equal(st.Bytes(from), want[from:]) {
			t.Fatalf("after %d segments the kept bytes differ", i)
		}
	}
}

// A reader that always keeps a little makes the buffer move its bytes, not grow.
func TestLaggingReader(t *testing.T) {
	k := newTalk(t, Config{Inline: true})
	k.shake()
	st := k.s.Stream(client)
	var want []byte
	for i := range 5000 {
		data := fmt.Appendf(nil, "line %d\n", i)
		h := packet.Headers{Payload: bytes.Clone(data)}
		h.TCP = packet.TCP{Flags: packet.ACK, Seq: k.isn[0] + 1 + uint32(len(want)), Ack: k.isn[1] + 1, Window: 65535}
		k.a.Segment(&k.s, client, &h, k.now)
		want = append(want, data...)
		from := len(want) - min(len(want), 300)
		if !bytes.Equal(st.Bytes(uint64(from)), want[from:]) {
			t.Fatalf("after %d segments the kept bytes differ", i)
		}
		st.Release(uint64(from))
		h = packet.Headers{TCP: packet.TCP{Flags: packet.ACK, Seq: k.isn[1] + 1, Ack: h.TCP.Seq + uint32(len(data)), Window: 65535}}
		k.a.Segment(&k.s, server, &h, k.now)
		k.a.Settle(&k.s)
		if m := st.Memory(); m > 4<<10 {
			t.Fatalf("%d bytes of memory for 300", m)
		}
	}
}

// chunk is a segment of a property test: a range of the stream.
type chunk struct{ from, to int }

// Any split of a stream into segments, in any order, with any of them again, gives the same bytes.
func TestAnySplit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.SampledFrom([]int{1, 50, 5000, 20000}).Draw(rt, "length")
		stream := make([]byte, n)
		seed := rapid.Uint32().Draw(rt, "seed")
		for i := range stream {
			seed = seed*1664525 + 1013904223
			stream[i] = byte(seed >> 24)
		}
		var chunks []chunk
		for at := 0; at < n; {
			to := min(n, at+rapid.IntRange(1, 3000).Draw(rt, "size"))
			chunks = append(chunks, chunk{at, to})
			at = to
		}
		for range rapid.IntRange(0, 5).Draw(rt, "again") {
			from := rapid.IntRange(0, n-1).Draw(rt, "from")
			chunks = append(chunks, chunk{from, min(n, from+rapid.IntRange(1, 3000).Draw(rt, "more"))})
		}
		order := rapid.Permutation(chunks).Draw(rt, "order")
		c := Config{
			Inline: rapid.Bool().Draw(rt, "inline"),
			Policy: Policy(rapid.IntRange(0, int(policies)-1).Draw(rt, "policy")),
		}
		k := newTalk(t, c)
		k.isn[client] = rapid.Uint32().Draw(rt, "isn")
		k.shake()
		seen := make([]bool, n)
		for _, x := range order {
			o := k.say(client, int64(x.from), string(stream[x.from:x.to]))
			if o.Drop || o.Events.Has(OverlapDifferentData) {
				rt.Fatalf("segment %v: %+v", x, o)
			}
			for i := x.from; i < x.to; i++ {
				seen[i] = true
			}
			if rapid.Bool().Draw(rt, "ack") {
				edge := 0
				for edge < n && seen[edge] {
					edge++
				}
				k.acks(server, int64(edge))
				if len(k.read[client]) != edge {
					rt.Fatalf("read %d bytes, %d are there and acknowledged", len(k.read[client]), edge)
				}
			}
		}
		k.end()
		if !bytes.Equal(k.read[client], stream) {
			rt.Fatalf("read %d bytes of %d, or other ones", len(k.read[client]), n)
		}
	})
}

// 64 Ki segments of one byte, the last one first: bounded memory, and time that grows with their number.
func TestReversedBytes(t *testing.T) {
	for _, c := range []Config{{Inline: true}, {}, {Policy: PolicyLinux}} {
		k := newTalk(t, c)
		k.shake()
		const n = 65000
		want := make([]byte, n)
		for i := range want {
			want[i] = byte(i * 7)
		}
		high := int64(0)
		for i := n - 1; i >= 0; i-- {
			k.say(client, int64(i), string(want[i:i+1]))
			high = max(high, k.a.Counters().Memory)
		}
		k.acks(server, n)
		if !bytes.Equal(k.read[client], want) {
			t.Errorf("%+v: read %d bytes", c, len(k.read[client]))
		}
		if high > 4*n {
			t.Errorf("%+v: %d bytes of memory for %d", c, high, n)
		}
		k.end()
	}
}

func TestMemoryCaps(t *testing.T) {
	k := newTalk(t, Config{Inline: true, SessionMemory: 64 << 10})
	k.shake()
	lost := 0
	for i := range int64(20) { // one byte on each page
		if o := k.say(client, 1+i*pageSize%65000+i, "x"); o.Lost {
			lost++
			if !o.Drop || !o.Events.Has(InsertMemcap) {
				t.Fatalf("lost bytes are not dropped: %+v", o)
			}
		}
	}
	if m := k.s.Stream(client).Memory(); lost == 0 || m > 32<<10 {
		t.Errorf("%d segments lost, %d bytes in use", lost, m)
	}
	if c := k.a.Counters(); c.MemoryLost != uint64(lost) || !k.s.Stream(client).Lossy() {
		t.Errorf("%d counted, want %d", c.MemoryLost, lost)
	}
	k.end()
}

func TestTotalMemoryCap(t *testing.T) {
	a := New(Config{TotalMemory: 1 << 20})
	talks := make([]*talk, 2000)
	lost := 0
	for i := range talks {
		k := newTalk(t, Config{})
		k.a = a
		k.shake()
		if o := k.say(client, 0, "abc"); o.Lost {
			lost++
		}
		talks[i] = k
		if m := a.Counters().Memory; m > 1<<20 {
			t.Fatalf("%d bytes in use", m)
		}
	}
	if lost == 0 || lost > 1700 {
		t.Errorf("%d of 2000 sessions lost bytes", lost)
	}
	for _, k := range talks {
		k.a.Close(&k.s)
	}
	if c := a.Counters(); c.Memory != 0 || c.Idle > 1<<20 {
		t.Errorf("%d bytes in use, %d idle", c.Memory, c.Idle)
	}
}

func FuzzSegments(f *testing.F) {
	f.Add([]byte{0}, uint8(0))
	seed := []byte{}
	for i := range 20 {
		seed = append(seed, byte(i), byte(packet.ACK), byte(i*3), 0, 0, byte(i))
	}
	f.Add(seed, uint8(1))
	f.Fuzz(func(t *testing.T, in []byte, mode uint8) {
		k := newTalk(t, Config{
			Inline: mode&1 != 0, Midstream: mode&2 != 0, AsyncOneSide: mode&4 != 0, DropInvalid: mode&8 != 0,
			Policy: Policy(mode >> 4 % uint8(policies)), Urgent: UrgentPolicy(mode >> 6),
			SessionMemory: 1 << 20, TotalMemory: 1 << 20,
		})
		if mode&16 == 0 {
			k.shake()
		}
		for len(in) >= 6 {
			b := in[:6]
			in = in[6:]
			x := sent{d: client, flags: b[1], seq: int64(int16(binary.LittleEndian.Uint16(b[2:]))), ack: int64(b[4])}
			if b[0]&1 != 0 {
				x.d = server
			}
			n := min(int(b[5]), len(in))
			x.data, x.urgent, x.win = string(in[:n]), uint16(b[0]>>4), uint16(b[0])<<8
			o := k.send(x)
			if o.Drop && mode&1 == 0 {
				t.Fatal("a drop outside of line")
			}
			if o.Reuse {
				k.end()
				k.s, k.at = Session{}, [2]uint64{}
			}
			if c := k.a.Counters(); c.Memory > 1<<20 || c.Memory < 0 || c.Idle > 1<<20 {
				t.Fatalf("%d bytes in use, %d idle", c.Memory, c.Idle)
			}
		}
		k.end()
	})
}
