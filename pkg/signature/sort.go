package signature

import (
	"cmp"
	"slices"
)

// Sort brings signatures into the order in which they are judged, which is Suricata's:
//
//  1. by action: pass, drop, reject, alert, so that a pass ends the matter;
//  2. what sets flowbits before what only reads them (and what both reads and sets between the two), so that a bit that
//     is set by a packet counts for the same packet; what has nothing to do with them comes last;
//  3. the same for flowints, then for hostbits, then for xbits;
//  4. by priority, the most severe first;
//  5. as they came.
func Sort(signatures []*Signature) {
	ranked := make([]ranks, len(signatures))
	for i, s := range signatures {
		ranked[i] = ranksOf(s)
	}
	slices.SortStableFunc(ranked, func(a, b ranks) int {
		for i := range a.rank {
			if c := cmp.Compare(a.rank[i], b.rank[i]); c != 0 {
				return c
			}
		}
		return 0
	})
	for i := range ranked {
		signatures[i] = ranked[i].signature
	}
}

type ranks struct {
	signature *Signature
	rank      [6]uint32 // action, flowbits, flowints, hostbits, xbits, priority
}

// A signature's rank among those that share memory.
const (
	rankSets uint32 = iota
	rankBoth
	rankReads
	rankNone
)

func ranksOf(s *Signature) ranks {
	r := ranks{signature: s, rank: [6]uint32{uint32(s.Action), rankNone, rankNone, rankNone, rankNone, s.Priority}}
	for _, m := range s.Post {
		if at := memoryOf(m.Kind); at != 0 {
			r.rank[at] = rankSets
		}
	}
	for _, m := range s.Packet {
		at := memoryOf(m.Kind)
		switch {
		case at == 0:
		case r.rank[at] == rankSets:
			r.rank[at] = rankBoth
		case r.rank[at] == rankNone:
			r.rank[at] = rankReads
		}
	}
	return r
}

// memoryOf is the place in ranks of what a keyword remembers; 0 if it remembers nothing.
func memoryOf(kind uint16) int {
	switch keywords[kind] {
	case &flowbits:
		return 1
	case &flowint:
		return 2
	case &hostbits:
		return 3
	case &xbits:
		return 4
	}
	return 0
}
