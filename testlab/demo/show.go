package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/charmbracelet/x/term"

	"citygate/testlab/gateway"
)

// Options say how a demo is shown.
type Options struct {
	Play    []string // arguments of the own program that run Play inside an enclave
	JSON    bool     // the scorecard as JSON on Out, and lines on Err
	Plain   bool     // lines also on a terminal
	Out     *os.File
	Err     io.Writer
	Results string // the scorecard's file
}

// Exit codes of Show.
const (
	exitWell   = 0
	exitUnwell = 1
	exitUnable = 2
)

// screen shows states as they come. Run gives them out until feed is closed; interrupt asks for an early end.
type screen interface {
	run(feed <-chan State, interrupt func()) error
}

// Show plays the demo in an enclave and shows it. It gives the program's exit code: 0 if all is well, 1 if something is
// not or it was interrupted, 2 if it could not start.
func Show(ctx context.Context, o Options) int {
	if err := able(); err != nil {
		fmt.Fprintln(o.Err, "citygate-lab demo:", err)
		return exitUnable
	}
	// What an earlier demo saw must not be taken for this one's.
	if err := os.Remove(o.Results); err != nil && !errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(o.Err, "citygate-lab demo: remove the old scorecard:", err)
		return exitUnable
	}
	e, err := startEnclave(o.Play)
	if err != nil {
		fmt.Fprintln(o.Err, "citygate-lab demo:", err)
		return exitUnable
	}
	ctx, interrupt := context.WithCancel(ctx)
	defer interrupt()
	stop := context.AfterFunc(ctx, e.interrupt)
	defer stop()
	feed := make(chan State)
	states := make(chan State, 1)
	go func() { states <- e.read(feed) }()
	if err := o.screen().run(feed, interrupt); err != nil {
		fmt.Fprintln(o.Err, "citygate-lab demo: show it:", err)
		interrupt()
	}
	for range feed { // the screen may have ended first
	}
	last := <-states
	ended := e.wait()
	if ctx.Err() != nil {
		fmt.Fprintln(o.Err, "interrupted: the city is down,", e.leftText())
		return exitUnwell
	}
	return o.finish(last, ended, e)
}

// finish prints and writes the scorecard.
func (o Options) finish(last State, ended error, e *demoEnclave) int {
	if !last.Done {
		fmt.Fprintf(o.Err, "citygate-lab demo: it ended early: %v\n%s", ended, e.said.String())
		if len(last.Checks) == 0 {
			return exitUnable
		}
	}
	left := e.left()
	cleaned := Check{Name: "clean-up", Expected: "0 processes left", Seen: e.leftText(), Phase: Failed}
	if left == 0 {
		cleaned.Phase = Passed
	}
	score := Score(append(last.Checks, cleaned))
	if o.JSON {
		_, _ = o.Out.Write(score.JSON()) // the file has it too
	} else {
		o.print(score, last)
	}
	if err := score.Write(o.Results); err != nil {
		fmt.Fprintln(o.Err, "citygate-lab demo: write the scorecard:", err)
		return exitUnwell
	}
	if !score.Well() || !last.Done {
		if said := strings.TrimSpace(e.said.String()); said != "" {
			fmt.Fprintln(o.Err, "the city said:\n"+said)
		}
		return exitUnwell
	}
	return exitWell
}

// paperWidth is the table's where there is no terminal.
const paperWidth = 140

func (o Options) print(score Scorecard, last State) {
	width := paperWidth
	if w, _, err := term.GetSize(o.Out.Fd()); err == nil {
		width = w
	}
	fmt.Fprintln(o.Out)
	score.WriteTable(o.Out, width)
	fmt.Fprintln(o.Out)
	WriteStreams(o.Out, last.Streams)
	sent, _, lost := last.video()
	fmt.Fprintf(o.Out, "\nvideo: %s packets sent, %d lost\n", number(sent), lost)
	for _, c := range last.Checks {
		if c.Name == costName {
			fmt.Fprintf(o.Out, "a frame costs: %s\n  (the XDP program's run time as the kernel counts it; under load: make bench-bridge)\n", c.Seen)
		}
	}
	fmt.Fprintf(o.Out, "%d passed, %d failed in %s\n", score.Passed, score.Failed, seconds(last.Elapsed))
	for _, n := range last.Notes {
		fmt.Fprintln(o.Out, "note:", n)
	}
	fmt.Fprintln(o.Out, "scorecard:", o.Results)
}

// screen chooses by what there is to write to.
func (o Options) screen() screen {
	if o.JSON {
		return lines{o.Err}
	}
	if o.Plain || !term.IsTerminal(o.Out.Fd()) || !term.IsTerminal(os.Stdin.Fd()) || os.Getenv("TERM") == "dumb" {
		return lines{o.Out}
	}
	return live{o.Out}
}

// able says what is missing to begin, and the remedy.
func able() error {
	if os.Geteuid() != 0 {
		return errors.New("it makes network namespaces and loads BPF programs: run it as root (sudo make demo)")
	}
	bin := os.Getenv(gateway.BinVar)
	if bin == "" {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find the own program: %w", err)
		}
		bin = filepath.Dir(self)
	}
	for _, name := range []string{"", "-launch", "-firewall", "-guard", "-control", "-journal", "-watch"} {
		if _, err := os.Stat(filepath.Join(bin, "citygate"+name)); err != nil {
			return fmt.Errorf("citygate%s is not in %s: run make build (%s names another folder)", name, bin, gateway.BinVar)
		}
	}
	return nil
}
