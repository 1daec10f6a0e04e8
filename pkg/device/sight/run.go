package sight

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"citygate/pkg/datapath/reader"
	"citygate/pkg/event"
	"citygate/pkg/ipc"
)

// How often the flows and the counters are read.
const (
	ScanEvery  = 10 * time.Second
	StatsEvery = 30 * time.Second
)

// Lengths of the queues. A first sight that finds its queue full waits in the table of neighbours; an event is lost,
// and counted.
const (
	seenQueue  = 256
	boundQueue = 512
	tellQueue  = 4096
)

// Ring gives samples in their order; *reader.Ring is one. Close ends a waiting Next with os.ErrClosed.
type Ring interface {
	Next() (reader.Sample, error)
	Close() error
}

// Source is a bridge and what the guard lets us read of it.
type Source struct {
	Bridge
	Ring Ring
	Maps Maps
}

// Post is how Run reaches the other processes. Control and Journal may block; Close ends that.
type Post struct {
	Control, Journal func(ipc.Message) error
	Hear             func() (ipc.Message, error) // what control says; it may block, Close ends that with os.ErrClosed
	Close            func()
	Now              func() Moment
}

// watcher is a Watch with its sources and its queues.
type watcher struct {
	*Watch
	post              Post
	names             *Names
	seen, bound, told *Outlet
	wake              chan struct{}
}

// Run watches the sources until ctx ends. It ends early with an error when another process is gone or a source fails.
func Run(ctx context.Context, sources []Source, post Post) error {
	w := &watcher{
		post: post, names: &Names{}, wake: make(chan struct{}, 1),
		seen: NewOutlet(seenQueue, post.Control), bound: NewOutlet(boundQueue, post.Control), told: NewOutlet(tellQueue, post.Journal),
	}
	w.Watch = New(Voice{
		Seen:  func(m ipc.DeviceSeen) bool { return w.seen.Put(m) },
		Bound: func(m ipc.DHCPBinding) bool { return w.bound.Put(m) },
		Tell:  w.tell,
		Names: w.names,
	})
	g, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, post.Close)()
	for _, o := range []*Outlet{w.seen, w.bound, w.told} {
		g.Go(func() error { return o.Run(ctx) })
	}
	g.Go(func() error { return w.gather(ctx) })
	g.Go(w.hear)
	for _, s := range sources {
		defer context.AfterFunc(ctx, func() { _ = s.Ring.Close() })()
		g.Go(func() error { return w.listen(s) })
		g.Go(func() error { w.count(ctx, s); return nil })
	}
	return g.Wait()
}

// hear learns the policy's names.
func (w *watcher) hear() error {
	for {
		m, err := w.post.Hear()
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if n, ok := m.(ipc.Names); ok {
			w.names.Learn(n)
		}
	}
}

func (w *watcher) tell(e event.Event) bool {
	typ, payload := event.Encode(e)
	return w.told.Put(ipc.Event{Type: typ, Payload: payload})
}

// maxBadSamples in a row mean that the ring itself is broken.
const maxBadSamples = 100

// listen takes a ring's samples in, as they come.
func (w *watcher) listen(s Source) error {
	for bad := 0; ; {
		sample, err := s.Ring.Next()
		switch {
		case errors.Is(err, os.ErrClosed):
			return nil
		case err != nil:
			if bad++; bad >= maxBadSamples {
				return fmt.Errorf("samples of bridge %s: %w", s.Name, err)
			}
			continue
		}
		bad = 0
		if w.Sample(s.Bridge, sample, w.post.Now()) {
			select {
			case w.wake <- struct{}{}:
			default: // a wake-up is on its way
			}
		}
	}
}

// gather flushes one Window after something was held.
func (w *watcher) gather(ctx context.Context) error {
	for {
		select {
		case <-w.wake:
		case <-ctx.Done():
			return nil
		}
		for held := true; held; {
			select {
			case <-time.After(Window):
				held = w.Flush()
				w.confess()
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// confess reports what found its queue full.
func (w *watcher) confess() {
	for _, q := range []struct {
		*Outlet
		event, text string
	}{
		{w.told, "events_lost", "events found the journal's queue full"},
		{w.bound, "bindings_lost", "DHCP bindings found the control's queue full"},
	} {
		if n := q.Lost(); n > 0 && !w.box(q.event, q.text, "citygate-watch", n) {
			q.lost.Add(n)
		}
	}
}

// box says that something is wrong in the gateway.
func (w *watcher) box(what, text, object string, n uint64) bool {
	now := w.post.Now()
	return w.tell(&event.Anomaly{
		Header: event.Header{Boot: now.Boot, Wall: now.Wall}, Type: event.AnomalyBox, Event: what, Text: text, Object: object, Count: n,
	})
}

// count reads a bridge's flows and counters from time to time. What cannot be read now is an event, not the end: samples
// go on.
func (w *watcher) count(ctx context.Context, s Source) {
	scan, counters := time.NewTicker(ScanEvery), time.NewTicker(StatsEvery)
	defer scan.Stop()
	defer counters.Stop()
	flows := NewFlows(s.Bridge, w.names)
	err := errors.Join(w.scan(flows, s), w.stats(flows, s))
	for {
		if err != nil {
			w.box("counters_unreadable", err.Error(), s.Name, 1)
		}
		w.confess()
		select {
		case <-ctx.Done():
			return
		case <-scan.C:
			err = w.scan(flows, s)
		case <-counters.C:
			err = w.stats(flows, s)
		}
	}
}

func (w *watcher) stats(flows *Flows, s Source) error {
	e, err := stats(s.Bridge, s.Maps, flows.total, w.post.Now())
	if err != nil {
		return err
	}
	w.tell(e)
	return nil
}

func (w *watcher) scan(flows *Flows, s Source) error {
	ended, err := flows.Scan(s.Maps.Flows, w.post.Now())
	for _, e := range ended {
		w.tell(e)
	}
	if flows.missed > 0 {
		w.box("flows_missed", "more flows than are followed: those beyond have no flow event", s.Name, flows.missed)
	}
	return err
}
