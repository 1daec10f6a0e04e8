// Command citygate-inspect is the inspection engine. The citygate command starts it for captures and rules, with a job and
// open files (pkg/detect/offline/job): it locks itself up before it reads a byte of them.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"citygate/pkg/detect/offline"
	"citygate/pkg/detect/offline/job"
	"citygate/pkg/sandbox"
	"citygate/pkg/sandbox/profile"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "citygate-inspect:", err)
		os.Exit(1)
	}
}

func run() error {
	in := os.NewFile(job.Descriptor, "job")
	j, err := job.Read(in)
	if err != nil {
		return fmt.Errorf("%w: this program is started by citygate replay and citygate rules", err)
	}
	in.Close()
	if err := limit(j.Memory); err != nil {
		return err
	}
	if err := sandbox.Enter(profile.Inspect(job.FirstFile+len(j.Files), j.Person)); err != nil {
		return err
	}
	files := make([]io.ReadWriter, len(j.Files))
	for i, f := range j.Files {
		files[i] = os.NewFile(uintptr(job.FirstFile+i), f.Name)
	}
	return offline.Do(j, os.Stdin, files).Write(os.Stdout)
}

// limit bounds the memory that this process may write (RLIMIT_DATA: what the Go runtime only reserves does not count). The
// collector works harder before the end is near.
func limit(bytes uint64) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &now); err != nil {
		return fmt.Errorf("read the limit of memory: %w", err)
	}
	bytes = min(bytes, now.Max)
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: bytes, Max: bytes}); err != nil {
		return fmt.Errorf("limit memory to %d bytes: %w", bytes, err)
	}
	debug.SetGCPercent(50) // reading rules makes garbage: less memory for a little time
	debug.SetMemoryLimit(int64(min(bytes, 1<<60) / 10 * 8))
	return nil
}
