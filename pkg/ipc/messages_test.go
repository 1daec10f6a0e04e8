package ipc

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"citygate/pkg/flow"
)

var (
	testMAC  = flow.MAC{2, 0, 0, 0, 0, 0x11}
	testAddr = netip.MustParseAddr("10.0.0.11")
	testIPv6 = netip.MustParseAddr("fd00::11")
)

// samples has a message of each kind with all fields set.
var samples = []Message{
	Ready{},
	ProcessExit{Process: Watch, Code: -1, Signal: 9, Violator: Guard, Restarts: 7},
	PolicyBegin{ID: 4},
	PolicyPut{Data: []byte{1, 2, 3}},
	PolicyCommit{ID: 4, Size: 15, Sum: [32]byte{1, 31: 2}},
	PolicyAbort{ID: 4},
	SetBinding{ID: 1, Device: 9, VLAN: 10, Addr: testAddr},
	ClearBinding{ID: 2, Device: 9, VLAN: flow.QinQ(100, 20), Addr: testIPv6},
	SetBlock{ID: 3, Src: testAddr, Dst: testIPv6, Until: -5, Reason: "port scan"},
	LiftBlock{ID: 4, Src: testAddr, Dst: netip.MustParseAddr("10.0.0.2")},
	GetPorts{ID: 5},
	Result{ID: 5, OK: true, Generation: 77, Error: "no such device"},
	PortState{
		Bridge: "cctv", Port: "g0", Side: flow.ServerSide, Up: true, Mode: "native", MTU: 1500, SpeedMbps: 1000,
		Checks: []PortCheck{{Name: "promiscuous", State: CheckOK}, {Name: "peer GRO", State: CheckUnknown, Detail: "veth"}},
	},
	MapFD{Bridge: "cctv", Name: "samples"},
	DeviceSeen{
		MAC: testMAC, VLAN: 3, Side: flow.CameraSide, Bridge: "cctv", Addr: testAddr, Boot: 3 * time.Second,
		Evidence: []string{"dhcp vendor class: Камера", "oui"},
	},
	DHCPBinding{MAC: testMAC, VLAN: 3, Bridge: "cctv", Addr: testAddr, LeaseSeconds: 600, Server: netip.MustParseAddr("10.0.0.2")},
	Names{Generation: 7, Table: NamesOfRules, First: 3, Names: []string{"", "allow main -> cameras rtsp"}},
	Event{Type: 300, Payload: []byte{0, 1, 2}},
	JournalState{Written: 1 << 40, Suppressed: 2, Lost: 3, DiskFull: true, LastError: "no space left on device"},
}

func testSet() PolicySet {
	return PolicySet{
		Devices:  []DeviceEntry{{ID: 1, Via: 2, Side: flow.ServerSide, Flags: DeviceRouter, PPS: 10, KBps: 20}},
		MACs:     []MACEntry{{MAC: testMAC, VLAN: 5, Device: 1}},
		Addrs:    []AddrEntry{{VLAN: 5, Prefix: netip.MustParsePrefix("10.7.0.0/28"), Device: 1}, {Prefix: netip.MustParsePrefix("fd00::/64"), Device: 2}},
		Services: []ServiceEntry{{Service: 63, Proto: flow.UDP, Lo: 1024, Hi: 65535}},
		Rules:    []RuleEntry{{From: 1, To: 2, Service: 63, Rule: 65535}},
	}
}

// speech finds the line of the table that says what m is.
func speech(t testing.TB, m Message) sentence {
	t.Helper()
	for _, s := range table {
		if _, ok := s.write(nil, m); ok {
			return s
		}
	}
	t.Fatalf("nobody may say %T", m)
	return sentence{}
}

func bytesOf(t testing.TB, m Message) []byte {
	b, _ := speech(t, m).write(nil, m)
	return b
}

func TestRoundTrip(t *testing.T) {
	said := 0
	for _, m := range samples {
		got, err := speech(t, m).read(bytesOf(t, m))
		if err != nil {
			t.Errorf("%T: %v", m, err)
		} else if !reflect.DeepEqual(got, m) {
			t.Errorf("%T:\n got %+v\nwant %+v", m, got, m)
		}
		for _, s := range table {
			if _, ok := s.write(nil, m); ok {
				said++
			}
		}
	}
	if said != len(table) {
		t.Errorf("%d lines of the table have a sample, of %d", said, len(table))
	}
}

// A message that lacks a byte or has one more is not a message.
func TestExactLength(t *testing.T) {
	for _, m := range samples {
		b, read := bytesOf(t, m), speech(t, m).read
		for n := range b {
			if got, err := read(b[:n]); err == nil {
				t.Errorf("%T cut to %d bytes decodes as %+v", m, n, got)
			}
		}
		if _, err := read(append(b, 0)); err == nil {
			t.Errorf("%T with a byte more decodes", m)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	block := bytesOf(t, SetBlock{Src: testAddr, Dst: testAddr, Reason: "x"})
	for name, tt := range map[string]struct {
		of Message
		b  []byte
	}{
		"truth value of 2":  {Result{}, append([]byte{0, 0, 0, 1, 2}, make([]byte, 6)...)},
		"address of 5":      {LiftBlock{}, []byte{0, 0, 0, 1, 5, 1, 2, 3, 4, 5, 0}},
		"IPv4 in IPv6":      {LiftBlock{}, append([]byte{0, 0, 0, 1, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 1, 2, 3, 4, 0)},
		"control character": {SetBlock{}, append(block[:len(block)-1:len(block)-1], '\n')},
		"a huge list":       {PortState{}, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}},
		"another side":      {PortState{}, []byte{0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
	} {
		if m, err := speech(t, tt.of).read(tt.b); err == nil || m != nil {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
	}
}

// What the writer cuts and cleans, the reader takes.
func TestTextIsCleaned(t *testing.T) {
	in := Result{Error: "a\nb\x00\xff" + strings.Repeat("я", MaxText)}
	m, err := speech(t, in).read(bytesOf(t, in))
	if err != nil {
		t.Fatal(err)
	}
	got := m.(Result).Error
	if !strings.HasPrefix(got, "a b  яя") || len(got) > MaxText || len(got) < MaxText-1 {
		t.Errorf("got %q, %d bytes", got, len(got))
	}
}

// The first byte chooses a line of the table, the rest is what it says.
func FuzzDecode(f *testing.F) {
	for _, m := range samples {
		for i, s := range table {
			if b, ok := s.write([]byte{byte(i)}, m); ok {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || int(b[0]) >= len(table) {
			return
		}
		s := table[b[0]]
		m, err := s.read(b[1:])
		if (m == nil) == (err == nil) {
			t.Fatalf("both or neither: %v, %v", m, err)
		}
		if err != nil {
			return
		}
		if again, _ := s.write(nil, m); !bytes.Equal(again, b[1:]) {
			t.Fatalf("not canonical: %x becomes %+v becomes %x", b[1:], m, again)
		}
	})
}
