package control

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/datapath/reader"
	"citygate/pkg/device"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/verdict"
)

func mac(s string) flow.MAC {
	m, err := flow.ParseMAC(s)
	if err != nil {
		panic(err)
	}
	return m
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func tuple(src, dst string, proto flow.Proto) flow.FiveTuple {
	t := flow.FiveTuple{Proto: proto}
	if ap, err := netip.ParseAddrPort(src); err == nil {
		t.Src, t.SrcPort = ap.Addr(), ap.Port()
	} else {
		t.Src = addr(src)
	}
	if ap, err := netip.ParseAddrPort(dst); err == nil {
		t.Dst, t.DstPort = ap.Addr(), ap.Port()
	} else {
		t.Dst = addr(dst)
	}
	return t
}

func TestBindings(t *testing.T) {
	gate := mac("02:00:00:00:00:12")
	for _, c := range []struct {
		name string
		m    ipc.DHCPBinding
		want string // the address that gate-2 has afterwards
	}{
		{"a device with ip: dhcp", ipc.DHCPBinding{MAC: gate, Addr: addr("10.0.0.50")}, "10.0.0.50"},
		{"another device's address", ipc.DHCPBinding{MAC: gate, Addr: addr("10.0.0.2")}, ""},
		{"a device with an address of its own", ipc.DHCPBinding{MAC: mac("02:00:00:00:00:11"), Addr: addr("10.0.0.51")}, ""},
		{"a stranger", ipc.DHCPBinding{MAC: mac("02:00:00:00:00:99"), Addr: addr("10.0.0.52")}, ""},
		{"another VLAN", ipc.DHCPBinding{MAC: gate, VLAN: 10, Addr: addr("10.0.0.50")}, ""},
		{"a group address", ipc.DHCPBinding{MAC: gate, Addr: addr("224.0.0.1")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox(t, goodPolicy)
			b.events = nil
			if err := b.Bind(context.Background(), c.m); err != nil {
				t.Fatal(err)
			}
			id := b.Control.running.Load().compiled.IDs["gate-2"]
			if c.want == "" {
				if a, ok := b.events[0].(*event.Anomaly); !ok || a.Event != "binding_refused" || len(b.guard.bound) != 0 {
					t.Fatalf("bound %v, events %v", b.guard.bound, b.events)
				}
				return
			}
			if got := b.guard.bound[id]; got != addr(c.want) {
				t.Fatalf("the kernel has %v", b.guard.bound)
			}
			ask := tuple("10.0.0.2:40000", c.want+":554", flow.TCP)
			if w := b.Why(ask, 0); w.Verdict != "pass" || w.To != "gate-2" {
				t.Errorf("why %+v", w)
			}
			b.start()
			if w := b.Why(ask, 0); w.Verdict != "pass" {
				t.Errorf("after a restart: %+v", w)
			}
		})
	}
}

func TestWhyKnowsTheMACOfAStranger(t *testing.T) {
	b := newBox(t, goodPolicy)
	b.See(ipc.DeviceSeen{MAC: mac("02:00:00:00:00:66"), Bridge: "cctv", Addr: addr("10.0.0.66"), Boot: time.Second})
	w := b.Why(tuple("10.0.0.66:40000", "10.0.0.2:554", flow.TCP), 0)
	if w.Reason != "unknown_device" || !strings.Contains(w.Change, "02:00:00:00:00:66") {
		t.Errorf("why %+v", w)
	}
}

func TestBindingMoves(t *testing.T) {
	b := newBox(t, goodPolicy)
	for _, a := range []string{"10.0.0.50", "10.0.0.50", "10.0.0.51"} {
		if err := b.Bind(context.Background(), ipc.DHCPBinding{MAC: mac("02:00:00:00:00:12"), Addr: addr(a)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.guard.bound) != 1 || b.guard.bound[b.Control.running.Load().compiled.IDs["gate-2"]] != addr("10.0.0.51") {
		t.Errorf("the kernel has %v", b.guard.bound)
	}
	// The address stays with the hardware: whoever takes over the name does not take it over.
	moved := strings.Replace(goodPolicy, "02:00:00:00:00:12", "02:00:00:00:00:13", 1)
	if _, err := b.apply(moved, 0); err != nil {
		t.Fatal(err)
	}
	if w := b.Why(tuple("10.0.0.2:40000", "10.0.0.51:554", flow.TCP), 0); w.Verdict != "drop" {
		t.Errorf("why %+v", w)
	}
}

func TestBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, goodPolicy)
		ctx := context.Background()
		a, z := addr("10.0.0.2"), addr("10.0.0.11")
		ask := tuple("10.0.0.2:40000", "10.0.0.11:554", flow.TCP)
		if w := b.Why(ask, 0); w.Verdict != "pass" {
			t.Fatalf("before: %+v", w)
		}
		got, err := b.AddBlock(ctx, Caller{UID: 5}, api.BlockRequest{Src: a, Dst: z, DurationS: 60, Reason: "scan"})
		if err != nil || !got.Until.Equal(time.Now().Add(time.Minute)) || got.By != "uid 5" {
			t.Fatalf("got %+v, %v", got, err)
		}
		if w := b.Why(ask, 0); w.Verdict != "drop" || w.Reason != "blocked" || w.Change != "citygate blocks lift 10.0.0.2 10.0.0.11" {
			t.Errorf("why %+v", w)
		}
		b.tables.blocks = []reader.Block{{Src: a, Dst: z, Hits: 3}, {Src: z, Dst: a, Hits: 4}, {Src: a, Dst: addr("10.9.9.9"), Hits: 5}}
		if l, err := b.BlocksWithHits(); err != nil || len(l.Blocks) != 1 || l.Blocks[0].Hits != 7 {
			t.Errorf("list %+v, %v", l, err)
		}
		b.guard.blocks = map[blockKey]time.Time{} // a new kernel
		b.start()
		if until := b.guard.blocks[keyOf(z, a)]; !until.Equal(got.Until) {
			t.Errorf("after a restart the kernel has %v", b.guard.blocks)
		}
		time.Sleep(time.Minute)
		if len(b.Blocks()) != 0 {
			t.Error("it did not end")
		}
		if _, err := b.LiftBlock(ctx, Caller{}, z, a); !errors.Is(err, errNotFound) {
			t.Errorf("lift what has ended: %v", err)
		}
		if _, err := b.AddBlock(ctx, Caller{}, api.BlockRequest{Src: a, Dst: z}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.LiftBlock(ctx, Caller{}, z, a); err != nil || len(b.Blocks()) != 0 || len(b.guard.blocks) != 0 {
			t.Errorf("lift: %v, %v", err, b.guard.blocks)
		}
	})
}

func TestBlockRefused(t *testing.T) {
	b := newBox(t, goodPolicy)
	for _, r := range []api.BlockRequest{
		{},
		{Src: addr("10.0.0.1")},
		{Src: addr("10.0.0.1"), Dst: addr("10.0.0.1")},
		{Src: addr("10.0.0.1"), Dst: addr("fd00::1")},
		{Src: addr("fe80::1%eth0"), Dst: addr("fe80::2")},
		{Src: addr("10.0.0.1"), Dst: addr("10.0.0.2"), Reason: strings.Repeat("x", 33)},
	} {
		if _, err := b.AddBlock(context.Background(), Caller{}, r); !errors.Is(err, errInvalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	b.guard.fail = errors.New("table full")
	if _, err := b.AddBlock(context.Background(), Caller{}, api.BlockRequest{Src: addr("10.0.0.1"), Dst: addr("10.0.0.2")}); !errors.Is(err, b.guard.fail) {
		t.Errorf("got %v", err)
	}
	if len(b.Blocks()) != 0 {
		t.Error("a refused block is listed")
	}
}

func TestSee(t *testing.T) {
	b := newBox(t, goodPolicy)
	b.events = nil
	camera := ipc.DeviceSeen{MAC: mac("02:00:00:00:00:11"), Bridge: "cctv", Side: flow.CameraSide, Addr: addr("10.0.0.11"), Boot: monotonic()}
	stranger := ipc.DeviceSeen{
		MAC: mac("02:00:00:00:00:99"), Bridge: "cctv", Side: flow.CameraSide, Boot: monotonic(),
		Evidence: []string{device.Evidence(device.Hostname, "laptop")},
	}
	for range 3 {
		b.See(camera)
		b.See(stranger)
	}
	if len(b.events) != 2 {
		t.Fatalf("%d events for two devices", len(b.events))
	}
	known, unknown := b.events[0].(*event.Device), b.events[1].(*event.Device)
	if !known.Listed || known.Name != "lobby-1" || known.Role != "camera" || known.Iface != "g0" || known.Event != event.DeviceNew {
		t.Errorf("known %+v", known)
	}
	if unknown.Listed || unknown.Hostname != "laptop" {
		t.Errorf("unknown %+v", unknown)
	}
	if _, err := b.NameDevice(Caller{}, stranger.MAC, 0, api.DeviceChange{Name: "ladder laptop", Tags: []string{"contractor"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.NameDevice(Caller{}, mac("02:00:00:00:00:98"), 0, api.DeviceChange{Name: "x"}); !errors.Is(err, errNotFound) {
		t.Errorf("named a device that was never seen: %v", err)
	}
	b.events = nil
	b.start()
	b.See(camera)
	for _, e := range b.events {
		if _, again := e.(*event.Device); again {
			t.Error("a second event after a restart")
		}
	}
	devices := b.Devices().Devices
	if last := devices[len(devices)-1]; last.Name != "ladder laptop" || last.Listed {
		t.Errorf("last %+v", last)
	}
	if s := b.Status(context.Background()).Devices; s.Seen != 2 || s.Unknown != 1 || s.Listed != 3 {
		t.Errorf("totals %+v", s)
	}
}

// A flood of new addresses fills the inventory and no more; the rest makes one event a minute.
func TestInventoryFull(t *testing.T) {
	b := newBox(t, goodPolicy)
	for i := range device.MaxDevices + 500 {
		b.See(ipc.DeviceSeen{MAC: flow.MAC{2, 0, 1, byte(i >> 16), byte(i >> 8), byte(i)}, Bridge: "cctv", Boot: monotonic()})
	}
	b.events = nil
	b.tellFull()
	b.tellFull()
	if len(b.events) != 1 || b.events[0].(*event.Anomaly).Count != 500 {
		t.Errorf("events %v", b.events)
	}
	if d := b.Devices(); d.Uncounted != 500 || len(d.Devices) != device.MaxDevices+3 {
		t.Errorf("%d devices, %d uncounted", len(d.Devices), d.Uncounted)
	}
}

func TestKernelViews(t *testing.T) {
	b := newBox(t, goodPolicy)
	run := b.Control.running.Load()
	lobby, server := run.compiled.IDs["lobby-1"], run.compiled.IDs["main"]
	b.tables.reasons = []reader.ReasonCount{
		{Reason: verdict.ReasonPolicy, Verdict: verdict.Pass, Frames: 3, Bytes: 300, WouldDropCount: 1},
		{Reason: verdict.ReasonCached, Verdict: verdict.Pass, Frames: 97, Bytes: 9700},
		{Reason: verdict.ReasonNoRule, Verdict: verdict.Drop, Frames: 7, Bytes: 420},
		{Reason: verdict.ReasonRate, Verdict: verdict.Drop},
	}
	b.tables.devices = []reader.DeviceCount{{
		Device: lobby, PassFrames: 90, PassBytes: 9000, DropFrames: 7, LastSeen: monotonic(),
		DropsByReason: map[verdict.Reason]uint64{verdict.ReasonNoRule: 7},
	}}
	live := reader.Flow{Tuple: tuple("10.0.0.2:40000", "10.0.0.11:554", flow.TCP), From: server, To: lobby, Rule: 1, Generation: 1, Frames: 5, First: monotonic(), Last: monotonic()}
	busy, old := live, live
	busy.Tuple, busy.Reply, busy.Frames = live.Tuple.Reverse(), true, 90
	old.Generation = 0
	b.tables.flows = []reader.Flow{live, old, busy}

	s := b.Status(context.Background())
	if want := (api.FrameTotals{Passed: 100, Dropped: 7, WouldDrop: 1, Lost: 3}); s.Frames != want {
		t.Errorf("frames %+v", s.Frames)
	}
	c, err := b.Counters()
	if err != nil || len(c.Bridges[0].Reasons) != 3 || c.Bridges[0].Losses[1] != (api.LossCount{What: "not_taken_by_g1", Frames: 3}) {
		t.Errorf("counters %+v, %v", c, err)
	}
	f, err := b.Flows(1)
	if err != nil || len(f.Flows) != 1 || !f.More || !f.Flows[0].Reply || f.Flows[0].Rule != "/etc/citygate/policy.yaml:9" || f.Flows[0].To != "lobby-1" {
		t.Errorf("flows %+v, %v", f, err)
	}
	if f, err := b.Flows(10); err != nil || len(f.Flows) != 2 || f.More {
		t.Errorf("flows %+v, %v", f, err)
	}
	d := b.Devices().Devices
	if d[1].Name != "lobby-1" || d[1].PassFrames != 90 || d[1].Drops["no_rule"] != 7 || d[1].LastSeen.IsZero() {
		t.Errorf("device %+v", d[1])
	}
	w := b.Why(live.Tuple, 0)
	if w.Flow == nil || w.Flow.Frames != 5 || w.Rule.Line != 9 || w.Rule.Text != "- {from: main, to: cameras, services: [rtsp, http]}" {
		t.Errorf("why %+v", w)
	}
	if w := b.Why(tuple("10.0.0.11:5000", "10.0.0.2:22", flow.TCP), 0); w.Verdict != "drop" || w.Reason != "no_rule" || w.Drops["no_rule"] != 7 || w.Change == "" {
		t.Errorf("why %+v", w)
	}
}

func TestStatus(t *testing.T) {
	b := newBox(t, goodPolicy)
	b.exited(ipc.ProcessExit{Process: ipc.Watch, Code: -1, Signal: 9, Restarts: 1})
	s := b.Status(context.Background())
	if s.State != "degraded" || len(s.Degraded) != 1 || s.Degraded[0].Text != "cctv g1: not equal MTU: g1 has 9000" {
		t.Errorf("degraded %+v", s.Degraded)
	}
	if p := s.Processes[4]; p.Name != "watch" || p.Restarts != 2 || p.LastExit != "killed" {
		t.Errorf("processes %+v", s.Processes)
	}
	if br := s.Bridges[0]; br.Mode != "enforce" || br.Generation != 1 || br.Ports[0].XDP != "native" || br.OnFailure != "open" {
		t.Errorf("bridges %+v", s.Bridges)
	}
	d := b.Doctor(context.Background())
	if d.Healthy || fmt.Sprint(d.Checks) != "[{port g0 ok native XDP } {port g0: promiscuous ok yes } {port g1 warn generic XDP } {port g1: equal MTU fail no g1 has 9000}]" {
		t.Errorf("doctor %+v", d)
	}
	b.guard.fail = errNoAnswer
	if s := b.Status(context.Background()); !strings.Contains(fmt.Sprint(s.Degraded), "guard") {
		t.Errorf("degraded %+v", s.Degraded)
	}
}

func TestNoPolicy(t *testing.T) {
	b := newBox(t, "")
	if w := b.Why(tuple("10.0.0.2:40000", "10.0.0.11:554", flow.TCP), 0); w.Verdict != "drop" || w.Reason != "no_policy" || w.Change != "citygate policy apply" {
		t.Errorf("why %+v", w)
	}
	if p := b.Policy(); p.Source != sourceNone || p.Hash != "" || len(b.guard.set.Rules) != 0 {
		t.Errorf("policy %+v", p)
	}
	b.must(b.apply(goodPolicy, 0))
	if b.degradedBy("policy") {
		t.Error("still degraded")
	}
}

// The target is 200 ms on a box, with the kernel's cache full.
func BenchmarkWhy(b *testing.B) {
	var text strings.Builder
	text.WriteString("devices:\n  main: {mac: \"02:00:00:00:00:02\", ip: [10.0.0.2], role: vms}\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "  cam-%d: {mac: \"02:00:00:01:%02x:%02x\", ip: [10.1.%d.%d], role: camera}\n", i, i>>8, i&255, i>>8, i&255)
	}
	text.WriteString("groups: {cameras: {role: camera}}\nallow:\n  - {from: main, to: cameras, services: [rtsp, http, onvif]}\n")
	c := newBox(b, text.String())
	for i := range 65_536 {
		c.tables.flows = append(c.tables.flows, reader.Flow{Tuple: flow.FiveTuple{Src: addr("10.0.0.2"), SrcPort: uint16(i)}, Generation: 1})
	}
	for b.Loop() {
		if w := c.Why(tuple("10.0.0.2:40000", "10.1.3.200:554", flow.TCP), 0); w.Verdict != "pass" {
			b.Fatalf("%+v", w)
		}
	}
}
