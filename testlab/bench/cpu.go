package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// pin keeps the calling goroutine on one CPU for good: the generator, the path and the sink all run there, in its system
// calls.
func pin() error {
	var allowed, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return fmt.Errorf("read the CPUs that may be used: %w", err)
	}
	for cpu := range runtime.NumCPU() + 1024 { // the last: interrupts tend to be the first one's
		if allowed.IsSet(cpu) {
			one.Zero()
			one.Set(cpu)
		}
	}
	runtime.LockOSThread()
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("stay on one CPU: %w", err)
	}
	return nil
}

// clock adds up the CPU time of this process and of the kernel's threads that finish its frames.
type clock struct {
	softirqs []string // their /proc/PID/schedstat
}

func newClock() (*clock, error) {
	comms, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return nil, err
	}
	c := &clock{}
	for _, path := range comms {
		name, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		if bytes.HasPrefix(name, []byte("ksoftirqd/")) {
			c.softirqs = append(c.softirqs, filepath.Join(filepath.Dir(path), "schedstat"))
		}
	}
	if len(c.softirqs) == 0 {
		return nil, fmt.Errorf("no ksoftirqd thread is visible in /proc")
	}
	return c, nil
}

func (c *clock) now() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("read the CPU time: %w", err)
	}
	sum := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	for _, path := range c.softirqs {
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, fmt.Errorf("read a kernel thread's CPU time: %w", err)
		}
		run, _, _ := strings.Cut(string(text), " ") // ns on the CPU, ns waiting, slices
		ns, err := strconv.ParseInt(run, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read a kernel thread's CPU time: %w", err)
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}
