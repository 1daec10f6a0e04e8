// Package demo plays the product's story in the lab city: a list of checks that are made one after the other while the
// cameras' video flows, in an enclave; and shows what happens, outside of it, as a live picture or as lines.
package demo

import (
	"fmt"
	"time"
)

// Phase is how far a check is.
type Phase string

// The phases of a check. Passed and Failed are the last ones.
const (
	Pending Phase = "pending"
	Running Phase = "running"
	Passed  Phase = "passed"
	Failed  Phase = "failed"
)

// Check is a line of the scorecard: Seen is what was measured.
type Check struct {
	Name     string `json:"name"`
	Expected string `json:"expected"`
	Seen     string `json:"seen"`
	Phase    Phase  `json:"phase"`
}

// Stream is one stream of the city, from a camera to a video server.
type Stream struct {
	Camera    string   `json:"camera"`
	Server    string   `json:"server"`
	Transport string   `json:"transport"` // udp, tcp; over IPv6 udp6, tcp6
	Open      bool     `json:"open"`
	Kbps      float64  `json:"kbps"`
	History   []uint32 `json:"history"` // packets in each of the last seconds, oldest first
	Sent      uint64   `json:"sent"`
	Received  uint64   `json:"received"`
	Lost      int64    `json:"lost"` // by sequence numbers while it plays, sent less received at the end
}

// Name tells the stream from the others.
func (s Stream) Name() string { return s.Camera + " -> " + s.Server + " " + s.Transport }

// Gateway is the product at a glance.
type Gateway struct {
	Processes  int     `json:"processes"`
	Generation uint32  `json:"generation"` // of the policy in force
	Passed     uint64  `json:"passed"`     // frames
	Dropped    uint64  `json:"dropped"`
	NsPerFrame float64 `json:"ns_per_frame"` // of the XDP program, 0 if not known yet
	Drops      []Drop  `json:"drops"`        // the most frequent first
}

// Drop is how many frames were dropped for a reason.
type Drop struct {
	Reason string `json:"reason"`
	Frames uint64 `json:"frames"`
}

// Event is a line of the gateway's eve.json, told in short.
type Event struct {
	Time time.Time `json:"time"`
	Type string    `json:"type"`
	Text string    `json:"text"`
}

// State is all that is to be seen at an instant. The inside sends one per change, as a line of JSON.
type State struct {
	Elapsed time.Duration `json:"elapsed"`
	Hostile bool          `json:"hostile"` // the attackers are at work
	Gateway Gateway       `json:"gateway"`
	Streams []Stream      `json:"streams"`
	Checks  []Check       `json:"checks"`
	Events  []Event       `json:"events"`         // the last ones, oldest first
	Notes   []string      `json:"notes"`          // what could not be tried on this machine, and the remedy
	Done    bool          `json:"done,omitempty"` // all checks were made
}

// running is the check that is being made, -1 if none is.
func (s State) running() int {
	for i, c := range s.Checks {
		if c.Phase == Running {
			return i
		}
	}
	return -1
}

// count is how many checks are in a phase.
func (s State) count(p Phase) (n int) {
	for _, c := range s.Checks {
		if c.Phase == p {
			n++
		}
	}
	return n
}

// video sums up the streams.
func (s State) video() (sent, received uint64, lost int64) {
	for _, st := range s.Streams {
		sent, received, lost = sent+st.Sent, received+st.Received, lost+st.Lost
	}
	return sent, received, lost
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
