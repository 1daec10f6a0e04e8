package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
)

const (
	bootTime = 15 * time.Second
	nobody   = 65534 // who reads the config before it says which users there are
)

// readConfig has the config parsed by a process without rights, and reads its record.
func (l *launcher) readConfig(ctx context.Context) (*ipc.Boot, error) {
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	record := &capped{limit: ipc.MaxBoot}
	cmd := l.command(ctx, "control", "boot", "-c", l.config)
	cmd.Stdout = record
	ended, err := start(cmd, sandbox.Profile{Isolated: true}, nobody, nobody)
	if err != nil {
		return nil, err
	}
	if err := <-ended; err != nil {
		return nil, fmt.Errorf("%w: %s: %w (it is read as user %d)", errConfig, l.config, err, nobody)
	}
	b, err := ipc.ParseBoot(record.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	return b, nil
}

// capped is a buffer that refuses what is over its limit.
type capped struct {
	bytes.Buffer
	limit int
}

func (c *capped) Write(b []byte) (int, error) {
	if c.Len()+len(b) > c.limit {
		return 0, fmt.Errorf("the boot record is over %d bytes", c.limit)
	}
	return c.Buffer.Write(b)
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
