package reassembly

import (
	"strings"
	"testing"
	"time"

	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

func TestInOrder(t *testing.T) {
	a := New(Config{Inline: true})
	var s Session
	seg := func(d flow.Direction, flags uint8, seq, ack uint32, data string) Outcome {
		h := packet.Headers{TCP: packet.TCP{Flags: flags, Seq: seq, Ack: ack, Window: 65535}, Payload: []byte(data)}
		return a.Segment(&s, d, &h, time.Unix(1, 0))
	}
	seg(0, packet.SYN, 100, 0, "")
	seg(1, packet.SYN|packet.ACK, 500, 101, "")
	seg(0, packet.ACK, 101, 501, "")
	var got strings.Builder
	for i, part := range []string{"GET / ", "HTTP/1.1\r\n", "\r\n"} {
		seg(0, packet.ACK|packet.PSH, 101+uint32(got.Len()), 501, part)
		st := s.Stream(flow.ToServer)
		got.Write(st.Bytes(uint64(got.Len())))
		st.Release(st.Ready())
		a.Settle(&s)
		_ = i
	}
	if got.String() != "GET / HTTP/1.1\r\n\r\n" {
		t.Fatalf("got %q", got.String())
	}
	if s.State() != Established {
		t.Error(s.State())
	}
}
