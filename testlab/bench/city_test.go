package main

import (
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

func TestCity(t *testing.T) {
	for _, p := range policySizes {
		set := city(p.cameras, p.services)
		if len(set.Rules) != p.entries || len(set.Devices) != p.cameras+1 || len(set.Devices) > int(ipc.MaxDeviceID) {
			t.Errorf("%d entries: %d rules of %d devices", p.entries, len(set.Rules), len(set.Devices))
		}
	}
}

// Frames are what they claim to be, to the byte: the program under test drops a malformed one for another reason.
func TestFrames(t *testing.T) {
	for _, c := range []struct {
		name  string
		frame []byte
		size  int
	}{
		{"rtp, 64 B", rtpFrame(64), 64},
		{"rtp, 1400 B", rtpFrame(1400), 1400},
		{"rtsp", rtspFrame(flow.MAC{6}), 64},
	} {
		p := gopacket.NewPacket(c.frame, layers.LayerTypeEthernet, gopacket.Default)
		ip, ok := p.NetworkLayer().(*layers.IPv4)
		if p.ErrorLayer() != nil || !ok || len(c.frame) != c.size || int(ip.Length) != c.size-14 {
			t.Errorf("%s: %d bytes, %v", c.name, len(c.frame), p)
			continue
		}
		if sum := checksum(c.frame[14:34]); sum != 0xffff {
			t.Errorf("%s: the IPv4 header adds up to %#x", c.name, sum)
		}
	}
}

// checksum is RFC 1071's sum.
func checksum(b []byte) uint32 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	return sum&0xffff + sum>>16
}
