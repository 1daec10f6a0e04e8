package reader

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/cilium/ebpf"

	"citygate/bpf"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/verdict"
)

// The library reads the number of CPUs from a file, once; a sandboxed process must have done so before it locks itself.
var _, errCPUs = ebpf.PossibleCPU()

// Names are the maps that a Reader needs; the guard hands out descriptors of these.
var Names = []string{"flows", "reason_counts", "device_counts", "devmap_counts", "blocks", "control_map", "sample_meters"}

// RingName is the map of the samples' ring buffer.
const RingName = "samples"

// Reader reads a bridge's maps.
type Reader struct{ maps map[string]*ebpf.Map }

// Open takes over the descriptors of Names.
func Open(fds map[string]int) (*Reader, error) {
	if errCPUs != nil {
		return nil, fmt.Errorf("count the CPUs: %w", errCPUs)
	}
	r := &Reader{maps: map[string]*ebpf.Map{}}
	for _, name := range Names {
		fd, ok := fds[name]
		if !ok {
			r.Close()
			return nil, fmt.Errorf("no descriptor of the map %s", name)
		}
		m, err := ebpf.NewMapFromFD(fd)
		if err != nil {
			r.Close()
			return nil, fmt.Errorf("use the descriptor of the map %s: %w", name, err)
		}
		r.maps[name] = m
	}
	return r, nil
}

// Close closes the maps.
func (r *Reader) Close() {
	for _, m := range r.maps {
		m.Close()
	}
}

// Generation is that of the active policy; 0 when there is none.
func (r *Reader) Generation() (uint32, error) {
	var c bpf.BridgeControl
	if err := r.maps["control_map"].Lookup(uint32(0), &c); err != nil {
		return 0, fmt.Errorf("read the control word: %w", err)
	}
	return uint32(c.Policy), nil
}

// Monitor reports whether the bridge forwards what enforce would drop.
func (r *Reader) Monitor() (bool, error) {
	var c bpf.BridgeControl
	if err := r.maps["control_map"].Lookup(uint32(0), &c); err != nil {
		return false, fmt.Errorf("read the control word: %w", err)
	}
	return c.Mode != 0, nil
}

// Reasons counts the frames of all reasons, in their order.
func (r *Reader) Reasons() ([]ReasonCount, error) {
	out := make([]ReasonCount, verdict.Reasons)
	var perCPU []bpf.BridgeReasonCount
	for i := range out {
		if err := r.maps["reason_counts"].Lookup(uint32(i), &perCPU); err != nil {
			return nil, fmt.Errorf("read the count of %v: %w", verdict.Reason(i), err)
		}
		out[i] = ReasonCount{Reason: verdict.Reason(i), Verdict: verdict.Reason(i).Verdict()}
		for _, c := range perCPU {
			out[i].Frames += c.Frames
			out[i].Bytes += c.Bytes
			out[i].WouldDropCount += c.WouldDrop
		}
	}
	return out, nil
}

// Devices counts what each device sent, by number; those that never sent are left out. Device 0 stands for all unknown ones.
func (r *Reader) Devices() ([]DeviceCount, error) {
	m := r.maps["device_counts"]
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return nil, fmt.Errorf("count the CPUs: %w", err)
	}
	n := int(m.MaxEntries())
	keys, values := make([]uint32, n), make([]bpf.BridgeDeviceCount, n*cpus)
	var cursor ebpf.MapBatchCursor
	n, err = m.BatchLookup(&cursor, keys, values, nil)
	if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return nil, fmt.Errorf("read the devices' counts: %w", err)
	}
	var out []DeviceCount
	for i := range n {
		if d := sumDevice(ipc.DeviceID(keys[i]), values[i*cpus:(i+1)*cpus]); d.LastSeen > 0 {
			out = append(out, d)
		}
	}
	return out, nil
}

func sumDevice(id ipc.DeviceID, perCPU []bpf.BridgeDeviceCount) DeviceCount {
	d := DeviceCount{Device: id}
	for _, c := range perCPU {
		d.PassFrames += c.PassFrames
		d.PassBytes += c.PassBytes
		d.DropFrames += c.DropFrames
		d.WouldDropFrames += c.WouldDrop
		d.StateQuotaExceedings += c.Quota
		d.LastSeen = max(d.LastSeen, time.Duration(c.LastNs))
		for reason, n := range c.Drops {
			if n > 0 {
				if d.DropsByReason == nil {
					d.DropsByReason = map[verdict.Reason]uint64{}
				}
				d.DropsByReason[verdict.Reason(reason)] += uint64(n)
			}
		}
	}
	return d
}

// flowBatch is how many flows one system call reads: a hash map's batch must hold its fullest bucket.
const flowBatch = 4096

// Flows calls fn for each cached direction of a flow until it returns false. The cache changes meanwhile.
func (r *Reader) Flows(fn func(Flow) bool) error {
	keys, values := make([]bpf.BridgeFlowKey, flowBatch), make([]bpf.BridgeFlow, flowBatch)
	var cursor ebpf.MapBatchCursor
	for {
		n, err := r.maps["flows"].BatchLookup(&cursor, keys, values, nil)
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("read the flows: %w", err)
		}
		for i := range n {
			if !fn(newFlow(&keys[i], &values[i])) {
				return nil
			}
		}
		if err != nil {
			return nil
		}
	}
}

func newFlow(k *bpf.BridgeFlowKey, v *bpf.BridgeFlow) Flow {
	if k.Proto == uint8(flow.ICMP) || k.Proto == uint8(flow.ICMPv6) {
		k.Dport = 0 // the echo's type
	}
	return Flow{
		Tuple: flow.FiveTuple{
			Src: netip.AddrFrom16(k.Src).Unmap(), Dst: netip.AddrFrom16(k.Dst).Unmap(),
			SrcPort: swap(k.Sport), DstPort: swap(k.Dport), Proto: flow.Proto(k.Proto),
		},
		Side: flow.Side(k.Side), VLAN: flow.VLAN(k.Vlan), SrcMAC: v.Smac, DstMAC: v.Dmac,
		From: ipc.DeviceID(v.From), To: ipc.DeviceID(v.To), Service: v.Service, Rule: v.Rule, Generation: v.Generation,
		Reply: v.Flags&1 != 0, Frames: v.Frames, Bytes: v.Bytes,
		First: time.Duration(v.FirstNs), Last: time.Duration(v.LastNs), TCPFlags: v.TcpFlags,
	}
}

// swap turns a number in network order, read as little endian, round; the program is built for little-endian machines.
func swap(v uint16) uint16 { return v<<8 | v>>8 }

// Block is a blocked direction.
type Block struct {
	Src, Dst netip.Addr // an invalid Dst is anybody
	Until    time.Time  // zero: for ever
	Hits     uint64
	Reason   string
}

// Blocks lists the blocks, both directions of each, ended ones too.
func (r *Reader) Blocks() ([]Block, error) {
	var out []Block
	var k bpf.BridgeBlockKey
	var v bpf.BridgeBlock
	it := r.maps["blocks"].Iterate()
	for it.Next(&k, &v) {
		b := Block{Src: netip.AddrFrom16(k.Src).Unmap(), Hits: v.Hits, Reason: string(bytes.TrimRight(v.Reason[:], "\x00"))}
		if k.Dst != ([16]byte{}) {
			b.Dst = netip.AddrFrom16(k.Dst).Unmap()
		}
		if v.WallUntilS > 0 {
			b.Until = time.Unix(int64(v.WallUntilS), 0)
		}
		out = append(out, b)
	}
	if err := it.Err(); err != nil {
		return nil, fmt.Errorf("read the blocks: %w", err)
	}
	return out, nil
}

// Losses counts the frames that were sent to, and refused by, a bridge port after their verdict.
func (r *Reader) Losses() (sent, lost [2]uint64, err error) {
	var perCPU []bpf.BridgeDevmapCount
	for side := range uint32(2) {
		if err := r.maps["devmap_counts"].Lookup(side, &perCPU); err != nil {
			return sent, lost, fmt.Errorf("read the losses: %w", err)
		}
		for _, c := range perCPU {
			sent[side] += c.Sent
			lost[side] += c.Lost
		}
	}
	return sent, lost, nil
}

// Suppressed counts the samples that were held back and not yet told by a later one.
func (r *Reader) Suppressed() (uint64, error) {
	m := r.maps["sample_meters"]
	var total uint64
	for i := range m.MaxEntries() {
		var v bpf.BridgeSampleMeter
		if err := m.Lookup(i, &v); err != nil {
			return 0, fmt.Errorf("read the suppressed samples: %w", err)
		}
		total += v.Suppressed
	}
	return total, nil
}
