package ipc

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"

	"citygate/pkg/flow"
)

// putRoom is the number of bytes for records in a PolicyPut: the kind byte and five counts go off.
const putRoom = MaxMessage - 1 - 5*2

// maxRecords is how many records of each table a set may have, in the order of PolicySet.
var maxRecords = [5]uint32{uint32(MaxDeviceID), 2 * uint32(MaxDeviceID), MaxRules, 1024, MaxRules}

// counts is the number of records of each table.
func (s *PolicySet) counts() [5]uint32 {
	return [5]uint32{
		uint32(len(s.Devices)), uint32(len(s.MACs)), uint32(len(s.Addrs)), uint32(len(s.Services)), uint32(len(s.Rules)),
	}
}

func total(counts [5]uint32) (n uint32) {
	for _, c := range counts {
		n += c
	}
	return n
}

func (s *PolicySet) add(o *PolicySet) {
	s.Devices = append(s.Devices, o.Devices...)
	s.MACs = append(s.MACs, o.MACs...)
	s.Addrs = append(s.Addrs, o.Addrs...)
	s.Services = append(s.Services, o.Services...)
	s.Rules = append(s.Rules, o.Rules...)
}

// Messages is the transfer of a set under an ID: PolicyBegin, PolicyPuts, PolicyCommit.
func (s *PolicySet) Messages(id uint32) []Message {
	out := []Message{PolicyBegin{ID: id, Counts: s.counts()}}
	sum := sha256.New()
	for _, part := range s.parts() {
		sum.Write(Encode(part))
		out = append(out, part)
	}
	return append(out, PolicyCommit{ID: id, Count: total(s.counts()), Sum: [sha256.Size]byte(sum.Sum(nil))})
}

// parts cuts each table by the longest form of its records.
func (s *PolicySet) parts() (out []PolicyPut) {
	cut(s.Devices, 14, func(v []DeviceEntry) { out = append(out, PolicyPut{PolicySet{Devices: v}}) })
	cut(s.MACs, 12, func(v []MACEntry) { out = append(out, PolicyPut{PolicySet{MACs: v}}) })
	cut(s.Addrs, 24, func(v []AddrEntry) { out = append(out, PolicyPut{PolicySet{Addrs: v}}) })
	cut(s.Services, 6, func(v []ServiceEntry) { out = append(out, PolicyPut{PolicySet{Services: v}}) })
	cut(s.Rules, 7, func(v []RuleEntry) { out = append(out, PolicyPut{PolicySet{Rules: v}}) })
	return out
}

func cut[T any](v []T, size int, part func([]T)) {
	for n := putRoom / size; len(v) > 0; v = v[min(n, len(v)):] {
		part(v[:min(n, len(v))])
	}
}

func putLayout(c *codec, m *PolicyPut) {
	list(c, &m.Part.Devices, MaxMessage, func(c *codec, v *DeviceEntry) {
		u16(c, &v.ID)
		u16(c, &v.Via)
		u8(c, &v.Side)
		c.check(v.Side <= flow.AnySide, "a side is neither camera, server nor any")
		u8(c, &v.Flags)
		u32(c, &v.PPS)
		u32(c, &v.KBps)
	})
	list(c, &m.Part.MACs, MaxMessage, func(c *codec, v *MACEntry) {
		array(c, v.MAC[:], u8)
		u32(c, &v.VLAN)
		u16(c, &v.Device)
	})
	list(c, &m.Part.Addrs, MaxMessage, func(c *codec, v *AddrEntry) { u32(c, &v.VLAN); c.prefix(&v.Prefix); u16(c, &v.Device) })
	list(c, &m.Part.Services, MaxMessage, func(c *codec, v *ServiceEntry) {
		u8(c, &v.Service)
		u8(c, &v.Proto)
		u16(c, &v.Lo)
		u16(c, &v.Hi)
	})
	list(c, &m.Part.Rules, MaxMessage, func(c *codec, v *RuleEntry) {
		u16(c, &v.From)
		u16(c, &v.To)
		u8(c, &v.Service)
		u16(c, &v.Rule)
	})
}

// Assembly puts a set together from its transfer.
type Assembly struct {
	begin PolicyBegin
	set   PolicySet
	sum   hash.Hash
}

// NewAssembly refuses a set that is larger than the kernel's tables.
func NewAssembly(b PolicyBegin) (*Assembly, error) {
	for i, n := range b.Counts {
		if n > maxRecords[i] {
			return nil, fmt.Errorf("policy %d has %d records in table %d, at most %d fit", b.ID, n, i, maxRecords[i])
		}
	}
	return &Assembly{begin: b, sum: sha256.New()}, nil
}

// Put adds a piece; more records than announced are an error.
func (a *Assembly) Put(p PolicyPut) error {
	a.set.add(&p.Part)
	a.sum.Write(Encode(p))
	for i, n := range a.set.counts() {
		if n > a.begin.Counts[i] {
			return fmt.Errorf("policy %d: more records in table %d than the %d announced", a.begin.ID, i, a.begin.Counts[i])
		}
	}
	return nil
}

// Commit gives the set if it is complete and arrived as it was sent.
func (a *Assembly) Commit(c PolicyCommit) (PolicySet, error) {
	switch {
	case c.ID != a.begin.ID:
		return PolicySet{}, fmt.Errorf("commit of policy %d, but policy %d was begun", c.ID, a.begin.ID)
	case a.set.counts() != a.begin.Counts || c.Count != total(a.begin.Counts):
		return PolicySet{}, fmt.Errorf("policy %d is incomplete", c.ID)
	case [sha256.Size]byte(a.sum.Sum(nil)) != c.Sum:
		return PolicySet{}, errors.New("the policy's hash differs from what was sent")
	}
	return a.set, nil
}
