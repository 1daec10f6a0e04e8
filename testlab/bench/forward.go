package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cilium/ebpf"

	"citygate/pkg/datapath"
	"citygate/pkg/ipc"
)

const (
	cameras       = 1000
	framesPerRun  = 80_000
	turnsPerRound = 6      // of a round: what disturbs the machine for a while disturbs all rows
	liveFrames    = 1 << 1 // BPF_F_TEST_XDP_LIVE_FRAMES of linux/bpf.h
)

// The rows that are compared. The generator's frames end at the first port in gone.
const (
	full   = "bridge program"
	plain  = "Linux bridge"
	nftset = "Linux bridge + nftables set"
	floor  = "bare redirect"
	gone   = "drop at the port"
)

var frameSizes = []int{64, 1400}

// row is a way from the camera to the server; before and after prepare and undo what only it has.
type row struct {
	name          string
	wire          *wire
	before, after func() error
}

// sample is what the generator did with a row.
type sample struct {
	sent, delivered float64
	cpu             time.Duration
}

// costs are CPU ns per delivered frame, less the generator's, by row, of one round.
type costs map[string]float64

// forwarding compares the rows.
type forwarding struct {
	objs   *FramesObjects
	rows   []row
	clock  *clock
	bridge *datapath.Bridge
}

const fullDir = "/sys/fs/bpf/full"

func newForwarding() (*forwarding, error) {
	f := &forwarding{objs: &FramesObjects{}}
	if err := LoadFramesObjects(f.objs, nil); err != nil {
		return nil, fmt.Errorf("load the bench's programs: %w", err)
	}
	var w [4]*wire
	for i := range w {
		var err error
		if w[i], err = newWire(i); err != nil {
			return nil, err
		}
		if err := w[i].attach(f.objs.Sink, w[i].server); err != nil {
			return nil, err
		}
	}
	var err error
	if f.bridge, err = openBridge(fullDir, w[0], city(cameras, 1)); err != nil {
		return nil, err
	}
	if err := w[1].bridge(); err != nil {
		return nil, err
	}
	if err := f.objs.Out.Put(uint32(0), uint32(w[2].ports[1].Attrs().Index)); err != nil {
		return nil, fmt.Errorf("set the floor's port: %w", err)
	}
	if err := w[2].attach(f.objs.Redirect, w[2].ports[0]); err != nil {
		return nil, err
	}
	if err := w[3].attach(f.objs.Drop, w[3].ports[0]); err != nil {
		return nil, err
	}
	f.rows = []row{
		{name: full, wire: w[0]},
		{name: plain, wire: w[1]},
		{name: floor, wire: w[2]},
		{name: gone, wire: w[3]},
		{name: nftset, wire: w[1], before: func() error { return addSet(cameras) }, after: removeSet},
	}
	f.clock, err = newClock()
	return f, err
}

func openBridge(dir string, w *wire, set *ipc.PolicySet) (*datapath.Bridge, error) {
	b, err := datapath.Open(dir, ipc.BootBridge{
		CameraPort: w.ports[0].Attrs().Name, ServerPort: w.ports[1].Attrs().Name,
		Enforce: true, FailOpen: true, OverloadPass: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open the bridge: %w", err)
	}
	staged, err := b.Stage(set)
	if err != nil {
		return nil, fmt.Errorf("load the policy: %w", err)
	}
	if _, err := staged.Activate(); err != nil {
		return nil, fmt.Errorf("activate the policy: %w", err)
	}
	return b, nil
}

func (f *forwarding) close() error {
	f.bridge.Close()
	f.objs.Close()
	return datapath.Detach(fullDir)
}

// round measures every row, in slices and random order, and says which share of the frames the worst row lost.
func (f *forwarding) round(ctx context.Context, size int) (costs, float64, error) {
	got := map[string]sample{}
	for range turnsPerRound {
		for _, i := range rand.Perm(len(f.rows)) {
			if err := ctx.Err(); err != nil {
				return nil, 0, err
			}
			r := f.rows[i]
			s, err := f.run(r, size)
			if err != nil {
				return nil, 0, fmt.Errorf("%s with frames of %d bytes: %w", r.name, size, err)
			}
			sum := got[r.name]
			got[r.name] = sample{sum.sent + s.sent, sum.delivered + s.delivered, sum.cpu + s.cpu}
		}
	}
	return perFrame(got)
}

// perFrame takes the generator's CPU time off and divides by the frames that arrived.
func perFrame(got map[string]sample) (c costs, lost float64, err error) {
	generator := got[gone]
	c = costs{gone: float64(generator.cpu) / generator.sent}
	for name, s := range got {
		if name == gone {
			continue
		}
		if s.delivered < s.sent/2 {
			return nil, 0, fmt.Errorf("%s delivered %.0f of %.0f frames", name, s.delivered, s.sent)
		}
		c[name] = float64(s.cpu-generator.cpu) / s.delivered
		lost = max(lost, 1-s.delivered/s.sent)
	}
	return c, lost, nil
}

func (f *forwarding) run(r row, size int) (s sample, err error) {
	if r.before != nil {
		if err := r.before(); err != nil {
			return s, err
		}
	}
	warm := FramesRotation{Sources: cameras, Ports: 1, FirstPort: firstPort}
	if err := f.objs.Turns.Set(warm); err != nil {
		return s, fmt.Errorf("set the generator: %w", err)
	}
	if _, err := f.send(r.wire, size, 4*cameras); err != nil {
		return s, err
	}
	start, err := f.clock.now()
	if err != nil {
		return s, err
	}
	if s.delivered, err = f.send(r.wire, size, framesPerRun); err != nil {
		return s, err
	}
	end, err := f.clock.now()
	if err != nil {
		return s, err
	}
	s.sent, s.cpu = framesPerRun, end-start
	if r.after != nil {
		err = r.after()
	}
	return s, err
}

// send runs the generator, waits until the last frame has arrived, and says how many did.
func (f *forwarding) send(w *wire, size, frames int) (float64, error) {
	before, err := f.delivered()
	if err != nil {
		return 0, err
	}
	md := xdpContext{DataEnd: uint32(size), Ingress: uint32(w.camera.Attrs().Index)}
	_, err = f.objs.Generate.Run(&ebpf.RunOptions{Data: rtpFrame(size), Context: &md, Repeat: uint32(frames), Flags: liveFrames})
	if err != nil {
		return 0, fmt.Errorf("generate frames: %w", err)
	}
	for last := before; ; {
		time.Sleep(5 * time.Millisecond) // what ksoftirqd still holds; no event tells that it is done
		n, err := f.delivered()
		if err != nil {
			return 0, err
		}
		if n == last {
			return n - before, nil
		}
		last = n
	}
}

func (f *forwarding) delivered() (float64, error) {
	var perCPU []uint64
	if err := f.objs.Delivered.Lookup(uint32(0), &perCPU); err != nil {
		return 0, fmt.Errorf("read the sink's counter: %w", err)
	}
	sum := 0.0
	for _, n := range perCPU {
		sum += float64(n)
	}
	return sum, nil
}
