package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"citygate/pkg/event"
	"citygate/pkg/ipc"
)

// Source is a channel that events come from.
type Source interface {
	Recv() (ipc.Received, error)
	Close() error
}

const (
	maxBatch   = 256             // events to one fsync
	queueSize  = 512             // events that wait for the disk; then their senders wait, who count what they cannot keep
	finishTime = 1 * time.Second // from the order to end until what is still on its way is left
)

// Service brings events from channels into a store.
type Service struct {
	Store   *Store
	Sources map[ipc.Process]Source
	Report  func(ipc.JournalState) error // may wait; called about once a second until it fails
	Reopen  <-chan os.Signal             // open the EVE file anew

	queue chan event.Event
	done  chan struct{}
}

// Run works until ctx ends and the sources have nothing more, and closes sources and store.
func (s *Service) Run(ctx context.Context) error {
	s.queue, s.done = make(chan event.Event, queueSize), make(chan struct{})
	var readers, reporter sync.WaitGroup
	for from, src := range s.Sources {
		readers.Go(func() { s.listen(from, src) })
	}
	quiet := make(chan struct{})
	go func() { readers.Wait(); close(quiet) }()
	states := make(chan ipc.JournalState, 1)
	reporter.Go(func() {
		for st := range states {
			if s.Report(st) != nil {
				return // the reader of that channel, or the launcher, knows why
			}
		}
	})

	s.work(ctx, quiet, states)

	close(s.done)
	close(states)
	for _, src := range s.Sources {
		_ = src.Close() // ends a Recv and a Report; one that broke the rules is closed already
	}
	readers.Wait()
	reporter.Wait()
	return s.Store.Close()
}

// work is the only one that touches the store. quiet says that no source has anything more.
func (s *Service) work(ctx context.Context, quiet <-chan struct{}, states chan<- ipc.JournalState) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	end, late := ctx.Done(), (<-chan time.Time)(nil)
	silent := (<-chan struct{})(nil)
	for {
		select {
		case e := <-s.queue:
			s.Store.Write(s.batch(e))
		case <-tick.C:
			s.Store.Tick()
			select {
			case states <- s.state():
			default: // the last one has not been taken yet
			}
		case <-s.Reopen:
			s.Store.Reopen()
		case <-end:
			end, late, silent = nil, time.After(finishTime), quiet
		case <-silent:
			s.rest()
			return
		case <-late:
			s.rest()
			return
		}
	}
}

// batch adds to e what is queued already.
func (s *Service) batch(e event.Event) []event.Event {
	batch := []event.Event{e}
	for len(batch) < maxBatch {
		select {
		case e := <-s.queue:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

func (s *Service) rest() {
	for {
		select {
		case e := <-s.queue:
			s.Store.Write(s.batch(e))
		default:
			return
		}
	}
}

func (s *Service) state() ipc.JournalState {
	st := s.Store.State()
	return ipc.JournalState{
		Written: st.Written, Suppressed: st.Suppressed, Lost: st.Lost, DiskFull: st.DiskFull, LastError: st.LastError,
	}
}

// listen queues what a source says. When a source breaks the rules, that is an event, and it is heard no more.
func (s *Service) listen(from ipc.Process, src Source) {
	for {
		r, err := src.Recv()
		if err == nil {
			err = s.take(from, r.Message)
		}
		if v := new(ipc.Violation); errors.As(err, &v) {
			s.put(&event.Anomaly{Type: event.AnomalyBox, Event: "ipc_violation", Text: v.Error(), Object: from.String()})
			_ = src.Close()
		}
		if err != nil {
			return
		}
	}
}

func (s *Service) take(from ipc.Process, m ipc.Message) error {
	said, ok := m.(ipc.Event)
	if !ok {
		return &ipc.Violation{From: from, Why: fmt.Sprintf("%T is no event", m)}
	}
	e, err := event.Decode(said.Type, said.Payload)
	if err != nil {
		return &ipc.Violation{From: from, Why: err.Error()}
	}
	s.put(e)
	return nil
}

func (s *Service) put(e event.Event) {
	select {
	case s.queue <- e:
	case <-s.done:
	}
}
