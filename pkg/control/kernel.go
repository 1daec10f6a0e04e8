package control

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/datapath/reader"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/verdict"

	"golang.org/x/sys/unix"
)

// tables is what a bridge's kernel tables say; reader.Reader is one.
type tables interface {
	Reasons() ([]reader.ReasonCount, error)
	Devices() ([]reader.DeviceCount, error)
	Flows(fn func(reader.Flow) bool) error
	Blocks() ([]reader.Block, error)
	Losses() (sent, lost [2]uint64, err error)
}

// Kernel is the read side of the data path: the guard gives it read-only descriptors of its maps.
type Kernel struct {
	mu      sync.Mutex
	fds     map[string]map[string]int
	bridges map[string]tables
}

// NewKernel knows no bridge yet.
func NewKernel() *Kernel {
	return &Kernel{fds: map[string]map[string]int{}, bridges: map[string]tables{}}
}

// Take takes over a descriptor. When the last one of a bridge has come, the bridge can be read.
func (k *Kernel) Take(m ipc.MapFD, fd int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !slices.Contains(reader.Names, m.Name) {
		return unix.Close(fd) // such as the ring buffer, which is watch's
	}
	fds := k.fds[m.Bridge]
	if fds == nil {
		fds = map[string]int{}
		k.fds[m.Bridge] = fds
	}
	fds[m.Name] = fd
	for _, name := range reader.Names {
		if _, ok := fds[name]; !ok {
			return nil
		}
	}
	r, err := reader.Open(fds)
	if err != nil {
		return fmt.Errorf("read the maps of bridge %s: %w", m.Bridge, err)
	}
	delete(k.fds, m.Bridge)
	k.bridges[m.Bridge] = r
	return nil
}

func (k *Kernel) bridge(name string) tables {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.bridges[name]
}

// wall is the wall-clock time of a CLOCK_MONOTONIC stamp.
func wall(boot, monotonicNow time.Duration, now time.Time) time.Time {
	if boot == 0 {
		return time.Time{}
	}
	return now.Add(boot - monotonicNow).UTC()
}

// Counters counts what left each bridge, by reason.
func (c *Control) Counters() (api.Counters, error) {
	out := api.Counters{Bridges: []api.BridgeCounters{}}
	for _, b := range c.Boot.Bridges {
		m := c.Kernel.bridge(b.Name)
		if m == nil {
			continue
		}
		counts, err := bridgeCounters(b, m)
		if err != nil {
			return out, fmt.Errorf("bridge %s: %w", b.Name, err)
		}
		out.Bridges = append(out.Bridges, counts)
	}
	return out, nil
}

func bridgeCounters(b ipc.BootBridge, m tables) (api.BridgeCounters, error) {
	out := api.BridgeCounters{Bridge: b.Name, Reasons: []api.ReasonCount{}, Losses: []api.LossCount{}}
	reasons, err := m.Reasons()
	if err != nil {
		return out, err
	}
	for _, r := range reasons {
		if r.Frames == 0 && r.WouldDropCount == 0 {
			continue
		}
		out.Reasons = append(out.Reasons, api.ReasonCount{
			Reason: r.Reason.String(), Text: r.Reason.Text(), Verdict: r.Verdict.String(),
			Frames: r.Frames, Bytes: r.Bytes, WouldDrop: r.WouldDropCount,
		})
		out.WouldDrop += r.WouldDropCount
		if r.Verdict == verdict.Drop {
			out.Dropped += r.Frames
		} else {
			out.Passed += r.Frames
		}
	}
	_, lost, err := m.Losses()
	for side, port := range [2]string{b.CameraPort, b.ServerPort} {
		out.Losses = append(out.Losses, api.LossCount{What: "not_taken_by_" + port, Frames: lost[side]})
		out.Lost += lost[side]
	}
	return out, err
}

// deviceCounts adds up what devices sent over all bridges.
func (c *Control) deviceCounts() map[ipc.DeviceID]reader.DeviceCount {
	out := map[ipc.DeviceID]reader.DeviceCount{}
	for _, b := range c.Boot.Bridges {
		m := c.Kernel.bridge(b.Name)
		if m == nil {
			continue
		}
		counts, err := m.Devices()
		if err != nil {
			c.degrade("counters", err.Error(), "restart the gateway")
			continue
		}
		for _, d := range counts {
			sum := out[d.Device]
			sum.PassFrames += d.PassFrames
			sum.PassBytes += d.PassBytes
			sum.DropFrames += d.DropFrames
			sum.WouldDropFrames += d.WouldDropFrames
			sum.LastSeen = max(sum.LastSeen, d.LastSeen)
			sum.DropsByReason = addReasons(sum.DropsByReason, d.DropsByReason)
			out[d.Device] = sum
		}
	}
	return out
}

func addReasons(sum, more map[verdict.Reason]uint64) map[verdict.Reason]uint64 {
	if sum == nil {
		sum = map[verdict.Reason]uint64{}
	}
	for r, n := range more {
		sum[r] += n
	}
	return sum
}

// maxFlows is how many flows an answer may hold; the kernel's cache holds about as many.
const maxFlows = 100_000

// Flows lists the cached flows, the busiest first.
func (c *Control) Flows(limit int) (api.Flows, error) {
	out := api.Flows{Flows: []api.Flow{}}
	run, now, mono := c.running.Load(), c.Now(), monotonic()
	for _, b := range c.Boot.Bridges {
		m := c.Kernel.bridge(b.Name)
		if m == nil {
			continue
		}
		err := m.Flows(func(f reader.Flow) bool {
			if f.Generation == run.generation { // others are misses
				out.Flows = append(out.Flows, run.flow(b.Name, f, now, mono))
			}
			return len(out.Flows) < maxFlows
		})
		if err != nil {
			return out, fmt.Errorf("bridge %s: %w", b.Name, err)
		}
	}
	slices.SortStableFunc(out.Flows, func(a, b api.Flow) int {
		switch {
		case a.Frames > b.Frames:
			return -1
		case a.Frames < b.Frames:
			return 1
		}
		return 0
	})
	if len(out.Flows) > limit {
		out.Flows, out.More = out.Flows[:limit], true
	}
	return out, nil
}

// flow gives a cached flow the names that the policy has for it.
func (r *running) flow(bridge string, f reader.Flow, now time.Time, mono time.Duration) api.Flow {
	out := api.Flow{
		Bridge: bridge, SrcIP: f.Tuple.Src.String(), SrcPort: f.Tuple.SrcPort, DestIP: f.Tuple.Dst.String(), DestPort: f.Tuple.DstPort,
		Proto: f.Tuple.Proto.String(), VLAN: f.VLAN.String(),
		From: r.compiled.DeviceName(f.From), To: r.compiled.DeviceName(f.To), Service: r.compiled.ServiceName(f.Service),
		Reply: f.Reply, Generation: f.Generation, Frames: f.Frames, Bytes: f.Bytes,
		First: wall(f.First, mono, now), Last: wall(f.Last, mono, now),
	}
	if n := int(f.Rule); n >= 1 && n <= len(r.compiled.Rules) {
		out.Rule = fmt.Sprintf("%s:%d", r.policy.File, r.compiled.Rules[n-1].Line)
	}
	return out
}

// cached finds a flow in the kernel.
func (c *Control) cached(t flow.FiveTuple, vlan flow.VLAN) *api.Flow {
	run, now, mono := c.running.Load(), c.Now(), monotonic()
	var found *api.Flow
	for _, b := range c.Boot.Bridges {
		m := c.Kernel.bridge(b.Name)
		if m == nil {
			continue
		}
		// An error leaves the flow unknown, which is what it then is.
		_ = m.Flows(func(f reader.Flow) bool {
			if f.Tuple == t && f.VLAN == vlan && f.Generation == run.generation {
				hit := run.flow(b.Name, f, now, mono)
				found = &hit
			}
			return found == nil
		})
	}
	return found
}
