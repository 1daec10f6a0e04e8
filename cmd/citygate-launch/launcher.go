package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"citygate/pkg/ipc"
)

// launcher runs the processes of one config.
type launcher struct {
	config   string
	log      io.Writer
	listener *os.File          // the API's
	exits    []ipc.ProcessExit // how the last processes ended
	restarts uint32
}

func (l *launcher) logf(format string, args ...any) {
	fmt.Fprintf(l.log, "citygate-launch: "+format+"\n", args...)
}

// prepare reads the config, makes the folders, and takes the lock that the file holds.
func (l *launcher) prepare(ctx context.Context) (*ipc.Boot, *os.File, error) {
	b, err := l.readConfig(ctx)
	if err == nil {
		err = makeFolders(b)
	}
	if err != nil {
		return nil, nil, err
	}
	held, err := lock(b.RunDir)
	return b, held, err
}

// run supervises one for all: when a process ends, the rest are ended too and all are started anew.
func (l *launcher) run(ctx context.Context, reload <-chan os.Signal) error {
	b, held, err := l.prepare(ctx)
	if err != nil {
		return err
	}
	defer remove(held)
	if l.listener, err = listen(b.RunDir); err != nil {
		return err
	}
	defer remove(l.listener)
	for delay := time.Duration(0); ; {
		begin := time.Now()
		next, err := l.runGroup(ctx, b, reload)
		if ctx.Err() != nil {
			l.logf("all processes have ended; the kernel goes on forwarding")
			return nil
		}
		if next != nil {
			if err := makeFolders(next); err != nil {
				return err
			}
			l.logf("the config has changed: all processes are started anew")
			b, delay = next, 0
			continue
		}
		l.restarts++
		delay = backOff(delay, time.Since(begin))
		l.logf("%v; all processes are started anew in %v", err, delay)
		select {
		case <-ctx.Done():
		case <-time.After(delay):
		}
	}
}

func remove(f *os.File) {
	_ = os.Remove(f.Name())
	_ = f.Close()
}

const (
	shortest = 100 * time.Millisecond
	longest  = 10 * time.Second
	healthy  = time.Minute
)

// backOff doubles the wait before a restart, unless all ran well for a while.
func backOff(last, ran time.Duration) time.Duration {
	if ran >= healthy {
		return shortest
	}
	return min(longest, max(shortest, 2*last))
}

// detach takes the bridges off their ports, and the box's own firewall away; nothing is forwarded afterwards.
func (l *launcher) detach(ctx context.Context) error {
	b, held, err := l.prepare(ctx)
	if err != nil {
		return err
	}
	defer remove(held)
	record, err := seal(b)
	if err != nil {
		return err
	}
	defer record.Close()
	return errors.Join(
		l.once(ctx, b, record, ofTheGuard, "guard", "detach"), l.once(ctx, b, record, ofTheRules, "firewall", "remove"))
}
