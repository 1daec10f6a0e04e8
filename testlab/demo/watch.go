package demo

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"citygate/pkg/journal"
	"citygate/testlab/city"
)

// eveFile is where the city's gateway writes its events.
const eveFile = "/var/log/citygate/eve.json"

// eveLog is what the gateway's events said so far.
type eveLog struct {
	mu      sync.Mutex
	first   map[string]heard  // device events new, by hardware address
	reasons map[string]uint64 // drop events by reason
	news    chan struct{}     // closed at the next device event
}

type heard struct {
	sighting
	at time.Time // when it stood in the file
}

func (l *eveLog) add(e eve, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case e.Type == "drop":
		if l.reasons == nil {
			l.reasons = map[string]uint64{}
		}
		l.reasons[e.Ours.Reason]++
	case e.Type == "device" && e.sighting.Event == "new":
		if l.first == nil {
			l.first = map[string]heard{}
		}
		if _, again := l.first[e.sighting.MAC]; !again {
			l.first[e.sighting.MAC] = heard{e.sighting, now}
		}
		if l.news != nil {
			close(l.news)
			l.news = nil
		}
	}
}

// device gives the event new of a hardware address; if there is none, a channel that closes at the next device event.
func (l *eveLog) device(mac string) (heard, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h, ok := l.first[mac]; ok {
		return h, nil
	}
	if l.news == nil {
		l.news = make(chan struct{})
	}
	return heard{}, l.news
}

// await waits for the event new of a hardware address.
func (l *eveLog) await(ctx context.Context, mac string) (heard, error) {
	for {
		h, news := l.device(mac)
		if news == nil {
			return h, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return heard{}, fmt.Errorf("no device event about %s: %w", mac, ctx.Err())
		}
	}
}

// drops gives the reasons that drop events named, and how many events there were.
func (l *eveLog) drops() (reasons []string, events uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.reasons {
		events += n
	}
	return slices.Sorted(maps.Keys(l.reasons)), events
}

// follow reads the events as they are written.
func (p *play) follow(ctx context.Context) {
	err := journal.Tail(ctx, eveFile, true, func(line []byte) error {
		e, err := parseEVE(line)
		if err != nil {
			return err
		}
		p.journal.add(e, time.Now())
		if told := e.tell(); told.Text != "" {
			p.event(told)
		}
		return nil
	})
	if err != nil {
		p.event(Event{Time: time.Now(), Type: "demo", Text: err.Error()})
	}
}

// sampleTime is how often the picture changes.
const sampleTime = 500 * time.Millisecond

// sample looks at the streams and the gateway until ctx ends.
func (p *play) sample(ctx context.Context) {
	rates := rateMeter{}
	for tick := time.NewTicker(sampleTime); ; {
		if streams, err := p.city.Streams(ctx); err == nil {
			live := summary(streams, missing)
			rates.add(live, streams, time.Now())
			p.change(func(s *State) { s.Streams = live })
		}
		now := p.look()
		p.change(func(s *State) { s.Gateway = now(s.Gateway) })
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}

// look says how the gateway's numbers change; what cannot be read stays as it was.
func (p *play) look() func(Gateway) Gateway {
	pids, pidsErr := p.gateway.PIDs()
	k, kernelErr := readKernel()
	c, costErr := readCost()
	return func(g Gateway) Gateway {
		if pidsErr == nil {
			g.Processes = len(pids)
		}
		if kernelErr == nil {
			g.Generation, g.Passed, g.Dropped, g.Drops = k.generation, k.passed, k.dropped, k.drops()
		}
		if costErr == nil && c.runs > 0 {
			g.NsPerFrame = float64(c.runTime) / float64(c.runs)
		}
		return g
	}
}

// transport is how a stream travels, as the demo names it.
func transport(s city.Stream) string {
	if s.ID.Client.Addr().Is6() {
		return string(s.ID.Transport) + "6"
	}
	return string(s.ID.Transport)
}

// summary adds up the sessions of each stream, in a fixed order; lost tells what a session has lost.
func summary(sessions []city.Stream, lost func(city.Stream) int64) []Stream {
	sums := map[string]Stream{}
	for _, s := range sessions {
		if s.Packets == 0 {
			continue
		}
		sum := Stream{Camera: s.Camera, Server: s.VMS, Transport: transport(s)}
		if before, ok := sums[sum.Name()]; ok {
			sum = before
		}
		sum.Open = s.Open // the newest session is the last one
		sum.History = s.PerSecond[max(0, len(s.PerSecond)-shownSeconds):]
		sum.Sent, sum.Received, sum.Lost = sum.Sent+s.Sent, sum.Received+s.Packets, sum.Lost+lost(s)
		sums[sum.Name()] = sum
	}
	return slices.SortedFunc(maps.Values(sums), func(a, b Stream) int {
		return cmp.Or(cmp.Compare(a.Server, b.Server), cmp.Compare(a.Camera, b.Camera), cmp.Compare(a.Transport, b.Transport))
	})
}

const shownSeconds = 40

// missing is what a session lost by its sequence numbers: it holds while packets are under way.
func missing(s city.Stream) int64 { return max(0, int64(s.Missing)-int64(s.SocketDrop)) }

// rateMeter knows the bytes of each stream two seconds ago.
type rateMeter struct {
	looks []look
}

type look struct {
	at    time.Time
	bytes map[string]uint64
}

// rateTime is what a rate is the mean of: two groups of pictures.
const rateTime = 2 * time.Second

// add fills in the rates.
func (r *rateMeter) add(live []Stream, sessions []city.Stream, now time.Time) {
	bytes := map[string]uint64{}
	for _, s := range sessions {
		bytes[Stream{Camera: s.Camera, Server: s.VMS, Transport: transport(s)}.Name()] += s.Bytes
	}
	r.looks = append(r.looks, look{now, bytes})
	for len(r.looks) > 2 && now.Sub(r.looks[1].at) >= rateTime {
		r.looks = r.looks[1:]
	}
	old := r.looks[0]
	passed := now.Sub(old.at).Seconds()
	if passed <= 0 {
		return
	}
	for i, s := range live {
		live[i].Kbps = float64(bytes[s.Name()]-old.bytes[s.Name()]) * 8 / 1000 / passed
	}
}
