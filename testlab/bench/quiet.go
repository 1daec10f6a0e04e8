package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cilium/ebpf"
)

// When anybody has the kernel time BPF programs (kernel.bpf_stats_enabled, bpftool prog profile), each run costs two
// looks at the clock more: about as much as the program itself.
var errTimed = errors.New("BPF statistics were switched on by another program of this machine (kernel.bpf_stats_enabled): measure again when they are off")

const (
	quietTries = 12
	quietPause = 5 * time.Second
)

// undisturbed calls fn, which has to run p, until the kernel has not counted p's runs meanwhile.
func undisturbed(ctx context.Context, p *ebpf.Program, fn func() error) error {
	for range quietTries {
		before, err := runCount(p)
		if err != nil {
			return err
		}
		if err := fn(); err != nil {
			return err
		}
		after, err := runCount(p)
		if err != nil || after == before {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(quietPause):
		}
	}
	return errTimed
}

func runCount(p *ebpf.Program) (uint64, error) {
	s, err := p.Stats()
	if err != nil {
		return 0, fmt.Errorf("ask whether %s is timed: %w", p, err)
	}
	return s.RunCount, nil
}
