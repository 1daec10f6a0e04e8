package prefilter

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// FuzzOpen changes a good image and scans with what Open lets through: neither may panic or read out
// of bounds, and what is found has room in the hits.
func FuzzOpen(f *testing.F) {
	long := Build(nil, []Pattern{{Data: []byte("GET /admin.php"), NoCase: true}, {Data: []byte("/cgi-bin/x.cgi"), ID: 1, Depth: 40}})
	f.Add(Build(nil, nil), []byte("abc"), uint64(0), uint64(0))
	f.Add(long, []byte("get /admin.php and /cgi-bin/x.cgi"), uint64(44), uint64(1<<31))
	f.Add(Build(nil, []Pattern{{Data: []byte("a")}, {Data: []byte("\x00\x00\x00\x00")}, {Data: []byte("z\x00\x00\x00\x00")}, {Data: []byte("\x00\x00\x00\x00z")}}),
		append(bytes.Repeat([]byte{0}, 50), "z\x00\x00\x00\x00\x00a"...), uint64(60), uint64(7))
	f.Add(Build(nil, synthetic(40, 1)), synthetic(40, 1)[3].Data, uint64(100), uint64(1))
	f.Fuzz(func(t *testing.T, image, data []byte, at, change uint64) {
		image = bytes.Clone(image)
		if len(image) >= 8 {
			i := at % uint64(len(image)-7)
			binary.LittleEndian.PutUint64(image[i:], binary.LittleEndian.Uint64(image[i:])^change)
		}
		table, err := Open(image[:len(image):len(image)])
		if (table == nil) == (err == nil) {
			t.Fatalf("table %v and error %v", table, err)
		}
		if err != nil {
			return
		}
		hits := NewHits(40)
		table.Scan(data[:len(data):len(data)], at, hits)
		for _, id := range hits.IDs() {
			if id >= 40 {
				t.Fatalf("ID %d of a set for 40", id)
			}
		}
	})
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
