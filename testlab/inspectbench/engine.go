package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what a run of an engine took.
type usage struct {
	cpu float64 // seconds, user and system, with all its children
	due float64 // of those, seconds that were over when the engine said that it begins; 0 if it does not say
	rss float64 // MiB at most
}

// engine is one of those that are compared.
type engine struct {
	name    string
	begins  string // what it says on standard output when it has loaded everything; it may say nothing
	command func(capture, rules, dir string) []string
}

// run inspects a capture. What the engine writes stands in dir.
func (e engine) run(ctx context.Context, capture, rules, dir string) (usage, error) {
	if err := os.RemoveAll(dir); err != nil {
		return usage{}, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return usage{}, err
	}
	args := e.command(capture, rules, dir)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	said := &transcript{mark: e.begins}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		return usage{}, err
	}
	said.pid.Store(int64(cmd.Process.Pid))
	err := cmd.Wait()
	if werr := os.WriteFile(filepath.Join(dir, "said"), said.text.Bytes(), 0o644); err == nil {
		err = werr
	}
	if err != nil {
		return usage{}, fmt.Errorf("run %s: %w: %s", strings.Join(args, " "), err, lastLines(said.text.String()))
	}
	ru := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	used := time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	return usage{cpu: used.Seconds(), due: said.due.Seconds(), rss: float64(ru.Maxrss) / 1024}, nil
}

// transcript keeps what a process says, and how much CPU time it had used when it said the mark.
type transcript struct {
	mark string
	pid  atomic.Int64
	text bytes.Buffer
	due  time.Duration
}

func (t *transcript) Write(b []byte) (int, error) {
	if t.mark != "" && t.due == 0 && bytes.Contains(b, []byte(t.mark)) {
		t.due = usedBy(t.pid.Load())
	}
	return t.text.Write(b)
}

// usedBy is the CPU time of a running process's threads (proc(5): the first field of schedstat, in ns).
func usedBy(pid int64) (sum time.Duration) {
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid)) // the pattern is right
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			continue // the thread has ended
		}
		var ns int64
		if _, err := fmt.Sscan(string(b), &ns); err == nil {
			sum += time.Duration(ns)
		}
	}
	return sum
}

func lastLines(s string) string {
	all := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(all[max(0, len(all)-5):], "\n")
}

// The variables are the same for both: whoever attacks a camera may stand inside.
var variables = []string{
	"--set", "vars.address-groups.HOME_NET=[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]",
	"--set", "vars.address-groups.EXTERNAL_NET=any",
}

// ours is our engine by its command.
func ours(command []string) engine {
	return engine{name: "ours", command: func(capture, rules, dir string) []string {
		args := append(slices.Clone(command), "-r", capture, "-S", rules, "-l", dir, "-k", "none", "--alerts-only")
		return append(args, variables...)
	}}
}
