package datapath

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/cilium/ebpf"

	"citygate/pkg/ipc"
)

// setNames are the maps that make up a policy set.
var setNames = []string{"macs", "addrs", "prefixes", "devices", "ports", "rules"}

// policySet is one filled set of inner maps.
type policySet map[string]*ebpf.Map

func (s policySet) Close() {
	for _, m := range s {
		m.Close()
	}
}

// tables is a policy set as the maps hold it.
type tables struct {
	macs     map[macKey]uint32
	addrs    map[addrKey]uint32
	prefixes map[prefixKey]uint32
	devices  map[uint32]deviceValue
	ports    []uint64
	rules    map[ruleKey]ruleValue
}

// newTables checks a set's numbers and derives what only the kernel needs: the services that each pair shares,
// and who may resolve whose address.
func newTables(set *ipc.PolicySet) (*tables, error) {
	t := &tables{
		macs: map[macKey]uint32{}, addrs: map[addrKey]uint32{}, prefixes: map[prefixKey]uint32{},
		devices: map[uint32]deviceValue{}, ports: make([]uint64, ports), rules: map[ruleKey]ruleValue{},
	}
	for _, d := range set.Devices {
		if d.ID == ipc.NoDevice || d.ID > ipc.MaxDeviceID {
			return nil, fmt.Errorf("device number %d is not from 1 to %d", d.ID, ipc.MaxDeviceID)
		}
		t.devices[uint32(d.ID)] = deviceValue{uint16(d.Via), uint8(d.Side), uint8(d.Flags), d.PPS, d.KBps}
	}
	known := func(ids ...ipc.DeviceID) error {
		for _, id := range ids {
			if _, ok := t.devices[uint32(id)]; !ok {
				return fmt.Errorf("device number %d is used but not defined", id)
			}
		}
		return nil
	}
	for _, m := range set.MACs {
		if err := known(m.Device); err != nil {
			return nil, err
		}
		t.macs[macKey{MAC: m.MAC, VLAN: uint32(m.VLAN)}] = uint32(m.Device)
		t.macs[macKey{MAC: m.MAC, VLAN: vlanAny}] = uint32(m.Device)
	}
	for _, a := range set.Addrs {
		if err := known(a.Device); err != nil {
			return nil, err
		}
		if a.Prefix.IsSingleIP() {
			t.addrs[newAddrKey(a.VLAN, a.Prefix.Addr())] = uint32(a.Device)
		} else {
			t.prefixes[newPrefixKey(a.VLAN, a.Prefix)] = uint32(a.Device)
		}
	}
	for _, s := range set.Services {
		if s.Service >= ipc.MaxServices || s.Lo > s.Hi {
			return nil, fmt.Errorf("service %d with ports %d to %d is out of range", s.Service, s.Lo, s.Hi)
		}
		lo, hi := portRange(s)
		for i := lo; i <= hi; i++ {
			t.ports[i] |= 1 << s.Service
		}
	}
	for _, r := range set.Rules {
		if err := known(r.From, r.To); err != nil {
			return nil, err
		}
		if r.Service >= ipc.MaxServices {
			return nil, fmt.Errorf("service %d of a rule is out of range", r.Service)
		}
		t.addRule(r)
	}
	return t, nil
}

func (t *tables) addRule(r ipc.RuleEntry) {
	t.rules[ruleKey{From: uint16(r.From), To: uint16(r.To), Service: uint16(r.Service)}] = ruleValue{Rule: r.Rule}
	pair := ruleKey{From: uint16(r.From), To: uint16(r.To), Service: servicePair}
	v := t.rules[pair]
	v.Mask |= 1 << r.Service
	t.rules[pair] = v
	a, b := t.devices[uint32(r.From)].Via, t.devices[uint32(r.To)].Via
	t.rules[ruleKey{From: a, To: b, Service: servicePeer}] = ruleValue{}
	t.rules[ruleKey{From: b, To: a, Service: servicePeer}] = ruleValue{}
}

// allows is the program's own question, asked of the tables: may from open a flow to a port (by index) of to?
func (t *tables) allows(from, to uint16, port uint32) bool {
	if port >= ports {
		return false
	}
	return t.rules[ruleKey{From: from, To: to, Service: servicePair}].Mask&t.ports[port] != 0
}

// build makes the maps of a set and fills them. On an error nothing is left.
func (b *Bridge) build(t *tables, bindings int) (_ policySet, err error) {
	set := policySet{}
	defer func() {
		if err != nil {
			set.Close()
		}
	}()
	sizes := map[string]int{
		"macs": len(t.macs), "addrs": len(t.addrs) + bindings, "prefixes": len(t.prefixes),
		"devices": devices, "ports": ports, "rules": len(t.rules),
	}
	for _, name := range setNames {
		spec := b.spec.Maps[name].InnerMap.Copy()
		spec.MaxEntries = uint32(max(1, sizes[name]))
		if set[name], err = ebpf.NewMap(spec); err != nil {
			return nil, fmt.Errorf("make the map of %s: %w", name, err)
		}
	}
	err = errors.Join(
		fill(set["macs"], t.macs), fill(set["addrs"], t.addrs), fill(set["prefixes"], t.prefixes),
		fill(set["devices"], t.devices), fill(set["rules"], t.rules), fillPorts(set["ports"], t.ports))
	return set, err
}

func fill[K comparable, V any](m *ebpf.Map, entries map[K]V) error {
	keys, values := make([]K, 0, len(entries)), make([]V, 0, len(entries))
	for k, v := range entries {
		keys, values = append(keys, k), append(values, v)
	}
	if len(keys) == 0 {
		return nil
	}
	if _, err := m.BatchUpdate(keys, values, nil); err != nil {
		return fmt.Errorf("fill %s: %w", m, err)
	}
	return nil
}

// fillPorts writes through the map's memory: 131,840 updates would take a thousand times as long.
func fillPorts(m *ebpf.Map, masks []uint64) error {
	mem, err := m.Memory()
	if err != nil {
		return fmt.Errorf("map the memory of %s: %w", m, err)
	}
	buf := make([]byte, 8*len(masks))
	for i, v := range masks {
		binary.NativeEndian.PutUint64(buf[8*i:], v)
	}
	_, err = mem.WriteAt(buf, 0)
	return err
}

// install puts a set into its slot. The kernel returns from each update only when no frame sees the slot's former
// set any more (map-in-map updates wait for RCU), so the updates go in parallel.
func (b *Bridge) install(set policySet, slot uint32) error {
	errs := make([]error, len(setNames))
	var wg sync.WaitGroup
	for i, name := range setNames {
		wg.Go(func() { errs[i] = b.maps[name].Put(slot, set[name]) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
