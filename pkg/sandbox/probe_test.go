//go:build lab && amd64

package sandbox_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
	"citygate/pkg/sandbox/profile"
)

// A probe is this test binary, started anew as the launcher starts a worker: PROBE is "profile hostile-call folder".
// Its descriptors are those of pass.
const probeEnv = "CITYGATE_TEST_PROBE"

// Exit codes of a probe.
const (
	probeDone    = 0  // the hostile call succeeded
	probeRefused = 10 // EPERM, EACCES, ENOSYS
	probeOther   = 11 // it got through to the kernel and failed there
	probeBroken  = 12 // the sandbox could not be entered
)

func TestMain(m *testing.M) {
	if words := strings.Fields(os.Getenv(probeEnv)); len(words) == 3 {
		os.Exit(probe(words[0], words[1], words[2]))
	}
	os.Exit(m.Run())
}

// Descriptors of a probe, besides the standard streams and its channel.
const (
	channelFD = 3 + iota
	packetFD
	mapFD
	memFD
)

// person is the inspector of a user who may make no namespaces: what is left are Landlock and seccomp.
const person = "inspect-of-a-person"

// workers are all whose calls are tried.
var workers = []string{"control", "journal", "watch", "boot", "inspect", person}

func probeProfile(name, folder string) (sandbox.Profile, bool) {
	b := &ipc.Boot{
		Config: folder + "/etc/citygate.yaml", Policy: folder + "/etc/policy.yaml",
		StateDir: folder + "/state", LogDir: folder + "/log", BPFDir: folder + "/bpf",
	}
	p, ok := map[string]sandbox.Profile{
		"control": profile.Control(b), "journal": profile.Journal(b), "watch": profile.Watch(), "boot": profile.Boot(b.Config),
		"inspect": profile.Inspect(memFD+1, false), person: profile.Inspect(memFD+1, true),
	}[name]
	return p, ok
}

func probe(worker, name, folder string) int {
	int80, err := newInt80()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return probeBroken
	}
	f := &fixture{
		packet: packetFD, bpfMap: mapFD, memfd: memFD, folder: folder + "/other", parent: uintptr(os.Getppid()),
		int80: int80, scratch: make([]byte, 3*4096),
	}
	if p, ok := probeProfile(worker, folder); ok {
		if err := sandbox.Enter(p); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return probeBroken
		}
	}
	if name == ordinary {
		return work()
	}
	switch errno := hostile[name](f); errno {
	case 0:
		return probeDone
	case unix.EPERM, unix.EACCES, unix.ENOSYS:
		return probeRefused
	default:
		fmt.Fprintln(os.Stderr, errno)
		return probeOther
	}
}

// ordinary is not hostile: it is what any Go program does.
const ordinary = "ordinary"

// work makes threads, garbage, timers, signals and preemption, and talks over its channel.
func work() int {
	c, err := ipc.Inherit(ipc.Watch, ipc.Launch)
	if err == nil {
		err = c.Send(ipc.Ready{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return probeBroken
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			runtime.LockOSThread()
			until := time.Now().Add(30 * time.Millisecond)
			for n := 0; time.Now().Before(until); n++ {
				kept := make([][]byte, 100)
				for i := range kept {
					kept[i] = make([]byte, 1<<12)
				}
				runtime.KeepAlive(kept)
			}
			runtime.GC()
			time.Sleep(time.Millisecond)
		})
	}
	wg.Wait()
	debug.FreeOSMemory()
	if time.Now().Local().Format(time.RFC3339) == "" { // the time zone is a file
		return probeBroken
	}
	return probeDone
}

// outcome of a hostile call.
type outcome string

const (
	succeeded outcome = "succeeded"
	killedIt  outcome = "killed"
	forbidden outcome = "refused"
)

// attempt runs one hostile call in a process of its own.
func attempt(worker, name, folder string, files []*os.File) (outcome, error) {
	p, _ := probeProfile(worker, folder)
	p.Isolated = worker != person
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{probeEnv + "=" + worker + " " + name + " " + folder, ipc.ChannelsEnv + "=launch=" + strconv.Itoa(channelFD)}
	cmd.ExtraFiles = files
	cmd.SysProcAttr = p.Attr(47902)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread loses its bounding set, and ends with this goroutine
		if worker != person {
			if err := p.DropBounding(); err != nil {
				result <- err
				return
			}
		}
		result <- cmd.Run()
	}()
	err := <-result
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", err
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled() && status.Signal() == unix.SIGSYS:
		return killedIt, nil
	case status.ExitStatus() == probeRefused:
		return forbidden, nil
	case status.ExitStatus() == probeDone:
		return succeeded, nil
	case status.ExitStatus() == probeOther:
		return outcome("got through: " + strings.TrimSpace(stderr.String())), nil
	}
	return "", fmt.Errorf("%v: %s", cmd.ProcessState, stderr.String())
}

// newFolder is a place like a gateway's, and a folder "other" in it.
func newFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sandbox") // not t.TempDir: only root may enter that
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"etc", "state/control", "state/journal", "log", "other"} {
		if err := os.MkdirAll(dir+"/"+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(dir+"/other", 47902, 47902); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newFiles are the descriptors that a probe gets.
func newFiles(t *testing.T) []*os.File {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("the lab tests need root")
	}
	launch, worker, err := ipc.NewPair(ipc.Launch, ipc.Watch)
	if err != nil {
		t.Fatal(err)
	}
	packet, err := packetSocket()
	if err != nil {
		t.Fatal(err)
	}
	bpfMap, errno := newMap()
	if errno != 0 {
		t.Fatalf("make a BPF map: %v", errno)
	}
	memfd, err := unix.MemfdCreate("boot", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(memfd, make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	files := []*os.File{worker.File(), os.NewFile(uintptr(packet), "packet"), os.NewFile(bpfMap, "map"), os.NewFile(uintptr(memfd), "memfd")}
	t.Cleanup(func() {
		_ = launch.Close()
		for _, f := range files {
			_ = f.Close()
		}
	})
	return files
}

// packetSocket makes a socket that can send, on the loopback interface of a network namespace of its own.
func packetSocket() (fd int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread has left the host's network
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return
		}
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
			return
		}
		var up *unix.Ifreq
		if up, err = unix.NewIfreq("lo"); err != nil {
			return
		}
		up.SetUint16(unix.IFF_UP)
		if err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, up); err == nil {
			err = unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: 1})
		}
	}()
	<-done
	return fd, err
}

// What any Go program does works in every worker.
func TestOrdinaryWork(t *testing.T) {
	files, folder := newFiles(t), newFolder(t)
	for _, worker := range workers {
		if got, err := attempt(worker, ordinary, folder, files); err != nil || got != succeeded {
			t.Errorf("%s: %s, %v", worker, got, err)
		}
	}
}

// No hostile call succeeds in a worker, save the exceptions beside its profile, and each of those is needed.
func TestHostileCalls(t *testing.T) {
	files := newFiles(t)
	for _, worker := range workers {
		t.Run(worker, func(t *testing.T) {
			folder := newFolder(t)
			p, _ := probeProfile(worker, folder)
			counts := map[outcome]int{}
			for _, name := range slices.Sorted(maps.Keys(hostile)) {
				got, err := attempt(worker, name, folder, files)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				refused := got == killedIt || got == forbidden
				why, listed := p.Exceptions[name]
				switch {
				case refused && listed:
					t.Errorf("%s: the exception %q is not needed: %s", name, why, got)
				case !refused && !listed:
					t.Errorf("%s: %s", name, got)
				case listed:
					got = "excepted"
				}
				counts[got]++
			}
			for name := range p.Exceptions {
				if hostile[name] == nil {
					t.Errorf("the exception %s names no hostile call", name)
				}
			}
			t.Logf("%-8s %d hostile calls: %v", worker, len(hostile), counts)
		})
	}
}

// The suite can fail: without the lock-down, a process with the same user, namespaces and no capability does much.
func TestHostileCallsWithoutSandbox(t *testing.T) {
	files, folder := newFiles(t), newFolder(t)
	counts := map[outcome]int{}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(hostile)) {
		got, err := attempt("none", name, folder, files)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got == succeeded {
			names = append(names, name)
		}
		if got != succeeded && got != forbidden {
			got = "failed otherwise"
		}
		counts[got]++
	}
	t.Logf("no sandbox: %d hostile calls: %v; succeeded: %v", len(hostile), counts, names)
	if counts[succeeded] < 20 || counts[killedIt] > 0 {
		t.Error("too few calls succeed: the suite proves little")
	}
}
