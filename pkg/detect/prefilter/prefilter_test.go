package prefilter

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// oracle says which IDs Scan must report, by looking for every pattern at every position.
func oracle(patterns []Pattern, data []byte, start uint64) []uint32 {
	var ids []uint32
	for _, p := range patterns {
		if len(p.Data) == 0 || slices.Contains(ids, p.ID) {
			continue
		}
		for at := 0; at+len(p.Data) <= len(data); at++ {
			have := data[at : at+len(p.Data)]
			if !bytes.Equal(have, p.Data) && !(p.NoCase && bytes.Equal(asciiLower(have), asciiLower(p.Data))) {
				continue
			}
			from := start + uint64(at)
			end := from + uint64(len(p.Data))
			if from >= uint64(p.Offset) && (p.Depth == 0 || end <= uint64(p.Offset)+uint64(p.Depth)) {
				ids = append(ids, p.ID)
				break
			}
		}
	}
	slices.Sort(ids)
	return ids
}

func asciiLower(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

// open builds a table behind other bytes of an image and opens it.
func open(t interface{ Fatal(...any) }, patterns []Pattern) *Table {
	before := []byte("8 bytes.")
	image := Build(before, patterns)
	if len(image)%8 != 0 {
		t.Fatal("image is not a multiple of 8 bytes")
	}
	table, err := Open(image[len(before):])
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func scan(table *Table, data []byte, start uint64, n int) []uint32 {
	hits := NewHits(n)
	table.Scan(data, start, hits)
	ids := slices.Clone(hits.IDs())
	slices.Sort(ids)
	return ids
}

func TestScan(t *testing.T) {
	tests := []struct {
		name     string
		patterns []Pattern
		data     string
		start    uint64
		want     []uint32
	}{
		{"nothing", nil, "abc", 0, nil},
		{"empty pattern", []Pattern{{ID: 0}}, "abc", 0, nil},
		{"whole value", []Pattern{{Data: []byte("abc")}}, "abc", 0, []uint32{0}},
		{"one byte too few", []Pattern{{Data: []byte("abcd")}}, "abc", 0, nil},
		{"lengths 1 to 4", []Pattern{
			{Data: []byte("a"), ID: 0}, {Data: []byte("ab"), ID: 1}, {Data: []byte("abc"), ID: 2}, {Data: []byte("abcd"), ID: 3},
		}, "xabcd", 0, []uint32{0, 1, 2, 3}},
		{"same bytes, several IDs", []Pattern{{Data: []byte("admin.php"), ID: 3}, {Data: []byte("admin.php"), ID: 1}}, "/admin.php?", 0, []uint32{1, 3}},
		{"case matters", []Pattern{{Data: []byte("Admin")}, {Data: []byte("ADMIN"), ID: 1, NoCase: true}}, "admin", 0, []uint32{1}},
		{"@ is not a grave accent", []Pattern{{Data: []byte("user@host"), NoCase: true}}, "USER`HOST", 0, nil},
		{"{ is not [", []Pattern{{Data: []byte("a[0]"), NoCase: true}}, "A{0}", 0, nil},
		{"high bytes have no case", []Pattern{{Data: []byte("\xc4bcdefgh"), NoCase: true}}, "\xe4bcdefgh", 0, nil},
		{"offset", []Pattern{{Data: []byte("abcd"), Offset: 2}}, "xabcd", 0, nil},
		{"offset in a later part", []Pattern{{Data: []byte("abcd"), Offset: 2}}, "xabcd", 1, []uint32{0}},
		{"second occurrence is deep enough", []Pattern{{Data: []byte("abcd"), Offset: 2}}, "abcdabcd", 0, []uint32{0}},
		{"depth", []Pattern{{Data: []byte("abcd"), Depth: 4}, {Data: []byte("efgh"), ID: 1, Depth: 7}}, "abcdefgh", 0, []uint32{0}},
		{"depth counts from offset", []Pattern{{Data: []byte("efgh"), Offset: 4, Depth: 4}}, "abcdefgh", 0, []uint32{0}},
		{"beyond all depths", []Pattern{{Data: []byte("abcd"), Depth: 9}}, "abcd", 6, nil},
		{"far in a stream", []Pattern{{Data: []byte("abcd")}}, "abcd", math.MaxUint64 - 8, []uint32{0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := scan(open(t, tt.patterns), []byte(tt.data), tt.start, 4); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestEveryPlace puts patterns of every length at every position of data of every length.
func TestEveryPlace(t *testing.T) {
	const size = 64
	var patterns []Pattern
	for n := 1; n <= 24; n++ {
		p := Pattern{ID: uint32(n), NoCase: n%2 == 0}
		for i := range n {
			p.Data = append(p.Data, byte('A'+n), byte(i))
		}
		p.Data = p.Data[:n]
		patterns = append(patterns, p)
	}
	table, hits := open(t, patterns), NewHits(32)
	for _, p := range patterns {
		for n := len(p.Data); n <= size; n++ {
			for at := 0; at+len(p.Data) <= n; at++ {
				data := bytes.Repeat([]byte{0xfe}, n)
				copy(data[at:], p.Data)
				hits.Reset()
				table.Scan(data[:n:n], 0, hits)
				if !hits.Has(p.ID) {
					t.Fatalf("pattern of %d bytes at %d of %d was not found", len(p.Data), at, n)
				}
			}
		}
	}
}

// genBytes draws from a small alphabet, so that patterns overlap, repeat and nearly match.
func genBytes(lo, hi int) *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		alphabet := rapid.SampledFrom([]string{"ab", "aAbB", "aaaaaaab", "\x00\x00\x00\x00\x00\x01", "AAAAAAAaB", "     \x00", "@`[{aA", "\x00\x20\xc4\xe4", "a\x00\xff zZ9"}).Draw(t, "alphabet")
		return rapid.SliceOfN(rapid.SampledFrom([]byte(alphabet)), lo, hi).Draw(t, "bytes")
	})
}

// testShapes are lanes of every gram length and stride.
var testShapes = [][]shape{
	nil,
	{{4, 1}, {2, 1}, {1, 1}},
	{{8, 4}, {7, 3}, {4, 4}, {5, 1}, {4, 2}, {3, 2}, {2, 1}, {1, 1}},
	{{4, 8}, {4, 1}, {3, 1}, {1, 2}, {1, 1}},
	{{6, 3}, {4, 1}, {2, 1}, {1, 1}},
	{{1, 4}, {1, 1}},
}

func TestScanIsTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patterns := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Pattern {
			p := Pattern{
				Data:   genBytes(0, rapid.SampledFrom([]int{3, 8, 20}).Draw(t, "longest")).Draw(t, "data"),
				NoCase: rapid.Bool().Draw(t, "nocase"),
				ID:     rapid.Uint32Range(0, 15).Draw(t, "id"),
			}
			if rapid.IntRange(0, 3).Draw(t, "placed") == 0 {
				p.Offset, p.Depth = rapid.Uint32Range(0, 30).Draw(t, "offset"), rapid.Uint32Range(0, 30).Draw(t, "depth")
			}
			return p
		}), 0, 30).Draw(t, "patterns")
		start := rapid.SampledFrom([]uint64{0, 1, 17, math.MaxUint32, 1 << 40}).Draw(t, "start")
		data := genBytes(0, 60).Draw(t, "data")
		if len(patterns) > 0 { // at the ends and next to each other
			pick := rapid.SampledFrom(patterns)
			data = slices.Concat(pick.Draw(t, "first").Data, data, pick.Draw(t, "last but one").Data, pick.Draw(t, "last").Data)
		}
		if n := rapid.SampledFrom([]int{0, 0, 0, 600, 2500}).Draw(t, "longer"); n > 0 {
			data = append(bytes.Repeat([]byte{'a', 'b', 0, 'A'}, n/4), data...)
		}
		want := oracle(patterns, data, start)
		shapes := rapid.SampledFrom(testShapes).Draw(t, "shapes")
		table, err := Open(build(nil, patterns, shapes))
		if err != nil {
			t.Fatal(err)
		}
		if got := scan(table, data[:len(data):len(data)], start, 16); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestBuildIsDeterministic(t *testing.T) {
	patterns := synthetic(500, 7)
	if !bytes.Equal(Build(nil, patterns), Build(nil, patterns)) {
		t.Error("two builds of the same patterns differ")
	}
}

func TestHits(t *testing.T) {
	hits := NewHits(70)
	for _, id := range []uint32{69, 0, 69, 70, math.MaxUint32, 3} {
		hits.Add(id)
	}
	if want := []uint32{69, 0, 3}; !slices.Equal(hits.IDs(), want) {
		t.Errorf("got %v, want %v", hits.IDs(), want)
	}
	if !hits.Has(69) || hits.Has(1) || hits.Has(70) || hits.Has(math.MaxUint32) {
		t.Error("Has does not say what was added")
	}
	hits.Reset()
	if len(hits.IDs()) != 0 || hits.Has(69) || hits.Has(0) {
		t.Error("something is left after Reset")
	}
	NewHits(-1).Add(0)
}

func TestScanAllocatesNothing(t *testing.T) {
	patterns := synthetic(2000, 1)
	table, hits := open(t, patterns), NewHits(len(patterns))
	data := slices.Concat(patterns[3].Data, bytes.Repeat([]byte("traffic "), 500), patterns[99].Data)
	allocs := testing.AllocsPerRun(100, func() {
		table.Scan(data, 0, hits)
		if !hits.Has(3) || !hits.Has(99) {
			t.Fatal("patterns were not found")
		}
		hits.Reset()
	})
	if allocs != 0 {
		t.Errorf("%v allocations per scan, want 0", allocs)
	}
}

// synthetic returns n patterns as rules have them: words with separators, 4 to 30 bytes.
func synthetic(n int, seed uint64) []Pattern {
	patterns := make([]Pattern, n)
	state := seed
	next := func(n uint64) uint64 {
		state = state*6364136223846793005 + 1442695040888963407
		return state >> 33 % n
	}
	for i := range patterns {
		data := fmt.Appendf(nil, "%c%x", "/=.&|"[next(5)], i)
		for size := int(4 + next(27)); len(data) < size; {
			data = append(data, "etaoinshrdlucmfw/._-=0123"[next(25)])
		}
		patterns[i] = Pattern{Data: data, NoCase: next(2) == 0, ID: uint32(i)}
	}
	return patterns
}
