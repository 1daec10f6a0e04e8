package enclave

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// Spaces are the namespaces of one host of the lab. PID is nil when the caller already is in the enclave's.
type Spaces struct {
	Net, Mount, PID *os.File
}

// Of opens the namespaces of a running process.
func Of(pid int) (Spaces, error) {
	var s Spaces
	var errs [3]error
	s.Net, errs[0] = os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	s.Mount, errs[1] = os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	s.PID, errs[2] = os.Open(fmt.Sprintf("/proc/%d/ns/pid", pid))
	if err := errors.Join(errs[:]...); err != nil {
		s.Close()
		return Spaces{}, fmt.Errorf("open the namespaces of process %d: %w", pid, err)
	}
	return s, nil
}

// Close releases the descriptors.
func (s Spaces) Close() {
	for _, f := range []*os.File{s.Net, s.Mount, s.PID} {
		if f != nil {
			f.Close()
		}
	}
}

// Start starts cmd inside the namespaces. The command is looked up there too, with the caller's PATH.
func (s Spaces) Start(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	go func() {
		// Never unlocked: the thread has left the program's namespaces, so it must end with this goroutine.
		runtime.LockOSThread()
		done <- s.start(cmd)
	}()
	return <-done
}

func (s Spaces) start(cmd *exec.Cmd) error {
	if s.Mount != nil {
		// setns(2): a thread that shares its file system attributes cannot change its mount namespace.
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return fmt.Errorf("unshare file system attributes: %w", err)
		}
	}
	for _, join := range []struct {
		f    *os.File
		kind int
	}{{s.PID, unix.CLONE_NEWPID}, {s.Mount, unix.CLONE_NEWNS}, {s.Net, unix.CLONE_NEWNET}} {
		if join.f == nil {
			continue
		}
		if err := unix.Setns(int(join.f.Fd()), join.kind); err != nil {
			return fmt.Errorf("enter %s: %w", join.f.Name(), err)
		}
	}
	return cmd.Start()
}
