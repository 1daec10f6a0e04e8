package city

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"citygate/testlab/enclave"
)

// Remote is a city in the background, seen from outside its enclave. All it has on the host is a folder with its
// control socket, its log, and the number of its process 1.
type Remote struct{ Dir string }

func (r Remote) path(name string) string { return filepath.Join(r.Dir, name) }

// startTime is how long a city may take to stand.
const startTime = time.Minute

// Up starts the own program with args inside a new enclave, as the supervisor of a city, and waits until it answers.
func (r Remote) Up(args ...string) error {
	if pid, err := r.pid(); err == nil {
		return fmt.Errorf("a city is up already, as process %d: citygate-lab down ends it", pid)
	}
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return err
	}
	listener, log, err := r.files()
	if err != nil {
		return err
	}
	defer listener.Close()
	defer log.Close()
	cmd, err := enclave.Command(args...)
	if err != nil {
		return err
	}
	cmd.Env = append(cmd.Env, enclave.SocketVar+"=1")
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{listener}
	cmd.SysProcAttr.Setsid = true
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the enclave: %w", err)
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	if err := os.WriteFile(r.path("pid"), []byte(pid+"\n"), 0o644); err != nil {
		_ = cmd.Process.Kill()
		return err
	}
	listener.Close() // the supervisor's copy is the only one: when it ends, so does the question below
	if err := r.Call("Status", struct{}{}, &Status{}, startTime); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("the city does not stand: %w\n%s", errors.Join(err, r.Down()), said)
	}
	return cmd.Process.Release()
}

func (r Remote) files() (socket, log *os.File, err error) {
	if err := os.Remove(r.path("socket")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: r.path("socket"), Net: "unix"})
	if err != nil {
		return nil, nil, fmt.Errorf("make the control socket: %w", err)
	}
	l.SetUnlinkOnClose(false)
	defer l.Close()
	if socket, err = l.File(); err != nil {
		return nil, nil, fmt.Errorf("make the control socket: %w", err)
	}
	if log, err = os.Create(r.path("log")); err != nil {
		socket.Close()
		return nil, nil, err
	}
	return socket, log, nil
}

// Call asks the city's Service.
func (r Remote) Call(method string, in, out any, patience time.Duration) error {
	conn, err := net.Dial("unix", r.path("socket"))
	if err != nil {
		return fmt.Errorf("reach the city (is it up? citygate-lab up starts one): %w", err)
	}
	client := jsonrpc.NewClient(conn)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	call := client.Go("City."+method, in, out, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		return call.Error
	case <-ctx.Done():
		return fmt.Errorf("ask the city for %s: %w", method, ctx.Err())
	}
}

// pid is the city's process 1, as the host sees it. It is an error if that does not run any more.
func (r Remote) pid() (int, error) {
	b, err := os.ReadFile(r.path("pid"))
	if err != nil {
		return 0, fmt.Errorf("no city is up: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", r.path("pid"), err)
	}
	// The number may be another process's by now: process 1 of an enclave has two numbers, the second is 1.
	if inner, err := innerPID(pid); err != nil || inner != 1 {
		return 0, errors.New("no city is up: its process has ended")
	}
	return pid, nil
}

// innerPID is a process's number in its own PID namespace.
func innerPID(pid int) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte("NSpid:")); ok {
			numbers := strings.Fields(string(rest))
			if len(numbers) < 2 {
				return 0, fmt.Errorf("process %d is in no enclave", pid)
			}
			return strconv.Atoi(numbers[len(numbers)-1])
		}
	}
	return 0, fmt.Errorf("process %d has no NSpid", pid)
}

// Down ends the city, waits until its process 1 is gone (with it go all namespaces), and removes its folder.
func (r Remote) Down() error {
	pid, err := r.pid()
	if err == nil {
		err = end(pid)
	}
	for _, name := range []string{"pid", "socket", "log"} {
		if gone := os.Remove(r.path(name)); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	_ = os.Remove(r.Dir) // it may hold files of others
	return err
}

// end asks a process to end, then kills it.
func end(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	for _, s := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := unix.PidfdSendSignal(fd, s, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("end process %d: %w", pid, err)
		}
		gone := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(gone, 5000); err == nil && n == 1 {
			return nil
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}

// Exec runs a command in a host's namespaces with the caller's standard files, and gives its exit code.
func (r Remote) Exec(host string, args []string) (int, error) {
	var status Status
	if err := r.Call("Status", struct{}{}, &status, patience); err != nil {
		return 0, err
	}
	for _, h := range status.Hosts {
		if h.Name != host {
			continue
		}
		pid, err := r.outerPID(h.PID)
		if err != nil {
			return 0, err
		}
		return execIn(pid, args)
	}
	return 0, fmt.Errorf("there is no host %q; there are %s", host, strings.Join(Names(), ", "))
}

func execIn(pid int, args []string) (int, error) {
	spaces, err := enclave.Of(pid)
	if err != nil {
		return 0, err
	}
	defer spaces.Close()
	// The product's programs lie beside the lab's.
	if self, err := os.Executable(); err == nil {
		if err := os.Setenv("PATH", filepath.Dir(self)+":"+os.Getenv("PATH")+":/usr/sbin:/sbin"); err != nil {
			return 0, err
		}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := spaces.Start(cmd); err != nil {
		return 0, err
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// outerPID finds the host's number of a process of the city.
func (r Remote) outerPID(inner int) (int, error) {
	first, err := r.pid()
	if err != nil {
		return 0, err
	}
	space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", first))
	if err != nil {
		return 0, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if s, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid)); err != nil || s != space {
			continue
		}
		if got, err := innerPID(pid); err == nil && got == inner {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("process %d of the city is not there", inner)
}
