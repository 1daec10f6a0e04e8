package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"citygate/pkg/sandbox"
)

// checkHost says what this machine lacks, and what to do about it.
func checkHost() error {
	if os.Geteuid() != 0 {
		return errors.New("it needs root, to make namespaces and users for its processes: run it by sudo or systemd")
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return fmt.Errorf("read the kernel's version: %w", err)
	}
	var major, minor int
	release := unix.ByteSliceToString(u.Release[:])
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil || major < 6 || (major == 6 && minor < 1) {
		return fmt.Errorf("kernel %s is too old: install 6.1 or newer", release)
	}
	return sandbox.Supported()
}

// binariesFD is above all descriptors that a process inherits: those take the numbers from 3 on, and would take its place.
const binariesFD = 100

// openBinaries opens the folder of this program, where the others are too. They are started through the descriptor, so
// that the way to it may be closed to their users.
func openBinaries() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	low, err := unix.Open(filepath.Dir(exe), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open the folder of %s: %w", exe, err)
	}
	defer unix.Close(low)
	fd, err := unix.FcntlInt(uintptr(low), unix.F_DUPFD_CLOEXEC, binariesFD)
	if err != nil {
		return "", fmt.Errorf("keep the folder of %s: %w", exe, err)
	}
	folder := fmt.Sprintf("/proc/self/fd/%d", fd)
	for _, w := range workers {
		if _, err := os.Stat(folder + "/citygate-" + w.process.String()); err != nil {
			return "", fmt.Errorf("find citygate-%v beside this program in %s: %w", w.process, filepath.Dir(exe), err)
		}
	}
	return folder, nil
}

// notify tells systemd, if it started us, that the gateway is up (sd_notify(3)).
func notify(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, []byte(state), unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: path}); err != nil {
		return fmt.Errorf("notify systemd at %s: %w", path, err)
	}
	return nil
}
