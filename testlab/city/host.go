package city

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"citygate/testlab/attacker"
	"citygate/testlab/camera"
	"citygate/testlab/receiver"
	"citygate/testlab/topology"
	"citygate/testlab/vms"
)

// hostCommand is the first argument of a program that is to be a host of the city.
const hostCommand = "lab-host"

// IsHost reports whether the program was started as a host: it then ends with what HostMain returns.
func IsHost(args []string) bool { return len(args) == 3 && args[1] == hostCommand }

// HostMain is a host of the city: it runs in the host's namespaces, started by Up.
func HostMain(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := runHost(ctx, topology.Find(args[2])); err != nil {
		fmt.Fprintf(os.Stderr, "host %s: %v\n", args[2], err)
		return 1
	}
	return 0
}

// actor is what a host does.
type actor interface {
	Run(ctx context.Context) error
}

// newActor opens what a host needs.
func newActor(h topology.Host) (actor, error) {
	switch h.Role {
	case topology.Camera:
		return camera.New(h)
	case topology.VMS:
		return vms.New(h)
	case topology.Attacker:
		return attacker.NewSender(h)
	case topology.Switch:
		return receiver.New(h)
	}
	return idle{}, nil
}

// idle is a host whose kernel does all it has to do.
type idle struct{}

// Run waits for the end.
func (idle) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Ping answers.
func (idle) Ping(struct{}, *struct{}) error { return nil }

func runHost(ctx context.Context, h topology.Host) error {
	if err := ownSys(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	channel := os.NewFile(3, "supervisor")
	conn, err := net.FileConn(channel)
	channel.Close()
	if err != nil {
		return fmt.Errorf("open the supervisor's channel: %w", err)
	}
	a, err := newActor(h)
	if err != nil {
		return err
	}
	server := rpc.NewServer()
	if err := server.RegisterName("Host", a); err != nil {
		return fmt.Errorf("publish the host's methods: %w", err)
	}
	go func() {
		defer cancel() // without a supervisor there is no city
		server.ServeCodec(jsonrpc.NewServerCodec(conn))
	}()
	defer conn.Close()
	if err := a.Run(ctx); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// ownSys shows the host's own interfaces in /sys, and keeps the enclave's bpffs in its place.
func ownSys() error {
	const pins = "/sys/fs/bpf"
	fd, err := unix.Open(pins, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the enclave's bpffs: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		return fmt.Errorf("mount the host's /sys: %w", err)
	}
	if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", fd), pins, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount the enclave's bpffs in the host's /sys: %w", err)
	}
	return nil
}
