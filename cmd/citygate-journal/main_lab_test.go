//go:build lab

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"citygate/pkg/event"
	"citygate/pkg/ipc"
	"citygate/pkg/journal"
	"citygate/pkg/sandbox/profile"
)

const uidBase = 47100

// worker is a citygate-journal in its sandbox, and the launcher's, control's and watch's ends of its channels.
type worker struct {
	cmd                    *exec.Cmd
	launch, control, watch *ipc.Conn
	ended                  chan error
}

// start does what the launcher does.
func start(t *testing.T, binary string, b *ipc.Boot) *worker {
	t.Helper()
	w := &worker{cmd: exec.Command(binary), ended: make(chan error, 1)}
	var theirs [3]*ipc.Conn
	var channels []string
	for i, mine := range []**ipc.Conn{&w.launch, &w.control, &w.watch} {
		peer := []ipc.Process{ipc.Launch, ipc.Control, ipc.Watch}[i]
		var err error
		if *mine, theirs[i], err = ipc.NewPair(peer, ipc.Journal); err != nil {
			t.Fatal(err)
		}
		w.cmd.ExtraFiles = append(w.cmd.ExtraFiles, theirs[i].File())
		channels = append(channels, fmt.Sprintf("%v=%d", peer, 3+i))
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
	w.cmd.Env = []string{ipc.ChannelsEnv + "=" + strings.Join(channels, ","), ipc.BootEnv + "=6"}
	w.cmd.Stderr = os.Stderr
	profile := profile.Journal(b)
	w.cmd.SysProcAttr = profile.Attr(b.UID(ipc.Journal))
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
	if _, err := w.launch.Recv(); err != nil {
		t.Fatalf("no ready: %v, exit %v", err, <-w.ended)
	}
	return w
}

func say(t *testing.T, c *ipc.Conn, e event.Event) {
	t.Helper()
	typ, payload := event.Encode(e)
	if err := c.Send(ipc.Event{Type: typ, Payload: payload}); err != nil {
		t.Fatal(err)
	}
}

// until waits for a state of the journal, which comes each second.
func (w *worker) until(t *testing.T, ok func(ipc.JournalState) bool) {
	t.Helper()
	for range 20 {
		r, err := w.control.Recv()
		if err != nil {
			t.Fatalf("no state: %v, exit %v", err, <-w.ended)
		}
		if s, is := r.Message.(ipc.JournalState); is && ok(s) {
			return
		}
	}
	t.Fatal("20 states, and not the one")
}

// The whole worker in its sandbox: it records, rotates and recovers with no call that its profile forbids, it says its
// state, a peer that breaks the rules does not end it, and SIGTERM ends it with nothing lost.
func TestWorker(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("root starts workers")
	}
	dir, err := os.MkdirTemp("/tmp", "citygate-journal")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	binary := filepath.Join(dir, "citygate-journal")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b := &ipc.Boot{
		Site: "school-14", Config: "/c.yaml", Policy: "/p.yaml", StateDir: dir + "/state", LogDir: dir + "/log",
		RunDir: "/run/x", BPFDir: "/sys/fs/bpf/x", UIDBase: uidBase,
		Bridges: []ipc.BootBridge{{Name: "cctv", CameraPort: "g0", ServerPort: "g1"}},
	}
	for _, d := range []string{b.StateOf(ipc.Journal), b.LogDir} {
		if err := errors.Join(os.MkdirAll(d, 0o755), os.Chown(d, int(b.UID(ipc.Journal)), -1), os.Chmod(dir, 0o755)); err != nil {
			t.Fatal(err)
		}
	}

	w := start(t, binary, b)
	for range 1000 {
		say(t, w.watch, &event.Drop{Count: 1})
	}
	say(t, w.control, &event.Audit{Verb: "apply"})
	w.until(t, func(s ipc.JournalState) bool { return s.Written == 1001 })
	eve := filepath.Join(b.LogDir, "eve.json")
	if err := os.Rename(eve, eve+".1"); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := w.watch.Send(ipc.Event{Type: 99}); err != nil {
		t.Fatal(err)
	}
	w.until(t, func(s ipc.JournalState) bool { return s.Written == 1002 })
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-w.ended

	// A torn end, as after a power cut; the next start cuts it off.
	segments, _ := filepath.Glob(filepath.Join(b.StateOf(ipc.Journal), "1", "*.seg"))
	f, err := os.OpenFile(segments[0], os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("torn")
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	w = start(t, binary, b)
	say(t, w.control, &event.Audit{Verb: "last"})
	_ = w.control.Close()
	_ = w.watch.Close()
	begin := time.Now()
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-w.ended; err != nil {
		t.Errorf("SIGTERM ends it with %v", err)
	}
	t.Logf("ended %v after SIGTERM", time.Since(begin).Round(time.Millisecond))

	rep, err := journal.Verify(filepath.Join(b.StateOf(ipc.Journal), "1"), 0, 0)
	if err != nil || rep.Records != 1004 { // 1,000 drops, 2 audits, ipc_violation, log_cut
		t.Errorf("%+v, %v", rep, err)
	}
	var last []string
	err = journal.Tail(t.Context(), eve, false, func(line []byte) error {
		var r struct {
			EventType string `json:"event_type"`
			Host      string
			Anomaly   struct{ Event string }
		}
		err := json.Unmarshal(line, &r)
		last = append(last, r.EventType+r.Anomaly.Event+" "+r.Host)
		return err
	})
	if err != nil || len(last) != 1004 || last[1001] != "anomalyipc_violation school-14" || last[1002] != "anomalylog_cut school-14" {
		t.Errorf("%d lines, %v, the last %v", len(last), err, last[max(0, len(last)-3):])
	}
	info, err := os.Stat(eve)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
}
