package prefilter

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// BenchmarkShapes measures what Build chooses from: strides when all patterns allow them, and one
// lane against two when they do not.
func BenchmarkShapes(b *testing.B) {
	corpora := []corpus{mixedCorpus(b), randomCorpus()}
	rules := rulePatterns(b)
	for _, set := range []struct {
		name   string
		drop   func(Pattern) bool
		shapes [][]shape
	}{
		{"from4", func(p Pattern) bool { return len(p.Data) < minLong }, [][]shape{{{4, 1}}, {{6, 3}, {4, 1}}, {{6, 3}, {4, 2}, {4, 1}}}},
		{"from8", func(p Pattern) bool { return !(shape{5, 4}).takes(p.Data) || !(shape{6, 3}).takes(p.Data) }, [][]shape{{{4, 1}}, {{6, 2}}, {{6, 3}}, {{5, 4}}}},
	} {
		patterns := slices.DeleteFunc(slices.Clone(rules), set.drop)
		for _, n := range []int{200, 2000, 24000} {
			for _, c := range corpora {
				for _, shapes := range set.shapes {
					b.Run(fmt.Sprintf("%s/%d/%s/%v", set.name, n, c.name, shapes), func(b *testing.B) {
						benchScan(b, shuffled(patterns, n), shapes, c)
					})
				}
			}
		}
	}
}

// TestScanOnCaptures compares with a plain search: rules' patterns in captures' payload.
func TestScanOnCaptures(t *testing.T) {
	patterns, pieces := shuffled(rulePatterns(t), 1500), mixedCorpus(t).pieces
	for _, shortest := range []int{1, minLong, 12} {
		set := slices.DeleteFunc(slices.Clone(patterns), func(p Pattern) bool { return len(p.Data) < shortest })
		table, found := open(t, set), 0
		for i := 0; i < len(pieces); i += 200 {
			lower := asciiLower(pieces[i])
			var want []uint32
			for _, p := range set {
				if bytes.Contains(pieces[i], p.Data) || p.NoCase && bytes.Contains(lower, asciiLower(p.Data)) {
					want = append(want, p.ID)
				}
			}
			slices.Sort(want)
			if got := scan(table, pieces[i], 0, len(patterns)); !slices.Equal(got, want) {
				t.Fatalf("piece %d, patterns of %d bytes and more: got %v, want %v", i, shortest, got, want)
			}
			found += len(want)
		}
		if found == 0 {
			t.Errorf("nothing to find with patterns of %d bytes and more", shortest)
		}
	}
}
