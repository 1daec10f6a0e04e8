package prefilter

import (
	"bytes"
	"encoding/binary"
	"unsafe"
)

const (
	// blockProbes is how many positions a lane looks at before it compares what passed: enough to
	// keep the loop going, few enough that the positions and the data stay in the first cache.
	blockProbes = 512
)

// Scan finds which patterns occur in data, whose first byte is at offset start of its value, and
// adds their IDs to hits. It reports exactly the patterns that occur; of a pattern that spans two
// calls it knows nothing.
func (t *Table) Scan(data []byte, start uint64, hits *Hits) {
	if start >= t.maxEnd {
		return
	}
	if end := t.maxEnd - start; end < uint64(len(data)) {
		data = data[:end]
	}
	if start < t.minOffset {
		skip := t.minOffset - start
		if skip >= uint64(len(data)) {
			return
		}
		data, start = data[skip:], t.minOffset
	}
	if hits.dirty {
		hits.reported, hits.dirty = [reportedSlots]uint32{}, false
	}
	for i := range t.lanes {
		l := &t.lanes[i]
		if len(data) >= l.gram {
			t.scanLane(l, data, start, hits)
		}
	}
}

// scanLane looks at every stride-th position of data, which is at least a gram long.
func (t *Table) scanLane(l *lane, data []byte, start uint64, hits *Hits) {
	pos, next := 0, 0 // the next position to look at, and the next whose candidate counts
	for pos+8 <= len(data) {
		block, n := pos, 0
		pos, n = l.probe(data, pos, &hits.candidates)
		for _, i := range hits.candidates[:n] {
			if at := block + int(i); at >= next {
				word := binary.LittleEndian.Uint64(data[at:])
				next = t.check(l, word, at, data, start, hits)
			}
		}
	}
	// The last positions have a gram but not 8 bytes: their words are cut from the last one.
	end := lastWord(data)
	for ; pos+l.gram <= len(data); pos += l.stride {
		word := end >> (8 * uint(pos+8-len(data)) & 63)
		if pos >= next && l.has((word|l.fold)*l.mul) {
			next = t.check(l, word, pos, data, start, hits)
		}
	}
}

// lastWord returns the last 8 bytes of data; of shorter data, its bytes at the word's top.
func lastWord(data []byte) uint64 {
	if len(data) >= 8 {
		return binary.LittleEndian.Uint64(data[len(data)-8:])
	}
	var w uint64
	for i, b := range data {
		w |= uint64(b) << (8 * (8 - len(data) + i))
	}
	return w
}

// probe looks at up to blockProbes positions from pos on that have 8 bytes, and puts those whose
// gram is in the filter in out, counted from pos. It returns the next position and how many it put
// there.
func (l *lane) probe(data []byte, pos int, out *[blockProbes]uint32) (int, int) {
	end := min(len(data)-8, pos+(blockProbes-1)*l.stride)
	if l.bytewise {
		return l.probeBytes(data, pos, end, out)
	}
	return l.probeBits(data, pos, end, out)
}

// probeBytes is probe for a filter of bytes: four at a time, and one branch for them.
func (l *lane) probeBytes(data []byte, pos, end int, out *[blockProbes]uint32) (int, int) {
	mul, fold, shift, s := l.mul, l.fold, l.shift&63, l.stride
	// base[p : p+8] is in bounds for 0 <= p <= end <= len(data)-8. The filter has 2^(64-shift)
	// bytes (open checks it), and a product shifted by shift is below that.
	base, filter := unsafe.Pointer(unsafe.SliceData(data)), unsafe.Pointer(unsafe.SliceData(l.filter))
	n, block := 0, pos
	for pos+3*s <= end {
		b0 := loadByte(filter, (loadWord(base, pos)|fold)*mul>>shift)
		b1 := loadByte(filter, (loadWord(base, pos+s)|fold)*mul>>shift)
		b2 := loadByte(filter, (loadWord(base, pos+2*s)|fold)*mul>>shift)
		b3 := loadByte(filter, (loadWord(base, pos+3*s)|fold)*mul>>shift)
		if b0|b1|b2|b3 != 0 {
			// Every position is stored and the count grows by the filter's bit: no more branches.
			out[n&(blockProbes-1)] = uint32(pos - block)
			n += int(b0 & 1)
			out[n&(blockProbes-1)] = uint32(pos - block + s)
			n += int(b1 & 1)
			out[n&(blockProbes-1)] = uint32(pos - block + 2*s)
			n += int(b2 & 1)
			out[n&(blockProbes-1)] = uint32(pos - block + 3*s)
			n += int(b3 & 1)
		}
		pos += 4 * s
	}
	for ; pos <= end; pos += s {
		out[n&(blockProbes-1)] = uint32(pos - block)
		n += int(loadByte(filter, (loadWord(base, pos)|fold)*mul>>shift) & 1)
	}
	return pos, n
}

// probeBits is probe for a filter of bits, for tables whose bytes would not fit into a cache.
func (l *lane) probeBits(data []byte, pos, end int, out *[blockProbes]uint32) (int, int) {
	mul, fold, shift, s := l.mul, l.fold, l.shift&63, l.stride
	// In bounds as in probeBytes; a filter of bits has at least 64 (open checks it).
	base, filter := unsafe.Pointer(unsafe.SliceData(data)), unsafe.Pointer(unsafe.SliceData(l.filter))
	n, block := 0, pos
	for ; pos <= end; pos += s {
		h := (loadWord(base, pos) | fold) * mul >> shift
		if loadWord(filter, int(h>>6<<3))&(1<<(h&63)) != 0 {
			out[n&(blockProbes-1)] = uint32(pos - block)
			n++
		}
	}
	return pos, n
}

// loadWord reads the 8 bytes at base+i; the caller knows that they are in bounds.
func loadWord(base unsafe.Pointer, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(base, i))[:])
}

// loadByte reads byte i of a filter; the caller knows that it is in bounds.
func loadByte(filter unsafe.Pointer, i uint64) byte { return *(*byte)(unsafe.Add(filter, i)) }

// has says whether the filter has the hash.
func (l *lane) has(hash uint64) bool {
	i := hash >> (l.shift & 63)
	if l.bytewise {
		return l.filter[i] != 0
	}
	return l.filter[i>>3]>>(i&7)&1 != 0
}

// check compares the patterns that have the gram of word, read at position at. It returns the next
// position worth a check: after a run of one byte, its end.
func (t *Table) check(l *lane, word uint64, at int, data []byte, start uint64, hits *Hits) int {
	folded := word | l.fold
	tag, after := uint32(folded*l.mul>>32), uint32(folded>>(8*afterAt))
	head := int(bucket(tag, l.bucketShift)) * headSize
	if head+2*headSize > len(l.heads) {
		return at
	}
	first := uint64(binary.LittleEndian.Uint32(l.heads[head:])) * entrySize
	last := uint64(binary.LittleEndian.Uint32(l.heads[head+headSize:])) * entrySize
	if first > last || last > uint64(len(l.entries)) {
		return at
	}
	next := at
	for e := l.entries[first:last]; len(e) >= entrySize; e = e[entrySize:] {
		if binary.LittleEndian.Uint32(e) != tag || (binary.LittleEndian.Uint32(e[4:])^after)&binary.LittleEndian.Uint32(e[8:]) != 0 {
			continue
		}
		position := binary.LittleEndian.Uint32(e[16:])
		if position&runBit != 0 {
			next = t.checkRun(l, e[:entrySize:entrySize], at, data, start, hits)
		} else if from := at - int(position); from >= 0 {
			t.verify(binary.LittleEndian.Uint32(e[12:]), data, from, 0, start, hits)
		}
	}
	return next
}

// checkRun compares a pattern whose gram is in a run of one byte of it with the run of data that
// position at is in. The two runs begin or end together, unless the pattern is nothing else: so one
// comparison is enough for the run. It returns the first position after it whose gram differs.
func (t *Table) checkRun(l *lane, entry []byte, at int, data []byte, start uint64, hits *Hits) int {
	from, end := run(data, at, l.stride)
	if end-at < l.gram {
		return at // bytes that only look the same when folded
	}
	pattern, position := binary.LittleEndian.Uint32(entry[12:]), binary.LittleEndian.Uint32(entry[16:])
	switch offset := int(position & runOffset); {
	case position&runAtEnd != 0 && end-offset >= 0:
		t.verify(pattern, data, end-offset, 0, start, hits)
	case position&runAtEnd == 0 && offset > 0 && from-offset >= 0:
		t.verify(pattern, data, from-offset, 0, start, hits)
	case position&runAtEnd == 0 && offset == 0:
		t.verify(pattern, data, from, end-from, start, hits)
	}
	return end - l.gram + 1
}

// run returns the ends of the run of one byte that position at is in. A lane meets a run within its
// first stride bytes, so it does not look further back.
func run(data []byte, at, stride int) (from, end int) {
	b, from, end := data[at], at, at+1
	for from > 0 && at-from < stride && data[from-1] == b {
		from--
	}
	for all := uint64(b) * 0x0101010101010101; end+8 <= len(data) && binary.LittleEndian.Uint64(data[end:]) == all; {
		end += 8
	}
	for end < len(data) && data[end] == b {
		end++
	}
	return from, end
}

// bucket spreads a tag over the buckets; its bits are not those that chose the bitmap's bit.
func bucket(tag uint32, shift uint8) uint32 {
	return uint32(uint64(tag*bucketMultiplier) >> shift)
}

const bucketMultiplier = 0x9e3779b1 // the golden ratio's, as in Knuth's multiplicative hashing

// verify compares one pattern with the data at from, and adds its IDs when they are equal. Of
// a pattern that is one byte over and over, run is how often the data has that byte from there on.
func (t *Table) verify(pattern uint32, data []byte, from, run int, start uint64, hits *Hits) {
	off := uint64(pattern) * patternSize
	if off+patternSize > uint64(len(t.patterns)) {
		return
	}
	p := t.patterns[off : off+patternSize]
	dataOff, size := uint64(binary.LittleEndian.Uint32(p)), binary.LittleEndian.Uint32(p[4:])
	n := uint64(size &^ noCaseBit)
	ref := uint64(binary.LittleEndian.Uint32(p[8:])) * referenceSize
	refs := ref + uint64(binary.LittleEndian.Uint32(p[12:]))*referenceSize
	if n > uint64(len(data)-from) || dataOff+n > uint64(len(t.data)) || refs > uint64(len(t.references)) {
		return
	}
	if !t.wanted(pattern, t.references[ref:refs], hits) {
		return
	}
	have, want := data[from:from+int(n)], t.data[dataOff:dataOff+n]
	if size&noCaseBit == 0 && !bytes.Equal(have, want) || size&noCaseBit != 0 && !equalFold(have, want) {
		return
	}
	first := start + uint64(from)
	t.report(pattern, t.references[ref:refs], first, first+max(uint64(run), n)-n, n, hits)
}

// wanted says whether a find of the pattern could add an ID.
func (t *Table) wanted(pattern uint32, refs []byte, hits *Hits) bool {
	if len(refs) == referenceSize {
		return !hits.Has(binary.LittleEndian.Uint32(refs))
	}
	return hits.reported[pattern%reportedSlots] != pattern+1
}

// report adds the IDs of a pattern of n bytes found at every position from first to last of its value.
func (t *Table) report(pattern uint32, refs []byte, first, last, n uint64, hits *Hits) {
	all := true
	for ; len(refs) >= referenceSize; refs = refs[referenceSize:] {
		offset := uint64(binary.LittleEndian.Uint32(refs[4:]))
		depth := uint64(binary.LittleEndian.Uint32(refs[8:]))
		if last < offset || depth != 0 && max(first, offset)+n > offset+depth {
			all = false
			continue
		}
		hits.Add(binary.LittleEndian.Uint32(refs))
	}
	if all {
		hits.reported[pattern%reportedSlots], hits.dirty = pattern+1, true
	}
}

// equalFold compares data with a pattern in lower case, of the same length, in ASCII's letters.
func equalFold(data, lower []byte) bool {
	if len(data) != len(lower) {
		return false
	}
	for i, b := range data {
		if lowerCase(b) != lower[i] {
			return false
		}
	}
	return true
}

// lowerCase folds an ASCII letter.
func lowerCase(b byte) byte {
	if b-'A' < 26 {
		return b | 0x20
	}
	return b
}
