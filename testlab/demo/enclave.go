package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"citygate/testlab/enclave"
)

// demoEnclave is the enclave that the demo plays in, seen from outside.
type demoEnclave struct {
	cmd   *exec.Cmd
	out   io.ReadCloser
	said  saying
	space string        // the PID namespace
	ended chan struct{} // closed when the inside has ended
}

// How long the inside may take to end when it is asked to, and how often it is asked: a process 1 that does not listen
// yet ignores it. Then it is killed.
const (
	stopTime  = 15 * time.Second
	stopAgain = 300 * time.Millisecond
)

func startEnclave(args []string) (*demoEnclave, error) {
	cmd, err := enclave.Command(args...)
	if err != nil {
		return nil, err
	}
	e := &demoEnclave{cmd: cmd, ended: make(chan struct{})}
	cmd.Stderr = &e.said
	// The enclave ends with this program, however that ends; but the terminal's signals are for this program alone.
	cmd.SysProcAttr.Pdeathsig, cmd.SysProcAttr.Setsid = syscall.SIGKILL, true
	if e.out, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start in namespaces of its own (the kernel needs net, pid, ipc and mount namespaces): %w", err)
	}
	e.space, _ = os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", cmd.Process.Pid))
	return e, nil
}

// read passes on the states until the inside ends, and gives the last one.
func (e *demoEnclave) read(feed chan<- State) (last State) {
	defer close(feed)
	d := json.NewDecoder(e.out)
	for {
		var s State
		if err := d.Decode(&s); err != nil {
			return last
		}
		last = s
		feed <- s
	}
}

// interrupt asks the inside to take everything down.
func (e *demoEnclave) interrupt() {
	for range stopTime / stopAgain {
		_ = e.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-e.ended:
			return
		case <-time.After(stopAgain):
		}
	}
	_ = e.cmd.Process.Kill()
}

// wait waits for the end of the inside, after all of its states were read.
func (e *demoEnclave) wait() error {
	defer close(e.ended)
	return e.cmd.Wait()
}

// left counts the processes that are still in the demo's PID namespace. The namespaces and mounts end with the last one.
func (e *demoEnclave) left() (n int) {
	entries, err := os.ReadDir("/proc")
	if err != nil || e.space == "" {
		return -1
	}
	for _, f := range entries {
		if _, err := strconv.Atoi(f.Name()); err != nil {
			continue
		}
		if space, err := os.Readlink(filepath.Join("/proc", f.Name(), "ns/pid")); err == nil && space == e.space {
			n++
		}
	}
	return n
}

func (e *demoEnclave) leftText() string {
	switch n := e.left(); n {
	case -1:
		return "what is left could not be counted"
	default:
		return fmt.Sprintf("%d processes left", n)
	}
}

// saying keeps the end of what the inside writes to its standard error.
type saying struct {
	mu  sync.Mutex
	end bytes.Buffer
}

const mostSaid = 16 << 10

// Write keeps the last bytes.
func (s *saying) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end.Write(p)
	s.end.Next(max(0, s.end.Len()-mostSaid))
	return len(p), nil
}

func (s *saying) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end.String()
}
