//go:build lab

package datapath

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"citygate/bpf"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/link"
	"citygate/pkg/verdict"
)

func (c *bench) expect(what string, side flow.Side, frame []byte, want verdict.Reason) {
	c.t.Helper()
	if got, _ := c.send(side, frame); got != want {
		c.t.Errorf("%s: left for %v, want %v", what, got, want)
	}
}

func boot() time.Duration {
	var ts unix.Timespec
	must(unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts))
	return time.Duration(ts.Nano())
}

func TestPolicySwap(t *testing.T) {
	c := openBench(t, enforcing)
	rtp := udp(nLobby, nRemote, 8000, 5004)
	last := uint32(0)
	for i := range 20 {
		set := citySet()
		if i%2 == 1 { // without the line that lets cameras send to the remote server
			set.Rules = set.Rules[:0]
			set.Rules = append(set.Rules, ipc.RuleEntry{From: main, To: lobby, Service: svcRTSP})
		}
		g := c.commit(set)
		if g != last+1 || c.Generation() != g {
			t.Fatalf("generation %d after %d", g, last)
		}
		last = g
		if i%2 == 0 {
			c.expect("allowed, judged anew", cam, rtp, verdict.ReasonPolicy)
			c.expect("allowed, cached", cam, rtp, verdict.ReasonCached)
		} else {
			c.expect("no longer allowed, cached or not", cam, rtp, verdict.ReasonNoRule)
		}
	}
}

func TestRefusedPolicyLeavesNothing(t *testing.T) {
	c := openBench(t, enforcing)
	g := c.commit(citySet())
	for name, spoil := range map[string]func(*ipc.PolicySet){
		"device number": func(s *ipc.PolicySet) { s.Devices[0].ID = ipc.MaxDeviceID + 1 },
		"unknown MAC":   func(s *ipc.PolicySet) { s.MACs[0].Device = 99 },
		"service":       func(s *ipc.PolicySet) { s.Rules[0].Service = 64 },
		"unknown rule":  func(s *ipc.PolicySet) { s.Rules[0].To = 99 },
	} {
		set := citySet()
		spoil(set)
		if _, err := c.Stage(set); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	s, err := c.Stage(citySet())
	must(err)
	s.Discard()
	if c.Generation() != g {
		t.Errorf("generation %d, want %d", c.Generation(), g)
	}
	c.expect("the running policy", srv, tcp(nMain, nLobby, 40000, 554, true, false), verdict.ReasonPolicy)
}

func TestAdoption(t *testing.T) {
	c := openBench(t, enforcing)
	g := c.commit(citySet())
	opening, next := tcp(nMain, nLobby, 40000, 554, true, false), tcp(nMain, nLobby, 40000, 554, false, true)
	c.expect("opening", srv, opening, verdict.ReasonPolicy)
	again, err := Open("/sys/fs/bpf/test", enforcing)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.Generation() != g || again.pending {
		t.Errorf("generation %d (pending %v), want %d", again.Generation(), again.pending, g)
	}
	d := newBench(t, again)
	d.expect("the flow goes on, cached", srv, next, verdict.ReasonCached)
	if err := again.SetBinding(hall, 0, ipHall); !errors.Is(err, ErrNoPolicy) {
		t.Errorf("a binding before the first commit: %v", err)
	}
	d.commit(citySet())
	d.expect("judged anew", srv, next, verdict.ReasonPolicy)
}

// A new shape of the maps: the old program stays on the ports until the new maps hold a policy.
func TestUpgradeOfLayout(t *testing.T) {
	c := openBench(t, enforcing)
	c.commit(citySet())
	must(os.Rename(c.mapsDir(), filepath.Join(c.dir, "maps-0123456789ab")))
	up, err := Open(c.dir, enforcing)
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	if !up.pending {
		t.Fatal("the pinned program was exchanged for one without a policy")
	}
	d := newBench(t, up)
	d.commit(citySet())
	if left, _ := filepath.Glob(filepath.Join(c.dir, "maps-*")); up.pending || len(left) != 1 {
		t.Errorf("pending %v, maps %v", up.pending, left)
	}
	d.expect("the new program", srv, tcp(nMain, nLobby, 40000, 554, true, false), verdict.ReasonPolicy)
}

func TestBindings(t *testing.T) {
	c := openBench(t, enforcing)
	c.commit(citySet())
	ask := udp(nHall, nMain, 5000, 53)
	c.expect("no binding", cam, ask, verdict.ReasonIPSpoofed)
	must(c.SetBinding(hall, 0, ipHall))
	c.expect("bound", cam, ask, verdict.ReasonPolicy)
	for name, err := range map[string]error{
		"another's address": c.SetBinding(hall, 0, ipMain),
		"not by DHCP":       c.SetBinding(lobby, 0, netip.MustParseAddr("10.0.0.99")),
		"clear another's":   c.ClearBinding(hall, 0, ipMain),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	must(c.ClearBinding(hall, 0, ipHall))
	c.expect("unbound, though it was cached", cam, ask, verdict.ReasonIPSpoofed)
}

func TestBlocks(t *testing.T) {
	c := openBench(t, enforcing)
	c.commit(citySet())
	frame := tcp(nMain, nLobby, 40000, 554, false, true)
	c.expect("before", srv, frame, verdict.ReasonPolicy)
	now := time.Now()
	must(c.SetBlock(ipMain, ipLobby, now.Add(time.Hour), "by hand"))
	c.expect("blocked, though it was cached", srv, frame, verdict.ReasonBlocked)
	c.expect("the other direction", cam, udp(nLobby, nMain, 5000, 53), verdict.ReasonBlocked)
	c.expect("another pair", srv, tcp(nRemote, nLobby, 40000, 554, false, true), verdict.ReasonPolicy)
	blocks, err := c.read.Blocks()
	must(err)
	if len(blocks) != 2 || blocks[0].Reason != "by hand" || blocks[0].Hits+blocks[1].Hits != 2 {
		t.Errorf("blocks %+v", blocks)
	}
	c.commit(citySet())
	c.expect("a block outlives a policy", srv, frame, verdict.ReasonBlocked)
	must(c.LiftBlock(ipMain, ipLobby))
	c.expect("lifted", srv, frame, verdict.ReasonPolicy)
	must(c.SetBlock(ipMain, netip.Addr{}, now.Add(-time.Second), "ended"))
	c.expect("ended", srv, frame, verdict.ReasonPolicy)
	must(c.SetBlock(ipMain, netip.Addr{}, time.Time{}, "for ever"))
	c.expect("towards everybody", srv, frame, verdict.ReasonBlocked)
	if err := c.LiftBlock(ipHall, ipMain); err == nil {
		t.Error("a block that is not there was lifted")
	}
}

func TestPinholesAreJudgedAnew(t *testing.T) {
	c := openBench(t, enforcing)
	g := c.commit(citySet())
	media := udp(nLobby, nMain, 8000, 32112)
	c.expect("no pinhole", cam, media, verdict.ReasonNoRule)
	key := bpf.BridgePinholeKey{Src: ipLobby.As16(), Dst: ipMain.As16(), Dport: 32112>>8 | 32112&0xff<<8, Proto: uint8(flow.UDP)}
	must(c.maps["pinholes"].Put(key, bpf.BridgePinhole{Generation: g, From: uint16(main), To: uint16(lobby), Port: portsTCP + 554}))
	c.control.Pinholes = 1
	c.expect("open", cam, media, verdict.ReasonPinhole)
	c.commit(citySet())
	c.expect("its session is still allowed", cam, media, verdict.ReasonPinhole)
	set := citySet()
	set.Rules = set.Rules[2:] // main may no longer open RTSP to lobby
	c.commit(set)
	c.expect("its session is not allowed any more", cam, media, verdict.ReasonNoRule)
	var v bpf.BridgePinhole
	if err := c.maps["pinholes"].Lookup(key, &v); err == nil {
		t.Error("the pinhole was kept")
	}
}

// PUNT without an inspector: what on_failure and on_overload say.
func TestPunt(t *testing.T) {
	for _, s := range []struct {
		name     string
		settings ipc.BootBridge
		failed   verdict.Reason
		full     verdict.Reason
	}{
		{"open", enforcing, verdict.ReasonFailOpen, verdict.ReasonOverloadPass},
		{"closed", ipc.BootBridge{CameraPort: "g0", ServerPort: "g1", Enforce: true}, verdict.ReasonFailClosed, verdict.ReasonOverloadDrop},
	} {
		t.Run(s.name, func(t *testing.T) {
			c := openBench(t, s.settings)
			c.commit(citySet())
			var rule ruleValue
			k := ruleKey{From: uint16(main), To: uint16(lobby), Service: svcRTSP}
			must(c.active["rules"].Lookup(k, &rule))
			rule.Punt = 1
			must(c.active["rules"].Put(k, rule))
			frame := tcp(nMain, nLobby, 40000, 554, true, false)
			c.expect("no socket", srv, frame, s.failed)
			xsk, err := unix.Socket(unix.AF_XDP, unix.SOCK_RAW, 0)
			must(err)
			defer unix.Close(xsk)
			inspector := func(age time.Duration, punted uint64) {
				must(c.maps["inspector_map"].Put(uint32(0), bpf.BridgeInspector{HeartbeatNs: uint64(boot() - age), Punted: punted}))
			}
			inspector(0, 0)
			c.expect("a heartbeat but no socket", srv, frame, s.failed)
			must(c.maps["xsks"].Put(uint32(xskQueues), uint32(xsk)))
			c.control.Credit = 2
			inspector(time.Second, 0)
			c.expect("a socket but no heartbeat", srv, frame, s.failed)
			inspector(0, 0)
			c.expect("both", srv, frame, verdict.ReasonPunted)
			c.expect("both, cached", srv, frame, verdict.ReasonPunted)
			c.expect("no credit left", srv, frame, s.full)
		})
	}
}

func TestPortsAreSetAndRestored(t *testing.T) {
	c := openBench(t, enforcing)
	s, err := link.Inspect("g0", "g1")
	must(err)
	if s.Mode != "native" {
		t.Errorf("XDP mode %s", s.Mode)
	}
	for _, check := range s.Checks {
		if check.State == ipc.CheckBad {
			t.Errorf("%s: %s", check.Name, check.Detail)
		}
	}
	must(c.Close())
	must(Detach(c.dir))
	l, err := netlink.LinkByName("g0")
	must(err)
	if l.Attrs().RawFlags&(unix.IFF_PROMISC|unix.IFF_NOARP|unix.IFF_ALLMULTI) != 0 || l.Attrs().Xdp.Attached {
		t.Errorf("flags %x, XDP %+v after the restore", l.Attrs().RawFlags, l.Attrs().Xdp)
	}
}

func TestGenericModeWhereThereIsNoNative(t *testing.T) {
	must(netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "v0"}, PeerName: "v1"}))
	parent, err := netlink.LinkByName("v0")
	must(err)
	for _, name := range []string{"d0", "d1"} { // macvlan has no native XDP
		must(netlink.LinkAdd(&netlink.Macvlan{LinkAttrs: netlink.LinkAttrs{Name: name, ParentIndex: parent.Attrs().Index}, Mode: netlink.MACVLAN_MODE_BRIDGE}))
	}
	b, err := Open("/sys/fs/bpf/generic", ipc.BootBridge{CameraPort: "d0", ServerPort: "d1", Enforce: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { b.Close(); must(Detach("/sys/fs/bpf/generic")) }()
	s, err := link.Inspect("d0", "d1")
	must(err)
	if s.Mode != "generic" {
		t.Errorf("XDP mode %s", s.Mode)
	}
}

func TestPortErrors(t *testing.T) {
	if _, err := Open("/sys/fs/bpf/none", ipc.BootBridge{CameraPort: "nope0", ServerPort: "nope1", Enforce: true}); err == nil {
		t.Error("a port that does not exist was opened")
	}
	must(os.RemoveAll("/sys/fs/bpf/none"))
	must(netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "a0"}, PeerName: "a1"}))
	l, err := netlink.LinkByName("a0")
	must(err)
	addr, err := netlink.ParseAddr("10.1.2.3/24")
	must(err)
	must(netlink.AddrAdd(l, addr))
	if _, err := link.Prepare("a0"); err == nil {
		t.Error("a port with an address of the host was taken")
	}
}

// A veth whose peer has neither GRO nor XDP takes no redirected frame; each one must show.
func TestLossesAreCounted(t *testing.T) {
	c := openBench(t, enforcing)
	c.commit(citySet())
	const frames = 64
	before, _, err := c.read.Losses()
	must(err)
	frame := udp(nLobby, nRemote, 8000, 5004)
	md := xdpMD{DataEnd: uint32(len(frame)), Ingress: uint32(c.ports[cam])}
	if _, err := c.prog.Run(&ebpf.RunOptions{Data: frame, Context: &md, Repeat: frames, Flags: 1 << 1 /* BPF_F_TEST_XDP_LIVE_FRAMES */}); err != nil {
		t.Fatal(err)
	}
	sent, lost, err := c.read.Losses()
	must(err)
	if lost[srv] != frames || lost[cam] != 0 || sent[srv] != before[srv] {
		t.Errorf("sent %v, lost %v, want %d lost towards the server", sent, lost, frames)
	}
}
