package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// measure does everything: the rows first, then the test runs.
func measure(ctx context.Context, rounds int, progress io.Writer) (*results, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, fmt.Errorf("ask for the kernel's release: %w", err)
	}
	r := newResults(unix.ByteSliceToString(u.Release[:]), rounds)
	if err := measureForwarding(ctx, r, progress); err != nil {
		return nil, err
	}
	return r, measureTestRuns(ctx, r, progress)
}

func measureForwarding(ctx context.Context, r *results, progress io.Writer) (err error) {
	f, err := newForwarding()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	for i := range r.rounds {
		for _, size := range frameSizes {
			c, lost, err := f.round(ctx, size)
			if err != nil {
				return err
			}
			r.addRound(size, c)
			r.add(lostKey, lost)
			fmt.Fprintf(progress, "round %d of %d, %4d B: program %.0f ns, bridge %.0f ns, ratio %.3f\n", i+1, r.rounds, size, c[full], c[plain], c[full]/c[plain])
		}
	}
	return nil
}

func measureTestRuns(ctx context.Context, r *results, progress io.Writer) (err error) {
	var subjects []*subject
	defer func() {
		for _, s := range subjects {
			err = errors.Join(err, s.close())
		}
	}()
	for i, p := range policySizes {
		fmt.Fprintf(progress, "a policy of %d entries\n", p.entries)
		s, err := newSubject(i)
		if err != nil {
			return err
		}
		subjects = append(subjects, s)
	}
	for i := range r.rounds {
		fmt.Fprintf(progress, "test runs, round %d of %d\n", i+1, r.rounds)
		if err := testRuns(ctx, subjects, r.add); err != nil {
			return err
		}
		ns, err := rotationCost()
		if err != nil {
			return err
		}
		r.add(rotationKey, ns)
	}
	return nil
}

// rotationCost is a test run of the wrapper around nothing.
func rotationCost() (float64, error) {
	s := &subject{objs: &FramesObjects{}, port: 1}
	if err := LoadFramesObjects(s.objs, nil); err != nil {
		return 0, fmt.Errorf("load the bench's programs: %w", err)
	}
	defer s.objs.Close()
	if err := s.objs.Turns.Set(randomly(cameras, 1)); err != nil {
		return 0, fmt.Errorf("set the wrapper: %w", err)
	}
	if err := s.objs.Judge.Put(uint32(0), s.objs.Nothing); err != nil {
		return 0, fmt.Errorf("put nothing behind the wrapper: %w", err)
	}
	return s.time(s.objs.Rotate, rtpFrame(64), runs)
}
