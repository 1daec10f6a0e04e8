//go:build lab

package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
	"citygate/pkg/sandbox/profile"
)

// The test binary is also the program: it is started anew as the launcher starts it.
func TestMain(m *testing.M) {
	if os.Args[0] == "citygate-firewall" {
		main()
		return
	}
	os.Exit(m.Run())
}

// start runs the program in the network of the calling thread.
func start(m ipc.Management, args ...string) (err error) {
	b := &ipc.Boot{
		Config: "/etc/c", Policy: "/etc/p", StateDir: "/var/s", LogDir: "/var/l", RunDir: "/run/c", BPFDir: "/sys/fs/bpf/c",
		UIDBase: 47100, Bridges: []ipc.BootBridge{{Name: "cctv", CameraPort: "g0", ServerPort: "g1"}}, Management: m,
	}
	record, err := b.Append(nil)
	if err != nil {
		return err
	}
	fd, err := unix.MemfdCreate("boot", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "boot")
	defer f.Close()
	if _, err := f.Write(record); err != nil {
		return err
	}
	p := profile.Firewall()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = append([]string{"citygate-firewall"}, args...)
	cmd.Env = []string{ipc.BootEnv + "=3"}
	cmd.ExtraFiles = []*os.File{f}
	cmd.SysProcAttr = p.Attr(b.UID(ipc.Guard))
	if err := p.DropBounding(); err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// tables are the nftables tables of the calling thread's network.
func tables() (names []string, err error) {
	c, err := nftables.New()
	if err != nil {
		return nil, err
	}
	found, err := c.ListTables()
	for _, t := range found {
		names = append(names, t.Name)
	}
	return names, err
}

func inOwnNetwork(t *testing.T, do func() error) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("the lab tests need root")
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread has left the host's network and lost its bounding set
		err := syscall.Unshare(syscall.CLONE_NEWNET)
		if err == nil {
			err = do()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The program does its work in its own sandbox: it applies, applies again, and removes.
func TestInSandbox(t *testing.T) {
	m := ipc.Management{
		Interface: "lo", AllowFrom: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/24"), netip.MustParsePrefix("fd09::/64")},
		Ports: []ipc.PortRange{{Proto: flow.TCP, Lo: 22, Hi: 22}},
	}
	inOwnNetwork(t, func() error {
		for _, step := range []struct {
			m    ipc.Management
			args []string
			want string
		}{
			{m, nil, "[citygate]"},
			{m, nil, "[citygate]"},
			{ipc.Management{}, nil, "[]"},
			{m, nil, "[citygate]"},
			{m, []string{"remove"}, "[]"},
			{m, []string{"remove"}, "[]"},
		} {
			if err := start(step.m, step.args...); err != nil {
				return err
			}
			if got, err := tables(); err != nil || fmt.Sprint(got) != step.want {
				return fmt.Errorf("after %v of %q: tables %v, want %s, %v", step.args, step.m.Interface, got, step.want, err)
			}
		}
		return nil
	})
}

// It cannot be used for anything else: outside its birth it refuses.
func TestRefusesRoot(t *testing.T) {
	err := sandbox.Enter(profile.Firewall())
	if err == nil || !strings.Contains(err.Error(), "runs as root") {
		t.Errorf("got %v", err)
	}
	if _, err := net.Interfaces(); err != nil {
		t.Errorf("it locked this process up: %v", err)
	}
}
