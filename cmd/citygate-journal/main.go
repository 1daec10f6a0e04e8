// Command citygate-journal keeps the events of watch and control: in the hash-chained logs of the state folder, and as
// EVE JSON in the log folder. citygate-launch starts it; SIGHUP makes it open eve.json anew.
package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
	"citygate/pkg/journal"
	"citygate/pkg/sandbox"
	"citygate/pkg/sandbox/profile"
)

// eve.json grows to eveBytes, and eveFiles of them are kept.
const (
	eveBytes = 64 << 20
	eveFiles = 8
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "citygate-journal:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	boot, err := ipc.InheritBoot()
	if err != nil {
		return err
	}
	id, err := bootID() // the sandbox has no /proc
	if err != nil {
		return err
	}
	if err := sandbox.Enter(profile.Journal(boot)); err != nil {
		return err
	}
	var conns [3]*ipc.Conn
	for i, peer := range []ipc.Process{ipc.Launch, ipc.Control, ipc.Watch} {
		if conns[i], err = ipc.Inherit(ipc.Journal, peer); err != nil {
			return err
		}
	}
	launch, control, watch := conns[0], conns[1], conns[2]
	store, err := journal.OpenStore(journal.Config{
		Dir:  boot.StateOf(ipc.Journal),
		EVE:  journal.NewEVEFile(filepath.Join(boot.LogDir, "eve.json"), eveBytes, eveFiles),
		Host: boot.Site,
		Log:  journal.Options{Boot: id},
		Now:  now,
	})
	if err != nil {
		return err
	}
	reopen := make(chan os.Signal, 1)
	signal.Notify(reopen, syscall.SIGHUP)
	service := journal.Service{
		Store:   store,
		Sources: map[ipc.Process]journal.Source{ipc.Control: control, ipc.Watch: watch},
		Report:  func(s ipc.JournalState) error { return control.Send(s) },
		Reopen:  reopen,
	}
	if err := launch.Send(ipc.Ready{}); err != nil {
		return err
	}
	return service.Run(ctx)
}

// bootID is the kernel's name for the time since it started (random(4)).
func bootID() (id [16]byte, err error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return id, fmt.Errorf("read the boot id: %w", err)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(string(text)), "-", ""))
	if err != nil || copy(id[:], b) != len(id) {
		return id, fmt.Errorf("the boot id %q is no UUID", text)
	}
	return id, nil
}

// now reads CLOCK_MONOTONIC, which no read of a clock that exists fails, and the wall clock.
func now() (time.Duration, time.Time) {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return time.Duration(ts.Nano()), time.Now()
}
