package prefilter

import (
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
		{"from8", func(p Pattern) bool { return !longShapes[0].takes(p.Data) }, [][]shape{{{4, 1}}, {{6, 2}}, {{6, 3}}, {{5, 4}}}},
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
