package demo

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// maxEvents bounds what a State carries of the events.
const maxEvents = 12

// board is the State as the inside knows it; each change goes out as a line of JSON.
type board struct {
	mu    sync.Mutex
	state State
	start time.Time
	out   *json.Encoder
	err   error // of the first write that went wrong: nobody is looking any more
}

func newBoard(out io.Writer, steps []step) *board {
	b := &board{start: time.Now(), out: json.NewEncoder(out)}
	for _, s := range steps {
		b.state.Checks = append(b.state.Checks, Check{Name: s.name, Expected: s.expected, Phase: Pending})
	}
	return b
}

// change alters the state and shows it.
func (b *board) change(f func(s *State)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.state)
	b.state.Elapsed = time.Since(b.start)
	if b.err == nil {
		b.err = b.out.Encode(b.state)
	}
}

func (b *board) event(e Event) {
	b.change(func(s *State) {
		s.Events = append(s.Events, e)
		s.Events = s.Events[max(0, len(s.Events)-maxEvents):]
	})
}

// now is a copy of the state; its slices are not to be changed.
func (b *board) now() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}
