// Package prefilter finds which of many literals occur in a piece of traffic: patterns go in, a
// position-independent table comes out, and a scan of data gives the IDs of the patterns that it holds.
//
// A pattern is registered under a few neighbouring windows of it (grams), the ones that typical
// traffic has least often. A scan looks at every stride-th position of the data, asks a filter
// whether any pattern has that gram, and compares the few patterns that the hash table names there
// in full. Patterns of like length share a lane: a gram length, a stride, a filter and a hash table.
//
// The time of a scan is linear in the data times the patterns that share a gram times their length;
// there is no worst case below that, so a group's patterns should be chosen long and distinct.
package prefilter

// Pattern is a literal of a signature. Several patterns may have the same bytes.
type Pattern struct {
	// Data is what must occur; an empty pattern is never found.
	Data []byte
	// NoCase makes ASCII letters match in both cases; other bytes match exactly.
	NoCase bool
	// ID is the signature's, reported by Scan.
	ID uint32
	// Offset and Depth say where it must lie in the value: in the Depth bytes from Offset on.
	// Depth 0 is no end.
	Offset, Depth uint32
}

// Hits collects IDs without repeats. It belongs to one goroutine.
type Hits struct {
	bits []uint64
	ids  []uint32
	// reported remembers patterns whose IDs were all added in this scan, by pattern number: a
	// literal that many signatures share and that data repeats costs its list only once.
	reported [reportedSlots]uint32
	dirty    bool
	// candidates holds the positions of one block that passed the filter: here, so that a scan
	// does not clear it.
	candidates [blockProbes]uint32
}

// reportedSlots is the size of the direct-mapped memory of reported patterns: small, as it is
// cleared by each scan that used it.
const reportedSlots = 32

// NewHits returns an empty set for IDs below n.
func NewHits(n int) *Hits {
	n = max(n, 0)
	return &Hits{bits: make([]uint64, (n+63)/64), ids: make([]uint32, 0, n)}
}

// IDs returns the collected IDs in the order they were found. It is valid until the next Reset.
func (h *Hits) IDs() []uint32 { return h.ids }

// Add puts one ID in. An ID that the set has no room for is ignored: it is of another build.
func (h *Hits) Add(id uint32) {
	if uint64(id) >= uint64(cap(h.ids)) {
		return
	}
	if i, bit := id/64, uint64(1)<<(id%64); h.bits[i]&bit == 0 {
		h.bits[i] |= bit
		h.ids = append(h.ids, id)
	}
}

// Has says whether the ID was added since the last Reset.
func (h *Hits) Has(id uint32) bool {
	i := int(id / 64)
	return i < len(h.bits) && h.bits[i]>>(id%64)&1 != 0
}

// Reset empties the set in time proportional to what it holds.
func (h *Hits) Reset() {
	for _, id := range h.ids {
		h.bits[id/64] = 0
	}
	h.ids = h.ids[:0]
}
