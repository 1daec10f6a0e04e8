package prefilter

import (
	"fmt"
	"slices"
	"testing"
)

// BenchmarkShapes measures the choice of lanes.
func BenchmarkShapes(b *testing.B) {
	corpora := []corpus{mixedCorpus(b), randomCorpus()}
	rules := slices.DeleteFunc(rulePatterns(b), func(p Pattern) bool {
		return len(p.Data) < 8 || !(shape{5, 4}).takes(p.Data) || !(shape{6, 3}).takes(p.Data)
	})
	for _, n := range []int{200, 2000, 24000} {
		for _, c := range corpora {
			for _, shapes := range [][]shape{
				{{4, 1}}, {{4, 2}}, {{5, 2}}, {{6, 2}}, {{5, 3}}, {{6, 3}}, {{4, 4}}, {{5, 4}},
			} {
				b.Run(fmt.Sprintf("%d/%s/%v", n, c.name, shapes), func(b *testing.B) {
					benchScan(b, shuffled(rules, n), shapes, c)
				})
			}
		}
	}
}
