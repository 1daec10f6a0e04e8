package reassembly

import (
	"testing"
	"time"

	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

const (
	client = flow.ToServer
	server = flow.ToClient
)

// talk is a session in a test: what is sent, and what a reader has read of each direction, gaps as '?'.
type talk struct {
	t    testing.TB
	a    *Assembler
	s    Session
	read [2][]byte
	at   [2]uint64
	now  time.Time
	isn  [2]uint32
}

func newTalk(t testing.TB, c Config) *talk {
	return &talk{t: t, a: New(c), now: time.Unix(1_700_000_000, 0), isn: [2]uint32{1000, 5000}}
}

// sent is a segment with offsets in the place of sequence numbers: 0 is the first byte behind the SYN.
type sent struct {
	d        flow.Direction
	flags    uint8
	seq, ack int64
	data     string
	win      uint16
	urgent   uint16
	closed   bool // a window of 0; without it 0 is 65535
	opt      packet.TCPOptions
}

func (k *talk) send(x sent) Outcome {
	h := packet.Headers{Payload: []byte(x.data)}
	h.TCP = packet.TCP{Flags: x.flags, Seq: k.isn[x.d] + 1 + uint32(x.seq), Window: x.win, Urgent: x.urgent, Options: x.opt}
	if x.flags&packet.ACK != 0 {
		h.TCP.Ack = k.isn[x.d^1] + 1 + uint32(x.ack)
	}
	if x.win == 0 && !x.closed {
		h.TCP.Window = 65535
	}
	return k.give(x.d, &h)
}

func (k *talk) give(d flow.Direction, h *packet.Headers) Outcome {
	o := k.a.Segment(&k.s, d, h, k.now)
	if o.Swapped {
		k.isn[0], k.isn[1] = k.isn[1], k.isn[0]
	}
	k.readAll()
	clear(h.Payload) // the packet's memory is not kept
	k.a.Settle(&k.s)
	return o
}

func (k *talk) readAll() {
	for d := range k.read {
		st := k.s.Stream(flow.Direction(d))
		for {
			if b := st.Bytes(k.at[d]); len(b) > 0 {
				k.read[d] = append(k.read[d], b...)
				k.at[d] += uint64(len(b))
				continue
			}
			gap := st.Gap(k.at[d])
			if gap == 0 {
				break
			}
			k.read[d] = append(k.read[d], '?')
			k.at[d] += gap
			st.Release(k.at[d])
		}
		st.Release(k.at[d])
	}
}

// end flushes and closes the session; all memory must be given back.
func (k *talk) end() {
	k.a.Flush(&k.s)
	k.readAll()
	k.a.Settle(&k.s)
	k.a.Close(&k.s)
	if c := k.a.Counters(); c.Memory != 0 {
		k.t.Errorf("%d bytes of memory were not given back", c.Memory)
	}
}

func (k *talk) shake() {
	k.send(sent{d: client, flags: packet.SYN, seq: -1})
	k.send(sent{d: server, flags: packet.SYN | packet.ACK, seq: -1})
	k.send(sent{d: client, flags: packet.ACK})
	if k.s.State() != Established {
		k.t.Fatalf("state %v after the handshake", k.s.State())
	}
}

// say sends data of a side at an offset.
func (k *talk) say(d flow.Direction, seq int64, data string) Outcome {
	return k.send(sent{d: d, flags: packet.ACK | packet.PSH, seq: seq, ack: int64(k.s.Stream(d ^ 1).acked), data: data})
}

// acks acknowledges the other side's bytes up to an offset.
func (k *talk) acks(d flow.Direction, upto int64) Outcome {
	st := k.s.Stream(d)
	return k.send(sent{d: d, flags: packet.ACK, seq: int64(st.next - st.seq0), ack: upto})
}

func (k *talk) wantRead(d flow.Direction, want string) {
	k.t.Helper()
	if got := string(k.read[d]); got != want {
		k.t.Errorf("read %v %q, want %q", d, got, want)
	}
}

func (k *talk) wantState(want State) {
	k.t.Helper()
	if k.s.State() != want {
		k.t.Errorf("state %v, want %v", k.s.State(), want)
	}
}

// wantEvents are exactly the events of an outcome.
func wantEvents(t testing.TB, o Outcome, want ...Event) {
	t.Helper()
	var w Events
	for _, e := range want {
		w.add(e)
	}
	if o.Events != w {
		t.Errorf("events %v, want %v", o.Events.AppendTo(nil), want)
	}
}
