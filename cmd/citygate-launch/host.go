package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"citygate/pkg/sandbox"
)

// checkHost says what this machine lacks that nothing else would say as clearly; `citygate doctor` looks at the rest.
func checkHost() error {
	if os.Geteuid() != 0 {
		return errors.New("it needs root, to make namespaces and users for its processes: run it by sudo or systemd")
	}
	return sandbox.Supported()
}

// enterFolder makes the folder of this program the current one. The other programs are there, and are started from there:
// the way to it may be closed to their users.
func enterFolder() error {
	exe, err := os.Executable()
	if err == nil {
		err = os.Chdir(filepath.Dir(exe))
	}
	if err != nil {
		return fmt.Errorf("enter the folder of this program: %w", err)
	}
	for _, name := range []string{"guard", "control", "journal", "watch", "firewall"} {
		if _, err := os.Stat("citygate-" + name); err != nil {
			return fmt.Errorf("find citygate-%s beside this program in %s: %w", name, filepath.Dir(exe), err)
		}
	}
	return nil
}

// notify tells systemd, if it started us, that the gateway is up (sd_notify(3)).
func notify(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Sendto(fd, []byte(state), unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: path})
		_ = unix.Close(fd)
	}
	if err != nil {
		return fmt.Errorf("notify systemd at %s: %w", path, err)
	}
	return nil
}
