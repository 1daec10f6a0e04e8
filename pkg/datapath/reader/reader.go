// Package reader turns file descriptors of the data path's BPF maps into counters, flows and samples. It cannot write.
package reader

import (
	"time"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/verdict"
)

// SampleKind says why the BPF program copied a frame's head to user space.
type SampleKind uint8

// The kinds; the numbers are those of bpf/shared.h.
const (
	SampleDrop      SampleKind = 1 // a dropped frame
	SampleWouldDrop SampleKind = 2 // monitor mode: enforce would have dropped it
	SampleDevice    SampleKind = 3 // the first frame of a hardware address
	SampleDHCP      SampleKind = 4 // a DHCP message that was forwarded
)

// Sample is the head of a frame, as it was on the wire, and what the data path knew of it.
type Sample struct {
	Kind       SampleKind
	Reason     verdict.Reason
	Side       flow.Side    // the bridge port where it came in
	Device     ipc.DeviceID // the sender, NoDevice if unknown
	VLAN       flow.VLAN
	Generation uint32        // of the policy that judged it
	Suppressed uint32        // samples of this kind and reason not sent since the last one
	Boot       time.Duration // CLOCK_MONOTONIC
	Length     int           // of the whole frame, bytes
	Data       []byte        // its first bytes: 128, DHCP up to 640; valid until the next call
}

// ReasonCount counts frames that left for one reason.
type ReasonCount struct {
	Reason         verdict.Reason
	Verdict        verdict.Verdict
	Frames, Bytes  uint64
	WouldDropCount uint64 // monitor mode
}

// DeviceCount counts what a device sent.
type DeviceCount struct {
	Device               ipc.DeviceID
	PassFrames           uint64
	PassBytes            uint64
	DropFrames           uint64
	LastSeen             time.Duration // CLOCK_MONOTONIC of the last frame, 0 = never
	DropsByReason        map[verdict.Reason]uint64
	WouldDropFrames      uint64
	StateQuotaExceedings uint64
}

// Flow is one direction of a cached flow.
type Flow struct {
	Tuple       flow.FiveTuple
	Side        flow.Side
	VLAN        flow.VLAN
	SrcMAC      flow.MAC
	DstMAC      flow.MAC
	From, To    ipc.DeviceID
	Service     uint8
	Rule        uint16
	Generation  uint32
	Reply       bool // the direction from the answering end
	Frames      uint64
	Bytes       uint64
	First, Last time.Duration // CLOCK_MONOTONIC
	TCPFlags    uint8         // all flags seen
}
