// Command citygate-control is the box's API and its decisions. citygate-launch starts it; with a verb it reads a config or
// a policy, answers once and ends: boot (the launcher's record), paths and check (for the citygate command).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"citygate/pkg/control"
	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
	"citygate/pkg/sandbox/profile"
)

func main() {
	if len(os.Args) > 1 {
		os.Exit(once(os.Args[1], os.Args[2:]))
	}
	err := serve()
	var v *ipc.Violation
	switch {
	case err == nil || errors.Is(err, io.EOF): // a peer has ended, and the launcher knows
		return
	case errors.As(err, &v):
		fmt.Fprintln(os.Stderr, "citygate-control:", err)
		os.Exit(ipc.ExitViolation(v.From))
	}
	fmt.Fprintln(os.Stderr, "citygate-control:", err)
	os.Exit(1)
}

// serve is the daemon.
func serve() error {
	boot, err := ipc.InheritBoot()
	if err != nil {
		return err
	}
	if err := sandbox.Enter(profile.Control(boot)); err != nil {
		return err
	}
	var ch control.Channels
	for peer, c := range map[ipc.Process]**ipc.Conn{
		ipc.Launch: &ch.Launch, ipc.Guard: &ch.Guard, ipc.Journal: &ch.Journal, ipc.Watch: &ch.Watch,
	} {
		if *c, err = ipc.Inherit(ipc.Control, peer); err != nil {
			return err
		}
	}
	listener, err := inheritListener()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return control.Run(ctx, boot, boot.StateOf(ipc.Control), ch, listener)
}

func inheritListener() (net.Listener, error) {
	fd, err := strconv.Atoi(os.Getenv(ipc.ListenerEnv))
	if err != nil {
		return nil, fmt.Errorf("no listener in %s: this program is started by citygate-launch", ipc.ListenerEnv)
	}
	f := os.NewFile(uintptr(fd), "the API's socket")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("listen for the API: %w", err)
	}
	return l, nil
}
