package prefilter

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// literal is what patterns of the same bytes share.
type literal struct {
	data   []byte // in lower case if noCase
	noCase bool
	refs   []Pattern
	at     int // the first of its grams
}

// Build lays out the table of the patterns and appends it to image, whose length must be a multiple
// of 8 as it is afterwards. The same patterns give the same bytes.
//
// A table is at most 4 GiB: its patterns must be smaller in all.
func Build(image []byte, patterns []Pattern) []byte {
	return build(image, patterns, defaultShapes)
}

// build is Build with these lane shapes.
func build(image []byte, patterns []Pattern, shapes []shape) []byte {
	literals := distinct(patterns)
	origin := len(image)
	image = append(image, make([]byte, headerSize)...)
	plans := planLanes(literals, shapes)
	laneAt := len(image)
	image = append(image, make([]byte, len(plans)*laneSize)...)
	w := &writer{image: image, origin: origin}
	w.u64(origin, magic)
	w.literals(literals)
	minOffset, maxEnd := span(patterns)
	w.u32(origin+40, minOffset)
	w.u32(origin+44, maxEnd)
	w.u32(origin+48, uint32(len(plans)))
	freq := newFrequency(literals)
	for i := range plans {
		plans[i].place(literals, freq)
		w.lane(laneAt+i*laneSize, &plans[i])
	}
	w.u64(origin+8, uint64(len(w.image)-origin))
	return w.image
}

// distinct groups the patterns of the same bytes and case, in the order of their first.
func distinct(patterns []Pattern) []literal {
	type key struct {
		data   string
		noCase bool
	}
	index := make(map[key]int, len(patterns))
	literals := make([]literal, 0, len(patterns))
	var lower []byte
	for _, p := range patterns {
		if len(p.Data) == 0 {
			continue
		}
		lower = lower[:0]
		for _, b := range p.Data {
			lower = append(lower, lowerCase(b))
		}
		noCase := p.NoCase && hasLetter(p.Data)
		data := p.Data
		if noCase {
			data = lower
		}
		i, ok := index[key{string(data), noCase}]
		if !ok {
			i = len(literals)
			index[key{string(data), noCase}] = i
			literals = append(literals, literal{data: slices.Clone(data), noCase: noCase})
		}
		literals[i].refs = append(literals[i].refs, p)
	}
	return literals
}

// hasLetter says whether folding the case matters.
func hasLetter(data []byte) bool {
	return slices.ContainsFunc(data, func(b byte) bool { return lowerCase(b)-'a' < 26 })
}

// span says where in a value patterns may lie: from the least offset to the greatest end.
func span(patterns []Pattern) (from, end uint32) {
	from = math.MaxUint32
	for _, p := range patterns {
		if len(p.Data) == 0 {
			continue
		}
		from = min(from, p.Offset)
		last := uint64(p.Offset) + uint64(p.Depth)
		if p.Depth == 0 || last > math.MaxUint32 {
			last = math.MaxUint32
		}
		end = max(end, uint32(last))
	}
	return from, end
}

// lanePlan is a lane to be: which literals, and how they are looked for.
type lanePlan struct {
	gram, stride int
	mul, fold    uint64
	members      []int
	entries      []entry
	filterBits   int
	bucketBits   int
}

// entry is one gram of one literal.
type entry struct {
	hash     uint64
	bucket   uint32
	literal  uint32
	position uint32
}

// shape is how a lane looks at data: the bytes of a gram, and every how many positions.
type shape struct{ gram, stride int }

// defaultShapes are the lanes, longest first: a literal goes to the first that it is long enough
// for (gram + stride - 1).
var defaultShapes = []shape{{5, 4}, {4, 1}, {2, 1}, {1, 1}}

// takes says whether the lane can find the data: a strided one needs as many neighbouring grams as
// the stride, none of them a run of one byte, since data has long ones.
func (s shape) takes(data []byte) bool {
	if s.stride == 1 {
		return len(data) >= s.gram
	}
	clean := 0
	for i := 0; i+s.gram <= len(data) && i < maxWindows; i++ {
		if clean++; isRun(data[i:i+s.gram], 0x20) {
			clean = 0
		}
		if clean == s.stride {
			return true
		}
	}
	return false
}

// isRun says whether data is one byte over and over, bits of fold apart.
func isRun(data []byte, fold byte) bool {
	for _, b := range data {
		if b|fold != data[0]|fold {
			return false
		}
	}
	return true
}

// planLanes divides the literals into lanes by length.
func planLanes(literals []literal, shapes []shape) []lanePlan {
	plans := make([]lanePlan, len(shapes))
	for i := range literals {
		for s, shape := range shapes {
			if shape.takes(literals[i].data) {
				plans[s].gram, plans[s].stride = shape.gram, shape.stride
				plans[s].members = append(plans[s].members, i)
				break
			}
		}
	}
	plans = slices.DeleteFunc(plans, func(p lanePlan) bool { return len(p.members) == 0 })
	for i := range plans {
		plans[i].mul = gramMultiplier << (64 - 8*plans[i].gram)
		for _, m := range plans[i].members {
			if literals[m].noCase {
				plans[i].fold = foldAll
			}
		}
	}
	return plans
}

const (
	// gramMultiplier is 2^64 over the golden ratio, odd. Shifted left by the bytes that a gram does
	// not have, it makes a product that those bytes of the loaded word do not reach.
	gramMultiplier = 0x9e3779b97f4a7c15
	// foldAll sets the bit that tells an upper case letter from a lower case one in all 8 bytes. It
	// also makes some other bytes the same; the comparison in full tells them apart.
	foldAll = 0x2020202020202020
)

// place chooses each member's grams and sizes the filter and the buckets.
func (p *lanePlan) place(literals []literal, freq *frequency) {
	p.entries = make([]entry, 0, len(p.members)*p.stride)
	used := newUsage(len(p.members) * p.stride)
	for _, m := range p.members {
		data := literals[m].data
		at := freq.rarest(data, p, used)
		for i := range p.stride {
			hash := p.hash(data, at+i)
			used.add(hash)
			p.entries = append(p.entries, entry{hash: hash, literal: uint32(m), position: uint32(at + i)})
		}
	}
	p.markRuns(literals)
	grams := len(p.entries)
	p.bucketBits = min(bits.Len(uint(grams)), maxBucketBits)
	p.filterBits = min(max(bits.Len(uint(grams))+5, minFilterBits), 20, 8*p.gram)
	for i := range p.entries {
		p.entries[i].bucket = bucket(uint32(p.entries[i].hash>>32), uint8(32-p.bucketBits))
	}
	slices.SortFunc(p.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.literal, b.literal), cmp.Compare(a.position, b.position))
	})
}

// markRuns gives the entries of patterns of one byte over and over the position that says so, where
// no other pattern has their tag. A run is found by its first gram, so every position must be
// looked at.
func (p *lanePlan) markRuns(literals []literal) {
	if p.stride > 1 {
		return
	}
	runs := make(map[uint32]bool) // by tag: whether all patterns are runs
	pure := func(e entry) bool { l := &literals[e.literal]; return !l.noCase && isRun(l.data, 0) }
	for _, e := range p.entries {
		if pure(e) {
			runs[uint32(e.hash>>32)] = true
		}
	}
	for _, e := range p.entries {
		if runs[uint32(e.hash>>32)] && !pure(e) {
			runs[uint32(e.hash>>32)] = false
		}
	}
	for i, e := range p.entries {
		if runs[uint32(e.hash>>32)] {
			p.entries[i].position = runPosition
		}
	}
}

// hash is what Scan computes for the gram of data at position at.
func (p *lanePlan) hash(data []byte, at int) uint64 {
	var w [8]byte
	copy(w[:], data[at:min(at+8, len(data))])
	return (binary.LittleEndian.Uint64(w[:]) | p.fold) * p.mul
}

// writer appends sections to an image.
type writer struct {
	image  []byte
	origin int
}

func (w *writer) u32(at int, v uint32) { binary.LittleEndian.PutUint32(w.image[at:], v) }
func (w *writer) u64(at int, v uint64) { binary.LittleEndian.PutUint64(w.image[at:], v) }

// section appends n zero bytes and the padding to 8, notes their place in the header at at, and
// returns their position in the image.
func (w *writer) section(at, n int) int {
	start := len(w.image)
	w.u32(at, uint32(start-w.origin))
	w.u32(at+4, uint32(n))
	w.image = append(w.image, make([]byte, (n+7)&^7)...)
	return start
}

// literals writes the patterns, their references and their data.
func (w *writer) literals(literals []literal) {
	refs, size := 0, 0
	for i := range literals {
		refs += len(literals[i].refs)
		size += len(literals[i].data)
	}
	pattern := w.section(w.origin+16, len(literals)*patternSize)
	reference := w.section(w.origin+24, refs*referenceSize)
	data := w.section(w.origin+32, size)
	refs, size = 0, 0
	for i := range literals {
		l := &literals[i]
		n := uint32(len(l.data))
		if l.noCase {
			n |= noCaseBit
		}
		for j, v := range [...]uint32{uint32(size), n, uint32(refs), uint32(len(l.refs))} {
			w.u32(pattern+i*patternSize+4*j, v)
		}
		for _, r := range l.refs {
			for j, v := range [...]uint32{r.ID, r.Offset, r.Depth} {
				w.u32(reference+refs*referenceSize+4*j, v)
			}
			refs++
		}
		size += copy(w.image[data+size:], l.data)
	}
}

// lane writes a lane and its header, which is at at.
func (w *writer) lane(at int, p *lanePlan) {
	w.u64(at, p.mul)
	w.u64(at+8, p.fold)
	for i, v := range [...]int{p.gram, p.stride, p.filterBits, p.bucketBits} {
		w.u32(at+16+4*i, uint32(v))
	}
	filter := w.section(at+32, filterSize(p.filterBits))
	heads := w.section(at+40, headSize*(1<<p.bucketBits+1))
	entries := w.section(at+48, entrySize*len(p.entries))
	for i, e := range p.entries {
		if h := int(e.hash >> (64 - p.filterBits)); p.filterBits <= bytewiseBits {
			w.image[filter+h] = 1
		} else {
			w.image[filter+(h>>3)] |= 1 << (h & 7)
		}
		w.u32(heads+headSize*int(e.bucket+1), uint32(i+1))
		for j, v := range [...]uint32{uint32(e.hash >> 32), e.literal, e.position} {
			w.u32(entries+i*entrySize+4*j, v)
		}
	}
	for b := 1; b <= 1<<p.bucketBits; b++ { // an empty bucket ends where the one before it does
		if h := w.image[heads+headSize*b:]; binary.LittleEndian.Uint32(h) == 0 {
			copy(h[:headSize], w.image[heads+headSize*(b-1):])
		}
	}
}
