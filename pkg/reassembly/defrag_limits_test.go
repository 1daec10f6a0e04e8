package reassembly

import (
	"hash/maphash"
	"strings"
	"testing"
	"time"

	"citygate/pkg/packet"
)

// In line the receiver gets what was put together: the first copy, and of IPv6 nothing after an overlap.
func TestInlineOverlap(t *testing.T) {
	f := newFeeder(t, DefragConfig{Inline: true, Policy: PolicyLast})
	first := udp8(24, bytes8("_ab"))
	for _, step := range []struct {
		x    frag
		drop bool
	}{
		{frag{0, true, first[:16]}, false}, {frag{1, true, bytes8("x")}, true}, {frag{1, true, bytes8("a")}, false},
	} {
		if r := f.add(packet4(1, step.x)); r.Drop != step.drop || r.Datagram != nil {
			t.Errorf("%+v: %+v", step.x, r)
		}
	}
	r := f.add(packet4(1, frag{2, false, first[16:]}))
	if r.Drop || string(f.payload(r.Datagram)) != first {
		t.Errorf("%+v", r)
	}
	// RFC 5722; an exact duplicate is dropped alone.
	f.add(packet6(1, frag{0, true, first[:16]}))
	if r := f.add(packet6(1, frag{0, true, first[:16]})); !r.Drop || f.d.Counters().Duplicates != 1 {
		t.Errorf("duplicate: %+v", r)
	}
	if r := f.add(packet6(1, frag{1, true, bytes8("x")})); !r.Drop {
		t.Errorf("overlap: %+v", r)
	}
	if r := f.add(packet6(1, frag{2, false, first[16:]})); !r.Drop || r.Datagram != nil || f.d.Counters().Dead != 1 {
		t.Errorf("after the overlap: %+v %+v", r, f.d.Counters())
	}
}

func TestDatagramsApart(t *testing.T) {
	f := newFeeder(t, DefragConfig{})
	text := bytes8("ab")
	base := packet4(1, frag{0, true, text[:8]})
	f.add(base)
	last := packet4(1, frag{1, false, text[8:]})
	for name, at := range map[string]int{"identification": 5, "protocol": 9, "source": 15, "destination": 19} {
		other := append([]byte(nil), last...)
		other[at]++
		if r := f.add(other); r.Datagram != nil {
			t.Errorf("another %s completes it", name)
		}
	}
	h, err := f.dec.DecodeLink(packet.LinkVLAN, append([]byte{0, 5, 8, 0}, last...), 0)
	if r := f.d.Add(&h, f.now); err != nil || r.Datagram != nil {
		t.Error("another VLAN completes it", err)
	}
	if r := f.add(last); r.Datagram == nil {
		t.Error("it is not completed")
	}
}

func TestExpire(t *testing.T) {
	f := newFeeder(t, DefragConfig{Timeout: 10 * time.Second})
	text := bytes8("ab")
	f.add(packet4(1, frag{0, true, text[:8]}))
	f.add(packet4(2, frag{0, true, text[:8]}))
	f.now = f.now.Add(10 * time.Second)
	f.d.Expire(f.now)
	if r := f.add(packet4(1, frag{1, false, text[8:]})); r.Datagram == nil {
		t.Error("too old after exactly the timeout")
	}
	f.now = f.now.Add(1)
	if r := f.add(packet4(2, frag{1, false, text[8:]})); r.Datagram != nil {
		t.Error("completed after the timeout")
	}
	f.now = f.now.Add(11 * time.Second)
	f.d.Expire(f.now)
	if c := f.d.Counters(); c.Expired != 2 || c.Datagrams != 0 || c.Memory != 0 {
		t.Errorf("%+v", c)
	}
}

func TestChecksumOfHeader(t *testing.T) {
	b := packet4(1, frag{0, true, bytes8("a")})
	b[10] ^= 1
	for _, c := range []struct{ check, inline bool }{{false, false}, {true, false}, {true, true}} {
		f := newFeeder(t, DefragConfig{Checksums: c.check, Inline: c.inline})
		r := f.add(b)
		if n := f.d.Counters(); (n.BadChecksum == 1) != c.check || (n.Datagrams == 0) != c.check || r.Drop != c.inline {
			t.Errorf("%+v: %+v %+v", c, r, n)
		}
	}
}

// Thousands of datagrams that never become whole stay in their memory. Not in line the oldest make room, in line the new
// ones are dropped.
func TestFlood(t *testing.T) {
	for _, inline := range []bool{false, true} {
		for name, c := range map[string]DefragConfig{
			"datagrams": {Inline: inline, MaxDatagrams: 100},
			"memory":    {Inline: inline, MaxMemory: 400 << 10},
		} {
			f := newFeeder(t, c)
			text := strings.Repeat("x", 1480)
			dropped := 0
			for id := range 20000 {
				if r := f.add(packet4(uint16(id), frag{id % 8000, true, text})); r.Drop {
					dropped++
				}
			}
			n := f.d.Counters()
			if n.Memory > f.d.c.MaxMemory || n.Datagrams > f.d.c.MaxDatagrams || n.Datagrams < 50 {
				t.Errorf("%s: %+v", name, n)
			}
			if inline && (n.Evicted != 0 || uint64(dropped) != n.Refused || dropped < 19000) || !inline && (n.Evicted < 19000 || dropped != 0) {
				t.Errorf("%s, inline %v: dropped %d, %+v", name, inline, dropped, n)
			}
			// Time makes room.
			f.now = f.now.Add(time.Hour)
			f.add(packet4(1, frag{0, true, text}))
			if r := f.add(packet4(1, frag{185, false, text})); r.Datagram == nil {
				t.Errorf("%s, inline %v: no room later: %+v", name, inline, f.d.Counters())
			}
		}
	}
}

// Pieces of 8 bytes with holes: the datagram is given up, and the rest of it is not begun anew.
func TestTooManyPieces(t *testing.T) {
	for _, inline := range []bool{false, true} {
		f := newFeeder(t, DefragConfig{Inline: inline, MaxFragments: 64})
		dropped := 0
		for i := range 1000 {
			if r := f.add(packet4(1, frag{2 * i, true, "12345678"})); r.Drop {
				dropped++
			}
		}
		n := f.d.Counters()
		if n.TooMany != 1 || n.Dead != 1000-65 || n.Datagrams != 1 || n.Memory > 4096 || inline && dropped != 1000-64 || !inline && dropped != 0 {
			t.Errorf("inline %v: dropped %d, %+v", inline, dropped, n)
		}
	}
}

// The largest datagram, and one whose header makes it too large.
func TestLargest(t *testing.T) {
	f := newFeeder(t, DefragConfig{MaxFragments: 9000})
	end := (65535 - 20) / 8
	for i := range end {
		f.add(packet4(1, frag{i, true, "12345678"}))
	}
	if r := f.add(packet4(1, frag{end, false, "123"})); len(r.Datagram) != 65535 {
		t.Errorf("%d bytes: %+v", len(r.Datagram), f.d.Counters())
	}
	first := packet4(2, frag{0, true, bytes8("ab")})
	first = append(first[:20:20], append([]byte{1, 1, 1, 1}, first[20:]...)...)
	first[0], first[3] = 0x46, first[3]+4
	f.add(first)
	for i := 2; i < end; i++ {
		f.add(packet4(2, frag{i, true, "12345678"}))
	}
	if r := f.add(packet4(2, frag{end, false, "123"})); r.Datagram != nil || !r.Events.Has(packet.IPv4FragTooLarge) {
		t.Errorf("%d bytes, %+v", len(r.Datagram), r.Events)
	}
}

// What is no fragment is left alone.
func TestNoFragment(t *testing.T) {
	f := newFeeder(t, DefragConfig{Inline: true})
	atomic := packet6(1, frag{0, false, udp8(8, bytes8("a"))}) // RFC 6946
	for _, b := range [][]byte{atomic, packet4(1, frag{0, false, udp8(8, bytes8("a"))})} {
		if r := f.add(b); r.Datagram != nil || r.Drop || r.Events.Any() {
			t.Errorf("%+v", r)
		}
	}
	if n := f.d.Counters(); n != (DefragCounters{}) {
		t.Errorf("%+v", n)
	}
}

func TestDefragAllocates(t *testing.T) {
	f := newFeeder(t, DefragConfig{Policy: PolicyLast})
	text := udp8(2960, strings.Repeat("0123456789abcdef", 185))
	pieces := [][]byte{
		packet4(1, frag{185, false, text[1480:]}), packet4(1, frag{3, true, text[24:1480]}), packet4(1, frag{0, true, text[:48]}),
		packet6(1, frag{0, true, text[:1480]}), packet6(1, frag{185, false, text[1480:]}),
	}
	if n := testing.AllocsPerRun(100, func() {
		whole := 0
		for _, b := range pieces {
			if f.add(b).Datagram != nil {
				whole++
			}
		}
		if whole != 2 {
			t.Fatal(whole)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestPolicyNames(t *testing.T) {
	for p := range policies {
		if got, err := ParsePolicy(p.String()); got != p || err != nil {
			t.Errorf("%v: %v, %v", p, got, err)
		}
	}
	if _, err := ParsePolicy("hpux"); err == nil || !strings.Contains(err.Error(), `"hpux"`) {
		t.Error(err)
	}
}

// fuzzSeed makes the coverage of an input the same each time, which the fuzzer needs to make inputs smaller.
var fuzzSeed = maphash.MakeSeed()

// FuzzDefrag builds fragments from bytes: two of offset, flags and size, then what they carry.
func FuzzDefrag(f *testing.F) {
	f.Add(uint8(0), []byte("\x00\x00\x12\x01\x00\x02\x04\x02\x00\x01\x22\x07"))
	f.Add(uint8(0x13), []byte("\x00\x00\x11\x01\x1f\xff\x01\x02\x00\x01\x02\x01"))
	f.Add(uint8(0x25), []byte("\x00\x00\x13\x01\x00\x01\x14\x02\x00\x03\x04\x03\x00\x00\x19\x04"))
	f.Fuzz(func(t *testing.T, mode uint8, b []byte) {
		c := DefragConfig{Inline: mode&0x10 != 0, Policy: Policy(mode & 7), MaxDatagrams: 4, MaxFragments: 16, MaxMemory: 64 << 10}
		f := newFeeder(t, c)
		f.d.table.seed = fuzzSeed
		for ; len(b) >= 4; b = b[4:] {
			x := frag{int(b[0])<<8&0x1f00 | int(b[1]), b[2]&0x10 != 0, strings.Repeat(string(rune('a'+b[3]%26)), int(b[2]&15)*8+int(b[3]>>7))}
			if x.at == 0 && !x.more {
				continue // no fragment
			}
			p := packet4(uint16(b[3]>>5&3), x)
			if mode&0x20 != 0 {
				p = packet6(uint32(b[3]>>5&3), x)
			}
			r := f.add(p)
			if r.Drop && (!c.Inline || r.Datagram != nil) {
				t.Fatalf("%+v", r)
			}
			if r.Datagram != nil {
				f.check(r.Datagram)
			}
			f.now = f.now.Add(time.Second)
			if n := f.d.Counters(); n.Memory > c.MaxMemory || n.Datagrams > c.MaxDatagrams {
				t.Fatalf("%+v", n)
			}
		}
		f.d.Expire(f.now.Add(time.Hour))
		if n := f.d.Counters(); n.Memory != 0 || n.Datagrams != 0 {
			t.Fatalf("%+v", n)
		}
	})
}

// check looks at a rebuilt packet whose transport header may be anything.
func (f *feeder) check(b []byte) {
	h, _ := f.dec.DecodeLink(packet.LinkRaw, b, len(b))
	if h.Fragment || h.IPv4Checksum() == packet.ChecksumInvalid {
		f.t.Fatalf("%x", b)
	}
}

func BenchmarkDefrag(b *testing.B) {
	f := newFeeder(b, DefragConfig{})
	text := udp8(4440, strings.Repeat("0123456789abcdef", 278)[:4440])
	pieces := [][]byte{packet4(1, frag{0, true, text[:1480]}), packet4(1, frag{185, true, text[1480:2960]}), packet4(1, frag{370, false, text[2960:]})}
	b.SetBytes(4440)
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range pieces {
			f.add(p)
		}
	}
}
