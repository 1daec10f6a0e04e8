package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"citygate/pkg/control/api"
	"citygate/pkg/sandbox/profile"

	"golang.org/x/sys/unix"
)

// nobody is the user who reads for root.
const nobody = 65534

// control lets citygate-control answer once. For root it does so in a sandbox, as a user without rights: nothing is
// parsed as root. Its complaint is the error.
func (a *App) control(ctx context.Context, in io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(a.Tools, "citygate-control"), args...)
	cmd.Stdin = in
	var out, complaint strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaint
	run := cmd.Run
	if os.Geteuid() == 0 {
		run = func() error { return jailed(cmd) }
	}
	err := run()
	if err != nil && complaint.Len() > 0 {
		return []byte(out.String()), errors.New(strings.TrimSpace(complaint.String()))
	}
	if err != nil {
		return []byte(out.String()), fmt.Errorf("run citygate-control: %w", err)
	}
	return []byte(out.String()), nil
}

// keepDescriptors keeps what the caller of this command left open from the programs it starts.
func keepDescriptors() error {
	if err := unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("keep open descriptors from the programs to start: %w", err)
	}
	return nil
}

// jailed runs a command as the launcher does.
func jailed(cmd *exec.Cmd) error {
	if err := keepDescriptors(); err != nil {
		return err
	}
	// The way to the program may be closed to nobody, so it is started through a descriptor.
	program, err := unix.Open(cmd.Path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", cmd.Path, err)
	}
	defer unix.Close(program)
	cmd.Path = fmt.Sprintf("/proc/self/fd/%d", program)
	all, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("list the interfaces: %w", err)
	}
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
	}
	cmd.Env = append(os.Environ(), api.InterfacesEnv+"="+strings.Join(names, ","))
	profile := profile.Boot("/") // what may be read is for the program itself to say
	cmd.SysProcAttr = profile.Attr(nobody)
	done := make(chan error)
	go func() {
		// The child dies with this thread, and the thread loses its bounding set: it is this child's alone.
		runtime.LockOSThread()
		err := profile.DropBounding()
		if err == nil {
			err = cmd.Run()
		}
		done <- err
	}()
	return <-done
}
