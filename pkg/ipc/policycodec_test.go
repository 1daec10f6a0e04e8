package ipc

import (
	"net/netip"
	"reflect"
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
		m, err := Decode(Encode(change(i, m)))
		if err != nil {
			return PolicySet{}, err
		}
		switch m := m.(type) {
		case PolicyBegin:
			if a, err = NewAssembly(m); err != nil {
				return PolicySet{}, err
			}
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

func TestTransferRefuses(t *testing.T) {
	tests := []struct {
		name, want string
		change     func(Message) Message
	}{
		{"too many announced", "at most 65536 fit", func(m Message) Message {
			if b, ok := m.(PolicyBegin); ok {
				b.Counts[4] = MaxRules + 1
				return b
			}
			return m
		}},
		{"more than announced", "more records in table 4", func(m Message) Message {
			if b, ok := m.(PolicyBegin); ok {
				b.Counts[4] = 0
				return b
			}
			return m
		}},
		{"fewer than announced", "incomplete", func(m Message) Message {
			if b, ok := m.(PolicyBegin); ok {
				b.Counts[4]++
				return b
			}
			return m
		}},
		{"another record", "hash differs", func(m Message) Message {
			if p, ok := m.(PolicyPut); ok && len(p.Part.Rules) > 0 {
				return PolicyPut{PolicySet{Rules: []RuleEntry{{From: 2, To: 1}}}}
			}
			return m
		}},
		{"another policy's commit", "policy 7 was begun", func(m Message) Message {
			if c, ok := m.(PolicyCommit); ok {
				c.ID++
				return c
			}
			return m
		}},
	}
	for _, tt := range tests {
		_, err := transfer(testSet(), func(_ int, m Message) Message { return tt.change(m) })
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
