package control

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"citygate/pkg/datapath/reader"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/policy"
)

const goodPolicy = `# the school's cameras
devices:
  lobby-1: {mac: "02:00:00:00:00:11", ip: [10.0.0.11], role: camera}
  gate-2:  {mac: "02:00:00:00:00:12", ip: dhcp, role: camera}
  main:    {mac: "02:00:00:00:00:02", ip: [10.0.0.2], role: vms}
groups:
  cameras: {role: camera}
allow:
  - {from: main, to: cameras, services: [rtsp, http]}
  - {from: cameras, to: main, services: [rtp]}
`

// otherPolicy allows less.
const otherPolicy = `devices:
  main:    {mac: "02:00:00:00:00:02", ip: [10.0.0.2], role: vms}
  lobby-1: {mac: "02:00:00:00:00:11", ip: [10.0.0.11], role: camera}
allow:
  - {from: main, to: lobby-1, services: [rtsp]}
`

const badPolicy = "devices: {x: {mac: 3}}\nallow: 1\n"

// fakeGuard is a kernel in a struct.
type fakeGuard struct {
	generation uint32
	set        ipc.PolicySet
	bound      map[ipc.DeviceID]netip.Addr
	blocks     map[blockKey]time.Time
	fail       error
}

func (g *fakeGuard) Load(_ context.Context, set ipc.PolicySet) (uint32, error) {
	if g.fail != nil {
		return g.generation, g.fail
	}
	g.generation++
	g.set = set
	return g.generation, nil
}

func (g *fakeGuard) Bind(_ context.Context, d ipc.DeviceID, _ flow.VLAN, addr netip.Addr) error {
	g.bound[d] = addr
	return g.fail
}

func (g *fakeGuard) Unbind(_ context.Context, d ipc.DeviceID, _ flow.VLAN, _ netip.Addr) error {
	delete(g.bound, d)
	return g.fail
}

func (g *fakeGuard) Block(_ context.Context, a, b netip.Addr, until time.Time, _ string) error {
	if g.fail == nil {
		g.blocks[keyOf(a, b)] = until
	}
	return g.fail
}

func (g *fakeGuard) Lift(_ context.Context, a, b netip.Addr) error {
	delete(g.blocks, keyOf(a, b))
	return g.fail
}

func (g *fakeGuard) Ports(context.Context) ([]ipc.PortState, uint32, error) {
	return []ipc.PortState{
		{Bridge: "cctv", Port: "g0", Side: flow.CameraSide, Up: true, Mode: "native", MTU: 1500, Checks: []ipc.PortCheck{{Name: "promiscuous", State: ipc.CheckOK}}},
		{Bridge: "cctv", Port: "g1", Side: flow.ServerSide, Up: true, Mode: "generic", MTU: 1500, Checks: []ipc.PortCheck{{Name: "equal MTU", State: ipc.CheckBad, Detail: "g1 has 9000"}}},
	}, g.generation, g.fail
}

// fakeTables is what a bridge counted.
type fakeTables struct {
	reasons []reader.ReasonCount
	devices []reader.DeviceCount
	flows   []reader.Flow
	blocks  []reader.Block
}

func (f *fakeTables) Reasons() ([]reader.ReasonCount, error) { return f.reasons, nil }
func (f *fakeTables) Devices() ([]reader.DeviceCount, error) { return f.devices, nil }
func (f *fakeTables) Blocks() ([]reader.Block, error)        { return f.blocks, nil }
func (f *fakeTables) Losses() (sent, lost [2]uint64, err error) {
	return [2]uint64{10, 10}, [2]uint64{0, 3}, nil
}

func (f *fakeTables) Flows(fn func(reader.Flow) bool) error {
	for _, r := range f.flows {
		if !fn(r) {
			break
		}
	}
	return nil
}

// box is a Control whose kernel, journal and policy file are in the test's hands.
type box struct {
	*Control
	t      testing.TB
	dir    string
	guard  *fakeGuard
	tables *fakeTables
	seen   sync.Mutex // of events
	events []event.Event
	file   string // the policy file's text, "" = there is none
}

func newBox(t testing.TB, file string) *box {
	t.Helper()
	b := &box{
		t: t, dir: filepath.Join(t.TempDir(), "control"), file: file, tables: &fakeTables{},
		guard: &fakeGuard{bound: map[ipc.DeviceID]netip.Addr{}, blocks: map[blockKey]time.Time{}},
	}
	b.start()
	return b
}

// start is what happens at a start and at each restart: only files, and the kernel, are left.
func (b *box) start() {
	b.t.Helper()
	if b.Control != nil {
		b.stop()
	}
	kernel := NewKernel()
	kernel.bridges["cctv"] = b.tables
	c, err := Open(Config{
		Boot: &ipc.Boot{Site: "school-14", Policy: "/etc/citygate/policy.yaml", Bridges: []ipc.BootBridge{{
			Name: "cctv", CameraPort: "g0", ServerPort: "g1", Enforce: true, FailOpen: true, OverloadPass: true,
		}}},
		StateDir: b.dir, Guard: b.guard, Kernel: kernel, Now: time.Now, InForce: func(*policy.Compiled, uint32) {},
		Events: func(e event.Event) {
			b.seen.Lock()
			defer b.seen.Unlock()
			b.events = append(b.events, e)
		},
		ReadPolicy: func() ([]byte, error) {
			if b.file == "" {
				return nil, fs.ErrNotExist
			}
			return []byte(b.file), nil
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Control = c
	if err := c.Start(context.Background()); err != nil {
		b.t.Fatal(err)
	}
}

// refuse makes the kernel refuse everything, or nothing.
func (b *box) refuse(err error) {
	b.change.Lock()
	defer b.change.Unlock()
	b.guard.fail = err
}

// runs checks which policy is in force, in the kernel too.
func (b *box) runs(text string) {
	b.t.Helper()
	b.change.Lock() // a timer may be at it
	defer b.change.Unlock()
	run := b.Control.running.Load()
	if run.saved.Text != text {
		b.t.Errorf("the wrong policy is in force:\n%s", run.saved.Text)
	}
	if len(b.guard.set.Rules) != len(run.compiled.Set.Rules) || run.generation != b.guard.generation {
		b.t.Errorf("the kernel has %d rules of generation %d, control %d of %d",
			len(b.guard.set.Rules), b.guard.generation, len(run.compiled.Set.Rules), run.generation)
	}
}

func (b *box) degradedBy(what string) bool {
	for _, d := range b.Status(context.Background()).Degraded {
		if d.What == what {
			return true
		}
	}
	return false
}

// policyActions lists what the policy events said since the last call.
func (b *box) policyActions() (actions []string) {
	b.seen.Lock()
	defer b.seen.Unlock()
	for _, e := range b.events {
		if p, ok := e.(*event.Policy); ok {
			actions = append(actions, p.Action)
		}
	}
	b.events = nil
	return actions
}

func (b *box) damage(name string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte("{"), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) has(name string) bool {
	_, err := os.Stat(filepath.Join(b.dir, name))
	return !errors.Is(err, fs.ErrNotExist)
}
