package sight

import (
	"context"
	"fmt"
	"sync/atomic"

	"citygate/pkg/ipc"
)

// Outlet is a bounded queue before a channel, so that nobody waits for the process at its other end.
type Outlet struct {
	send  func(ipc.Message) error
	queue chan ipc.Message
	lost  atomic.Uint64
}

// NewOutlet makes a queue of n messages before send, which may block.
func NewOutlet(n int, send func(ipc.Message) error) *Outlet {
	return &Outlet{send: send, queue: make(chan ipc.Message, n)}
}

// Put queues a message. A full queue refuses it, and counts it.
func (o *Outlet) Put(m ipc.Message) bool {
	select {
	case o.queue <- m:
		return true
	default:
		o.lost.Add(1)
		return false
	}
}

// Lost is how many messages were refused since the last call.
func (o *Outlet) Lost() uint64 { return o.lost.Swap(0) }

// Run sends what is queued until ctx ends.
func (o *Outlet) Run(ctx context.Context) error {
	for {
		select {
		case m := <-o.queue:
			if err := o.send(m); err != nil && ctx.Err() == nil {
				return fmt.Errorf("empty a queue: %w", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}
