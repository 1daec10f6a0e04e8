package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"

	"github.com/cilium/ebpf"
	bpflink "github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"citygate/pkg/datapath"
	"citygate/pkg/datapath/reader"
	"citygate/pkg/flow"
	"citygate/pkg/verdict"
)

// xdpContext is struct xdp_md of linux/bpf.h, as a test run takes it.
type xdpContext struct{ Data, DataEnd, DataMeta, Ingress, Queue, Egress uint32 }

const runs = 300_000

// policySizes: entries = cameras x services. The program knows at most 4,096 devices.
var policySizes = []struct{ entries, cameras, services int }{
	{10, 10, 1}, {1000, 1000, 1}, {10_000, 2500, 4}, {65_536, 4096, 16},
}

// kind is a sort of frame for test runs.
type kind struct {
	name     string
	about    string
	frame    []byte
	want     verdict.Reason // for which nearly all must leave
	turns    func(entries, cameras int) FramesRotation
	warm     bool // let each flow pass once before
	outdated bool // each frame finds its cached verdict outdated
}

// always is a single flow; in a test run without turns even the wrapper is left out.
func always(int, int) FramesRotation {
	return FramesRotation{Sources: 1, Ports: 1, FirstPort: firstPort}
}

// perEntry is one flow for each entry of the policy, at random.
func perEntry(entries, cameras int) FramesRotation { return randomly(cameras, entries/cameras) }

// A seed of xorshift64 is any number but zero.
func randomly(sources, ports int) FramesRotation {
	return FramesRotation{Sources: uint32(sources), Ports: uint32(ports), FirstPort: firstPort, Random: 1, Seed: rand.Uint64() | 1}
}

var kinds = []kind{
	{name: "hot_flow", about: "one flow, cached", frame: rtpFrame(64), want: verdict.ReasonCached, warm: true},
	{name: "hits", about: "a flow per entry, cached", frame: rtpFrame(64), want: verdict.ReasonCached, warm: true, turns: perEntry},
	{name: "miss", about: "one flow, judged each time", frame: rtpFrame(64), want: verdict.ReasonPolicy, outdated: true, turns: always},
	{name: "miss_random", about: "a flow per entry, judged", frame: rtpFrame(64), want: verdict.ReasonPolicy, outdated: true, warm: true, turns: perEntry},
	{
		// In turn over so many flows that each is evicted long before it comes again. The first ports are those of hits.
		name: "new_flow", about: "each frame a new flow", frame: rtpFrame(64), want: verdict.ReasonPolicy,
		turns: func(_, cameras int) FramesRotation {
			return FramesRotation{Sources: uint32(cameras), Ports: lastPort - 2*firstPort + 1, FirstPort: 2 * firstPort}
		},
	},
	{
		name: "deny", about: "off policy, random flows", frame: rtspFrame(cameraMAC(0)), want: verdict.ReasonNoRule,
		turns: func(_, cameras int) FramesRotation { return randomly(cameras, lastPort-firstPort+1) },
	},
	{
		name: "deny_unknown", about: "random unknown MACs", frame: rtspFrame(flow.MAC{6}), want: verdict.ReasonUnknownDevice,
		turns: func(int, int) FramesRotation { return randomly(1<<21, lastPort-firstPort+1) },
	},
}

// subject is a bridge with a policy of a size, and the wrapper that rotates frames for it.
type subject struct {
	entries, cameras int
	dir              string
	bridge           *datapath.Bridge
	prog             *ebpf.Program
	objs             *FramesObjects
	read             *reader.Reader
	port             uint32
}

func newSubject(n int) (_ *subject, err error) {
	size := policySizes[n]
	s := &subject{entries: size.entries, cameras: size.cameras, dir: fmt.Sprintf("/sys/fs/bpf/size%d", n)}
	w, err := newWire(10 + n)
	if err != nil {
		return nil, err
	}
	s.port = uint32(w.ports[flow.CameraSide].Attrs().Index)
	if s.bridge, err = openBridge(s.dir, w, city(size.cameras, size.services)); err != nil {
		return nil, err
	}
	if s.prog, err = programOf(filepath.Join(s.dir, flow.CameraSide.String())); err != nil {
		return nil, err
	}
	if s.objs, err = loadAround(s.prog, s.dir); err != nil {
		return nil, err
	}
	s.read, err = openReader(s.bridge)
	return s, err
}

// loadAround loads the wrappers around the program of a bridge that is pinned in dir, with its control word.
func loadAround(p *ebpf.Program, dir string) (*FramesObjects, error) {
	found, _ := filepath.Glob(filepath.Join(dir, "maps-*", "control_map"))
	if len(found) != 1 {
		return nil, fmt.Errorf("%d control words are pinned under %s", len(found), dir)
	}
	control, err := ebpf.LoadPinnedMap(found[0], nil)
	if err != nil {
		return nil, fmt.Errorf("open the control word: %w", err)
	}
	defer control.Close()
	spec, err := LoadFrames()
	if err != nil {
		return nil, fmt.Errorf("read the bench's programs: %w", err)
	}
	spec.Maps["control_map"].ValueSize = control.ValueSize()
	objs := &FramesObjects{}
	err = spec.LoadAndAssign(objs, &ebpf.CollectionOptions{MapReplacements: map[string]*ebpf.Map{"control_map": control}})
	if err != nil {
		return nil, fmt.Errorf("load the bench's programs: %w", err)
	}
	if err := objs.Judge.Put(uint32(0), p); err != nil {
		return nil, fmt.Errorf("put the program behind the wrapper: %w", err)
	}
	return objs, nil
}

// programOf is the program of a pinned link.
func programOf(path string) (*ebpf.Program, error) {
	l, err := bpflink.LoadPinnedLink(path, nil)
	if err != nil {
		return nil, fmt.Errorf("open the port's link: %w", err)
	}
	defer l.Close()
	info, err := l.Info()
	if err != nil {
		return nil, fmt.Errorf("ask for the port's program: %w", err)
	}
	p, err := ebpf.NewProgramFromID(info.Program)
	if err != nil {
		return nil, fmt.Errorf("open the port's program: %w", err)
	}
	return p, nil
}

func openReader(b *datapath.Bridge) (*reader.Reader, error) {
	maps, err := b.Maps()
	if err != nil {
		return nil, err
	}
	fds := map[string]int{}
	for name, m := range maps {
		defer m.Close()
		if fds[name], err = unix.FcntlInt(uintptr(m.FD()), unix.F_DUPFD_CLOEXEC, 3); err != nil {
			return nil, fmt.Errorf("pass on a map: %w", err)
		}
	}
	return reader.Open(fds)
}

func (s *subject) close() error {
	s.read.Close()
	s.prog.Close()
	s.objs.Close()
	s.bridge.Close()
	return datapath.Detach(s.dir)
}

// ns is the CPU time of a run of the program on frames of a kind.
func (s *subject) ns(k kind) (float64, error) {
	prog, err := s.prepare(k)
	if err != nil {
		return 0, err
	}
	before, err := s.frames(k.want)
	if err != nil {
		return 0, err
	}
	ns, err := s.time(prog, k.frame, runs)
	if err != nil {
		return 0, err
	}
	after, err := s.frames(k.want)
	if err != nil {
		return 0, err
	}
	if after-before < runs*99/100 {
		return 0, fmt.Errorf("only %d of %d frames left for the reason %v", after-before, runs, k.want)
	}
	return ns, nil
}

// prepare sets the frames' rotation, fills the cache, and says which program to run.
func (s *subject) prepare(k kind) (*ebpf.Program, error) {
	turns, prog := always(0, 0), s.prog
	if k.turns != nil {
		turns, prog = k.turns(s.entries, s.cameras), s.objs.Rotate
	}
	if k.warm { // each flow in turn
		each := FramesRotation{Sources: turns.Sources, Ports: turns.Ports, FirstPort: turns.FirstPort}
		if err := s.objs.Turns.Set(each); err != nil {
			return nil, fmt.Errorf("set the wrapper: %w", err)
		}
		if _, err := s.time(s.objs.Rotate, k.frame, int(turns.Sources*turns.Ports)); err != nil {
			return nil, err
		}
	}
	if err := s.objs.Turns.Set(turns); err != nil {
		return nil, fmt.Errorf("set the wrapper: %w", err)
	}
	if k.outdated {
		prog = s.objs.RotateOutdated
	}
	return prog, nil
}

func (s *subject) time(p *ebpf.Program, frame []byte, n int) (float64, error) {
	return timeRuns(p, frame, s.port, n)
}

// timeRuns is the CPU time of one of n runs of a program on a frame that comes in by a port.
func timeRuns(p *ebpf.Program, frame []byte, port uint32, n int) (float64, error) {
	md := xdpContext{DataEnd: uint32(len(frame)), Ingress: port}
	start, err := threadTime()
	if err != nil {
		return 0, err
	}
	if _, err = p.Run(&ebpf.RunOptions{Data: frame, Context: &md, Repeat: uint32(n)}); err != nil {
		return 0, fmt.Errorf("run %s: %w", p, err)
	}
	end, err := threadTime()
	return float64(end-start) / float64(n), err
}

func threadTime() (int64, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0, fmt.Errorf("read the thread's CPU time: %w", err)
	}
	return t.Nano(), nil
}

// frames is how many have left for a reason.
func (s *subject) frames(want verdict.Reason) (uint64, error) {
	all, err := s.read.Reasons()
	if err != nil {
		return 0, err
	}
	for _, r := range all {
		if r.Reason == want {
			return r.Frames, nil
		}
	}
	return 0, fmt.Errorf("no counter of %v", want)
}

// testRuns measures every kind at every size once, in random order; the keys are those of the results.
func testRuns(ctx context.Context, subjects []*subject) (map[string]float64, error) {
	out := map[string]float64{}
	for _, i := range rand.Perm(len(subjects) * len(kinds)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, k := subjects[i%len(subjects)], kinds[i/len(subjects)]
		ns, err := s.ns(k)
		if err != nil {
			return nil, fmt.Errorf("test run of %s with %d entries: %w", k.name, s.entries, err)
		}
		out[nsKey(k.name, s.entries)] = ns
	}
	return out, nil
}
