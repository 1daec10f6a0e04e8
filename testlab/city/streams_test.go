package city

import (
	"net/netip"
	"testing"

	"citygate/testlab/stream"
)

func TestLossBetween(t *testing.T) {
	look := func(client string, open bool, sent, received, noRoom uint64) Stream {
		id := stream.ID{Transport: stream.UDP, Client: netip.MustParseAddrPort(client)}
		return Stream{VMS: "main", Sent: sent, Received: stream.Received{ID: id, Camera: "lobby-1", Open: open, Packets: received, SocketDrop: noRoom}}
	}
	const a, b = "10.0.0.2:40000", "10.0.0.2:40002"
	tests := []struct {
		name          string
		first, second []Stream
		sent          uint64
		lost          int64
		broken        int
	}{
		{"nothing lost", []Stream{look(a, true, 10, 10, 0)}, []Stream{look(a, true, 30, 30, 0)}, 20, 0, 0},
		{"lost before", []Stream{look(a, true, 10, 7, 0)}, []Stream{look(a, true, 30, 27, 0)}, 20, 0, 0},
		{"lost between", []Stream{look(a, true, 10, 10, 0)}, []Stream{look(a, true, 30, 25, 0)}, 20, 5, 0},
		{"no room in the socket", []Stream{look(a, true, 10, 10, 0)}, []Stream{look(a, true, 30, 25, 5)}, 20, 0, 0},
		{"broke", []Stream{look(a, true, 10, 10, 0)}, []Stream{look(a, false, 30, 25, 0), look(b, true, 5, 5, 0)}, 20, 5, 1},
		{"gone", []Stream{look(a, true, 10, 10, 0)}, []Stream{look(b, true, 5, 5, 0)}, 0, 0, 1},
		{"was closed before", []Stream{look(a, false, 10, 5, 0)}, []Stream{look(a, false, 10, 5, 0)}, 0, 0, 0},
	}
	for _, tt := range tests {
		l := LossBetween(tt.first, tt.second)
		if l.Sent != tt.sent || l.Lost != tt.lost || len(l.Broken) != tt.broken {
			t.Errorf("%s: %+v", tt.name, l)
		}
	}
}
