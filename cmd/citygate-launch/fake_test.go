//go:build lab

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
	"citygate/pkg/sandbox/profile"
)

// The test binary is also the gateway: copies of it under the names of the programs behave as those do.
func TestMain(m *testing.M) {
	name, ok := strings.CutPrefix(filepath.Base(os.Args[0]), "citygate-")
	switch {
	case !ok || strings.HasSuffix(name, ".test"):
		os.Exit(m.Run())
	case name == "launch":
		main()
	case len(os.Args) > 1 && os.Args[1] == "boot":
		exit(fakeBoot(os.Args[3]))
	case len(os.Args) > 1 && os.Args[1] == "detach":
		fmt.Println("detached as user", os.Getuid())
	case name == "firewall":
		fmt.Println("firewall", os.Args[1:], "as user", os.Getuid())
	default:
		exit(fakeWorker(name))
	}
}

func exit(err error) {
	var v *ipc.Violation
	switch {
	case errors.As(err, &v):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(ipc.ExitViolation(v.From))
	case err != nil && !errors.Is(err, io.EOF):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// fakeBoot's config file is the boot record itself.
func fakeBoot(path string) error {
	if err := sandbox.Enter(profile.Boot(path)); err != nil {
		return err
	}
	record, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if strings.HasPrefix(string(record), "bad") {
		return fmt.Errorf("%s:1: bad config", path)
	}
	_, err = os.Stdout.Write(record)
	return err
}

// fakeWorker sets itself up as the real ones do, then listens. The site's name says what goes wrong.
func fakeWorker(name string) error {
	boot, err := ipc.InheritBoot()
	if err != nil {
		return err
	}
	self := map[string]ipc.Process{"guard": ipc.Guard, "control": ipc.Control, "journal": ipc.Journal, "watch": ipc.Watch}[name]
	profile := map[string]sandbox.Profile{
		"guard": sandbox.Guard(boot), "control": profile.Control(boot), "journal": profile.Journal(boot), "watch": profile.Watch(),
	}[name]
	if err := sandbox.Enter(profile); err != nil {
		return err
	}
	launch, err := ipc.Inherit(self, ipc.Launch)
	if err != nil {
		return err
	}
	switch {
	case self == ipc.Journal:
		return fakeJournal(boot, launch)
	case self == ipc.Control:
		return fakeControl(launch)
	case self == ipc.Watch && boot.Site == "flood":
		return flood()
	case self == ipc.Watch && boot.Site == "exec":
		return syscall.Exec("/bin/true", []string{"true"}, nil)
	}
	if err := launch.Send(ipc.Ready{}); err != nil {
		return err
	}
	_, err = launch.Recv()
	return err
}

// flood says more than its budget allows, without the pauses of Send.
func flood() error {
	journal, err := ipc.Inherit(ipc.Watch, ipc.Journal)
	if err != nil {
		return err
	}
	raw, err := journal.File().SyscallConn()
	if err != nil {
		return err
	}
	event := []byte{0, 0, 0, 0, 0} // its place in the table, type 0, no payload
	return raw.Write(func(fd uintptr) bool {
		return syscall.Sendmsg(int(fd), event, nil, nil, syscall.MSG_NOSIGNAL) == syscall.EPIPE
	})
}

func fakeJournal(boot *ipc.Boot, launch *ipc.Conn) error {
	watch, err := ipc.Inherit(ipc.Journal, ipc.Watch)
	if err != nil {
		return err
	}
	for _, dir := range []string{boot.StateOf(ipc.Journal), boot.LogDir} {
		if err := os.WriteFile(dir+"/written", []byte("x"), 0o640); err != nil {
			return err
		}
	}
	if err := launch.Send(ipc.Ready{}); err != nil {
		return err
	}
	for {
		if _, err := watch.Recv(); err != nil {
			return err
		}
	}
}

func fakeControl(launch *ipc.Conn) error {
	fd, err := strconv.Atoi(os.Getenv(ipc.ListenerEnv))
	if err != nil {
		return err
	}
	l, err := net.FileListener(os.NewFile(uintptr(fd), "listener"))
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(c, "hello at %v", time.Now().Format(time.Kitchen)) // the time zone needs a file
			_ = c.Close()
		}
	}()
	if err := launch.Send(ipc.Ready{}); err != nil {
		return err
	}
	for {
		got, err := launch.Recv()
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "told %+v\n", got.Message)
	}
}
