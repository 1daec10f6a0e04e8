// Package stream names an RTP stream at both of its ends, and counts it there: lost is what one end sent and the other
// did not receive.
package stream

import (
	"net"
	"net/netip"
	"time"
)

// Transport is how RTP travels.
type Transport string

// The two transports of the lab.
const (
	UDP Transport = "udp"
	TCP Transport = "tcp" // interleaved in the RTSP connection
)

// ID names a stream of one camera: for UDP the client's RTP address, for TCP the client's end of the RTSP connection.
type ID struct {
	Transport Transport      `json:"transport"`
	Client    netip.AddrPort `json:"client"`
}

func (id ID) String() string { return string(id.Transport) + "/" + id.Client.String() }

// Sent is what a camera's socket took.
type Sent struct {
	ID
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
	LastSeq uint16 `json:"last_seq"`
}

// Received is what a video server read.
type Received struct {
	ID
	Camera     string    `json:"camera"`
	Open       bool      `json:"open"`
	Packets    uint64    `json:"packets"`
	Bytes      uint64    `json:"bytes"`
	Missing    uint64    `json:"missing"`     // by sequence number, duplicates taken off
	SocketDrop uint64    `json:"socket_drop"` // the kernel had no room in the receiver's socket: not lost on the way
	Since      time.Time `json:"since"`
	Last       time.Time `json:"last"`
	Error      string    `json:"error,omitempty"` // why it is not open
	PerSecond  []uint32  `json:"per_second"`      // packets in each of the last seconds, oldest first
}

// AddrPort is the address of a TCP or UDP end, IPv4 in its short form.
func AddrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		ap = a.AddrPort()
	case *net.TCPAddr:
		ap = a.AddrPort()
	}
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}

// history is how many seconds PerSecond holds.
const history = 120

// Counter counts a stream by its sequence numbers. It is not safe for use by several goroutines.
type Counter struct {
	packets, bytes uint64
	first, highest uint64 // extended sequence numbers
	started        bool
	since, last    time.Time
	seconds        [history]uint32
	second         int64 // Unix time of the newest entry
}

// Add counts an RTP packet with a sequence number, read at a time.
func (c *Counter) Add(seq uint16, size int, now time.Time) {
	if !c.started {
		c.started, c.since, c.second = true, now, now.Unix()
		c.first = 1<<16 + uint64(seq)
		c.highest = c.first
	}
	// RFC 3550, A.1: a step of less than half the range is forwards.
	if step := seq - uint16(c.highest); step < 1<<15 {
		c.highest += uint64(step)
	} else if early := c.highest - uint64(-step); early < c.first {
		c.first = early
	}
	c.packets++
	c.bytes += uint64(size)
	c.last = now
	c.advance(now.Unix())
	c.seconds[now.Unix()%history]++
}

func (c *Counter) advance(now int64) {
	for from := max(c.second+1, now-history+1); from <= now; from++ {
		c.seconds[from%history] = 0
	}
	c.second = max(c.second, now)
}

// Fill writes the counts into r.
func (c *Counter) Fill(r *Received, now time.Time) {
	if !c.started {
		return
	}
	r.Packets, r.Bytes, r.Since, r.Last = c.packets, c.bytes, c.since, c.last
	if expected := c.highest - c.first + 1; expected > c.packets {
		r.Missing = expected - c.packets
	}
	c.advance(now.Unix())
	for s := max(c.since.Unix(), c.second-history+1); s <= c.second; s++ {
		r.PerSecond = append(r.PerSecond, c.seconds[s%history])
	}
}
