package ipc

import (
	"bytes"
	"crypto/sha256"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// fullSet has as many records as the tables hold, of the longest form.
func fullSet() PolicySet {
	var s PolicySet
	for i := range int(MaxDeviceID) {
		s.Devices = append(s.Devices, DeviceEntry{ID: DeviceID(i + 1), Via: DeviceID(i + 1)})
		s.MACs = append(s.MACs, MACEntry{Device: DeviceID(i + 1)})
		s.Addrs = append(s.Addrs, AddrEntry{Prefix: netip.PrefixFrom(testIPv6, 128), Device: DeviceID(i + 1)})
	}
	for i := range 1024 {
		s.Services = append(s.Services, ServiceEntry{Service: uint8(i % MaxServices), Hi: uint16(i)})
	}
	for i := range MaxRules {
		s.Rules = append(s.Rules, RuleEntry{From: 1, To: 2, Rule: uint16(i)})
	}
	return s
}

// transfer sends a set through the codec and assembles it; change may spoil a message.
func transfer(s PolicySet, change func(int, Message) Message) (PolicySet, error) {
	var a *Assembly
	for i, m := range s.Messages(7) {
		m = change(i, m)
		switch m := m.(type) {
		case PolicyBegin:
			a = NewAssembly(m)
		case PolicyPut:
			if err := a.Put(m); err != nil {
				return PolicySet{}, err
			}
		case PolicyCommit:
			return a.Commit(m)
		}
	}
	panic("no commit")
}

func TestTransfer(t *testing.T) {
	for name, s := range map[string]PolicySet{"empty": {}, "small": testSet(), "full": fullSet()} {
		got, err := transfer(s, func(_ int, m Message) Message { return m })
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%s: %d rules arrived of %d, %v", name, len(got.Rules), len(s.Rules), err)
		}
	}
}

func encoded(s PolicySet) []byte {
	var c codec
	s.layout(&c)
	return c.b
}

func TestTransferRefuses(t *testing.T) {
	side := testSet()
	side.Devices[0].Side = 3
	many := fullSet()
	many.Rules = append(many.Rules, RuleEntry{})
	hostBits := encoded(PolicySet{Addrs: []AddrEntry{{Prefix: netip.MustParsePrefix("10.0.0.0/24")}}})
	hostBits[4+4+4+4+1+3] = 1 // two empty lists, a count, a VLAN and the address's length stand before the address
	tests := []struct {
		name, want string
		set        PolicySet
		change     func(Message) Message
	}{
		{"a byte more", "incomplete", testSet(), func(m Message) Message {
			if p, ok := m.(PolicyPut); ok {
				p.Data = append(slices.Clone(p.Data), 0)
				return p
			}
			return m
		}},
		{"a byte fewer", "incomplete", testSet(), func(m Message) Message {
			if p, ok := m.(PolicyPut); ok {
				p.Data = p.Data[1:]
				return p
			}
			return m
		}},
		{"more than any set", "more than 4194304 bytes", testSet(), func(m Message) Message {
			if p, ok := m.(PolicyPut); ok {
				p.Data = make([]byte, maxPolicy+1)
				return p
			}
			return m
		}},
		{"another record", "hash differs", testSet(), func(m Message) Message {
			if p, ok := m.(PolicyPut); ok {
				p.Data = slices.Clone(p.Data)
				p.Data[len(p.Data)-1]++
				return p
			}
			return m
		}},
		{"another policy's commit", "policy 7 was begun", testSet(), func(m Message) Message {
			if c, ok := m.(PolicyCommit); ok {
				c.ID++
				return c
			}
			return m
		}},
		{"too many rules", "a list is too long", many, nil},
		{"a third side", "a side is neither", side, nil},
		{"host bits", "a prefix is malformed", PolicySet{}, func(m Message) Message {
			switch m := m.(type) {
			case PolicyPut:
				return PolicyPut{Data: hostBits}
			case PolicyCommit:
				return PolicyCommit{ID: m.ID, Size: uint32(len(hostBits)), Sum: sha256.Sum256(hostBits)}
			}
			return m
		}},
	}
	for _, tt := range tests {
		_, err := transfer(tt.set, func(_ int, m Message) Message {
			if tt.change == nil {
				return m
			}
			return tt.change(m)
		})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// Each message of the largest set fits into a datagram.
func TestTransferFits(t *testing.T) {
	set := fullSet()
	out := budgets(Control, Guard, 0)
	for _, m := range set.Messages(7) {
		if data, b := encode(out, m); b == nil || len(data) > MaxMessage {
			t.Fatalf("%T of %d bytes", m, len(data))
		}
	}
}

func FuzzPolicySet(f *testing.F) {
	f.Add(encoded(testSet()))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s PolicySet
		if decode(data, s.layout) == nil && !bytes.Equal(encoded(s), data) {
			t.Fatalf("not canonical: %x becomes %+v", data, s)
		}
	})
}
