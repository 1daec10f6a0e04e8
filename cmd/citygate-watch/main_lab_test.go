//go:build lab

package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"citygate/pkg/datapath"
	"citygate/pkg/datapath/reader"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/sandbox/profile"
	"citygate/pkg/verdict"
)

// TestMain runs the tests in network and mount namespaces of their own: nothing here can touch the host.
func TestMain(m *testing.M) {
	if os.Getuid() != 0 {
		fmt.Println("skip: root loads BPF programs and starts workers")
		return
	}
	if os.Getenv("CITYGATE_NS") == "" {
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Env = append(os.Environ(), "CITYGATE_NS=1")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		if err := cmd.Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if err := errors.Join(unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("none", "/sys/fs/bpf", "bpf", 0, "")); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// worker is a citygate-watch in its sandbox, and the other processes' ends of its channels.
type worker struct {
	cmd                             *exec.Cmd
	launch, guard, control, journal *ipc.Conn
	ended                           chan error
}

// start does what the launcher does.
func start(t *testing.T, binary string, b *ipc.Boot) *worker {
	t.Helper()
	w := &worker{cmd: exec.Command(binary), ended: make(chan error, 1)}
	var theirs []*ipc.Conn
	var channels []string
	for peer, mine := range map[ipc.Process]**ipc.Conn{
		ipc.Launch: &w.launch, ipc.Guard: &w.guard, ipc.Control: &w.control, ipc.Journal: &w.journal,
	} {
		a, z, err := ipc.NewPair(peer, ipc.Watch)
		if err != nil {
			t.Fatal(err)
		}
		*mine, theirs = a, append(theirs, z)
		w.cmd.ExtraFiles = append(w.cmd.ExtraFiles, z.File())
		channels = append(channels, fmt.Sprintf("%v=%d", peer, 2+len(w.cmd.ExtraFiles)))
	}
	record, err := b.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	boot, err := os.CreateTemp(t.TempDir(), "boot")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := boot.Write(record); err != nil {
		t.Fatal(err)
	}
	w.cmd.ExtraFiles = append(w.cmd.ExtraFiles, boot)
	w.cmd.Env = []string{ipc.ChannelsEnv + "=" + strings.Join(channels, ","), ipc.BootEnv + "=7"}
	w.cmd.Stderr = os.Stderr
	profile := profile.Watch()
	w.cmd.SysProcAttr = profile.Attr(b.UID(ipc.Watch))
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread loses its rights and ends with the worker
		err := profile.DropBounding()
		if err == nil {
			err = w.cmd.Start()
		}
		started <- err
		if err == nil {
			w.ended <- w.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	for _, c := range theirs {
		_ = c.Close()
	}
	_ = boot.Close()
	return w
}

// hear waits for a message that ok accepts.
func hear(t *testing.T, w *worker, c *ipc.Conn, what string, ok func(ipc.Message) bool) {
	t.Helper()
	timeout := time.AfterFunc(20*time.Second, func() { _ = c.Close() })
	defer timeout.Stop()
	for {
		r, err := c.Recv()
		if err != nil {
			_ = w.guard.Close() // which ends it, if it has not ended
			t.Fatalf("no %s: %v, exit %v", what, err, <-w.ended)
		}
		if ok(r.Message) {
			return
		}
	}
}

// hearEvent waits for an event of a type that ok accepts: the kernel's own chatter is there too.
func hearEvent[E event.Event](t *testing.T, w *worker, ok func(E) bool) (found E) {
	t.Helper()
	hear(t, w, w.journal, fmt.Sprintf("%T", found), func(m ipc.Message) bool {
		v := m.(ipc.Event)
		e, err := event.Decode(v.Type, v.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if a, is := e.(*event.Anomaly); is && a.Type == event.AnomalyBox {
			t.Fatalf("watch reports %s: %s", a.Event, a.Text)
		}
		typed, is := e.(E)
		found = typed
		return is && ok(typed)
	})
	return found
}

var (
	mac     = flow.MAC{0xbc, 0xad, 0x28, 0, 0, 0x10}
	unknown = flow.MAC{0xbc, 0xad, 0x28, 0, 0, 0x66}
	server  = flow.MAC{2, 0, 0, 0, 0, 2}
)

// send puts a frame on the wire of a port.
func send(t *testing.T, port string, frame []byte) {
	t.Helper()
	l, err := netlink.LinkByName(port + "peer")
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: l.Attrs().Index}); err != nil {
		t.Fatal(err)
	}
}

func raw(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// udp is a frame from 10.0.0.16 to 10.0.0.2.
func udp(from flow.MAC, dport string) []byte {
	return append(append(server[:], from[:]...), raw("0800 4500001c 0001 0000 40 11 66c0 0a000010 0a000002 1388"+dport+"0008 0000"+
		"000000000000000000000000000000000000")...)
}

// The whole worker in its sandbox, on a real bridge: maps and ring come by descriptor, and no call that its profile
// forbids is needed to read them.
func TestWorker(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "citygate-watch")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "citygate-watch")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	bridge := openBridge(t)
	w := start(t, binary, &ipc.Boot{
		Site: "school-14", Config: "/c.yaml", Policy: "/p.yaml", StateDir: dir + "/state", LogDir: dir + "/log",
		RunDir: "/run/x", BPFDir: "/sys/fs/bpf/x", UIDBase: 47100,
		Bridges: []ipc.BootBridge{{Name: "cctv", CameraPort: "g0", ServerPort: "g1"}},
	})
	maps, err := bridge.Maps()
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range maps {
		if err := w.guard.Send(ipc.MapFD{Bridge: "cctv", Name: name}, m.FD()); err != nil {
			t.Fatal(err)
		}
		m.Close()
	}
	if len(maps) != len(reader.Names)+1 {
		t.Errorf("the guard shares %d maps, watch waits for %d", len(maps), len(reader.Names)+1)
	}
	hear(t, w, w.launch, "ready", func(m ipc.Message) bool { return m == ipc.Ready{} })
	hearEvent(t, w, func(s *event.Stats) bool { return s.Generation != 0 && s.Bridge == "cctv" })

	began := time.Now()
	send(t, "g0", udp(unknown, "0017"))
	hear(t, w, w.control, "first sight", func(m ipc.Message) bool {
		s, ok := m.(ipc.DeviceSeen)
		return ok && s.MAC == unknown && s.Addr == netip.MustParseAddr("10.0.0.16") && s.Side == flow.CameraSide
	})
	if took := time.Since(began); took > time.Second {
		t.Errorf("a first sight takes %v", took)
	} else {
		t.Logf("a first sight takes %v", took)
	}
	d := hearEvent(t, w, func(d *event.Drop) bool { return d.SrcMAC == unknown })
	if d.Reason != verdict.ReasonUnknownDevice || d.Count != 1 ||
		d.Tuple.DstPort != 23 || d.Iface != "g0" || time.Since(d.Wall).Abs() > 10*time.Second {
		t.Errorf("drop %+v", d)
	}
	bad := udp(mac, "0017")
	bad[39] = 7 // the UDP length
	send(t, "g0", bad)
	hearEvent(t, w, func(a *event.Anomaly) bool {
		return a.Event == "decoder.udp.hlen_too_small" && a.Object == mac.String()
	})

	began = time.Now()
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-w.ended; err != nil {
		t.Errorf("SIGTERM ends it with %v", err)
	}
	t.Logf("it ends %v after SIGTERM", time.Since(began).Round(time.Millisecond))
}

// openBridge makes a bridge between two veth pairs, with a policy of two devices.
func openBridge(t *testing.T) *datapath.Bridge {
	t.Helper()
	for _, name := range []string{"g0", "g1"} {
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: name + "peer"}); err != nil {
			t.Fatal(err)
		}
		peer, err := netlink.LinkByName(name + "peer")
		if err == nil {
			err = netlink.LinkSetUp(peer)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := datapath.Open("/sys/fs/bpf/x/cctv", ipc.BootBridge{
		CameraPort: "g0", ServerPort: "g1", Enforce: true, FailOpen: true, OverloadPass: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	s, err := b.Stage(&ipc.PolicySet{
		Devices: []ipc.DeviceEntry{{ID: 1, Via: 1, Side: flow.CameraSide}, {ID: 2, Via: 2, Side: flow.ServerSide}},
		MACs:    []ipc.MACEntry{{MAC: mac, Device: 1}, {MAC: server, Device: 2}},
		Addrs: []ipc.AddrEntry{
			{Prefix: netip.MustParsePrefix("10.0.0.16/32"), Device: 1}, {Prefix: netip.MustParsePrefix("10.0.0.2/32"), Device: 2},
		},
		Services: []ipc.ServiceEntry{{Proto: flow.UDP, Lo: 1024, Hi: 65535}},
		Rules:    []ipc.RuleEntry{{From: 1, To: 2, Rule: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Activate(); err != nil {
		t.Fatal(err)
	}
	return b
}
