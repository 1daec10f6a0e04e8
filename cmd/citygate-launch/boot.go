package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
)

const (
	bootTime = 15 * time.Second
	nobody   = 65534 // who reads the config before it says which users there are
)

// readConfig has the config parsed by a process without rights, and reads its record.
func (l *launcher) readConfig(ctx context.Context) (*ipc.Boot, error) {
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe for the boot record: %w", err)
	}
	defer r.Close()
	cmd := command(ctx, "control", "boot", "-c", l.config)
	cmd.Stdout, cmd.Env = w, os.Environ() // a value of the config may name a variable
	ended, err := l.start(cmd, isolated, nobody, nobody)
	_ = w.Close()
	if err != nil {
		return nil, err
	}
	record, _ := io.ReadAll(io.LimitReader(r, ipc.MaxBoot+1))
	_, _ = io.Copy(io.Discard, r)
	if err := <-ended; err != nil {
		return nil, fmt.Errorf("%w: %s: %w (it is read as user %d)", errConfig, l.config, err, nobody)
	}
	b, err := ipc.ParseBoot(record)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	return b, nil
}

// seal puts the record into memory that nobody can change.
func seal(b *ipc.Boot) (*os.File, error) {
	data, err := b.Append(nil)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("citygate-boot", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("make the boot record: %w", err)
	}
	f := os.NewFile(uintptr(fd), "boot record")
	if _, err = f.Write(data); err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_GROW|unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("make the boot record: %w", err)
	}
	return f, nil
}
