//go:build lab

package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

// gateway is a launcher with fake workers, in network and mount namespaces of its own.
type gateway struct {
	t     *testing.T
	cmd   *exec.Cmd
	dir   string
	boot  *ipc.Boot
	stray *os.File
	log   chan string
	seen  []string
}

func newGateway(t *testing.T, site string) *gateway {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("the lab tests need root")
	}
	dir, err := os.MkdirTemp("", "launch")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	// Its folder is closed to the workers' users, as a clone in root's home is; only the config's is open.
	exe, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(dir, 0o711), os.Mkdir(dir+"/closed", 0o700), os.Mkdir(dir+"/closed/bin", 0o755),
		os.Mkdir(dir+"/etc", 0o755), os.WriteFile(dir+"/closed/bin/citygate-launch", exe, 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"guard", "control", "journal", "watch", "firewall"} {
		if err := os.Link(dir+"/closed/bin/citygate-launch", dir+"/closed/bin/citygate-"+name); err != nil {
			t.Fatal(err)
		}
	}
	g := &gateway{t: t, dir: dir, boot: &ipc.Boot{
		Site: site, Config: dir + "/etc/citygate.yaml", Policy: dir + "/etc/policy.yaml",
		StateDir: dir + "/state", LogDir: dir + "/log", RunDir: dir + "/run", BPFDir: dir + "/bpf", UIDBase: 47100,
		Bridges:    []ipc.BootBridge{{Name: "cctv", CameraPort: "g0", ServerPort: "g1"}},
		Management: ipc.Management{AllowFrom: []netip.Prefix{}, Ports: []ipc.PortRange{{Proto: flow.TCP, Lo: 22, Hi: 22}}},
	}}
	if g.stray, err = os.Create(dir + "/stray"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.stray.Close() })
	g.configure(site)
	return g
}

func (g *gateway) configure(site string) {
	g.t.Helper()
	g.boot.Site = site
	record, err := g.boot.Append(nil)
	if err == nil {
		err = os.WriteFile(g.boot.Config, record, 0o644)
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// launch starts another launcher; its output is what the channel gives, closed at its end.
func (g *gateway) launch(env ...string) (*exec.Cmd, chan string) {
	g.t.Helper()
	cmd := exec.Command(g.dir+"/closed/bin/citygate-launch", "-c", g.boot.Config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET}
	if len(env) == 1 && strings.HasPrefix(env[0], "WRAP=") {
		wrap := strings.Fields(strings.TrimPrefix(env[0], "WRAP="))
		cmd.Path, cmd.Args, env = wrap[0], append(wrap, cmd.Args...), nil
	}
	cmd.Env = env
	cmd.ExtraFiles = append(make([]*os.File, 50), g.stray) // what somebody forgot to close
	r, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		g.t.Fatal(err)
	}
	log := make(chan string, 1000)
	go func() {
		defer close(log)
		for s := bufio.NewScanner(r); s.Scan(); {
			log <- s.Text()
		}
	}()
	return cmd, log
}

func (g *gateway) start(env ...string) {
	g.t.Helper()
	g.cmd, g.log = g.launch(env...)
	g.t.Cleanup(func() { _ = g.cmd.Process.Kill() })
}

// expect reads the log up to a line that matches, and gives its first group.
func (g *gateway) expect(pattern string) string {
	g.t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.After(20 * time.Second)
	for {
		select {
		case line, ok := <-g.log:
			if !ok {
				g.t.Fatalf("ended without %q; log:\n%s", pattern, strings.Join(g.seen, "\n"))
			}
			g.seen = append(g.seen, line)
			if m := re.FindStringSubmatch(line); m != nil {
				return m[len(m)-1]
			}
		case <-late:
			g.t.Fatalf("no %q; log:\n%s", pattern, strings.Join(g.seen, "\n"))
		}
	}
}

// ready waits until all are ready, and gives their pids.
func (g *gateway) ready() map[ipc.Process]int {
	g.t.Helper()
	from := len(g.seen)
	g.expect("all processes are ready")
	pids := map[ipc.Process]int{}
	for _, line := range g.seen[from:] {
		for p := range workers {
			if m := regexp.MustCompile(p.String() + ` is ready \(pid (\d+)\)`).FindStringSubmatch(line); m != nil {
				pids[p], _ = strconv.Atoi(m[1])
			}
		}
	}
	if len(pids) != len(workers) {
		g.t.Fatalf("pids %v", pids)
	}
	return pids
}

func (g *gateway) stop(s os.Signal, wantCode int) {
	g.t.Helper()
	if err := g.cmd.Process.Signal(s); err != nil {
		g.t.Fatal(err)
	}
	for line := range g.log {
		g.seen = append(g.seen, line)
	}
	_ = g.cmd.Wait()
	if code := g.cmd.ProcessState.ExitCode(); code != wantCode {
		g.t.Errorf("exit code %d, want %d; log:\n%s", code, wantCode, strings.Join(g.seen, "\n"))
	}
}

func (g *gateway) hello() string {
	g.t.Helper()
	c, err := net.Dial("unix", g.boot.RunDir+"/citygate.sock")
	if err != nil {
		g.t.Fatal(err)
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	if err != nil {
		g.t.Fatal(err)
	}
	return string(b)
}

func gone(pid int) bool { return unix.Kill(pid, 0) == unix.ESRCH }

func TestStartAndStop(t *testing.T) {
	g := newGateway(t, "plain")
	socket := filepath.Join(g.dir, "notify")
	notified, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket})
	if err != nil {
		t.Fatal(err)
	}
	defer notified.Close()
	g.start("NOTIFY_SOCKET=" + socket)
	pids := g.ready()
	b := make([]byte, 64)
	if n, err := notified.Read(b); err != nil || string(b[:n]) != "READY=1" {
		t.Errorf("systemd was told %q, %v", b[:n], err)
	}
	if got := g.hello(); !strings.HasPrefix(got, "hello at ") {
		t.Errorf("the API says %q", got)
	}
	for p := range workers {
		status, err := os.ReadFile("/proc/" + strconv.Itoa(pids[p]) + "/status")
		if err != nil {
			t.Fatal(err)
		}
		uid, caps := strconv.Itoa(int(g.boot.UID(p))), "0000000000000000"
		if p == ipc.Guard {
			caps = "000000c000003000"
		}
		for _, want := range []string{
			"Uid:\t" + uid + "\t" + uid + "\t" + uid + "\t" + uid, "Gid:\t" + uid + "\t", "Groups:\t \n",
			"CapEff:\t" + caps, "CapBnd:\t" + caps, "CapAmb:\t" + caps, "NoNewPrivs:\t1", "Seccomp:\t2",
		} {
			if !strings.Contains(string(status), want) {
				t.Errorf("%v: no %q in\n%s", p, want, status)
			}
		}
	}
	for p := range pids {
		fds, err := os.ReadDir("/proc/" + strconv.Itoa(pids[p]) + "/fd")
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range fds {
			if link, _ := os.Readlink("/proc/" + strconv.Itoa(pids[p]) + "/fd/" + fd.Name()); link == g.stray.Name() {
				t.Errorf("%v has the launcher's stray descriptor %s", p, fd.Name())
			}
		}
		if len(fds) < 6 {
			t.Errorf("%v has only %d descriptors", p, len(fds))
		}
	}
	for path, uid := range map[string]uint32{
		g.boot.StateOf(ipc.Control): g.boot.UID(ipc.Control), g.boot.StateOf(ipc.Journal): g.boot.UID(ipc.Journal),
		g.boot.LogDir + "/written": g.boot.UID(ipc.Journal), g.boot.RunDir + "/citygate.sock": 0,
	} {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil || st.Uid != uid || st.Mode&0o007 != 0 {
			t.Errorf("%s: owner %d, mode %o, %v", path, st.Uid, st.Mode, err)
		}
	}
	second, log := g.launch()
	var said []string
	for line := range log {
		said = append(said, line)
	}
	if err := second.Wait(); second.ProcessState.ExitCode() != 1 || !strings.Contains(strings.Join(said, "\n"), "is already running (pid "+strconv.Itoa(g.cmd.Process.Pid)) {
		t.Errorf("a second launcher: %v, %q", err, said)
	}
	g.stop(syscall.SIGTERM, 0)
	for p, pid := range pids {
		if !gone(pid) {
			t.Errorf("%v still runs", p)
		}
	}
	if left, _ := os.ReadDir(g.boot.RunDir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// One dies, all are started anew, and control is told.
func TestOneForAll(t *testing.T) {
	g := newGateway(t, "plain")
	g.start()
	old := g.ready()
	for i, killed := range []ipc.Process{ipc.Journal, ipc.Guard, ipc.Control, ipc.Watch} {
		if err := unix.Kill(old[killed], unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		g.expect(killed.String() + " has ended: signal: killed")
		pids := g.ready()
		for p, pid := range old {
			if !gone(pid) || pids[p] == pid {
				t.Errorf("after %v: %v was not started anew", killed, p)
			}
		}
		told := g.expect("control: told {(.*)}")
		want := "Process:" + killed.String() + " Code:-1 Signal:9 Violator:process 0 Restarts:" + strconv.Itoa(i)
		if told != want {
			t.Errorf("control was told %s, want %s", told, want)
		}
		old = pids
	}
	// The launcher's own end ends all.
	if err := g.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = g.cmd.Wait()
	for _, pid := range old {
		for deadline := time.Now().Add(5 * time.Second); !gone(pid) && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond) // a process of another parent ends: nothing tells us
		}
		if !gone(pid) {
			t.Errorf("pid %d outlives the launcher", pid)
		}
	}
}

func TestViolationEndsAll(t *testing.T) {
	g := newGateway(t, "flood")
	g.start()
	g.expect("journal: watch broke the channel's rules: message 0: it came more often than its budget allows")
	g.expect("journal has ended: exit status 105")
	g.expect("started anew in 100ms")
	g.expect("started anew in 200ms")
	g.configure("plain")
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	g.expect("the config has changed")
	g.ready()
	g.stop(syscall.SIGINT, 0)
}

// A worker that tries what its profile forbids is killed by the kernel.
func TestForbiddenCallEndsAll(t *testing.T) {
	g := newGateway(t, "exec")
	g.start()
	g.expect("watch has ended: signal: bad system call")
	g.stop(syscall.SIGTERM, 0)
}

func TestReload(t *testing.T) {
	g := newGateway(t, "one")
	g.start()
	old := g.ready()
	if err := os.WriteFile(g.boot.Config, []byte("bad"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	g.expect("control: .*: bad config")
	g.expect("the old config stays")
	for p, pid := range old {
		if gone(pid) {
			t.Errorf("%v ended by a bad config", p)
		}
	}
	g.configure("two")
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	g.expect("the config has changed")
	g.ready()
	g.stop(syscall.SIGTERM, 0)
}

func TestBadStart(t *testing.T) {
	tests := []struct {
		name, want string
		code       int
		spoil      func(*gateway) error
	}{
		{"bad config", "bad config", 2, func(g *gateway) error { return os.WriteFile(g.boot.Config, []byte("bad"), 0o644) }},
		{"no config", "no such file", 2, func(g *gateway) error { return os.Remove(g.boot.Config) }},
		{"a record of another version", "it is of another version", 2, func(g *gateway) error { return os.WriteFile(g.boot.Config, make([]byte, 100), 0o644) }},
		{"an endless record", "it is too long|over 65536 bytes", 2, func(g *gateway) error { return os.WriteFile(g.boot.Config, make([]byte, 2*ipc.MaxBoot), 0o644) }},
		{"unreadable config", "read as user 65534", 2, func(g *gateway) error { return os.Chmod(g.dir+"/etc", 0o700) }},
		{"a link for a folder", "too many levels of symbolic links|not a directory", 1, func(g *gateway) error { return os.Symlink("/tmp", g.boot.LogDir) }},
		{"a program is missing", "find citygate-watch beside this program", 1, func(g *gateway) error { return os.Remove(g.dir + "/closed/bin/citygate-watch") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t, "plain")
			if err := tt.spoil(g); err != nil {
				t.Fatal(err)
			}
			g.start()
			for line := range g.log {
				g.seen = append(g.seen, line)
			}
			_ = g.cmd.Wait()
			if code := g.cmd.ProcessState.ExitCode(); code != tt.code || !regexp.MustCompile(tt.want).MatchString(strings.Join(g.seen, "\n")) {
				t.Errorf("exit code %d, want %d; log, want %q:\n%s", code, tt.code, tt.want, strings.Join(g.seen, "\n"))
			}
		})
	}
}

func TestDetach(t *testing.T) {
	g := newGateway(t, "plain")
	cmd := exec.Command(g.dir+"/closed/bin/citygate-launch", "-c", g.boot.Config, "detach")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET}
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "guard: detached as user 47101\nfirewall: firewall [remove] as user 47101\n" {
		t.Errorf("%s, %v", out, err)
	}
}

// The unit's capabilities are enough. What else it forbids only a machine with systemd can test.
func TestUnitCapabilities(t *testing.T) {
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Skip("needs setpriv (util-linux)")
	}
	unit, err := os.ReadFile("citygate.service")
	if err != nil {
		t.Fatal(err)
	}
	set := "-all"
	for _, c := range strings.Fields(regexp.MustCompile("(?m)^CapabilityBoundingSet=(.*)$").FindStringSubmatch(string(unit))[1]) {
		set += ",+" + strings.ToLower(strings.TrimPrefix(c, "CAP_"))
	}
	g := newGateway(t, "plain")
	for range 2 { // the second finds folders of other users
		g.start("WRAP=" + setpriv + " --bounding-set " + set + " --no-new-privs")
		g.ready()
		if err := unix.Kill(g.cmd.Process.Pid, unix.SIGHUP); err != nil {
			t.Fatal(err)
		}
		g.ready()
		g.stop(syscall.SIGTERM, 0)
	}
}
