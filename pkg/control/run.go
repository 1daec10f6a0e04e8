package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"citygate/pkg/event"
	"citygate/pkg/ipc"

	"golang.org/x/sync/errgroup"
)

// Channels are the ends that citygate-control has.
type Channels struct{ Launch, Guard, Journal, Watch *ipc.Conn }

// close ends all who listen.
func (c Channels) close() error {
	return errors.Join(c.Launch.Close(), c.Guard.Close(), c.Journal.Close(), c.Watch.Close())
}

// Run is the daemon: it puts the policy into force, says that it is ready, and serves until ctx or a channel ends.
func Run(ctx context.Context, boot *ipc.Boot, stateDir string, ch Channels, listener net.Listener) error {
	group, running := errgroup.WithContext(ctx)
	out := newOutlet(func(m ipc.Message) error { return ch.Journal.Send(m) }, time.Now)
	kernel := NewKernel()
	g := newGuard(ch.Guard, kernel)
	names := newNaming()
	c, err := Open(Config{
		Boot: boot, StateDir: stateDir, Guard: g, Events: out.put, Kernel: kernel, Now: time.Now, InForce: names.put,
		ReadPolicy: func() ([]byte, error) { return os.ReadFile(boot.Policy) },
	})
	if err != nil {
		return err
	}
	server := c.Server()
	group.Go(g.listen)
	group.Go(func() error { return out.run(running) })
	group.Go(func() error {
		_ = names.run(running, func(m ipc.Message) error { return ch.Watch.Send(m) }) // who listens to watch says if it is gone
		return nil
	})
	group.Go(func() error { return c.hear(running, ch.Journal) })
	group.Go(func() error { return c.hear(running, ch.Launch) })
	group.Go(func() error {
		if err := c.Start(running); err != nil {
			return err
		}
		if err := ch.Launch.Send(ipc.Ready{}); err != nil {
			return err
		}
		// Only now: what watch tells is judged by the running policy.
		group.Go(func() error { return c.hear(running, ch.Watch) })
		group.Go(func() error { return c.keep(running) })
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the API: %w", err)
		}
		return nil
	})
	<-running.Done()
	_ = server.Close() // what is under way is answered by no one: the caller sees a closed connection
	c.stop()
	c.saveInventory()
	lastWords(out)
	// What they return now only says that they were ended.
	_, _ = ch.close(), group.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(running)
}

// lastWords sends the events that are queued, for a second at most.
func lastWords(out *outlet) {
	done := make(chan struct{})
	go func() {
		_ = out.flush() // the journal has gone, and that is why we end
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// stop ends the timer; the file of the pending policy makes the next start wait on.
func (c *Control) stop() {
	c.change.Lock()
	defer c.change.Unlock()
	if c.timer != nil {
		c.timer.Stop()
	}
}

// hear takes what a process says until its channel ends.
func (c *Control) hear(ctx context.Context, conn *ipc.Conn) error {
	for {
		r, err := conn.Recv()
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		switch m := r.Message.(type) {
		case ipc.DeviceSeen:
			c.See(m)
		case ipc.DHCPBinding:
			if err := c.Bind(ctx, m); err != nil {
				c.degrade("binding", err.Error(), "the device has no connection until its lease is renewed")
			}
		case ipc.JournalState:
			c.mu.Lock()
			c.journal = m
			c.mu.Unlock()
		case ipc.ProcessExit:
			c.exited(m)
		}
	}
}

// exited notes how a process ended before all were started anew.
func (c *Control) exited(m ipc.ProcessExit) {
	c.mu.Lock()
	c.processes[m.Process] = m
	c.restarts = max(c.restarts, m.Restarts+1) // it counts those before the one that followed
	c.mu.Unlock()
	e := &event.Anomaly{Type: event.AnomalyBox, Event: "process_ended", Object: m.Process.String(), Text: exitText(m), Count: 1}
	if m.Violator != 0 {
		e.Event = "ipc_violation"
	}
	c.Events(e)
}

// keep writes the inventory now and then, and tells of a full one.
func (c *Control) keep(ctx context.Context) error {
	save, tell := time.NewTicker(saveEvery), time.NewTicker(tellEvery)
	defer save.Stop()
	defer tell.Stop()
	for {
		select {
		case <-save.C:
			c.saveInventory()
		case <-tell.C:
			c.tellFull()
		case <-ctx.Done():
			return nil
		}
	}
}
