package packet

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"citygate/pkg/flow"
)

// slowSum is RFC 1071 word by word, as the specification says it.
func slowSum(parts ...[]byte) uint16 {
	var s uint32
	for _, b := range parts {
		for i := 0; i < len(b); i += 2 {
			w := uint32(b[i]) << 8
			if i+1 < len(b) {
				w |= uint32(b[i+1])
			}
			s += w
			s = s>>16 + s&0xffff
		}
	}
	return uint16(s)
}

func TestSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		b := make([]byte, n)
		for range 20 {
			for i := range b {
				b[i] = byte(r.Uint32())
				if n%3 == 0 {
					b[i] = 0xff // carries everywhere
				}
			}
			start := uint64(r.Uint32())
			var head [8]byte
			binary.BigEndian.PutUint64(head[:], start)
			got, want := fold(sum(b, start)), slowSum(head[:], b)
			if got%0xffff != want%0xffff { // 0 and 0xffff are the same number
				t.Fatalf("%d bytes: %04x, want %04x", n, got, want)
			}
		}
	}
}

// seal puts right checksums into a raw IP packet. At is the place of the transport checksum behind the IP header.
func seal(b []byte, at int) []byte {
	b = join(b)
	header, pseudo := 40, []byte(nil)
	if b[0]>>4 == 4 {
		header = int(b[0]&15) * 4
		b[10], b[11] = 0, 0
		binary.BigEndian.PutUint16(b[10:], ^slowSum(b[:header]))
		pseudo = join(b[12:20], []byte{0, b[9]})
	} else {
		pseudo = join(b[8:40], []byte{0, b[6]})
	}
	pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(len(b)-header))
	if p := flow.Proto(pseudo[len(pseudo)-3]); p == flow.ICMP || p == flow.IGMP {
		pseudo = nil
	}
	b[header+at], b[header+at+1] = 0, 0
	binary.BigEndian.PutUint16(b[header+at:], ^slowSum(pseudo, b[header:]))
	return b
}

func TestChecksums(t *testing.T) {
	d := NewDecoder()
	for _, c := range []struct {
		name string
		data []byte
		at   int // of the transport checksum
	}{
		{"tcp", ip4(6, tcp20), 16},
		{"tcp, odd, options", v4(6, 0, raw("94040000"), join(tcpSYN, raw("01 02 03"))), 16},
		{"tcp 6", v6(6, join(tcp20, raw("01"))), 16},
		{"udp", ip4(17, udp8), 6},
		{"udp 6", v6(17, udp8), 6},
		{"icmp", ip4(1, join(echo, raw("07"))), 2},
		{"icmpv6", v6(58, ns), 2},
		{"igmp", ip4(2, raw("1600 0000 ef010101")), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			good := seal(c.data, c.at)
			h, err := d.DecodeLink(LinkRaw, good, 0)
			if err != nil {
				t.Fatal(err)
			}
			if !h.ChecksumsValid() || h.TransportChecksum() != ChecksumValid || (h.IPVersion == 4) != (h.IPv4Checksum() == ChecksumValid) {
				t.Errorf("transport %v, IP %v", h.TransportChecksum(), h.IPv4Checksum())
			}
			// Any bit that is wrong shows in one of them.
			for i := range len(good) * 8 {
				bad := edit(good, i/8, good[i/8]^1<<(i%8))
				h, err := d.DecodeLink(LinkRaw, bad, 0)
				if err != nil || h.Tuple.Proto != flow.Proto(protoOf(good)) || h.Fragment || len(h.Transport) == 0 {
					continue
				}
				covered := h.IPVersion == 4 || i/8 >= 8
				if covered && h.ChecksumsValid() {
					t.Errorf("bit %d is wrong and nothing shows", i)
				}
			}
		})
	}
}

func protoOf(b []byte) byte {
	if b[0]>>4 == 4 {
		return b[9]
	}
	return b[6]
}

func TestNoChecksum(t *testing.T) {
	d := NewDecoder()
	for _, c := range []struct {
		name string
		data []byte
		want Checksum
	}{
		{"udp without", ip4(17, udp8), ChecksumNone},
		{"udp 6 without", v6(17, udp8), ChecksumInvalid},
		{"fragment", v4(17, 0x2000, nil, udp8), ChecksumNone},
		{"sctp", ip4(132, make([]byte, 12)), ChecksumNone},
		{"unknown", ip4(99, udp8), ChecksumNone},
	} {
		h, err := d.DecodeLink(LinkRaw, c.data, 0)
		if got := h.TransportChecksum(); err != nil || got != c.want {
			t.Errorf("%s: %v, want %v (%v)", c.name, got, c.want, err)
		}
	}
}

func BenchmarkChecksums(b *testing.B) {
	data := seal(ip4(6, join(tcp20[:20], make([]byte, 1440))), 16)
	h, err := NewDecoder().DecodeLink(LinkRaw, data, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if !h.ChecksumsValid() {
			b.Fatal("wrong")
		}
	}
}
