package sight

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"citygate/pkg/datapath/reader"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/verdict"
)

// ring gives what a test puts into it.
type ring struct {
	samples chan reader.Sample
	errs    chan error
	once    sync.Once
	closed  chan struct{}
}

func newRing() *ring {
	return &ring{samples: make(chan reader.Sample), errs: make(chan error), closed: make(chan struct{})}
}

func (r *ring) Next() (reader.Sample, error) {
	select {
	case s := <-r.samples:
		return s, nil
	case err := <-r.errs:
		return reader.Sample{}, err
	case <-r.closed:
		return reader.Sample{}, os.ErrClosed
	}
}

func (r *ring) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}

// office is the processes that watch talks to. A closed gate holds the journal's sender.
type office struct {
	names   chan ipc.Names // nil: control says nothing
	mu      sync.Mutex
	control []ipc.Message
	events  []event.Event
	gate    chan struct{}
	gone    chan struct{}
	fail    error
}

func (o *office) post() Post {
	began := time.Now()
	return Post{
		Control: func(m ipc.Message) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.control = append(o.control, m)
			return o.fail
		},
		Journal: func(m ipc.Message) error {
			select {
			case <-o.gate:
			case <-o.gone:
				return os.ErrClosed
			}
			ev := m.(ipc.Event)
			e, err := event.Decode(ev.Type, ev.Payload)
			o.mu.Lock()
			defer o.mu.Unlock()
			o.events = append(o.events, e)
			return err
		},
		Hear: func() (ipc.Message, error) {
			select {
			case n := <-o.names:
				return n, nil
			case <-o.gone:
				return nil, os.ErrClosed
			}
		},
		Close: func() { close(o.gone) },
		Now:   func() Moment { return after(time.Since(began)) },
	}
}

// heard gives what came so far.
func (o *office) heard() (control []ipc.Message, events []event.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.control), slices.Clone(o.events)
}

func (o *office) counts() (drops, boxes int, box *event.Anomaly) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.events {
		switch e := e.(type) {
		case *event.Drop:
			drops++
		case *event.Anomaly:
			boxes++
			box = e
		}
	}
	return drops, boxes, box
}

// watching runs Run over a ring in a bubble; the test's function must leave with nothing waiting.
func watching(t *testing.T, k *kernel, fn func(r *ring, o *office, done chan error)) {
	synctest.Test(t, func(t *testing.T) {
		r, o := newRing(), &office{gate: make(chan struct{}), gone: make(chan struct{})}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			done <- Run(ctx, []Source{{Bridge: cctv, Ring: r, Maps: k}}, o.post())
		}()
		fn(r, o, done)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestRun(t *testing.T) {
	watching(t, &kernel{}, func(r *ring, o *office, done chan error) {
		close(o.gate)
		r.samples <- sample(reader.SampleDrop, verdict.ReasonUnknownDevice, flow.CameraSide, udp(11, 2, 1, 23, nil))
		r.samples <- sample(reader.SampleDrop, verdict.ReasonUnknownDevice, flow.CameraSide, udp(11, 2, 2, 23, nil))
		synctest.Wait()
		if control, _ := o.heard(); len(control) != 1 {
			t.Fatalf("a first sight waits: %v", control)
		}
		time.Sleep(Window - time.Millisecond)
		synctest.Wait()
		if n, _, _ := o.counts(); n != 0 {
			t.Fatal("a drop is told before its Window ended")
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if _, events := o.heard(); len(events) != 2 || events[1].(*event.Drop).Count != 2 { // the first is stats
			t.Fatalf("events %v", events)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		stats := 0
		_, events := o.heard()
		for _, e := range events[2:] {
			if _, ok := e.(*event.Stats); !ok {
				t.Fatalf("event %+v", e)
			}
			stats++
		}
		if stats != 120 {
			t.Errorf("%d stats in an hour", stats)
		}
	})
}

func TestRunFlows(t *testing.T) {
	k := &kernel{}
	k.cache = cache{way(2, 11, 40000, 554, 10, 0)}
	watching(t, k, func(r *ring, o *office, done chan error) {
		close(o.gate)
		time.Sleep(90 * time.Second)
		synctest.Wait()
		flows := 0
		_, events := o.heard()
		for _, e := range events {
			if f, ok := e.(*event.Flow); ok && f.FramesToServer == 10 {
				flows++
			}
		}
		if flows != 1 {
			t.Errorf("%d flow events: %v", flows, events)
		}
	})
}

// A journal that hears nothing must not hold up the ring; what is lost is reported when it hears again.
func TestRunJournalStuck(t *testing.T) {
	watching(t, &kernel{}, func(r *ring, o *office, done chan error) {
		const rounds, each = 10, 1000
		for range rounds {
			for i := range each {
				r.samples <- sample(reader.SampleDrop, verdict.ReasonUnknownDevice, flow.CameraSide, udp(11, 2, 1, uint16(i), nil))
			}
			time.Sleep(2 * Window)
		}
		synctest.Wait()
		close(o.gate)
		time.Sleep(2 * ScanEvery)
		synctest.Wait()
		drops, boxes, box := o.counts()
		if boxes != 1 || box.Event != "events_lost" || box.Type != event.AnomalyBox {
			t.Fatalf("%d reports, %+v", boxes, box)
		}
		// The report itself was refused some times; each is an event that was lost too.
		if lost := int(box.Count); drops+lost < rounds*each || drops+lost > rounds*each+20 || drops < tellQueue {
			t.Errorf("%d drops told, %d lost, of %d", drops, lost, rounds*each)
		}
	})
}

func TestRunBadSamples(t *testing.T) {
	watching(t, &kernel{}, func(r *ring, o *office, done chan error) {
		close(o.gate)
		for range 3 * maxBadSamples {
			r.errs <- errors.New("malformed record")
			r.samples <- sample(reader.SampleDevice, 0, flow.CameraSide, udp(11, 2, 1, 2, nil))
		}
		synctest.Wait()
		if control, _ := o.heard(); len(control) == 0 {
			t.Error("no sample came through")
		}
	})
}

// A broken ring ends the process, so that all are started anew; counters that cannot be read do not.
func TestRunBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, o := newRing(), &office{gate: make(chan struct{}), gone: make(chan struct{})}
		done := make(chan error, 1)
		go func() { done <- Run(t.Context(), []Source{{Bridge: cctv, Ring: r, Maps: &kernel{}}}, o.post()) }()
		for range maxBadSamples {
			r.errs <- errors.New("broken")
		}
		if err := <-done; err == nil {
			t.Error("Run goes on")
		}
	})
	for _, name := range []string{"flows", "reasons"} {
		watching(t, &kernel{fails: name}, func(r *ring, o *office, done chan error) {
			close(o.gate)
			time.Sleep(StatsEvery + time.Second)
			synctest.Wait()
			if _, boxes, box := o.counts(); boxes == 0 || box.Event != "counters_unreadable" || box.Object != "cctv" {
				t.Errorf("%s: %v", name, box)
			}
		})
	}
}

// A process that is gone ends this one.
func TestRunControlGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, o := newRing(), &office{gate: make(chan struct{}), gone: make(chan struct{}), fail: errors.New("gone")}
		done := make(chan error, 1)
		go func() { done <- Run(t.Context(), []Source{{Bridge: cctv, Ring: r, Maps: &kernel{}}}, o.post()) }()
		r.samples <- sample(reader.SampleDevice, 0, flow.CameraSide, udp(11, 2, 1, 2, nil))
		if err := <-done; !errors.Is(err, o.fail) {
			t.Errorf("Run: %v", err)
		}
	})
}
