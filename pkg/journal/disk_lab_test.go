//go:build lab

package journal

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/event"
)

const mountsEnv = "CITYGATE_JOURNAL_MOUNTS"

// ownMounts runs the rest of the test in a child process with a mount namespace of its own. It reports whether this is
// the child.
func ownMounts(t *testing.T) bool {
	t.Helper()
	if os.Getenv(mountsEnv) != "" {
		if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		return true
	}
	if os.Getuid() != 0 {
		t.Skip("mounting needs root")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), mountsEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	return false
}

// A disk that fills up: nothing blocks, what is lost is counted, the full disk is recorded in room kept for that, and
// recording goes on by itself when there is room.
func TestFullDisk(t *testing.T) {
	if !ownMounts(t) {
		return
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	s := openStore(t, dir, &disk{})
	sent := uint64(0)
	write := func() {
		s.Write([]event.Event{&event.Drop{}, &event.Stats{}})
		sent += 2
	}
	write()
	ballast, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 4096)
	for err == nil {
		_, err = ballast.Write(chunk)
	}
	for range 2000 {
		write()
	}
	s.Tick()
	if st := s.State(); !st.DiskFull || st.Lost == 0 {
		t.Fatalf("state %+v", st)
	}
	if names := recorded(t, dir, event.Security); !slices.Contains(names, "disk_full") {
		t.Error("the full disk is not recorded while it is full")
	}
	if err := ballast.Truncate(0); err != nil {
		t.Fatal(err)
	}
	s.Tick()
	write()
	s.Tick()
	st := s.State()
	names := append(recorded(t, dir, event.Security), recorded(t, dir, event.Bulk)...)
	var kept, ledger uint64
	for _, name := range names {
		var class, n uint64
		if _, err := fmt.Sscanf(name, "records_lost %d %d", &class, &n); err == nil {
			ledger += n
		}
		if name == "drop" || name == "stats" {
			kept++
		}
	}
	// Lost may be more than what was sent and not kept: an event of the store itself can be lost too.
	if st.DiskFull || st.Written != uint64(len(names)) || ledger != st.Lost || kept+st.Lost < sent {
		t.Errorf("%d of %d sent are kept, %d recorded as lost, %d records, state %+v", kept, sent, ledger, len(names), st)
	}
	t.Logf("%d of %d sent are kept, %d lost", kept, sent, st.Lost)
}

// ext4Shutdown is EXT4_IOC_SHUTDOWN; with noLogFlush nothing that the journal of ext4 has in memory reaches the disk,
// as when the power is cut (linux/ext4.h).
const (
	ext4Shutdown = 0x8004587d
	noLogFlush   = 2
)

// A power cut loses nothing that was acknowledged. The same cut without fsync must lose, or the test proves nothing.
func TestPowerCut(t *testing.T) {
	if !ownMounts(t) {
		return
	}
	const rounds = 10
	for _, c := range []struct {
		name string
		sync func(*os.File) error
	}{
		{"with fsync", nil},
		{"without fsync", func(*os.File) error { return nil }},
	} {
		acked, lost, losing := 0, 0, 0
		for round := range rounds {
			a, l := powerCut(t, filepath.Join(t.TempDir(), "image"), c.sync, round)
			acked, lost = acked+a, lost+l
			if l > 0 {
				losing++
			}
		}
		t.Logf("%s: %d acknowledged, %d lost, in %d of %d cuts", c.name, acked, lost, losing, rounds)
		if (c.sync == nil) != (lost == 0) {
			t.Errorf("%s: %d acknowledged records are lost", c.name, lost)
		}
	}
}

// powerCut writes a log on a file system of its own, cuts its power, and counts what was acknowledged and is gone.
func powerCut(t *testing.T, image string, sync func(*os.File) error, round int) (acked, lost int) {
	t.Helper()
	shell := func(command string) {
		t.Helper()
		if out, err := exec.Command("sh", "-ec", command).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
	}
	point := t.TempDir()
	shell(fmt.Sprintf("truncate -s 32M %[1]s; mkfs.ext4 -q %[1]s; mount -o loop %[1]s %[2]s", image, point))
	dir := filepath.Join(point, "1")
	l, err := Open(dir, event.Security, Options{sync: sync, SegmentBytes: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	// An acknowledgement that comes while the power is being cut may be of either side: only those before count.
	var count atomic.Int64
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for n := 0; ; n += 4 {
			if l.Append([]Entry{entry(n), entry(n + 1), entry(n + 2), entry(n + 3)}) != nil {
				return
			}
			count.Store(int64(n + 4))
		}
	}()
	<-time.After(100*time.Millisecond + time.Duration(rand.IntN(100))*time.Millisecond) // the moment of the cut
	f, err := os.Open(point)
	if err != nil {
		t.Fatal(err)
	}
	acked = int(count.Load())
	if err := unix.IoctlSetPointerInt(int(f.Fd()), ext4Shutdown, noLogFlush); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	<-ended // writes fail from now on
	_ = l.Close()
	shell("umount " + point + "; mount -o loop " + image + " " + point)
	defer shell("umount " + point)
	if _, err := os.Stat(dir); err != nil {
		return acked, acked
	}
	l, err = Open(dir, event.Security, Options{})
	if err != nil {
		t.Fatal(err)
	}
	cuts := l.Cuts()
	_ = l.Close()
	got := numbers(t, dir)
	if len(got) > 0 && !slices.Equal(got, counting(len(got))) {
		t.Errorf("round %d: the records are not in order: %v", round, got)
	}
	if sync == nil && len(got) < acked {
		t.Errorf("round %d: %d acknowledged, %d there, cuts %v", round, acked, len(got), cuts)
	}
	return acked, max(0, acked-len(got))
}
