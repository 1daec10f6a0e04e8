// Package city raises the lab: the hosts of a topology as processes, each in its namespaces, and the questions and
// orders that a supervisor has for them. It runs inside an enclave.
package city

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"citygate/testlab/enclave"
	"citygate/testlab/topology"
)

// City is a running lab.
type City struct {
	Network *topology.Network
	hosts   map[string]*host
}

// host is one process of the city, and the way to talk to it.
type host struct {
	topology.Host
	cmd    *exec.Cmd
	client *rpc.Client
	net    *os.File
	exited chan struct{}
}

// Up builds the network, starts the switches and the gateway's host, lets connect join the gateway's two ports, and
// starts the other hosts.
func Up(connect func(*City) error) (*City, error) {
	if !enclave.Inside() {
		return nil, errors.New("the city is only built inside an enclave")
	}
	network, err := topology.Build()
	if err != nil {
		return nil, fmt.Errorf("build the city's network: %w", err)
	}
	c := &City{Network: network, hosts: map[string]*host{}}
	if err := c.populate(connect); err != nil {
		c.Down()
		return nil, err
	}
	return c, nil
}

func (c *City) populate(connect func(*City) error) error {
	for _, h := range topology.City() {
		// The hosts with a side come after the switches and the gateway: their first packets should get through.
		if h.Role == topology.Router {
			if err := connect(c); err != nil {
				return err
			}
		}
		started, err := c.start(h)
		if err != nil {
			return fmt.Errorf("start host %s: %w", h.Name, err)
		}
		c.hosts[h.Name] = started
	}
	return nil
}

func (c *City) start(h topology.Host) (*host, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make a channel: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), h.Name), os.NewFile(uintptr(fds[1]), h.Name)
	defer ours.Close()
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, fmt.Errorf("open a channel: %w", err)
	}
	cmd := exec.Command("/proc/self/exe", hostCommand, h.Name)
	cmd.Args[0] = "citygate-lab"
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out := &host{Host: h, cmd: cmd, net: c.Network.Namespace(h.Name), exited: make(chan struct{})}
	if err := (enclave.Spaces{Net: out.net}).Start(cmd); err != nil {
		conn.Close()
		return nil, err
	}
	out.client = jsonrpc.NewClient(conn)
	go func() {
		defer close(out.exited)
		_ = cmd.Wait() // the reason stands in its standard error
	}()
	return out, nil
}

// Down ends all hosts and lets the network go.
func (c *City) Down() {
	for _, h := range c.hosts {
		_ = h.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	}
	patience := time.After(3 * time.Second)
	for _, h := range c.hosts {
		select {
		case <-h.exited:
		case <-patience:
			_ = h.cmd.Process.Kill()
			<-h.exited
		}
		h.client.Close()
		h.net.Close()
	}
	c.Network.Close()
}

// Call asks a host: method is one of its actor's.
func (c *City) Call(ctx context.Context, name, method string, in, out any) error {
	h := c.hosts[name]
	if h == nil {
		return fmt.Errorf("there is no host %q; there are %s", name, strings.Join(Names(), ", "))
	}
	call := h.client.Go("Host."+method, in, out, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		if call.Error != nil {
			return fmt.Errorf("%s: %s: %w", name, method, call.Error)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: %s: %w", name, method, ctx.Err())
	}
}

// Names lists the hosts.
func Names() []string {
	var names []string
	for _, h := range topology.City() {
		names = append(names, h.Name)
	}
	return names
}

// Start starts a command in a host's namespaces; the caller waits for it.
func (c *City) Start(name string, cmd *exec.Cmd) error {
	h := c.hosts[name]
	if h == nil {
		return fmt.Errorf("there is no host %q; there are %s", name, strings.Join(Names(), ", "))
	}
	spaces, err := enclave.Of(h.cmd.Process.Pid)
	if err != nil {
		return err
	}
	defer spaces.Close()
	spaces.PID.Close()
	spaces.PID = nil // the caller is in it already
	if err := spaces.Start(cmd); err != nil {
		return fmt.Errorf("start %s on %s: %w", cmd.Args[0], name, err)
	}
	return nil
}

// Output is what a command that ended said.
type Output struct {
	Stdout, Stderr string
	Code           int
}

// Run runs a command in a host's namespaces until it ends, or ctx does. An exit code is no error.
func (c *City) Run(ctx context.Context, name string, args ...string) (Output, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	if err := c.Start(name, cmd); err != nil {
		return Output{}, err
	}
	err := cmd.Wait()
	out := Output{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return out, fmt.Errorf("run %s on %s: %w", args[0], name, err)
	}
	return out, nil
}

// PID is a host's process, as seen inside the enclave; 0 if there is none.
func (c *City) PID(name string) int {
	if h := c.hosts[name]; h != nil {
		return h.cmd.Process.Pid
	}
	return 0
}
