package camera

import (
	"slices"
	"testing"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
)

// TestClip checks that the embedded clip is what it says: 4 s of 15 pictures, a key frame in each, RTP that fits the MTU.
func TestClip(t *testing.T) {
	v, err := cut(clip)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.pictures) != 4*frameRate {
		t.Fatalf("%d pictures, want %d", len(v.pictures), 4*frameRate)
	}
	for i, p := range v.pictures {
		key := slices.ContainsFunc(p, func(u []byte) bool { return u[0]&0x1f == nalKeySlice })
		if key != (i%frameRate == 0) {
			t.Errorf("picture %d: key %v", i, key)
		}
	}
	p, err := newPlayer(v, &format.H264{PayloadTyp: 96, PacketizationMode: 1, SPS: v.sps, PPS: v.pps})
	if err != nil {
		t.Fatal(err)
	}
	var seq uint16
	for i := range 2*len(v.pictures) + 1 {
		packets, err := p.picture()
		if err != nil || len(packets) == 0 {
			t.Fatalf("picture %d: %d packets, %v", i, len(packets), err)
		}
		for j, packet := range packets {
			if i+j > 0 && packet.SequenceNumber != seq+1 {
				t.Fatalf("picture %d: sequence number %d after %d", i, packet.SequenceNumber, seq)
			}
			seq = packet.SequenceNumber
			if packet.MarshalSize() > 1472 || packet.Timestamp != uint32(i)*6000 {
				t.Fatalf("picture %d: %d bytes at %d", i, packet.MarshalSize(), packet.Timestamp)
			}
		}
	}
}

func TestCutRefuses(t *testing.T) {
	for _, in := range [][]byte{nil, {0, 0, 1}, {0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 1}, []byte("no start code")} {
		if v, err := cut(in); err == nil {
			t.Errorf("%x gave %d pictures", in, len(v.pictures))
		}
	}
}
