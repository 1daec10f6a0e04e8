// Package traffic is a camera site's traffic for measuring inspection: cameras that stream, the video server that pulls
// and polls them, offices that browse and mail, controllers, and some of the noise of the internet. Real programs and
// the kernel's TCP talk across a veth pair, and what crosses it is recorded.
//
// The parent has the clients, a child in a second network namespace the servers.
package traffic

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// serversVar is set in the child.
const serversVar = "CITYGATE_TRAFFIC"

// IsServers reports whether the program was started to be the servers: it then ends with what ServersMain returns.
func IsServers() bool { return os.Getenv(serversVar) != "" }

// seed makes the contents the same in every recording; times, ports and keys differ.
const seed = 3

// dice is an actor's own source of contents.
func dice(actor string) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range []byte(actor) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h))
}

// span is how long the clients talk: a minute of it would be no different.
const span = 12 * time.Second

// settle is given to what is under way at the end, and to the first packets at the start.
const settle = 300 * time.Millisecond

// Record plays the site's traffic for about span and writes what crossed the wire as a capture. It has to run as root
// in a network namespace of its own.
func Record(ctx context.Context, path string) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithTimeout(ctx, 4*span)
	defer cancel()
	child, err := startServers(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, child.stop()) }()
	if err := connect(child.cmd.Process.Pid); err != nil {
		return err
	}
	if err := setUp(clientAddrs()); err != nil {
		return err
	}
	if err := child.ready(); err != nil {
		return err
	}
	rec, err := NewRecorder(device, path)
	if err != nil {
		return err
	}
	err = clients(ctx)
	pause(ctx, settle)
	return errors.Join(err, rec.Stop())
}

// servers is the child.
type servers struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Reader
}

func startServers(ctx context.Context) (*servers, error) {
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = append(os.Environ(), serversVar+"=1")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the servers: %w", err)
	}
	return &servers{cmd, in, bufio.NewReader(out)}, nil
}

// ready lets the child begin, now that it has its interface, and waits until its servers listen.
func (s *servers) ready() error {
	if _, err := io.WriteString(s.in, "go\n"); err != nil {
		return fmt.Errorf("start the servers: %w", err)
	}
	line, err := s.lines.ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "ready" {
		return fmt.Errorf("the servers did not start: %q, %v", line, err)
	}
	return nil
}

// stop ends the child by the end of its input.
func (s *servers) stop() error {
	s.in.Close()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the servers: %w", err)
	}
	return nil
}

// ServersMain is the child: it serves until its input ends.
func ServersMain() int {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "servers:", err)
		return 1
	}
	return 0
}

func serve(in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	if _, err := r.ReadString('\n'); err != nil {
		return fmt.Errorf("wait for the wire: %w", err)
	}
	if err := setUp(serverAddrs()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, open := range []func(context.Context) error{serveCameras, serveWeb, serveTLS, serveNames, servePlant, serveMail, serveLines, serveNoise} {
		if err := open(ctx); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(out, "ready\n"); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, r) // until the parent closes it
	return nil
}

// clients runs everyone who asks, until span is over. One that fails is an error: the capture would not be what it says.
func clients(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, span+settle)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	for _, start := range []func(context.Context, *errgroup.Group){
		watchCameras, pollCameras, browse, browseTLS, askNames, pollPlant, mail, logIn, makeNoise,
	} {
		start(ctx, g)
	}
	return g.Wait()
}

// each does f for i from 0 to n-1, evenly over span, until ctx ends.
func each(ctx context.Context, n int, f func(i int) error) error {
	begin := time.Now()
	for i := range n {
		if pause(ctx, time.Until(begin.Add(span*time.Duration(i)/time.Duration(n)))); ctx.Err() != nil {
			return nil
		}
		if err := f(i); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// Who is where. Cameras, controllers and offices are inside; what they reach and who looks for prey is outside, in the
// blocks for documentation (RFC 5737).
const (
	cameraCount = 20
	officeCount = 10
	plantCount  = 6
	siteCount   = 12
)

var (
	vms      = netip.MustParseAddr("10.0.0.2")
	vms6     = netip.MustParseAddr("fd00:10::2")
	resolver = netip.MustParseAddr("10.0.0.53")
	mailHost = netip.MustParseAddr("203.0.113.25")
	store    = netip.MustParseAddr("10.0.0.21") // takes files of cameras
	logger   = netip.MustParseAddr("10.0.0.14")
	prowler  = netip.MustParseAddr("192.0.2.66")
)

// cameraAddr is a camera's address; every fifth camera has IPv6.
func cameraAddr(i int) netip.Addr {
	if i%5 == 4 {
		return netip.AddrFrom16([16]byte{0xfd, 0, 0, 0x10, 14: 1, 15: byte(i)})
	}
	return netip.AddrFrom4([4]byte{10, 0, 1, byte(10 + i)})
}

func officeAddr(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 2, byte(10 + i)}) }
func plantAddr(i int) netip.Addr  { return netip.AddrFrom4([4]byte{10, 0, 3, byte(10 + i)}) }
func siteAddr(i int) netip.Addr   { return netip.AddrFrom4([4]byte{198, 51, 100, byte(10 + i)}) }

func clientAddrs() []netip.Addr {
	out := []netip.Addr{vms, vms6, prowler}
	for i := range officeCount {
		out = append(out, officeAddr(i))
	}
	return out
}

func serverAddrs() []netip.Addr {
	out := []netip.Addr{resolver, mailHost, store, logger}
	for i := range cameraCount {
		out = append(out, cameraAddr(i))
	}
	for i := range plantCount {
		out = append(out, plantAddr(i))
	}
	for i := range siteCount {
		out = append(out, siteAddr(i))
	}
	return out
}
