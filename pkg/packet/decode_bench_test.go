package packet

import "testing"

// mixed is what a link between cameras and a recorder carries.
func mixed() [][]byte {
	return [][]byte{
		join(ether("0800"), ip4(6, join(tcp20, make([]byte, 1400)))),
		join(ether("0800"), v4(6, 0x4000, nil, tcpSYN)),
		join(ether("0800", "81000064"), ip4(17, join(raw("c000 007b 0578 0000"), make([]byte, 1392)))),
		join(ether("86dd"), v6(6, join(tcp20, make([]byte, 400)))),
		join(ether("0800"), ip4(1, echo)),
		join(ether("0806"), arpReq, make([]byte, 18)),
	}
}

func BenchmarkDecodeLink(b *testing.B) {
	d, frames := NewDecoder(), mixed()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f := frames[i%len(frames)]
		if _, err := d.DecodeLink(LinkEthernet, f, len(f)); err != nil {
			b.Fatal(err)
		}
	}
}

func TestDecodeLinkAllocates(t *testing.T) {
	d := NewDecoder()
	for _, c := range linkCases {
		if n := testing.AllocsPerRun(100, func() { _, _ = d.DecodeLink(c.link, c.data, len(c.data)) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}
