package control

import (
	"context"
	"sync/atomic"
	"time"

	"citygate/pkg/event"
	"citygate/pkg/ipc"

	"golang.org/x/sys/unix"
)

// outletQueue is how many events wait for the journal at most; a burst of first sights is 4,096.
const outletQueue = 8192

// outlet brings events to the journal. Nobody waits for it: what finds its queue full is counted.
type outlet struct {
	send  func(ipc.Message) error
	queue chan ipc.Event
	lost  atomic.Uint64
	now   func() time.Time
}

func newOutlet(send func(ipc.Message) error, now func() time.Time) *outlet {
	return &outlet{send: send, queue: make(chan ipc.Event, outletQueue), now: now}
}

// put stamps an event and queues it.
func (o *outlet) put(e event.Event) {
	h := e.Head()
	if h.Wall.IsZero() {
		h.Wall = o.now()
	}
	if h.Boot == 0 {
		h.Boot = monotonic()
	}
	typ, payload := event.Encode(e)
	select {
	case o.queue <- ipc.Event{Type: typ, Payload: payload}:
	default:
		o.lost.Add(1)
	}
}

// run sends until ctx ends.
func (o *outlet) run(ctx context.Context) error {
	for {
		select {
		case e := <-o.queue:
			if err := o.send(e); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// flush sends what is queued.
func (o *outlet) flush() error {
	for {
		select {
		case e := <-o.queue:
			if err := o.send(e); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// monotonic is CLOCK_MONOTONIC, by which the kernel and all processes of the box stamp what they saw.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
