package prefilter

import (
	"fmt"
	"slices"
	"testing"
)

// BenchmarkShapes measures the choice of lanes.
func BenchmarkShapes(b *testing.B) {
	corpora := []corpus{mixedCorpus(b), randomCorpus()}
	rules := slices.DeleteFunc(rulePatterns(b), func(p Pattern) bool { return len(p.Data) < 4 })
	for _, n := range []int{200, 2000, 24000} {
		for _, c := range corpora {
			for _, shapes := range [][]shape{
				{{5, 4}, {4, 1}}, {{4, 1}}, {{4, 2}, {4, 1}}, {{5, 4}, {3, 2}}, {{6, 3}, {3, 2}}, {{7, 2}, {3, 2}}, {{8, 1}, {3, 2}},
				{{4, 4}, {3, 2}}, {{8, 4}, {5, 4}, {3, 2}}, {{8, 4}, {4, 2}, {4, 1}}, {{8, 4}, {4, 2}, {3, 2}}, {{8, 4}, {4, 3}, {4, 1}},
				{{8, 4}, {5, 1}, {4, 1}},
			} {
				b.Run(fmt.Sprintf("%d/%s/%v", n, c.name, shapes), func(b *testing.B) {
					benchScan(b, shuffled(rules, n), shapes, c)
				})
			}
		}
	}
}
