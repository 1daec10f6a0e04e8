package control

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"citygate/pkg/ipc"
)

// fakeGuardEnd answers like citygate-guard over a channel, and remembers what it was asked for.
type fakeGuardEnd struct {
	conn     *ipc.Conn
	loaded   chan ipc.PolicySet
	asked    chan ipc.Message
	assembly *ipc.Assembly
}

func guardPair(t *testing.T) (*guard, *fakeGuardEnd) {
	t.Helper()
	ours, theirs, err := ipc.NewPair(ipc.Control, ipc.Guard)
	if err != nil {
		t.Fatal(err)
	}
	g := newGuard(ours, NewKernel())
	end := &fakeGuardEnd{conn: theirs, loaded: make(chan ipc.PolicySet, 8), asked: make(chan ipc.Message, 64)}
	heard := make(chan error, 1)
	go func() { heard <- g.listen() }()
	t.Cleanup(func() {
		ours.Close()
		theirs.Close()
		<-heard
	})
	return g, end
}

// serve answers with refusal ("" = yes) until the channel ends.
func (f *fakeGuardEnd) serve(t *testing.T, refusal string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			r, err := f.conn.Recv()
			if err != nil {
				return
			}
			f.hear(r.Message, refusal)
		}
	}()
	t.Cleanup(func() { f.conn.Close(); <-done })
}

func (f *fakeGuardEnd) hear(m ipc.Message, refusal string) {
	result := ipc.Result{OK: refusal == "", Generation: 7, Error: refusal}
	switch m := m.(type) {
	case ipc.PolicyBegin:
		f.assembly = ipc.NewAssembly(m)
		return
	case ipc.PolicyPut:
		_ = f.assembly.Put(m)
		return
	case ipc.PolicyCommit:
		set, err := f.assembly.Commit(m)
		if err != nil {
			result.OK, result.Error = false, err.Error()
		}
		f.loaded <- set
		result.ID = m.ID
	case ipc.SetBlock:
		result.ID = m.ID
	case ipc.LiftBlock:
		result.ID = m.ID
	case ipc.SetBinding:
		result.ID = m.ID
	case ipc.ClearBinding:
		result.ID = m.ID
	case ipc.GetPorts:
		result.ID = m.ID
		_ = f.conn.Send(ipc.PortState{Bridge: "cctv", Port: "g0", Mode: "native"})
	}
	f.asked <- m
	_ = f.conn.Send(ipc.Result{ID: 999}) // of a request that nobody waits for any more
	_ = f.conn.Send(result)
}

func TestGuardLoad(t *testing.T) {
	g, end := guardPair(t)
	end.serve(t, "")
	var set ipc.PolicySet
	for i := range 3000 {
		set.Rules = append(set.Rules, ipc.RuleEntry{From: 1, To: 2, Service: uint8(i % 64), Rule: uint16(i)})
	}
	set.Devices = []ipc.DeviceEntry{{ID: 1, Via: 1}, {ID: 2, Via: 2, PPS: 5}}
	generation, err := g.Load(context.Background(), set)
	if err != nil || generation != 7 {
		t.Fatalf("got %d, %v", generation, err)
	}
	if got := <-end.loaded; !reflect.DeepEqual(got, set) {
		t.Errorf("the guard got %d rules and %d devices", len(got.Rules), len(got.Devices))
	}
}

func TestGuardRequests(t *testing.T) {
	g, end := guardPair(t)
	end.serve(t, "")
	ctx := context.Background()
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	until := time.Unix(100, 0)
	for _, err := range []error{g.Block(ctx, a, b, until, "x"), g.Lift(ctx, a, b), g.Bind(ctx, 3, 10, a), g.Unbind(ctx, 3, 10, a)} {
		if err != nil {
			t.Error(err)
		}
	}
	ports, generation, err := g.Ports(ctx)
	if err != nil || generation != 7 || len(ports) != 1 || ports[0].Port != "g0" {
		t.Errorf("got %v, %d, %v", ports, generation, err)
	}
	want := []ipc.Message{
		ipc.SetBlock{ID: 1, Src: a, Dst: b, Until: until.UnixNano(), Reason: "x"},
		ipc.LiftBlock{ID: 2, Src: a, Dst: b},
		ipc.SetBinding{ID: 3, Device: 3, VLAN: 10, Addr: a},
		ipc.ClearBinding{ID: 4, Device: 3, VLAN: 10, Addr: a},
		ipc.GetPorts{ID: 5},
	}
	for _, w := range want {
		if got := <-end.asked; got != w {
			t.Errorf("asked %+v, want %+v", got, w)
		}
	}
}

func TestGuardRefuses(t *testing.T) {
	g, end := guardPair(t)
	end.serve(t, "table full")
	_, err := g.Load(context.Background(), ipc.PolicySet{})
	if err == nil || !strings.Contains(err.Error(), "table full") {
		t.Errorf("got %v", err)
	}
}

// A guard that hangs costs the caller its patience and no more; the half-sent policy is taken back.
func TestGuardDoesNotAnswer(t *testing.T) {
	g, end := guardPair(t)
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan error, 1)
	set := ipc.PolicySet{}
	go func() {
		_, err := g.Load(ctx, set)
		got <- err
	}()
	hear := func() ipc.Message {
		r, err := end.conn.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return r.Message
	}
	for _, want := range set.Messages(1) {
		if m := hear(); !reflect.DeepEqual(m, want) {
			t.Fatalf("heard %+v, want %+v", m, want)
		}
	}
	cancel()
	if m := hear(); m != (ipc.PolicyAbort{ID: 1}) {
		t.Errorf("heard %+v, want an abort", m)
	}
	if err := <-got; !errors.Is(err, errNoAnswer) {
		t.Errorf("got %v", err)
	}
}

func TestGuardEnds(t *testing.T) {
	ours, theirs, err := ipc.NewPair(ipc.Control, ipc.Guard)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	theirs.Close()
	if err := newGuard(ours, NewKernel()).listen(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}
