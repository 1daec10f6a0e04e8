package prefilter

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// fuzzImages are good images with every kind of lane and entry; the fuzzer changes them.
func fuzzImages() [][]byte {
	return [][]byte{
		Build(nil, nil),
		Build(nil, []Pattern{{Data: []byte("GET /admin.php"), NoCase: true}, {Data: []byte("/cgi-bin/x.cgi"), ID: 1, Depth: 40}}),
		Build(nil, []Pattern{
			{Data: []byte("a")}, {Data: []byte("bc"), ID: 1}, {Data: []byte("\x00\x00\x00\x00"), ID: 2},
			{Data: []byte("z\x00\x00\x00\x00"), ID: 3}, {Data: []byte("\x00\x00\x00\x00z"), ID: 4},
		}),
		build(nil, synthetic(40, 1), []shape{{4, 2}, {4, 1}}),
	}
}

// FuzzOpen puts numbers into a good image (edits: place and value of 4 bytes each) and scans with
// what Open lets through: neither may panic or read out of bounds, and what is found has room in the
// hits.
func FuzzOpen(f *testing.F) {
	images := fuzzImages()
	header := []byte("\x2c\x00\x00\x00\x20\x00\x00\x00")
	f.Add(uint8(0), []byte(nil), []byte("abc"), uint64(0))
	f.Add(uint8(1), header, []byte("get /admin.php and /cgi-bin/x.cgi"), uint64(0))
	f.Add(uint8(2), header, append(bytes.Repeat([]byte{0}, 50), "z\x00\x00\x00\x00\x00abc"...), uint64(7))
	f.Add(uint8(3), header, synthetic(40, 1)[3].Data, uint64(1))
	f.Fuzz(func(t *testing.T, which uint8, edits, data []byte, start uint64) {
		image := bytes.Clone(images[int(which)%len(images)])
		for ; len(edits) >= 8; edits = edits[8:] {
			at := int(binary.LittleEndian.Uint32(edits)) % (len(image) - 3)
			copy(image[at:], edits[4:8])
		}
		table, err := Open(image[:len(image):len(image)])
		if (table == nil) == (err == nil) {
			t.Fatalf("table %v and error %v", table, err)
		}
		if err != nil {
			return
		}
		hits := NewHits(40)
		table.Scan(data[:len(data):len(data)], start, hits)
		for _, id := range hits.IDs() {
			if id >= 40 {
				t.Fatalf("ID %d of a set for 40", id)
			}
		}
	})
}

// TestScanOfBrokenImages puts extreme numbers everywhere behind the headers, where Open does not
// look: Scan must stay in bounds.
func TestScanOfBrokenImages(t *testing.T) {
	data := append(bytes.Repeat([]byte{0}, 20), "z\x00\x00\x00\x00\x00\x00zabcget /admin.php/cgi-bin/x.cgi aaaa"...)
	hits := NewHits(40)
	for _, image := range fuzzImages() {
		for at := headerSize; at+4 <= len(image); at += 4 {
			old := binary.LittleEndian.Uint32(image[at:])
			for _, v := range []uint32{0, 1, old + 1, old ^ runBit, old ^ runAtEnd, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
				binary.LittleEndian.PutUint32(image[at:], v)
				if table, err := Open(image); err == nil {
					table.Scan(data[:len(data):len(data)], 0, hits)
					hits.Reset()
				}
			}
			binary.LittleEndian.PutUint32(image[at:], old)
		}
	}
}

// TestOpenRefuses changes every 4 bytes of a header and cuts the image everywhere.
func TestOpenRefuses(t *testing.T) {
	good := Build(nil, synthetic(10, 1))
	for n := range good {
		if _, err := Open(good[:n]); err == nil {
			t.Fatalf("an image cut to %d of %d bytes was opened", n, len(good))
		}
	}
	for at := 0; at < headerSize+laneSize; at += 4 {
		bad := bytes.Clone(good)
		binary.LittleEndian.PutUint32(bad[at:], 1<<31-1)
		_, err := Open(bad)
		// The offsets that all patterns share, the reserved number and a lane's multiplier and fold are free.
		free := at == 40 || at == 44 || at == 52 || at >= headerSize && at < headerSize+16
		if (err == nil) != free {
			t.Errorf("number at %d: error %v", at, err)
		}
	}
}
