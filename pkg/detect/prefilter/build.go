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
}

// Build lays out the table of the patterns and appends it to image, whose length must be a multiple
// of 8 as it is afterwards. The same patterns give the same bytes.
//
// A table is at most 4 GiB: its patterns must be smaller in all.
func Build(image []byte, patterns []Pattern) []byte {
	return build(image, patterns, nil)
}

// build is Build with these lane shapes, longest first, or those that suit the patterns.
func build(image []byte, patterns []Pattern, shapes []shape) []byte {
	literals := distinct(patterns)
	if shapes == nil {
		shapes = suitable(literals)
	}
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

// tag is the part of the hash that entries are told apart by.
func (e entry) tag() uint32 { return uint32(e.hash >> 32) }

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
	after    uint32 // the literal's bytes from the gram's fifth on, folded
	mask     uint32 // which of them the literal has
	bucket   uint32
	literal  uint32
	position uint32
}

// shape is how a lane looks at data: the bytes of a gram, and every how many positions.
type shape struct{ gram, stride int }

// longShapes are the choices for literals of 4 bytes and more, the fastest first. All of a table's
// share one lane: a second pass over the data costs more than a stride saves.
var longShapes = [...]shape{{5, 4}, {6, 3}, {6, 2}, {5, 2}, {4, 2}, {4, 1}}

// shortShapes are the lanes for literals that are shorter.
var shortShapes = [...]shape{{2, 1}, {1, 1}}

// suitable returns the lanes for the literals.
func suitable(literals []literal) []shape {
	for _, s := range longShapes {
		misfit := func(l literal) bool { return len(l.data) >= minLong && !s.takes(l.data) }
		if !slices.ContainsFunc(literals, misfit) {
			return append([]shape{s}, shortShapes[:]...)
		}
	}
	return nil // not reached: the last shape takes all of minLong bytes
}

// minLong is the least length of a literal in the lane of the long ones.
const minLong = 4

// takes says whether the lane can find the data well: it needs as many neighbouring grams as the
// stride, and with a stride none of them a run of one byte, since data has many.
func (s shape) takes(data []byte) bool {
	if s.stride == 1 {
		return len(data) >= s.gram
	}
	clean := 0
	for i := 0; i+s.gram <= len(data) && i < maxWindows; i++ {
		if clean++; isRun(data[i:i+s.gram], foldByte) {
			clean = 0
		}
		if clean == s.stride {
			return true
		}
	}
	return false
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
	// foldByte is foldAll's byte.
	foldByte = 0x20
	// sparseBits makes a filter 2^7 to 2^8 times as big as it has grams: most of what passes by
	// chance costs a mispredicted branch. largestBits ends that at 256 KiB, part of a second cache.
	sparseBits  = 7
	largestBits = 21
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
			e := entry{hash: hash, literal: uint32(m), position: uint32(at + i)}
			e.after, e.mask = p.after(data, at+i)
			p.entries = append(p.entries, e)
		}
	}
	p.markRuns(literals)
	grams := len(p.entries)
	p.bucketBits = min(bits.Len(uint(grams)), maxBucketBits)
	p.filterBits = min(max(bits.Len(uint(grams))+sparseBits, minFilterBits), largestBits, 8*p.gram)
	for i := range p.entries {
		p.entries[i].bucket = bucket(p.entries[i].tag(), uint8(32-p.bucketBits))
	}
	slices.SortFunc(p.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.literal, b.literal), cmp.Compare(a.position, b.position),
			cmp.Compare(a.hash, b.hash))
	})
	p.entries = slices.Compact(p.entries) // the grams of one run
}

// markRuns gives grams that are in a run of one byte the position that says so, where that holds for
// all patterns of the gram's tag.
func (p *lanePlan) markRuns(literals []literal) {
	runs := make(map[uint32]bool)
	for _, e := range p.entries {
		if l := &literals[e.literal]; isRun(l.data[e.position:int(e.position)+p.gram], foldByte) {
			all, seen := runs[e.tag()]
			runs[e.tag()] = (all || !seen) && l.inRun(int(e.position), p.gram)
		}
	}
	if len(runs) == 0 {
		return
	}
	for _, e := range p.entries { // a tag is not all of a gram's bits: others may have it by chance
		if runs[e.tag()] && !literals[e.literal].inRun(int(e.position), p.gram) {
			runs[e.tag()] = false
		}
	}
	for i, e := range p.entries {
		if runs[e.tag()] {
			p.entries[i].position = literals[e.literal].runPosition(int(e.position))
			p.entries[i].after, p.entries[i].mask = 0, 0
		}
	}
}

// inRun says whether the gram at position at is one byte over and over in data too, in one case.
func (l *literal) inRun(at, gram int) bool {
	letter := lowerCase(l.data[at])-'a' < 26
	return isRun(l.data[at:at+gram], 0) && !(l.noCase && letter)
}

// runPosition is the position in an entry of a gram that is in a run of one byte.
func (l *literal) runPosition(at int) uint32 {
	from, end := at, at
	for from > 0 && l.data[from-1] == l.data[at] {
		from--
	}
	for end < len(l.data) && l.data[end] == l.data[at] {
		end++
	}
	if from == 0 && end < len(l.data) {
		return runBit | runAtEnd | uint32(end)
	}
	return runBit | uint32(from)
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

// hash is what Scan computes for the gram of data at position at.
func (p *lanePlan) hash(data []byte, at int) uint64 {
	var w [8]byte
	copy(w[:], data[at:min(at+8, len(data))])
	return (binary.LittleEndian.Uint64(w[:]) | p.fold) * p.mul
}

// after returns what Scan sees behind the first bytes of the gram at position at, and the bits of it
// that data has.
func (p *lanePlan) after(data []byte, at int) (value, mask uint32) {
	for i, b := range data[min(at+afterAt, len(data)):min(at+8, len(data))] {
		value |= uint32(b|byte(p.fold)) << (8 * i)
		mask |= 0xff << (8 * i)
	}
	return value, mask
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
		for j, v := range [...]uint32{e.tag(), e.after, e.mask, e.literal, e.position} {
			w.u32(entries+i*entrySize+4*j, v)
		}
	}
	for b := 1; b <= 1<<p.bucketBits; b++ { // an empty bucket ends where the one before it does
		if h := w.image[heads+headSize*b:]; binary.LittleEndian.Uint32(h) == 0 {
			copy(h[:headSize], w.image[heads+headSize*(b-1):])
		}
	}
}
