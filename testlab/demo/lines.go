package demo

import (
	"fmt"
	"io"
)

// lines is the screen without a terminal: a line for every check that was made.
type lines struct{ out io.Writer }

func (l lines) run(feed <-chan State, _ func()) error {
	var before State
	for s := range feed {
		l.write(before, s)
		before = s
	}
	return nil
}

// write tells what is new in a state.
func (l lines) write(before, s State) {
	for i, n := range s.Notes {
		if i >= len(before.Notes) {
			fmt.Fprintf(l.out, "%6s  note  %s\n", seconds(s.Elapsed), n)
		}
	}
	for i, c := range s.Checks {
		if i < len(before.Checks) && before.Checks[i].Phase == c.Phase {
			continue
		}
		switch c.Phase {
		case Passed:
			fmt.Fprintf(l.out, "%6s  ok    %s: %s\n", seconds(s.Elapsed), c.Name, c.Seen)
		case Failed:
			fmt.Fprintf(l.out, "%6s  FAIL  %s: %s; expected: %s\n", seconds(s.Elapsed), c.Name, c.Seen, c.Expected)
		}
	}
}
