package reassembly

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"citygate/pkg/packet"
)

// frag is a fragment as the tests write it: At is its offset in units of 8 bytes.
type frag struct {
	at   int
	more bool
	data string
}

// bytes8 is text of which each letter stands for 8 bytes.
func bytes8(s string) string {
	var b strings.Builder
	for _, c := range s {
		b.WriteString(strings.Repeat(string(c), 8))
	}
	return b.String()
}

// units is bytes8 backwards.
func units(b []byte) string {
	var s []byte
	for i := 0; i < len(b); i += 8 {
		s = append(s, b[i])
	}
	return string(s)
}

// packet4 is an IPv4 fragment of UDP from 10.0.0.1 to 10.0.0.2.
func packet4(id uint16, f frag) []byte {
	b := make([]byte, 20, 20+len(f.data))
	copy(b, "\x45\x00\x00\x00\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02")
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(f.data)))
	binary.BigEndian.PutUint16(b[4:], id)
	field := uint16(f.at)
	if f.more {
		field |= 0x2000
	}
	binary.BigEndian.PutUint16(b[6:], field)
	finish4(b)
	return append(b, f.data...)
}

// finish4 makes the header's checksum right, word by word.
func finish4(b []byte) {
	b[10], b[11] = 0, 0
	sum := 0
	for i := 0; i < 20; i += 2 {
		sum += int(b[i])<<8 | int(b[i+1])
	}
	sum = sum>>16 + sum&0xffff
	binary.BigEndian.PutUint16(b[10:], ^uint16(sum>>16+sum))
}

// packet6 is an IPv6 fragment of UDP from fd00::1 to fd00::2 behind a destination options header.
func packet6(id uint32, f frag) []byte {
	b := make([]byte, 56, 56+len(f.data))
	b[0], b[6], b[7], b[8], b[23], b[24], b[39] = 0x60, 60, 64, 0xfd, 1, 0xfd, 2
	binary.BigEndian.PutUint16(b[4:], uint16(16+len(f.data)))
	b[40], b[42], b[43] = 44, 1, 4 // PadN
	b[48] = 17
	field := uint16(f.at) * 8
	if f.more {
		field |= 1
	}
	binary.BigEndian.PutUint16(b[50:], field)
	binary.BigEndian.PutUint32(b[52:], id)
	return append(b, f.data...)
}

// feeder decodes packets and adds them.
type feeder struct {
	t   testing.TB
	dec *packet.Decoder
	d   *Defragmenter
	now time.Time
}

func newFeeder(t testing.TB, c DefragConfig) *feeder {
	return &feeder{t, packet.NewDecoder(), NewDefragmenter(c), time.Unix(1700000000, 0)}
}

func (f *feeder) add(b []byte) DefragResult {
	h, err := f.dec.DecodeLink(packet.LinkRaw, b, len(b))
	if err != nil {
		f.t.Fatal(err)
	}
	return f.d.Add(&h, f.now)
}

// payload is what a whole datagram carries; it checks its header.
func (f *feeder) payload(b []byte) []byte {
	h, err := f.dec.DecodeLink(packet.LinkRaw, b, len(b))
	if err != nil || h.Fragment || h.MoreFragments || h.Offset != 0 || h.IPLength != len(b) || h.Tuple.Proto != 17 || h.IPv4Checksum() == packet.ChecksumInvalid {
		f.t.Fatalf("rebuilt packet: %v %+v", err, h)
	}
	return b[len(h.Network):]
}

// udp8 makes the first 8 bytes of text a header that a decoder takes, of a datagram of n bytes in all.
func udp8(n int, s string) string {
	head := make([]byte, 8)
	binary.BigEndian.PutUint16(head[2:], 53)
	binary.BigEndian.PutUint16(head[4:], uint16(n))
	return string(head) + s[8:]
}

func TestWhole(t *testing.T) {
	text := udp8(100, strings.Repeat("abcdefghijklmnopqrstuvwxyz", 4)[:100])
	pieces := []frag{{0, true, text[:32]}, {4, true, text[32:64]}, {8, true, text[64:72]}, {9, false, text[72:]}}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}} {
		for _, inline := range []bool{false, true} {
			f := newFeeder(t, DefragConfig{Inline: inline})
			for n, i := range order {
				r4, r6 := f.add(packet4(7, pieces[i])), DefragResult{}
				if r4.Datagram != nil {
					if got := f.payload(r4.Datagram); string(got) != text || n != 3 {
						t.Errorf("IPv4, order %v: %q after %d", order, got, n)
					}
				}
				r6 = f.add(packet6(7, pieces[i]))
				if r6.Datagram != nil {
					if got := f.payload(r6.Datagram); string(got) != text || n != 3 {
						t.Errorf("IPv6, order %v: %q after %d", order, got, n)
					}
				}
				if r4.Events.Any() || r6.Events.Any() || r4.Drop || r6.Drop || (n == 3) != (r4.Datagram != nil && r6.Datagram != nil) {
					t.Errorf("order %v, %d: %+v %+v", order, n, r4, r6)
				}
			}
			c := f.d.Counters()
			if c.Fragments != 8 || c.Reassembled != 2 || c.Datagrams != 0 || c.Memory != 0 || c.Dropped != 0 {
				t.Errorf("order %v: %+v", order, c)
			}
		}
	}
}

// The six fragments of Paxson and Shankar, and what Novak's paper says of each stack.
func TestPolicies(t *testing.T) {
	pieces := []frag{{0, true, "111"}, {4, true, "22"}, {6, true, "333"}, {1, true, "4444"}, {6, true, "555"}, {9, false, "666"}}
	for p, want := range map[Policy]string{
		PolicyFirst: "111422333666", PolicyLast: "144442555666", PolicyBSD: "111442333666", PolicyLinux: "111442555666",
		PolicyWindows: "111422333666", PolicySolaris: "111422333666",
	} {
		for name, make := range map[string]func(frag) []byte{
			"IPv4": func(f frag) []byte { return packet4(1, f) }, "IPv6": func(f frag) []byte { return packet6(1, f) },
		} {
			f := newFeeder(t, DefragConfig{Policy: p})
			var last DefragResult
			for i, x := range pieces {
				x.data = bytes8(x.data)
				last = f.add(make(x))
				overlap := i == 3 || i == 4
				if got := last.Events.Has(packet.IPv4FragOverlap) || last.Events.Has(packet.IPv6FragOverlap); got != overlap {
					t.Errorf("%v, %s, fragment %d: overlap %v", p, name, i+1, got)
				}
			}
			n := len(last.Datagram) - 12*8
			if last.Datagram == nil || units(last.Datagram[n:]) != want {
				t.Errorf("%v, %s: %q, want %q", p, name, units(last.Datagram[max(n, 0):]), want)
			}
			if c := f.d.Counters(); c.Overlaps != 2 || c.Differing != 2 || c.Duplicates != 0 {
				t.Errorf("%v, %s: %+v", p, name, c)
			}
		}
	}
}

// A fragment that holds another, and one that begins with it.
func TestPolicySubsumes(t *testing.T) {
	for p, want := range map[Policy][2]string{
		PolicyFirst: {"bab", "aab"}, PolicyWindows: {"bbb", "aab"}, PolicySolaris: {"bbb", "aab"},
		PolicyBSD: {"bbb", "aab"}, PolicyLinux: {"bbb", "bbb"}, PolicyLast: {"bbb", "bbb"},
	} {
		for i, first := range []frag{{1, true, bytes8("a")}, {0, true, bytes8("aa")}} {
			f := newFeeder(t, DefragConfig{Policy: p})
			f.add(packet4(1, first))
			f.add(packet4(1, frag{0, true, bytes8("bbb")}))
			r := f.add(packet4(1, frag{3, false, "Z"}))
			if len(r.Datagram) != 45 || units(r.Datagram[20:]) != want[i]+"Z" {
				t.Errorf("%v, %d: %x", p, i, r.Datagram)
			}
		}
	}
}

// model puts fragments together byte by byte.
func model(p Policy, fs []frag) (out []byte, whole bool) {
	type owner struct{ lo, hi int }
	data, owners := map[int]byte{}, map[int]owner{}
	end := -1
	for _, f := range fs {
		lo := f.at * 8
		hi := lo + len(f.data)
		for i := range len(f.data) {
			o, there := owners[lo+i]
			if !there || p.newer(&fragment{lo: lo, hi: hi}, fragSpan{lo: o.lo, hi: o.hi}) {
				data[lo+i], owners[lo+i] = f.data[i], owner{lo, hi}
			}
		}
		if !f.more {
			end = hi
		}
	}
	for i := range max(end, 0) {
		c, ok := data[i]
		if !ok {
			return nil, false
		}
		out = append(out, c)
	}
	return out, end > 0
}

// Random fragments give what the model gives, under each policy.
func TestAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	whole := 0
	for round := range 3000 {
		p := Policy(round % int(policies))
		size := 3 + r.IntN(10)
		var fs []frag
		for i := range 3 + r.IntN(12) {
			at := r.IntN(size - 1)
			n := 1 + r.IntN(size-1-at)
			fs = append(fs, frag{at, true, bytes8(strings.Repeat(string(rune('a'+i)), n))})
		}
		last := 1 + r.IntN(size-1)
		fs = append(fs, frag{last, false, bytes8(strings.Repeat("Z", size-last))[3:]})
		f := newFeeder(t, DefragConfig{Policy: p, MaxDatagrams: 4})
		var res DefragResult
		for _, x := range fs {
			res = f.add(packet4(uint16(round), x))
		}
		want, done := model(p, fs)
		if res.Datagram == nil != !done || done && !bytes.Equal(res.Datagram[20:], want) {
			t.Fatalf("%v: %v\n%x\n%x", p, fs, res.Datagram, want)
		}
		if done {
			whole++
		}
	}
	if whole < 500 {
		t.Errorf("only %d datagrams became whole", whole)
	}
}

func TestEvents4And6(t *testing.T) {
	a := bytes8("aaa")
	for _, c := range []struct {
		name   string
		pieces []frag
		v4, v6 []packet.Event // of the last piece
		count  func(DefragCounters) uint64
		drop   bool // in line, IPv4
		whole  bool // IPv4, not in line
	}{
		{
			"differing",
			[]frag{{0, true, a}, {2, true, bytes8("b")}},
			[]packet.Event{packet.IPv4FragOverlap},
			[]packet.Event{packet.IPv6FragOverlap},
			func(c DefragCounters) uint64 { return c.Differing }, true, false,
		},
		{
			"duplicate",
			[]frag{{0, true, a}, {0, true, a}},
			[]packet.Event{packet.IPv4FragOverlap},
			[]packet.Event{packet.IPv6FragOverlap},
			func(c DefragCounters) uint64 { return c.Duplicates }, false, false,
		},
		{
			"equal overlap",
			[]frag{{0, true, a}, {2, false, bytes8("ab")}},
			[]packet.Event{packet.IPv4FragOverlap},
			[]packet.Event{packet.IPv6FragOverlap},
			func(c DefragCounters) uint64 { return c.Overlaps }, false, true,
		},
		{
			"teardrop",
			[]frag{{0, true, a}, {1, false, "aaaa"}},
			[]packet.Event{packet.IPv4FragOverlap, packet.IPv4FragIgnored},
			[]packet.Event{packet.IPv6FragOverlap, packet.IPv6FragIgnored},
			func(c DefragCounters) uint64 { return c.Conflicts }, true, false,
		},
		{
			"beyond the end",
			[]frag{{1, false, a}, {5, true, a}},
			[]packet.Event{packet.IPv4FragIgnored},
			[]packet.Event{packet.IPv6FragIgnored},
			func(c DefragCounters) uint64 { return c.Conflicts }, true, false,
		},
		{
			"two ends",
			[]frag{{1, false, a}, {1, false, a[:20]}},
			[]packet.Event{packet.IPv4FragOverlap, packet.IPv4FragIgnored},
			[]packet.Event{packet.IPv6FragOverlap, packet.IPv6FragIgnored},
			func(c DefragCounters) uint64 { return c.Conflicts }, true, false,
		},
		{
			"too large",
			[]frag{{8190, false, a}},
			[]packet.Event{packet.IPv4FragTooLarge},
			[]packet.Event{packet.IPv6FragTooLarge},
			func(c DefragCounters) uint64 { return c.TooLarge }, true, false,
		},
		{"empty", []frag{{3, true, ""}}, nil, nil, func(c DefragCounters) uint64 { return c.Empty }, true, false},
		{
			"uneven",
			[]frag{{0, true, a[:20]}},
			nil,
			[]packet.Event{packet.IPv6FragInvalidLength},
			func(c DefragCounters) uint64 { return c.Uneven }, true, false,
		},
		{"tiny", []frag{{1, false, a}, {0, true, a[:8]}}, nil, nil, func(c DefragCounters) uint64 { return c.Fragments - 1 }, false, true},
	} {
		for _, inline := range []bool{false, true} {
			f := newFeeder(t, DefragConfig{Inline: inline})
			var r4 DefragResult
			for _, x := range c.pieces {
				r4 = f.add(packet4(1, x))
			}
			if r4.Events != set(c.v4) || r4.Drop != (inline && c.drop) || !inline && (r4.Datagram != nil) != c.whole {
				t.Errorf("%s, IPv4, inline %v: %+v", c.name, inline, r4)
			}
			if n := c.count(f.d.Counters()); n != 1 {
				t.Errorf("%s, IPv4, inline %v: counted %d", c.name, inline, n)
			}
			f = newFeeder(t, DefragConfig{Inline: inline})
			var r6 DefragResult
			for _, x := range c.pieces {
				r6 = f.add(packet6(1, x))
			}
			overlaps := r6.Events.Has(packet.IPv6FragOverlap)
			if r6.Events != set(c.v6) || r6.Drop != (inline && (c.drop || overlaps)) {
				t.Errorf("%s, IPv6, inline %v: %+v", c.name, inline, r6)
			}
			if n := c.count(f.d.Counters()); n != 1 {
				t.Errorf("%s, IPv6, inline %v: counted %d", c.name, inline, n)
			}
		}
	}
}

func set(es []packet.Event) (s packet.Events) {
	for _, e := range es {
		s.Add(e)
	}
	return s
}
