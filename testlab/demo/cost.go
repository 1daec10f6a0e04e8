package demo

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cilium/ebpf"
	bpflink "github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// pinnedLink is the link by which the program sits on the camera port; the program on the server port is the same one.
const pinnedLink = pins + "/camera"

// enableStats lets the kernel time every run of a BPF program (what kernel.bpf_stats_enabled does) until it is closed:
// nothing stays switched on, however the demo ends.
func enableStats() (io.Closer, error) {
	c, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		return nil, fmt.Errorf("switch on the kernel's statistics of BPF programs: %w", err)
	}
	return c, nil
}

// cost is what the kernel has counted of the program so far.
type cost struct {
	program ebpf.ProgramID
	runTime time.Duration
	runs    uint64 // frames of both ports
}

func readCost() (cost, error) {
	l, err := bpflink.LoadPinnedLink(pinnedLink, nil)
	if err != nil {
		return cost{}, fmt.Errorf("open the camera port's link: %w", err)
	}
	defer l.Close()
	info, err := l.Info()
	if err != nil {
		return cost{}, fmt.Errorf("ask the link for its program: %w", err)
	}
	p, err := ebpf.NewProgramFromID(info.Program)
	if err != nil {
		return cost{}, fmt.Errorf("open the program: %w", err)
	}
	defer p.Close()
	s, err := p.Stats()
	if err != nil {
		return cost{}, fmt.Errorf("read the program's statistics: %w", err)
	}
	return cost{info.Program, s.Runtime, s.RunCount}, nil
}

var errOtherProgram = errors.New("the program was exchanged meanwhile, or judged no frame")

// since is the mean of the frames that were judged after before.
func (c cost) since(before cost) (ns float64, frames uint64, err error) {
	if c.program != before.program || c.runs <= before.runs {
		return 0, 0, errOtherProgram
	}
	frames = c.runs - before.runs
	return float64(c.runTime-before.runTime) / float64(frames), frames, nil
}
