package event

import (
	"time"

	"citygate/pkg/verdict"
)

// maxReasons bounds Stats.Reasons: with 26 bytes each, 128 fit MaxPayload.
const maxReasons = 128

// ReasonCount counts the frames of one reason since the data path was loaded.
type ReasonCount struct {
	Reason        verdict.Reason
	Verdict       verdict.Verdict
	Frames, Bytes uint64
	WouldDrop     uint64 // monitor mode: frames that enforce would have dropped
}

// XSKStats are the kernel's XDP_STATISTICS of all AF_XDP sockets of a bridge, added up.
type XSKStats struct {
	RxDropped, RxInvalid, TxInvalid, RxRingFull, RxFillEmpty, TxRingEmpty uint64
}

// Stats are a bridge's counters since the data path was loaded.
type Stats struct {
	Header
	Uptime     time.Duration // of the data path
	Reasons    []ReasonCount // those that are not 0
	DevmapLost uint64        // frames allowed but lost in the redirect to the other port
	XSK        XSKStats
	Suppressed uint64 // samples that the data path did not send
	RingLost   uint64 // samples lost because the ring buffer was full
	Flows      uint32 // in the flow cache
	Devices    uint32 // heard so far
	Generation uint32 // of the policy
}

// EventType is TypeStats.
func (*Stats) EventType() Type { return TypeStats }

// Totals adds up the frames and bytes of the reasons with this verdict.
func (s *Stats) Totals(v verdict.Verdict) (frames, bytes uint64) {
	for _, r := range s.Reasons {
		if r.Verdict == v {
			frames += r.Frames
			bytes += r.Bytes
		}
	}
	return frames, bytes
}

func (s *Stats) wire(c *coder) {
	duration(c, &s.Uptime)
	list(c, &s.Reasons, maxReasons, func(r *ReasonCount) {
		u8(c, &r.Reason)
		u8(c, &r.Verdict)
		u64(c, &r.Frames)
		u64(c, &r.Bytes)
		u64(c, &r.WouldDrop)
	})
	u64(c, &s.DevmapLost)
	for _, n := range s.XSK.all() {
		u64(c, n)
	}
	u64(c, &s.Suppressed)
	u64(c, &s.RingLost)
	u32(c, &s.Flows)
	u32(c, &s.Devices)
	u32(c, &s.Generation)
}

func (x *XSKStats) all() [6]*uint64 {
	return [...]*uint64{&x.RxDropped, &x.RxInvalid, &x.TxInvalid, &x.RxRingFull, &x.RxFillEmpty, &x.TxRingEmpty}
}

// statsBody is the part of EVE's stats object that has a meaning here.
type statsBody struct {
	Uptime  int64 `json:"uptime"`
	Capture struct {
		Packets uint64 `json:"kernel_packets"`
		Drops   uint64 `json:"kernel_drops"`
	} `json:"capture"`
	Decoder struct {
		Packets uint64 `json:"pkts"`
		Bytes   uint64 `json:"bytes"`
	} `json:"decoder"`
	IPS struct {
		Accepted uint64 `json:"accepted"`
		Blocked  uint64 `json:"blocked"`
		Rejected uint64 `json:"rejected"`
	} `json:"ips"`
}

type statsOurs struct {
	Bridge string    `json:"bridge,omitempty"`
	Stats  statsMore `json:"stats"`
}

type statsMore struct {
	Reasons    []reasonBody `json:"reasons"`
	DevmapLost uint64       `json:"devmap_lost"`
	XSK        xskBody      `json:"xsk"`
	Suppressed uint64       `json:"suppressed"`
	RingLost   uint64       `json:"ring_lost"`
	Flows      uint32       `json:"flows"`
	Devices    uint32       `json:"devices"`
	Generation uint32       `json:"generation"`
}

type reasonBody struct {
	Reason    string `json:"reason"`
	Verdict   string `json:"verdict"`
	Frames    uint64 `json:"frames"`
	Bytes     uint64 `json:"bytes"`
	WouldDrop uint64 `json:"would_drop,omitempty"`
}

type xskBody struct {
	RxDropped   uint64 `json:"rx_dropped"`
	RxInvalid   uint64 `json:"rx_invalid_descs"`
	TxInvalid   uint64 `json:"tx_invalid_descs"`
	RxRingFull  uint64 `json:"rx_ring_full"`
	RxFillEmpty uint64 `json:"rx_fill_ring_empty_descs"`
	TxRingEmpty uint64 `json:"tx_ring_empty_descs"`
}

func (s *Stats) eve(l *line) {
	var body statsBody
	body.Uptime = seconds(s.Uptime)
	more := statsMore{
		Reasons: make([]reasonBody, len(s.Reasons)), DevmapLost: s.DevmapLost, XSK: xskBody(s.XSK),
		Suppressed: s.Suppressed, RingLost: s.RingLost, Flows: s.Flows, Devices: s.Devices, Generation: s.Generation,
	}
	for i, r := range s.Reasons {
		body.Decoder.Packets += r.Frames
		body.Decoder.Bytes += r.Bytes
		more.Reasons[i] = reasonBody{r.Reason.String(), r.Verdict.String(), r.Frames, r.Bytes, r.WouldDrop}
	}
	body.Capture.Packets = body.Decoder.Packets
	body.Capture.Drops = s.DevmapLost
	body.IPS.Blocked, _ = s.Totals(verdict.Drop)
	body.IPS.Rejected, _ = s.Totals(verdict.Reject)
	body.IPS.Accepted = body.Decoder.Packets - body.IPS.Blocked - body.IPS.Rejected
	l.Stats = body
	l.Ours = statsOurs{s.Bridge, more}
}
