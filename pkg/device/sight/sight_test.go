package sight

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"citygate/pkg/datapath/reader"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/verdict"
)

var (
	cctv  = Bridge{Name: "cctv", Ports: [2]string{"g0", "g1"}}
	start = Moment{Wall: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), Boot: time.Hour}
)

// after is a later moment.
func after(d time.Duration) Moment { return start.at(start.Boot + d) }

func raw(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// macN and ipN are a device's addresses; the numbers fit 16 bits.
func macN(n int) flow.MAC { return flow.MAC{2, 0, 0, 0, byte(n >> 8), byte(n)} }

func ipN(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}) }

// udp is a frame from one device to another.
func udp(from, to int, sport, dport uint16, payload []byte) []byte {
	src, dst := macN(from), macN(to)
	b := append(append(dst[:], src[:]...), 8, 0)
	ip := raw("45000000 1234 0000 40 11 0000")
	binary.BigEndian.PutUint16(ip[2:], uint16(28+len(payload)))
	b = append(append(append(b, ip...), ipN(from).AsSlice()...), ipN(to).AsSlice()...)
	b = binary.BigEndian.AppendUint16(b, sport)
	b = binary.BigEndian.AppendUint16(b, dport)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	return append(append(b, 0, 0), payload...)
}

// dhcpMessage is about macN(client), with ipN(client) as its address.
func dhcpMessage(op byte, client int, options string) []byte {
	b := make([]byte, 240)
	b[0], b[1], b[2] = op, 1, 6
	m := macN(client)
	copy(b[16:], ipN(client).AsSlice())
	copy(b[28:], m[:])
	copy(b[236:], raw("63825363"))
	return append(b, raw(options)...)
}

func sample(kind reader.SampleKind, reason verdict.Reason, side flow.Side, data []byte) reader.Sample {
	return reader.Sample{Kind: kind, Reason: reason, Side: side, Boot: start.Boot, Length: len(data), Data: data}
}

// ear hears what a Watch says.
type ear struct {
	seen   []ipc.DeviceSeen
	bound  []ipc.DHCPBinding
	events []event.Event
	deaf   bool // control's queue is full
}

func (e *ear) voice() Voice {
	return Voice{
		Seen: func(m ipc.DeviceSeen) bool {
			if !e.deaf {
				e.seen = append(e.seen, m)
			}
			return !e.deaf
		},
		Bound: func(m ipc.DHCPBinding) bool { e.bound = append(e.bound, m); return true },
		Tell:  func(v event.Event) bool { e.events = append(e.events, v); return true },
	}
}

func TestFirstSight(t *testing.T) {
	var e ear
	w := New(e.voice())
	s := sample(reader.SampleDevice, 0, flow.CameraSide, udp(11, 2, 5000, 6000, nil))
	if held := w.Sample(cctv, s, start); held {
		t.Error("a first sight is said at once, nothing is held")
	}
	want := ipc.DeviceSeen{MAC: macN(11), Side: flow.CameraSide, Bridge: "cctv", Addr: ipN(11), Boot: start.Boot}
	if len(e.seen) != 1 || fmt.Sprint(e.seen[0]) != fmt.Sprint(want) {
		t.Fatalf("got %+v, want %+v", e.seen, want)
	}
	if len(e.events) != 0 {
		t.Errorf("events %v", e.events)
	}
}

func TestAddressesCoalesce(t *testing.T) {
	var e ear
	w := New(e.voice())
	drop := func(from []byte) bool {
		return w.Sample(cctv, sample(reader.SampleDrop, verdict.ReasonUnknownDevice, flow.CameraSide, from), start)
	}
	frame := udp(11, 2, 1, 2, nil)
	drop(frame)
	drop(frame)
	if len(e.seen) != 1 {
		t.Fatalf("an unknown sender's first drop is its first sight; got %v", e.seen)
	}
	for i := range 100 {
		binary.BigEndian.PutUint16(frame[28:], uint16(i)) // the source address
		if !drop(frame) {
			t.Fatal("nothing is held")
		}
	}
	if len(e.seen) != 1 {
		t.Fatalf("news of one identity within a Window: %v", e.seen)
	}
	w.Flush()
	if len(e.seen) != 2 || e.seen[1].MAC != macN(11) || !e.seen[1].Addr.IsValid() || e.seen[1].Addr == ipN(11) {
		t.Fatalf("after the Window: %v", e.seen)
	}
	drop(frame) // the last address is known now
	w.Flush()
	if len(e.seen) != 2 {
		t.Errorf("what was told is told again: %v", e.seen)
	}
}

func TestSpoofedAddressIsNotBelieved(t *testing.T) {
	for reason, believed := range map[verdict.Reason]bool{
		verdict.ReasonIPSpoofed: false, verdict.ReasonARPSpoof: false, verdict.ReasonNDSpoof: false, verdict.ReasonSourceGroup: false,
		verdict.ReasonNoRule: true, verdict.ReasonUnknownDevice: true,
	} {
		var e ear
		w := New(e.voice())
		w.Sample(cctv, sample(reader.SampleDrop, reason, flow.CameraSide, udp(11, 2, 1, 2, nil)), start)
		if len(e.seen) != 1 || e.seen[0].Addr.IsValid() != believed {
			t.Errorf("%v: %v", reason, e.seen)
		}
	}
	var e ear
	New(e.voice()).Sample(cctv, sample(reader.SampleDrop, verdict.ReasonWrongSide, flow.CameraSide, udp(2, 11, 1, 2, nil)), start)
	if len(e.seen) != 0 {
		t.Errorf("a clone on the wrong side moves the device: %v", e.seen)
	}
}

func TestClaimedAddress(t *testing.T) {
	arp := raw("020000000002 02000000000b 0806 0001 0800 06 04 0002 02000000000b 0a00000b 020000000002 0a000002")
	lie := append([]byte{}, arp...)
	lie[27] = 0x77 // a sender address other than the frame's
	na := raw("333300000001 02000000000b 86dd 60000000 0020 3a ff fe80000000000000000000000000000b" +
		"ff020000000000000000000000000001 88 00 0000 20000000 fd00000000000000000000000000000b 0201 02000000000b")
	for name, c := range map[string]struct {
		frame []byte
		want  string
	}{
		"arp": {arp, "10.0.0.11"}, "arp of another": {lie, "invalid IP"}, "advertisement": {na, "fd00::b"},
	} {
		var e ear
		New(e.voice()).Sample(cctv, sample(reader.SampleDevice, 0, flow.CameraSide, c.frame), start)
		if len(e.seen) != 1 || e.seen[0].Addr.String() != c.want {
			t.Errorf("%s: got %v, want %s", name, e.seen, c.want)
		}
	}
}

// When control's queue is full, a first sight must not be forgotten.
func TestFirstSightWaits(t *testing.T) {
	e := ear{deaf: true}
	w := New(e.voice())
	if held := w.Sample(cctv, sample(reader.SampleDevice, 0, flow.CameraSide, udp(11, 2, 1, 2, nil)), start); !held {
		t.Fatal("nothing is held")
	}
	if held := w.Flush(); !held {
		t.Fatal("nothing is held after a flush that found the queue full")
	}
	e.deaf = false
	if held := w.Flush(); held || len(e.seen) != 1 || e.seen[0].Addr != ipN(11) {
		t.Errorf("held %v, seen %v", held, e.seen)
	}
}

func TestNeighboursBound(t *testing.T) {
	var e ear
	w := New(e.voice())
	for i := range 2 * maxNeighbours {
		w.Sample(cctv, sample(reader.SampleDevice, 0, flow.CameraSide, udp(i+1, 2, 1, 2, nil)), start)
	}
	if len(w.neighbours.rows) > maxNeighbours || len(w.neighbours.news) > maxNeighbours || len(e.seen) != 2*maxNeighbours {
		t.Errorf("%d rows, %d news, %d seen", len(w.neighbours.rows), len(w.neighbours.news), len(e.seen))
	}
}

func TestBinding(t *testing.T) {
	const ack = "350105 3604 0a000002 3304 00000e10 ff"
	frame := udp(2, 11, 67, 68, dhcpMessage(2, 11, ack))
	var e ear
	w := New(e.voice())
	w.Sample(cctv, sample(reader.SampleDHCP, verdict.ReasonDHCP, flow.ServerSide, frame), start)
	want := ipc.DHCPBinding{MAC: macN(11), Bridge: "cctv", Addr: ipN(11), LeaseSeconds: 3600, Server: ipN(2)}
	if len(e.bound) != 1 || e.bound[0] != want {
		t.Fatalf("got %+v, want %+v", e.bound, want)
	}
	if len(e.seen) != 2 || e.seen[0].MAC != macN(11) || e.seen[0].Side != flow.CameraSide || e.seen[0].Addr != ipN(11) || e.seen[1].MAC != macN(2) {
		t.Errorf("seen %v", e.seen)
	}

	offer := strings.Replace(ack, "350105", "350102", 1)
	inform := dhcpMessage(2, 11, ack)
	copy(inform[16:], raw("00000000"))
	for name, s := range map[string]reader.Sample{
		"dropped":     sample(reader.SampleDrop, verdict.ReasonRogueDHCP, flow.ServerSide, frame),
		"camera side": sample(reader.SampleDHCP, verdict.ReasonDHCP, flow.CameraSide, frame),
		"offer":       sample(reader.SampleDHCP, verdict.ReasonDHCP, flow.ServerSide, udp(2, 11, 67, 68, dhcpMessage(2, 11, offer))),
		"request":     sample(reader.SampleDHCP, verdict.ReasonDHCP, flow.ServerSide, udp(2, 11, 67, 68, dhcpMessage(1, 11, ack))),
		"no address":  sample(reader.SampleDHCP, verdict.ReasonDHCP, flow.ServerSide, udp(2, 11, 67, 68, inform)),
		"cut":         sample(reader.SampleDHCP, verdict.ReasonDHCP, flow.ServerSide, frame[:200]),
		"other port":  sample(reader.SampleDHCP, verdict.ReasonDHCP, flow.ServerSide, udp(2, 11, 67, 69, dhcpMessage(2, 11, ack))),
	} {
		var e ear
		New(e.voice()).Sample(cctv, s, start)
		if len(e.bound) != 0 {
			t.Errorf("%s: bound %v", name, e.bound)
		}
	}
}

func TestClientEvidence(t *testing.T) {
	discover := dhcpMessage(1, 11, "350101 3703 01030c 0c05 63616d2d31 3c04 75646863 ff")
	var e ear
	w := New(e.voice())
	w.Sample(cctv, sample(reader.SampleDHCP, verdict.ReasonDHCP, flow.CameraSide, udp(11, 2, 68, 67, discover)), start)
	if want := "[dhcp.hostname=cam-1 dhcp.vendor_class=udhc dhcp.parameters=01030c]"; len(e.seen) != 1 || fmt.Sprint(e.seen[0].Evidence) != want {
		t.Errorf("got %v, want %s", e.seen, want)
	}
	// A relay's or a liar's message about another client says nothing of its sender.
	var other ear
	New(other.voice()).Sample(cctv, sample(reader.SampleDHCP, verdict.ReasonDHCP, flow.CameraSide, udp(12, 2, 68, 67, discover)), start)
	if len(other.seen) != 1 || other.seen[0].Evidence != nil {
		t.Errorf("got %v", other.seen)
	}
}

func dropsOf(t *testing.T, events []event.Event) (out []*event.Drop) {
	t.Helper()
	for _, v := range events {
		if d, ok := v.(*event.Drop); ok {
			out = append(out, d)
		}
	}
	return out
}

func TestDropsGather(t *testing.T) {
	var e ear
	w := New(e.voice())
	add := func(reason verdict.Reason, kind reader.SampleKind, suppressed uint32, frame []byte) {
		s := sample(kind, reason, flow.CameraSide, frame)
		s.Suppressed = suppressed
		if !w.Sample(cctv, s, after(time.Millisecond)) {
			t.Error("nothing is held")
		}
	}
	for port := range uint16(10) {
		add(verdict.ReasonNoRule, reader.SampleDrop, 5, udp(11, 2, 1000+port, 23, nil))
	}
	add(verdict.ReasonNoRule, reader.SampleDrop, 0, udp(11, 2, 1000, 24, nil))
	add(verdict.ReasonNoRule, reader.SampleDrop, 0, udp(12, 2, 1000, 23, nil))
	add(verdict.ReasonBlocked, reader.SampleDrop, 0, udp(11, 2, 1000, 23, nil))
	add(verdict.ReasonNoRule, reader.SampleWouldDrop, 0, udp(11, 2, 1000, 23, nil))
	if len(e.events) != 0 {
		t.Fatal("said before the Window ended")
	}
	if w.Flush() {
		t.Error("something is held after a flush")
	}
	got := dropsOf(t, e.events)
	if len(got) != 5 {
		t.Fatalf("%d events: %v", len(got), got)
	}
	d := got[0]
	if d.Count != 10 || d.Suppressed != 50 || d.Reason != verdict.ReasonNoRule || d.WouldDrop || d.SrcMAC != macN(11) || d.DstMAC != macN(2) ||
		d.Tuple != (flow.FiveTuple{Src: ipN(11), Dst: ipN(2), SrcPort: 1000, DstPort: 23, Proto: flow.UDP}) ||
		d.Bridge != "cctv" || d.Iface != "g0" || d.Boot != start.Boot || !d.Wall.Equal(start.Wall) || d.Length != 42 || d.TTL != 64 {
		t.Errorf("got %+v", d)
	}
	for i, want := range []bool{false, false, false, false, true} {
		if got[i].WouldDrop != want || (i > 0 && got[i].Count != 1) {
			t.Errorf("event %d: %+v", i, got[i])
		}
	}
	w.Flush()
	if len(e.events) != 5 {
		t.Error("a second flush says it again")
	}
}

func TestDropOfARP(t *testing.T) {
	var e ear
	w := New(e.voice())
	arp := raw("ffffffffffff 02000000000b 0806 0001 0800 06 04 0002 02000000000b 0a000002 020000000002 0a000002")
	w.Sample(cctv, sample(reader.SampleDrop, verdict.ReasonARPSpoof, flow.CameraSide, arp), start)
	w.Flush()
	if d := dropsOf(t, e.events); len(d) != 1 || d[0].Tuple.Src != ipN(2) || d[0].EtherType != 0x806 {
		t.Errorf("got %+v", e.events)
	}
}

// No dropped frame may go uncounted, whatever an attacker varies.
func TestDropsBound(t *testing.T) {
	var e ear
	w := New(e.voice())
	n := 0
	for i := range 2 * maxDrops {
		s := sample(reader.SampleDrop, verdict.ReasonNoRule, flow.CameraSide, udp(11, 2, 1, uint16(i), nil))
		s.Suppressed = 2
		w.Sample(cctv, s, start)
		n += 3
	}
	w.Sample(cctv, sample(reader.SampleDrop, verdict.ReasonBlocked, flow.CameraSide, udp(11, 2, 1, 9, nil)), start)
	n++
	w.Flush()
	got := dropsOf(t, e.events)
	told := 0
	for _, d := range got {
		told += int(d.Count) + int(d.Suppressed)
	}
	if len(got) != maxDrops+1 || told != n || got[maxDrops].Reason != verdict.ReasonBlocked {
		t.Errorf("%d events tell %d frames, want %d", len(got), told, n)
	}
}

func TestAnomalies(t *testing.T) {
	bad := udp(11, 2, 1000, 23, nil)
	bad[39] = 7 // the UDP length
	var e ear
	w := New(e.voice())
	for range 3 {
		w.Sample(cctv, sample(reader.SampleDrop, verdict.ReasonMalformedUDP, flow.CameraSide, bad), start)
	}
	// What only the data path finds wrong goes by its reason.
	w.Sample(cctv, sample(reader.SampleDrop, verdict.ReasonMalformedTCP, flow.CameraSide, udp(11, 2, 1, 2, nil)), start)
	w.Flush()
	var got []string
	for _, v := range e.events {
		if a, ok := v.(*event.Anomaly); ok {
			got = append(got, fmt.Sprint(a.Type, " ", a.Event, " ", a.Count, " ", a.Object))
		}
	}
	want := []string{"decode decoder.udp.hlen_too_small 3 02:00:00:00:00:0b", "decode malformed_tcp 1 02:00:00:00:00:0b"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if d := dropsOf(t, e.events); len(d) != 2 || d[0].Count != 3 || d[0].SrcMAC != macN(11) || d[0].Tuple.Src != ipN(11) {
		t.Errorf("drops %+v", d)
	}
}

func TestAnomaliesBound(t *testing.T) {
	var e ear
	w := New(e.voice())
	for i := range 2 * maxAnomalies {
		bad := udp(i+1, 2, 1000, 23, nil)
		bad[39] = 7
		w.Sample(cctv, sample(reader.SampleDrop, verdict.ReasonMalformedUDP, flow.CameraSide, bad), start)
	}
	w.Flush()
	n, total := 0, uint64(0)
	for _, v := range e.events {
		if a, ok := v.(*event.Anomaly); ok {
			n++
			total += a.Count
		}
	}
	if n != maxAnomalies+1 || total != 2*maxAnomalies {
		t.Errorf("%d events for %d frames", n, total)
	}
}

func FuzzSample(f *testing.F) {
	f.Add(uint8(1), uint8(17), udp(11, 2, 1000, 23, nil))
	f.Add(uint8(4), uint8(7), udp(2, 11, 67, 68, dhcpMessage(2, 11, "350105 ff")))
	f.Add(uint8(3), uint8(0), raw("ffffffffffff 02000000000b 0806 0001 0800 06 04 0002 02000000000b 0a000002 020000000002 0a000002"))
	f.Fuzz(func(t *testing.T, kind, reason uint8, data []byte) {
		var e ear
		w := New(e.voice())
		s := sample(reader.SampleKind(kind), verdict.Reason(reason), flow.ServerSide, data)
		if w.Sample(cctv, s, start) && w.Flush() {
			t.Error("something is held after a flush")
		}
		for _, v := range e.events {
			typ, payload := event.Encode(v)
			if _, err := event.Decode(typ, payload); err != nil {
				t.Error(err)
			}
		}
		watch, control, err := ipc.NewPair(ipc.Watch, ipc.Control)
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		defer control.Close()
		for _, m := range slices.Concat(messages(e.seen), messages(e.bound)) {
			if err := watch.Send(m); err != nil {
				t.Error(err)
			} else if _, err := control.Recv(); err != nil {
				t.Error(err)
			}
		}
	})
}

func messages[T any](of []T) (out []ipc.Message) {
	for _, m := range of {
		out = append(out, m)
	}
	return out
}
