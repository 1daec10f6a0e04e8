package prefilter

import "math/bits"

// frequency estimates how often a gram occurs in traffic, from pairs of neighbouring bytes: those of
// a sample of what protocols say all the time, and those of the patterns themselves.
type frequency struct {
	pairs   [1 << 16]uint16
	singles [1 << 8]uint16
}

// usage counts how many grams were given a hash, so that patterns spread over the buckets.
type usage struct {
	counts []uint8
	shift  uint
}

func newUsage(grams int) *usage {
	n := bits.Len(uint(grams)) + 2
	return &usage{counts: make([]uint8, 1<<n), shift: uint(64 - n)}
}

func (u *usage) add(hash uint64) {
	if c := &u.counts[hash>>u.shift]; *c < 255 {
		*c++
	}
}

// newFrequency counts the pairs of the sample and of the literals, without case.
func newFrequency(literals []literal) *frequency {
	f := &frequency{}
	for _, s := range sample {
		f.count([]byte(s), sampleWeight)
	}
	for i := range literals {
		f.count(literals[i].data, 1)
	}
	return f
}

// sampleWeight is how many patterns a line of the sample stands for.
const sampleWeight = 64

func (f *frequency) count(data []byte, weight uint16) {
	for i, b := range data {
		b |= 0x20
		f.singles[b] = saturate(f.singles[b], weight)
		if i > 0 {
			pair := uint16(data[i-1]|0x20)<<8 | uint16(b)
			f.pairs[pair] = saturate(f.pairs[pair], weight)
		}
	}
}

func saturate(a, b uint16) uint16 {
	if a+b < a {
		return ^uint16(0)
	}
	return a + b
}

// cost is about 8 times the logarithm of how often the gram occurs.
func (f *frequency) cost(gram []byte) int {
	prev := gram[0] | 0x20
	cost := log8(f.singles[prev])
	for _, b := range gram[1:] {
		b |= 0x20
		cost += log8(f.pairs[uint16(prev)<<8|uint16(b)]) - log8(f.singles[prev])
		prev = b
	}
	return cost
}

// log8 is 8 times the logarithm to base 2 of v+1, roughly.
func log8(v uint16) int {
	n := bits.Len32(uint32(v) + 1)
	return 8*(n-1) + int((uint32(v)+1)<<(17-n)>>13&7)
}

// rarest returns where in data the run of stride grams begins that occur least often in traffic and
// that other patterns do not have yet.
func (f *frequency) rarest(data []byte, p *lanePlan, used *usage) int {
	var costs [maxStride]int
	best, bestCost := 0, int(^uint(0)>>1)
	for i := 0; i+p.gram <= len(data) && i < maxWindows; i++ {
		c := f.cost(data[i:i+p.gram]) + log8(uint16(used.counts[p.hash(data, i)>>used.shift]))
		if isRun(data[i:i+p.gram], foldByte) {
			c += runCost
		}
		costs[i%p.stride] = c
		if i < p.stride-1 {
			continue
		}
		worst := costs[0]
		for _, c := range costs[:p.stride] {
			worst = max(worst, c)
		}
		if worst < bestCost {
			best, bestCost = i-p.stride+1, worst
		}
	}
	return best
}

// runCost makes a gram of one byte over and over the last choice: data has long runs of any byte.
const runCost = 1 << 20

// maxWindows bounds the work on one pattern; the first so many windows of it have a rare one.
const maxWindows = 128
