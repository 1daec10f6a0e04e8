package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"citygate/testlab/city"
	"citygate/testlab/gateway"
)

// step is a check to make: run measures, and says whether it is as expected.
type step struct {
	name, expected string
	hostile        bool // the attackers are at work meanwhile
	vital          bool // when it breaks, the others cannot be made
	run            func(context.Context, *play) (seen string, ok bool, err error)
}

// stepTime bounds a check, besides the quiet part that it may have.
const stepTime = 45 * time.Second

// play is a running demo, inside the enclave.
type play struct {
	*board
	length  time.Duration // of the quiet parts
	city    *city.City
	gateway *gateway.Gateway
	journal eveLog
	stats   io.Closer
	settled []city.Stream // at the last look when nothing was under way
	quiet   [2]cost       // around the video alone
	sampler task
	tail    task
}

// Play raises the city and makes all checks. Each change goes to out as a State in JSON. It runs inside an enclave.
func Play(ctx context.Context, out io.Writer, length time.Duration) error {
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin"); err != nil {
		return err
	}
	steps, notes := story()
	p := &play{board: newBoard(out, steps), length: length}
	p.change(func(s *State) { s.Notes = notes })
	defer p.end()
	for i, s := range steps {
		err := p.perform(ctx, i, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && s.vital {
			break
		}
	}
	p.change(func(s *State) { s.Done = true })
	return p.board.err
}

// perform makes a check. An error says that it could not be made.
func (p *play) perform(ctx context.Context, i int, s step) error {
	p.change(func(st *State) { st.Checks[i].Phase, st.Hostile = Running, s.hostile })
	ctx, cancel := context.WithTimeout(ctx, stepTime+p.length)
	defer cancel()
	seen, ok, err := s.run(ctx, p)
	if err != nil {
		seen, ok = err.Error(), false
	}
	p.change(func(st *State) {
		st.Checks[i].Seen, st.Checks[i].Phase, st.Hostile = oneLine(seen), Failed, false
		if ok {
			st.Checks[i].Phase = Passed
		}
	})
	return err
}

// end takes the city down. What it leaves undone ends with the enclave.
func (p *play) end() {
	p.sampler.stop()
	p.tail.stop()
	if p.stats != nil {
		p.stats.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if p.gateway != nil {
		if err := p.gateway.Remove(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "remove the gateway:", err)
		}
	}
	if p.city != nil {
		p.city.Down()
	}
}

// task is a goroutine that runs until it is stopped.
type task struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (t *task) start(run func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel = cancel
	t.done.Go(func() { run(ctx) })
}

func (t *task) stop() {
	if t.cancel != nil {
		t.cancel()
		t.done.Wait()
	}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
