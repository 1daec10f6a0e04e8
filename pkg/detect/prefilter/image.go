package prefilter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// A table, little-endian, all offsets in bytes from its first byte and multiples of 8:
//
//	header   magic u64, size u64, patterns, references, data (each a section), minimum offset u32,
//	         maximum end u32, lanes u32, reserved u32
//	lanes    each: multiplier u64, fold u64, gram u32, stride u32, filter bits u32, bucket bits u32,
//	         filter, heads, entries (each a section)
//	sections as the header and the lanes say
//
// A section is an offset u32 and a length in bytes u32.
const (
	magic      = 0x3166657250474943 // "CIGPref1": a changed layout changes the digit
	headerSize = 56
	laneSize   = 56
	maxLanes   = 8 // Build makes at most 5; more would only be slow

	patternSize   = 16 // data offset u32, data length u32 (top bit: no case), first reference u32, references u32
	referenceSize = 12 // ID u32, offset u32, depth u32
	entrySize     = 20 // tag u32, after u32, mask u32, pattern u32, the gram's offset in the pattern u32
	headSize      = 4  // number of the bucket's first entry u32; one more head than buckets

	noCaseBit = 1 << 31

	// An entry's position with runBit is of a gram inside a run of one byte in the pattern: how many
	// bytes the pattern has before the run or, with runAtEnd, up to its end. Only grams of which all
	// patterns can be compared so are marked.
	runBit    = 1 << 31
	runAtEnd  = 1 << 30
	runOffset = runAtEnd - 1

	// afterAt is where in a word the bytes are that an entry's after and mask tell of: where they
	// differ, the pattern need not be touched.
	afterAt = 4

	maxGram       = 8
	maxStride     = 8
	minFilterBits = 6
	maxFilterBits = 24 // 2 MiB of bits: a bigger one would live in memory, not in a cache
	bytewiseBits  = 18 // up to 256 KiB the filter has a byte per hash, which is faster to ask; above that, a bit
	maxBucketBits = 24
)

// Table is an opened table. It may be used by several goroutines at once, each with its own Hits.
type Table struct {
	patterns, references, data []byte
	minOffset, maxEnd          uint64 // where in a value any pattern may lie
	lanes                      []lane
}

// lane is one pass over the data. Its numbers are copies: an image that changes under us cannot
// move an access out of bounds.
type lane struct {
	mul, fold      uint64
	gram, stride   int
	shift          uint8 // 64 less the filter's bits
	bucketShift    uint8 // 32 less the buckets' bits
	filter         []byte
	heads, entries []byte
	bytewise       bool
}

var errTruncated = errors.New("table is truncated")

// Open reads a table that starts at the image's first byte, in place: it copies nothing but a few
// numbers. The image may come from another process: every offset is checked here or where it is used.
func Open(image []byte) (*Table, error) {
	if len(image) < headerSize {
		return nil, errTruncated
	}
	if binary.LittleEndian.Uint64(image) != magic {
		return nil, errors.New("not a prefilter table")
	}
	size := binary.LittleEndian.Uint64(image[8:])
	if size < headerSize || size > uint64(len(image)) {
		return nil, errTruncated
	}
	image = image[:size:size]
	t := &Table{
		minOffset: uint64(binary.LittleEndian.Uint32(image[40:])),
		maxEnd:    uint64(binary.LittleEndian.Uint32(image[44:])),
	}
	if t.maxEnd == math.MaxUint32 {
		t.maxEnd = math.MaxUint64
	}
	var err [3]error
	t.patterns, err[0] = section(image, 16, patternSize)
	t.references, err[1] = section(image, 24, referenceSize)
	t.data, err[2] = section(image, 32, 1)
	if e := errors.Join(err[:]...); e != nil {
		return nil, e
	}
	n := int(binary.LittleEndian.Uint32(image[48:]))
	if n > maxLanes || headerSize+n*laneSize > len(image) {
		return nil, fmt.Errorf("table has %d lanes, which is more than it can hold", n)
	}
	t.lanes = make([]lane, n)
	for i := range t.lanes {
		if e := t.lanes[i].open(image, headerSize+i*laneSize); e != nil {
			return nil, fmt.Errorf("lane %d: %w", i, e)
		}
	}
	return t, nil
}

// open reads the lane whose header is at off.
func (l *lane) open(image []byte, off int) error {
	h := image[off : off+laneSize]
	gram, stride := binary.LittleEndian.Uint32(h[16:]), binary.LittleEndian.Uint32(h[20:])
	bits, buckets := binary.LittleEndian.Uint32(h[24:]), binary.LittleEndian.Uint32(h[28:])
	if gram < 1 || gram > maxGram || stride < 1 || stride > maxStride {
		return fmt.Errorf("gram of %d bytes at every position of %d is out of range", gram, stride)
	}
	if bits < minFilterBits || bits > maxFilterBits || buckets > maxBucketBits {
		return fmt.Errorf("2^%d bits and 2^%d buckets are out of range", bits, buckets)
	}
	l.mul, l.fold = binary.LittleEndian.Uint64(h), binary.LittleEndian.Uint64(h[8:])
	l.gram, l.stride = int(gram), int(stride)
	l.shift, l.bucketShift = uint8(64-bits), uint8(32-buckets)
	var err [3]error
	l.filter, err[0] = section(image, off+32, 1)
	l.heads, err[1] = section(image, off+40, headSize)
	l.entries, err[2] = section(image, off+48, entrySize)
	if e := errors.Join(err[:]...); e != nil {
		return e
	}
	l.bytewise = bits <= bytewiseBits
	if len(l.filter) != filterSize(int(bits)) || len(l.heads) != headSize*(1<<buckets+1) {
		return errors.New("filter or buckets are not as long as the lane says")
	}
	return nil
}

// filterSize is the length in bytes of a filter of 2^bits hashes.
func filterSize(bits int) int {
	if bits <= bytewiseBits {
		return 1 << bits
	}
	return 1 << bits / 8
}

// section returns the part of the image that the offset and length at position at name.
func section(image []byte, at, unit int) ([]byte, error) {
	off := uint64(binary.LittleEndian.Uint32(image[at:]))
	n := uint64(binary.LittleEndian.Uint32(image[at+4:]))
	if off%8 != 0 || off+n > uint64(len(image)) {
		return nil, fmt.Errorf("%d bytes at %d are outside of the table's %d", n, off, len(image))
	}
	if n%uint64(unit) != 0 {
		return nil, fmt.Errorf("section of %d bytes is not a multiple of %d", n, unit)
	}
	return image[off : off+n : off+n], nil
}
