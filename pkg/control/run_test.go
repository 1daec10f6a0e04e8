package control

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

// daemon is Run with all its neighbours played by the test.
type daemon struct {
	launch, journal, watch *ipc.Conn
	guard                  *fakeGuardEnd
	client                 *api.Client
	stop                   context.CancelFunc
	ended                  chan error
}

func startDaemon(t *testing.T) *daemon {
	t.Helper()
	d := &daemon{ended: make(chan error, 1)}
	var ch Channels
	pair := func(peer ipc.Process) (*ipc.Conn, *ipc.Conn) {
		ours, theirs, err := ipc.NewPair(ipc.Control, peer)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { theirs.Close() })
		return ours, theirs
	}
	ch.Launch, d.launch = pair(ipc.Launch)
	ch.Journal, d.journal = pair(ipc.Journal)
	ch.Watch, d.watch = pair(ipc.Watch)
	var guardConn *ipc.Conn
	ch.Guard, guardConn = pair(ipc.Guard)
	d.guard = &fakeGuardEnd{conn: guardConn, loaded: make(chan ipc.PolicySet, 8), asked: make(chan ipc.Message, 64)}
	d.guard.serve(t, "")

	dir := t.TempDir()
	policyFile := filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(policyFile, []byte(goodPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, api.Socket))
	if err != nil {
		t.Fatal(err)
	}
	d.client = api.NewClient(filepath.Join(dir, api.Socket))
	var ctx context.Context
	ctx, d.stop = context.WithCancel(context.Background())
	boot := &ipc.Boot{Site: "school-14", Policy: policyFile, Bridges: []ipc.BootBridge{{Name: "cctv", CameraPort: "g0", ServerPort: "g1"}}}
	go func() { d.ended <- Run(ctx, boot, filepath.Join(dir, "state"), ch, listener) }()
	t.Cleanup(d.stop)
	return d
}

// next gives the next event that control sends to the journal.
func (d *daemon) next(t *testing.T) event.Event {
	t.Helper()
	r, err := d.journal.Recv()
	if err != nil {
		t.Fatal(err)
	}
	m := r.Message.(ipc.Event)
	e, err := event.Decode(m.Type, m.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRun(t *testing.T) {
	d := startDaemon(t)
	if set := <-d.guard.loaded; len(set.Rules) == 0 {
		t.Error("the guard got an empty policy")
	}
	if r, err := d.launch.Recv(); err != nil || r.Message != (ipc.Ready{}) {
		t.Fatalf("heard %v, %v", r, err)
	}
	if p, ok := d.next(t).(*event.Policy); !ok || p.Action != event.PolicyApplied || p.Wall.IsZero() || p.Boot == 0 {
		t.Errorf("event %+v", p)
	}
	if err := d.watch.Send(ipc.DeviceSeen{MAC: flow.MAC{2, 0, 0, 0, 0, 0x99}, Bridge: "cctv", Boot: monotonic()}); err != nil {
		t.Fatal(err)
	}
	if e, ok := d.next(t).(*event.Device); !ok || e.MAC[5] != 0x99 || e.Event != event.DeviceNew {
		t.Errorf("event %+v", e)
	}
	ctx := context.Background()
	var block api.Block
	if err := d.client.Do(ctx, "POST", "/v1/blocks", api.BlockRequest{Src: addr("10.0.0.1"), Dst: addr("10.0.0.2")}, &block); err != nil {
		t.Fatal(err)
	}
	who := Caller{UID: uint32(os.Getuid())}
	if a, ok := d.next(t).(*event.Audit); !ok || a.Who != who.String() || a.UID != who.UID || block.By != who.String() {
		t.Errorf("audit %+v, block %+v", a, block)
	}
	if err := d.journal.Send(ipc.JournalState{Written: 3, DiskFull: true}); err != nil {
		t.Fatal(err)
	}
	if err := d.launch.Send(ipc.ProcessExit{Process: ipc.Guard, Code: 1, Restarts: 1}); err != nil {
		t.Fatal(err)
	}
	if a, ok := d.next(t).(*event.Anomaly); !ok || a.Event != "process_ended" || a.Object != "guard" {
		t.Errorf("event %+v", a)
	}
	var problem *api.Problem
	if err := d.client.Do(ctx, "GET", "/v1/nothing", nil, nil); !errors.As(err, &problem) || problem.Status != 404 {
		t.Errorf("got %v", err)
	}
	d.stop()
	if err := <-d.ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	if err := d.client.Do(ctx, "GET", "/v1/status", nil, nil); !errors.Is(err, api.ErrNotRunning) {
		t.Errorf("after the end: %v", err)
	}
}

// When a neighbour ends, control ends too, and says who broke the rules.
func TestRunEnds(t *testing.T) {
	t.Run("a neighbour is gone", func(t *testing.T) {
		d := startDaemon(t)
		d.watch.Close()
		if err := <-d.ended; !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a neighbour breaks the rules", func(t *testing.T) {
		d := startDaemon(t)
		if err := sendRaw(d.watch, []byte{100, 0, 0, 0, 1}); err != nil {
			t.Fatal(err)
		}
		var v *ipc.Violation
		if err := <-d.ended; !errors.As(err, &v) || v.From != ipc.Watch {
			t.Errorf("got %v", err)
		}
	})
}

func sendRaw(c *ipc.Conn, b []byte) error {
	_, err := c.File().Write(b)
	return err
}

func TestOutletNeverWaits(t *testing.T) {
	release := make(chan struct{})
	o := newOutlet(func(ipc.Message) error { <-release; return nil }, time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.run(ctx) }()
	for range outletQueue + 100 {
		o.put(&event.Audit{Verb: "x"})
	}
	if lost := o.lost.Load(); lost < 99 || lost > 100 { // one may be in the sender's hand
		t.Errorf("%d lost", lost)
	}
	close(release)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
