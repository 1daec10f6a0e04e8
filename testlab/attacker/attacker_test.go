package attacker

import (
	"bytes"
	"testing"

	"citygate/pkg/flow"
)

var bothSides = []flow.Side{flow.CameraSide, flow.ServerSide}

// TestFrames asks every kind for 500 attacks from each side: all different, all tagged, no longer than the wire takes,
// and the same again for the same seed.
func TestFrames(t *testing.T) {
	for i, k := range Kinds() {
		for _, side := range bothSides {
			seen := map[string]uint32{}
			for n := range uint32(500) {
				frames, err := Frames(k.Name, side, 7, n)
				if err != nil {
					t.Fatal(err)
				}
				again, _ := Frames(k.Name, side, 7, n)
				last := frames[len(frames)-1]
				if !bytes.Equal(last, again[len(again)-1]) {
					t.Fatalf("%s %v %d: not the same for the same seed", k.Name, side, n)
				}
				if before, dup := seen[string(last)]; dup {
					t.Fatalf("%s %v: number %d is the same frame as %d", k.Name, side, n, before)
				}
				seen[string(last)] = n
				tag, ok := ReadTag(last)
				if !ok || tag.Kind != uint8(i) || tag.Side != side || tag.Number != n {
					t.Fatalf("%s %v %d: tag %+v, %v, of a frame of %d bytes", k.Name, side, n, tag, ok, len(last))
				}
				if len(last) < 14 || len(last) > 1518 {
					t.Fatalf("%s %v %d: %d bytes", k.Name, side, n, len(last))
				}
				for _, f := range frames[:len(frames)-1] {
					if _, tagged := ReadTag(f); tagged {
						t.Fatalf("%s %v %d: a frame that may be allowed has a tag", k.Name, side, n)
					}
				}
			}
		}
	}
}

func TestSeedsDiffer(t *testing.T) {
	for _, k := range Kinds() {
		same := 0
		for n := range uint32(20) {
			a, _ := Frames(k.Name, flow.CameraSide, 1, n)
			b, _ := Frames(k.Name, flow.CameraSide, 2, n)
			if bytes.Equal(a[len(a)-1], b[len(b)-1]) {
				same++
			}
		}
		if same > 10 {
			t.Errorf("%s: %d of 20 frames are the same for two seeds", k.Name, same)
		}
	}
}

func TestUnknownKind(t *testing.T) {
	if _, err := Frames("good_manners", flow.CameraSide, 1, 1); err == nil {
		t.Fatal("an unknown kind gave frames")
	}
}

func TestNoTag(t *testing.T) {
	for _, f := range [][]byte{nil, make([]byte, 13), make([]byte, 14), make([]byte, 60), bytes.Repeat([]byte{0xff}, 1500)} {
		if tag, ok := ReadTag(f); ok {
			t.Errorf("%d bytes without a tag have %+v", len(f), tag)
		}
	}
}
