// Command citygate-watch says what the data path reports: devices and bindings to control, events to the journal. It
// parses what strangers send, so it has no network, no files and no capabilities. citygate-launch starts it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/datapath/reader"
	"citygate/pkg/device/sight"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
	"citygate/pkg/sandbox/profile"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx)
	stop()
	var v *ipc.Violation
	if errors.As(err, &v) {
		fmt.Fprintln(os.Stderr, "citygate-watch:", err)
		os.Exit(ipc.ExitViolation(v.From))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		fmt.Fprintln(os.Stderr, "citygate-watch:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	boot, err := ipc.InheritBoot()
	if err != nil {
		return err
	}
	if err := sandbox.Enter(profile.Watch()); err != nil {
		return err
	}
	var conns [4]*ipc.Conn
	for i, peer := range []ipc.Process{ipc.Launch, ipc.Guard, ipc.Control, ipc.Journal} {
		if conns[i], err = ipc.Inherit(ipc.Watch, peer); err != nil {
			return err
		}
	}
	launch, guard, control, journal := conns[0], conns[1], conns[2], conns[3]
	sources, err := receive(boot, guard)
	if err != nil {
		return err
	}
	if err := launch.Send(ipc.Ready{}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	go func() { cancel(gone(guard)) }() // ends with the process
	err = sight.Run(ctx, sources, sight.Post{
		Control: func(m ipc.Message) error { return control.Send(m) },
		Journal: func(m ipc.Message) error { return journal.Send(m) },
		Hear: func() (ipc.Message, error) {
			r, err := control.Recv()
			return r.Message, err
		},
		Close: func() { _ = errors.Join(control.Close(), journal.Close()) },
		Now:   now,
	})
	if err == nil {
		err = context.Cause(ctx)
	}
	if errors.Is(err, context.Canceled) { // a signal
		return nil
	}
	return err
}

// receive waits until the guard has given the maps of all bridges.
func receive(boot *ipc.Boot, guard *ipc.Conn) ([]sight.Source, error) {
	fds := map[string]map[string]int{}
	var sources []sight.Source
	for len(sources) < len(boot.Bridges) {
		r, err := guard.Recv()
		if err != nil {
			return nil, err
		}
		m, ok := r.Message.(ipc.MapFD)
		if !ok {
			continue
		}
		if fds[m.Bridge] == nil {
			fds[m.Bridge] = map[string]int{}
		}
		fds[m.Bridge][m.Name] = r.FDs[0]
		if len(fds[m.Bridge]) < len(reader.Names)+1 {
			continue
		}
		s, err := open(boot, m.Bridge, fds[m.Bridge])
		if err != nil {
			return nil, fmt.Errorf("bridge %s: %w", m.Bridge, err)
		}
		sources = append(sources, s)
	}
	return sources, nil
}

// gone waits until the guard is: it has nothing more to say.
func gone(guard *ipc.Conn) error {
	for {
		r, err := guard.Recv()
		if err != nil {
			return err
		}
		for _, fd := range r.FDs {
			_ = unix.Close(fd)
		}
	}
}

func open(boot *ipc.Boot, bridge string, fds map[string]int) (s sight.Source, err error) {
	s.Name = bridge
	for _, b := range boot.Bridges {
		if b.Name == bridge {
			s.Ports = [2]string{flow.CameraSide: b.CameraPort, flow.ServerSide: b.ServerPort}
		}
	}
	if s.Maps, err = reader.Open(fds); err != nil {
		return s, err
	}
	s.Ring, err = reader.OpenRing(fds[reader.RingName])
	return s, err
}

// now reads both clocks.
func now() sight.Moment {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // fails only for an unknown clock
	return sight.Moment{Wall: time.Now(), Boot: time.Duration(ts.Nano())}
}
