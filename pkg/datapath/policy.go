package datapath

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/cilium/ebpf"

	"citygate/bpf"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

// spareBindings is the room for DHCP addresses besides one for each DHCP device.
const spareBindings = 64

// Commit makes a policy the active one and returns its generation. The set is filled where nothing reads it; one store
// switches to it. On an error the running policy is untouched and nothing is left.
func (b *Bridge) Commit(set *ipc.PolicySet) (uint32, error) {
	t, err := newTables(set)
	if err != nil {
		return 0, fmt.Errorf("check the policy set: %w", err)
	}
	dhcp := map[ipc.DeviceID]bool{}
	for _, d := range set.Devices {
		dhcp[d.ID] = d.Flags&ipc.DeviceDHCP != 0
	}
	maps, err := b.build(t, len(dhcp)+spareBindings)
	if err != nil {
		return 0, err
	}
	generation, _ := b.control.word()
	generation++
	if generation == 0 { // 0 means no policy
		generation = 1
	}
	if err := b.install(maps, generation%slots); err != nil {
		maps.Close()
		return 0, fmt.Errorf("install the policy set: %w", err)
	}
	if err := b.admitPinholes(t, generation); err != nil {
		maps.Close()
		return 0, err
	}
	b.control.flip(generation)
	b.active.Close()
	b.active, b.dhcp = maps, dhcp
	if b.pending {
		if err := b.exchange(); err != nil {
			return generation, err
		}
	}
	return generation, b.dropPinholes(generation)
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
func (b *Bridge) SetBlock(src, dst netip.Addr, until time.Time, reason string, now time.Time, boot time.Duration) error {
	v := bpf.BridgeBlock{}
	if !until.IsZero() {
		v.UntilNs = uint64(boot + until.Sub(now))
		v.WallUntilS = uint64(until.Unix())
	}
	copy(v.Reason[:], reason)
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
