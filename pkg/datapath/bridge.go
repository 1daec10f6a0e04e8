// Package datapath turns a compiled policy into what the kernel forwards: it loads, pins, fills and re-adopts the
// BPF program of a bridge. Only this package and its reader know cilium/ebpf.
//
// Everything is pinned under one folder of a BPF file system, so the bridge outlives every process:
//
//	DIR/camera DIR/server            links: the program on each port
//	DIR/xmit DIR/redirect            links: the tracepoints that count losses
//	DIR/maps-LAYOUT/NAME             maps; LAYOUT changes when a map's shape does
package datapath

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/cilium/ebpf"
	bpflink "github.com/cilium/ebpf/link"

	"citygate/bpf"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/link"
)

// Bridge is a loaded bridge. Close leaves the kernel forwarding.
type Bridge struct {
	ipc.BootBridge
	dir      string
	spec     *ebpf.CollectionSpec
	maps     map[string]*ebpf.Map
	programs map[string]*ebpf.Program
	prog     *ebpf.Program // the one on the ports
	links    [2]bpflink.Link
	control  *control
	active   policySet // of the policy that this process committed; nil before
	dhcp     map[ipc.DeviceID]bool
	pending  bool // the pinned program has maps of another layout: it stays until a policy is committed
}

// Open loads the program and attaches it to both ports, or adopts what is pinned there: then the program is exchanged
// in one step and no frame is lost. A bridge without a policy forwards nothing in enforce mode. The pins go to dir, whose
// parent is on a BPF file system.
func Open(dir string, c ipc.BootBridge) (_ *Bridge, err error) {
	spec, err := bpf.LoadBridge()
	if err != nil {
		return nil, fmt.Errorf("read the BPF program: %w", err)
	}
	b := &Bridge{BootBridge: c, dir: dir, spec: spec}
	defer func() {
		if err != nil {
			b.Close()
		}
	}()
	if err := b.load(); err != nil {
		return nil, err
	}
	b.control.configure(c)
	if err := b.control.setNetns(); err != nil {
		return nil, err
	}
	for side, name := range c.Ports() {
		if err := b.takePort(side, name); err != nil {
			return nil, err
		}
	}
	for side := range c.Ports() {
		if b.links[side], err = b.attach(flow.Side(side), int(b.control.Ifindex[side])); err != nil {
			return nil, err
		}
	}
	if err := b.attachLosses(); err != nil {
		return nil, err
	}
	if !b.pending {
		b.removeOldLayouts()
	}
	return b, nil
}

// takePort makes an interface a port of the bridge, and keeps what it was beside the pins.
func (b *Bridge) takePort(side int, name string) error {
	before, err := link.Prepare(name)
	if err != nil {
		return err
	}
	if b.control.Before[side].Ifindex != uint32(before.Index) {
		b.control.setBefore(side, before)
	}
	b.control.setPort(side, before.Index)
	if err := b.maps["out_ports"].Put(uint32(side), uint32(before.Index)); err != nil {
		return fmt.Errorf("redirect to %s: %w", name, err)
	}
	return nil
}

func (b *Bridge) mapsDir() string { return filepath.Join(b.dir, "maps-"+layout(b.spec)) }

// layout names the shape of all maps; the same name means that pinned maps fit.
func layout(spec *ebpf.CollectionSpec) string {
	var names []string
	for n := range spec.Maps {
		names = append(names, n)
	}
	sort.Strings(names)
	h := sha256.New()
	for _, n := range names {
		m := spec.Maps[n]
		fmt.Fprintln(h, n, m.Type, m.KeySize, m.ValueSize, m.MaxEntries, m.Flags, m.Key, m.Value)
		if m.InnerMap != nil {
			fmt.Fprintln(h, m.InnerMap.Type, m.InnerMap.KeySize, m.InnerMap.ValueSize, m.InnerMap.Flags)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

func (b *Bridge) load() error {
	dir := b.mapsDir()
	fresh := false
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		fresh = true
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the pinned maps: %w", err)
	}
	for _, m := range b.spec.Maps {
		m.Pinning = ebpf.PinByName
	}
	coll, err := ebpf.NewCollectionWithOptions(b.spec, ebpf.CollectionOptions{Maps: ebpf.MapOptions{PinPath: dir}})
	if err != nil {
		return fmt.Errorf("load the BPF program: %w", err)
	}
	b.maps, b.programs, b.prog = coll.Maps, coll.Programs, coll.Programs["citygate_bridge"]
	b.pending = fresh && b.pinned()
	b.control, err = openControl(b.maps["control_map"])
	return err
}

// pinned reports whether a program is on the ports already.
func (b *Bridge) pinned() bool {
	_, err := os.Stat(b.linkPath(flow.CameraSide))
	return err == nil
}

func (b *Bridge) linkPath(s flow.Side) string { return filepath.Join(b.dir, s.String()) }

// attach puts the program on a port: into the pinned link if that is still of this port, else by a new one, in the
// driver if it can, in the generic hook if it cannot.
func (b *Bridge) attach(side flow.Side, ifindex int) (bpflink.Link, error) {
	path := b.linkPath(side)
	if l, err := bpflink.LoadPinnedLink(path, nil); err == nil {
		info, err := l.Info()
		if err == nil && info.XDP() != nil && int(info.XDP().Ifindex) == ifindex {
			if b.pending {
				return l, nil
			}
			if err := l.Update(b.prog); err != nil {
				l.Close()
				return nil, fmt.Errorf("exchange the program on the %v port: %w", side, err)
			}
			return l, nil
		}
		l.Close()
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("remove the link of a port that is gone: %w", err)
		}
	}
	l, err := bpflink.AttachXDP(bpflink.XDPOptions{Program: b.prog, Interface: ifindex, Flags: bpflink.XDPDriverMode})
	if err != nil {
		var generic error
		if l, generic = bpflink.AttachXDP(bpflink.XDPOptions{Program: b.prog, Interface: ifindex, Flags: bpflink.XDPGenericMode}); generic != nil {
			return nil, fmt.Errorf("attach the program to the %v port: %w", side, errors.Join(err, generic))
		}
	}
	if err := l.Pin(path); err != nil {
		l.Close()
		return nil, fmt.Errorf("pin the %v port's link: %w", side, err)
	}
	return l, nil
}

// attachLosses counts the frames that passed and that a port did not take.
func (b *Bridge) attachLosses() error {
	for name, program := range map[string]string{"xmit": "citygate_devmap_xmit", "redirect": "citygate_redirect_err"} {
		path := filepath.Join(b.dir, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove the old link of a loss counter: %w", err)
		}
		tracepoint := b.spec.Programs[program].AttachTo
		l, err := bpflink.AttachRawTracepoint(bpflink.RawTracepointOptions{Name: tracepoint, Program: b.programs[program]})
		if err != nil {
			return fmt.Errorf("count losses at %s: %w", tracepoint, err)
		}
		err = l.Pin(path)
		l.Close()
		if err != nil {
			return fmt.Errorf("pin the loss counter %s: %w", name, err)
		}
	}
	return nil
}

// removeOldLayouts unpins maps that no program uses any more.
func (b *Bridge) removeOldLayouts() {
	old, _ := filepath.Glob(filepath.Join(b.dir, "maps-*"))
	for _, dir := range old {
		if dir != b.mapsDir() {
			os.RemoveAll(dir)
		}
	}
}

// Maps are the maps that readers may have: read-only descriptors by name, but the ring buffer's, whose reader moves
// its own mark. The caller closes them.
func (b *Bridge) Maps() (map[string]*ebpf.Map, error) {
	out := map[string]*ebpf.Map{}
	for _, name := range []string{"flows", "reason_counts", "device_counts", "devmap_counts", "blocks", "control_map", "sample_meters", "samples"} {
		m, err := ebpf.LoadPinnedMap(filepath.Join(b.mapsDir(), name), &ebpf.LoadPinOptions{ReadOnly: name != "samples"})
		if err != nil {
			for _, m := range out {
				m.Close()
			}
			return nil, fmt.Errorf("open %s for reading: %w", name, err)
		}
		out[name] = m
	}
	return out, nil
}

// Close lets go of the descriptors; the pinned bridge goes on forwarding.
func (b *Bridge) Close() error {
	for _, l := range b.links {
		if l != nil {
			l.Close()
		}
	}
	b.active.Close()
	for _, m := range b.maps {
		m.Close()
	}
	for _, p := range b.programs {
		p.Close()
	}
	if b.control != nil {
		b.control.close()
	}
	return nil
}

// Detach ends a bridge for good: it takes the program off the ports, unpins everything under dir, and gives the ports
// back as they were.
func Detach(dir string) error {
	var before []link.Before
	found, _ := filepath.Glob(filepath.Join(dir, "maps-*", "control_map"))
	for _, path := range found {
		m, err := ebpf.LoadPinnedMap(path, nil)
		if err != nil {
			return fmt.Errorf("open the pinned control word: %w", err)
		}
		c, err := openControl(m)
		m.Close()
		if err != nil {
			return err
		}
		before = c.portsBefore()
		c.close()
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("unpin the bridge: %w", err)
	}
	var errs []error
	for _, b := range before {
		errs = append(errs, link.Restore(b))
	}
	return errors.Join(errs...)
}
