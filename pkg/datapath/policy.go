package datapath

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"citygate/bpf"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

// spareBindings is the room for DHCP addresses besides one for each DHCP device.
const spareBindings = 64

// Staged is a policy that is complete in the kernel, but not active yet. Either Activate or Discard ends it.
type Staged struct {
	bridge     *Bridge
	tables     *tables
	maps       policySet
	dhcp       map[ipc.DeviceID]bool
	generation uint32
}

// Stage fills a policy's maps where nothing reads them. On an error the running policy is untouched and nothing is left.
func (b *Bridge) Stage(set *ipc.PolicySet) (*Staged, error) {
	t, err := newTables(set)
	if err != nil {
		return nil, fmt.Errorf("check the policy set: %w", err)
	}
	s := &Staged{bridge: b, tables: t, dhcp: map[ipc.DeviceID]bool{}}
	for _, d := range set.Devices {
		s.dhcp[d.ID] = d.Flags&ipc.DeviceDHCP != 0
	}
	if s.maps, err = b.build(t, len(s.dhcp)+spareBindings); err != nil {
		return nil, err
	}
	generation, _ := b.control.word()
	s.generation = max(generation+1, 1) // 0 means no policy
	if err := b.install(s.maps, s.generation%slots); err != nil {
		s.Discard()
		return nil, fmt.Errorf("install the policy set: %w", err)
	}
	return s, nil
}

// Discard gives a staged policy up.
func (s *Staged) Discard() { s.maps.Close() }

// Activate makes it the active policy, by one store: each frame is judged by one policy or the other.
func (s *Staged) Activate() (generation uint32, err error) {
	b := s.bridge
	if err := b.admitPinholes(s.tables, s.generation); err != nil {
		s.Discard()
		return 0, err
	}
	b.control.flip(s.generation)
	b.active.Close()
	b.active, b.dhcp = s.maps, s.dhcp
	if b.pending {
		if err := b.exchange(); err != nil {
			return s.generation, err
		}
	}
	return s.generation, b.dropPinholes(s.generation)
}

// exchange puts the new program on the ports after a change of layout, now that its maps hold a policy.
func (b *Bridge) exchange() error {
	for i, l := range b.links {
		if err := l.Update(b.prog); err != nil {
			return fmt.Errorf("exchange the program on the %v port: %w", flow.Side(i), err)
		}
	}
	b.pending = false
	b.removeOldLayouts()
	return nil
}

// admitPinholes marks the pinholes that the next policy still covers, before it becomes active.
func (b *Bridge) admitPinholes(t *tables, next uint32) error {
	return eachEntry(b.maps["pinholes"], func(k bpf.BridgePinholeKey, p bpf.BridgePinhole) error {
		if !t.allows(p.From, p.To, p.Port) {
			return nil
		}
		p.NextGeneration = next
		return b.maps["pinholes"].Update(k, p, ebpf.UpdateExist)
	})
}

// dropPinholes removes those that the active policy does not cover.
func (b *Bridge) dropPinholes(generation uint32) error {
	return eachEntry(b.maps["pinholes"], func(k bpf.BridgePinholeKey, p bpf.BridgePinhole) error {
		if p.Generation != generation && p.NextGeneration != generation {
			return b.maps["pinholes"].Delete(k)
		}
		return nil
	})
}

// eachEntry calls fn for a copy of a map's entries, so that fn may change the map.
func eachEntry[K comparable, V any](m *ebpf.Map, fn func(K, V) error) error {
	all := map[K]V{}
	var k K
	var v V
	it := m.Iterate()
	for it.Next(&k, &v) {
		all[k] = v
	}
	if err := it.Err(); err != nil {
		return fmt.Errorf("list %s: %w", m, err)
	}
	for k, v := range all {
		if err := fn(k, v); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("change %s: %w", m, err)
		}
	}
	return nil
}

// ErrNoPolicy is the answer to a binding before this process committed a policy: the policy brings the bindings along.
var ErrNoPolicy = errors.New("no policy has been committed since the guard started; commit one first")

// SetBinding gives a device that takes its address from DHCP the address a server gave it. An address that is
// another device's is refused.
func (b *Bridge) SetBinding(id ipc.DeviceID, v flow.VLAN, a netip.Addr) error {
	if b.active == nil {
		return ErrNoPolicy
	}
	if !b.dhcp[id] {
		return fmt.Errorf("device %d does not take its address from DHCP", id)
	}
	var owner uint32
	switch err := b.active["addrs"].Lookup(newAddrKey(v, a), &owner); {
	case err == nil && owner != uint32(id):
		return fmt.Errorf("address %v belongs to device %d", a, owner)
	case err != nil && !errors.Is(err, ebpf.ErrKeyNotExist):
		return fmt.Errorf("look up the binding of %v: %w", a, err)
	}
	if err := b.active["addrs"].Put(newAddrKey(v, a), uint32(id)); err != nil {
		return fmt.Errorf("bind %v: %w", a, err)
	}
	return nil
}

// ClearBinding takes a DHCP address back; cached flows of it end.
func (b *Bridge) ClearBinding(id ipc.DeviceID, v flow.VLAN, a netip.Addr) error {
	if b.active == nil {
		return ErrNoPolicy
	}
	var owner uint32
	if err := b.active["addrs"].Lookup(newAddrKey(v, a), &owner); err != nil || owner != uint32(id) || !b.dhcp[id] {
		return fmt.Errorf("address %v is not bound to device %d", a, id)
	}
	if err := b.active["addrs"].Delete(newAddrKey(v, a)); err != nil {
		return fmt.Errorf("clear the binding of %v: %w", a, err)
	}
	generation, _ := b.control.word()
	b.control.flip(generation)
	return nil
}

// SetBlock blocks both directions between two addresses until a wall-clock time (zero: for ever). An invalid dst
// blocks src towards everybody.
func (b *Bridge) SetBlock(src, dst netip.Addr, until time.Time, reason string) error {
	var boot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &boot); err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	v := bpf.BridgeBlock{}
	if !until.IsZero() {
		v.UntilNs = uint64(boot.Nano() + time.Until(until).Nanoseconds())
		v.WallUntilS = uint64(until.Unix())
	}
	copy(v.Reason[:], reason)
	// Ended blocks go only here, where one that follows needs their room.
	err := eachEntry(b.maps["blocks"], func(k bpf.BridgeBlockKey, old bpf.BridgeBlock) error {
		if old.UntilNs != 0 && old.UntilNs < uint64(boot.Nano()) {
			return b.maps["blocks"].Delete(k)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range blockKeys(src, dst) {
		if err := b.maps["blocks"].Put(k, v); err != nil {
			return fmt.Errorf("block %v: %w", src, err)
		}
	}
	return b.blocksChanged()
}

// LiftBlock ends a block; one that is not there is an error.
func (b *Bridge) LiftBlock(src, dst netip.Addr) error {
	for _, k := range blockKeys(src, dst) {
		if err := b.maps["blocks"].Delete(k); err != nil {
			return fmt.Errorf("lift the block of %v: %w", src, err)
		}
	}
	return b.blocksChanged()
}

func blockKeys(src, dst netip.Addr) []bpf.BridgeBlockKey {
	if !dst.IsValid() {
		return []bpf.BridgeBlockKey{{Src: src.As16()}}
	}
	return []bpf.BridgeBlockKey{{Src: src.As16(), Dst: dst.As16()}, {Src: dst.As16(), Dst: src.As16()}}
}

// blocksChanged tells the program whether to look, and makes it judge cached flows anew.
func (b *Bridge) blocksChanged() error {
	n := uint32(0)
	err := eachEntry(b.maps["blocks"], func(bpf.BridgeBlockKey, bpf.BridgeBlock) error { n++; return nil })
	b.control.Blocks = n
	generation, _ := b.control.word()
	b.control.flip(generation)
	return err
}

// Generation is that of the active policy, 0 when there is none.
func (b *Bridge) Generation() uint32 {
	g, _ := b.control.word()
	return g
}
