package receiver

import (
	"testing"

	"golang.org/x/net/bpf"

	"citygate/pkg/flow"
	"citygate/testlab/attacker"
)

// TestFilter checks that the kernel's filter lets through exactly what the receiver counts.
func TestFilter(t *testing.T) {
	vm, err := bpf.NewVM(filter())
	if err != nil {
		t.Fatal(err)
	}
	accepts := func(frame []byte) bool {
		n, err := vm.Run(frame)
		if err != nil {
			t.Fatal(err)
		}
		return n > 0
	}
	for _, k := range attacker.Kinds() {
		for n := range uint32(100) {
			frames, err := attacker.Frames(k.Name, flow.CameraSide, 3, n)
			if err != nil {
				t.Fatal(err)
			}
			if last := frames[len(frames)-1]; !accepts(last) {
				t.Fatalf("%s %d: tagged, and not accepted: %x", k.Name, n, last)
			}
			for _, f := range frames[:len(frames)-1] {
				if accepts(f) {
					t.Fatalf("%s %d: accepted without a tag", k.Name, n)
				}
			}
		}
	}
	video := make([]byte, 1400)
	copy(video[12:], []byte{8, 0, 0x45, 0})
	if accepts(video) {
		t.Error("an ordinary packet is accepted")
	}
	video[34], video[35] = 0, 67
	if !accepts(video) {
		t.Error("a DHCP server's packet is not accepted")
	}
}
