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
			var c costs
			var lost float64
			err := undisturbed(ctx, f.objs.Generate, func() (err error) {
				c, lost, err = f.round(ctx, size)
				return err
			})
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
	loop, err := newLoop()
	if err != nil {
		return err
	}
	defer loop.Close()
	for i := range r.rounds {
		fmt.Fprintf(progress, "test runs, round %d of %d\n", i+1, r.rounds)
		var ns map[string]float64
		err := undisturbed(ctx, loop.Nothing, func() (err error) {
			if ns, err = testRuns(ctx, subjects); err != nil {
				return err
			}
			if ns[loopKey], err = timeRuns(loop.Nothing, rtpFrame(64), 1, runs); err != nil {
				return err
			}
			ns[rotationKey], err = timeRuns(loop.Rotate, rtpFrame(64), 1, runs)
			return err
		})
		if err != nil {
			return err
		}
		for key, v := range ns {
			r.add(key, v)
		}
	}
	return nil
}

// newLoop is what a test run costs without a program: the kernel's loop, and the wrapper around nothing.
func newLoop() (*FramesObjects, error) {
	objs := &FramesObjects{}
	if err := LoadFramesObjects(objs, nil); err != nil {
		return nil, fmt.Errorf("load the bench's programs: %w", err)
	}
	if err := objs.Turns.Set(randomly(cameras, 1)); err != nil {
		return nil, fmt.Errorf("set the wrapper: %w", err)
	}
	if err := objs.Judge.Put(uint32(0), objs.Nothing); err != nil {
		return nil, fmt.Errorf("put nothing behind the wrapper: %w", err)
	}
	return objs, nil
}
