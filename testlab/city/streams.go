package city

import (
	"context"
	"fmt"
	"time"

	"citygate/testlab/camera"
	"citygate/testlab/stream"
	"citygate/testlab/topology"
	"citygate/testlab/vms"
)

// Stream is a stream seen from both ends.
type Stream struct {
	stream.Received
	VMS  string `json:"vms"`
	Sent uint64 `json:"sent"`
}

// Lost is what the camera sent and the server did not receive, less what the server's own socket had no room for.
// While pictures are sent, some are under way: Settle first.
func (s Stream) Lost() int64 {
	return int64(s.Sent) - int64(s.Packets) - int64(s.SocketDrop)
}

func (s Stream) String() string {
	return fmt.Sprintf("%s -> %s %s: sent %d, received %d, lost %d", s.Camera, s.VMS, s.ID, s.Sent, s.Packets, s.Lost())
}

func withRole(r topology.Role) []topology.Host {
	var out []topology.Host
	for _, h := range topology.City() {
		if h.Role == r {
			out = append(out, h)
		}
	}
	return out
}

// Streams gives all streams since the city is up, also the ended ones; those of other clients are not among them.
func (c *City) Streams(ctx context.Context) ([]Stream, error) {
	// Servers first: a packet that is received was sent.
	var out []Stream
	for _, h := range withRole(topology.VMS) {
		var s vms.Stats
		if err := c.Call(ctx, h.Name, "Stats", struct{}{}, &s); err != nil {
			return nil, err
		}
		for _, r := range s.Sessions {
			out = append(out, Stream{Received: r, VMS: h.Name})
		}
	}
	sent := map[string]map[stream.ID]uint64{}
	for _, h := range withRole(topology.Camera) {
		var s camera.Stats
		if err := c.Call(ctx, h.Name, "Stats", struct{}{}, &s); err != nil {
			return nil, err
		}
		sent[h.Name] = map[stream.ID]uint64{}
		for _, e := range s.Streams {
			sent[h.Name][e.ID] = e.Packets
		}
	}
	for i := range out {
		out[i].Sent = sent[out[i].Camera][out[i].ID]
	}
	return out, nil
}

// Wanted is how many streams play when all is well.
func Wanted() int {
	n := 0
	for _, h := range withRole(topology.VMS) {
		n += len(vms.Plan(h.Name))
	}
	return n
}

// AwaitStreams waits until every wanted stream is open and has delivered packets.
func (c *City) AwaitStreams(ctx context.Context) error {
	var streams []Stream
	for {
		var err error
		if streams, err = c.Streams(ctx); err != nil {
			return fmt.Errorf("await the streams: %w", err)
		}
		playing := 0
		for _, s := range streams {
			if s.Open && s.Packets > 0 {
				playing++
			}
		}
		if playing == Wanted() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d streams play: %w; %s", playing, Wanted(), ctx.Err(), sorrows(streams))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func sorrows(streams []Stream) string {
	text := ""
	for _, s := range streams {
		if s.Packets == 0 {
			text += fmt.Sprintf("%s at %s: %s; ", s.Camera, s.VMS, s.Error)
		}
	}
	return text
}

// settleTime is how long a packet may be under way.
const settleTime = 2 * time.Second

// Settle stops the cameras' pictures, waits until what was sent has arrived, or cannot any more, gives the streams at
// that instant, and lets the pictures go on. Sessions stay open.
func (c *City) Settle(ctx context.Context) ([]Stream, error) {
	if err := c.hold(ctx, true); err != nil {
		return nil, err
	}
	streams, err := c.drain(ctx)
	if release := c.hold(context.WithoutCancel(ctx), false); err == nil {
		err = release
	}
	return streams, err
}

func (c *City) hold(ctx context.Context, on bool) error {
	for _, h := range withRole(topology.Camera) {
		if err := c.Call(ctx, h.Name, "Hold", on, &struct{}{}); err != nil {
			return err
		}
	}
	return nil
}

// drain waits until no open stream lacks a packet, and nothing moved since the last look.
func (c *City) drain(ctx context.Context) ([]Stream, error) {
	deadline := time.Now().Add(settleTime)
	var before uint64
	for {
		streams, err := c.Streams(ctx)
		if err != nil {
			return nil, err
		}
		var sum uint64
		complete := true
		for _, s := range streams {
			sum += s.Sent + s.Packets
			complete = complete && (!s.Open || s.Lost() == 0)
		}
		if complete && sum == before || time.Now().After(deadline) {
			return streams, nil
		}
		before = sum
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Loss compares two settled looks: how many packets were sent and lost over UDP and TCP between them, and which
// sessions broke.
type Loss struct {
	Sent   uint64   `json:"sent"`
	Lost   int64    `json:"lost"`
	Broken []string `json:"broken,omitempty"`
}

// LossBetween sums up over the streams that were open at the first look.
func LossBetween(first, second []Stream) Loss {
	type key struct {
		vms, camera string
		id          stream.ID
	}
	later := map[key]Stream{}
	for _, s := range second {
		later[key{s.VMS, s.Camera, s.ID}] = s
	}
	var l Loss
	for _, a := range first {
		if !a.Open {
			continue
		}
		b, ok := later[key{a.VMS, a.Camera, a.ID}]
		if !ok || !b.Open {
			l.Broken = append(l.Broken, fmt.Sprintf("%s -> %s %s: %s", a.Camera, a.VMS, a.ID, b.Error))
		}
		if ok {
			l.Sent += b.Sent - a.Sent
			l.Lost += b.Lost() - a.Lost()
		}
	}
	return l
}
