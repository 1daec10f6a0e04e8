package detect

import (
	"fmt"
	"net/netip"

	"citygate/pkg/app/layer"
	"citygate/pkg/detect/prefilter"
	"citygate/pkg/flow"
	"citygate/pkg/signature"
)

// Rules is an opened image: records where they lie, and what a process must make of its own (expressions).
type Rules struct {
	image       []byte
	blob        []byte
	records     []record
	lists       []list
	matches     []signature.Match
	thresholds  []threshold
	addresses   []addresses
	range4      []signature.Range4
	range6      []signature.Range6
	ports       []span
	portRanges  []signature.PortRange
	groups      []group
	members     []uint32
	portIndex   []portIndex
	portEntries []portEntry
	views       []view
	protocols   []protocol
	numbers     []uint32

	tables  []*prefilter.Table // by group
	regexes *signature.Regexes
	// watched are the protocols whose transactions some signature looks at.
	watched [layer.Protos]bool
	streams bool // some signature looks at the bytes of streams
}

// Open reads an image in place; it must not change while it is in use. Every place in it is checked.
func Open(image []byte) (*Rules, error) {
	s, err := split(image)
	if err != nil {
		return nil, fmt.Errorf("open rules: %w", err)
	}
	r := &Rules{image: image, blob: s[inBlob]}
	if err := r.sections(&s); err != nil {
		return nil, fmt.Errorf("open rules: %w", err)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("open rules: %w", err)
	}
	r.tables = make([]*prefilter.Table, len(r.groups))
	for i, g := range r.groups {
		if g.Table.N == 0 {
			continue
		}
		if uint64(g.Table.First)+uint64(g.Table.N) > uint64(len(s[inTables])) || g.Table.First%8 != 0 {
			return nil, fmt.Errorf("open rules: %w: table of group %d lies outside", errImage, i)
		}
		r.tables[i], err = prefilter.Open(s[inTables][g.Table.First : g.Table.First+g.Table.N])
		if err != nil {
			return nil, fmt.Errorf("open rules: group %d: %w", i, err)
		}
	}
	if err := r.expressions(s[inRegexes]); err != nil {
		return nil, fmt.Errorf("open rules: %w", err)
	}
	return r, nil
}

func (r *Rules) sections(s *[sectionCount][]byte) (err error) {
	read := func(e error) {
		if err == nil {
			err = e
		}
	}
	var e error
	r.records, e = viewOf[record](s[inSignatures])
	read(e)
	r.lists, e = viewOf[list](s[inLists])
	read(e)
	r.matches, e = viewOf[signature.Match](s[inMatches])
	read(e)
	r.thresholds, e = viewOf[threshold](s[inThresholds])
	read(e)
	r.addresses, e = viewOf[addresses](s[inAddresses])
	read(e)
	r.range4, e = viewOf[signature.Range4](s[inRange4])
	read(e)
	r.range6, e = viewOf[signature.Range6](s[inRange6])
	read(e)
	r.ports, e = viewOf[span](s[inPorts])
	read(e)
	r.portRanges, e = viewOf[signature.PortRange](s[inPortRanges])
	read(e)
	r.groups, e = viewOf[group](s[inGroups])
	read(e)
	r.members, e = viewOf[uint32](s[inMembers])
	read(e)
	r.portIndex, e = viewOf[portIndex](s[inPortIndex])
	read(e)
	r.portEntries, e = viewOf[portEntry](s[inPortEntries])
	read(e)
	r.views, e = viewOf[view](s[inViews])
	read(e)
	r.protocols, e = viewOf[protocol](s[inProtocols])
	read(e)
	r.numbers, e = viewOf[uint32](s[inNumbers])
	read(e)
	return err
}

func (r *Rules) expressions(section []byte) error {
	spans, err := viewOf[signature.Span](section)
	if err != nil {
		return err
	}
	texts := make([]string, len(spans))
	for i, s := range spans {
		if uint64(s.Off)+uint64(s.Len) > uint64(len(r.blob)) {
			return fmt.Errorf("%w: expression %d lies outside", errImage, i)
		}
		texts[i] = string(r.blob[s.Off : s.Off+s.Len])
	}
	r.regexes = signature.NewRegexes(texts)
	for p := range layer.Protos {
		pr := &r.protocols[p]
		r.watched[p] = pr.Views.N > 0 || pr.Always[0].N > 0 || pr.Always[1].N > 0
	}
	for _, d := range []flow.Direction{flow.ToServer, flow.ToClient} {
		x := &r.portIndex[streamIndex(d)]
		r.streams = r.streams || x.Any != 0 || x.Dst.N > 0 || x.Src.N > 0
	}
	for i := range r.records {
		r.streams = r.streams || r.records[i].Way&onTx != 0 && r.payload(&r.records[i])
	}
	return nil
}

// payload says whether a signature looks at the payload.
func (r *Rules) payload(sig *record) bool {
	for _, l := range r.lists[sig.Lists.First : sig.Lists.First+sig.Lists.N] {
		if layer.Buffer(l.Buffer) == layer.Payload {
			return true
		}
	}
	return false
}

// Len is how many signatures there are.
func (r *Rules) Len() int { return len(r.records) }

// Size is the image's size in bytes.
func (r *Rules) Size() int { return len(r.image) }

func (r *Rules) text(s signature.Span) []byte { return r.blob[s.Off : s.Off+s.Len] }

func (r *Rules) matchesOf(s span) []signature.Match { return r.matches[s.First : s.First+s.N] }

func (r *Rules) ids(s span) []uint32 { return r.members[s.First : s.First+s.N] }

// hasAddress says whether an address is in a set.
func (r *Rules) hasAddress(set uint32, a netip.Addr) bool {
	if set == 0 {
		return true
	}
	s := &r.addresses[set]
	sets := signature.Addresses{V4: r.range4[s.V4.First : s.V4.First+s.V4.N], V6: r.range6[s.V6.First : s.V6.First+s.V6.N]}
	return sets.Contains(a)
}

func (r *Rules) hasPort(set uint32, port uint16) bool {
	if set == 0 {
		return true
	}
	s := r.ports[set]
	return signature.Ports(r.portRanges[s.First : s.First+s.N]).Contains(port)
}

// groupsOf are the groups of a packet's ports: of any port, of its destination, of its source; 0 is none.
func (r *Rules) groupsOf(index int, src, dst uint16) [3]uint32 {
	x := &r.portIndex[index]
	return [3]uint32{x.Any, r.find(x.Dst, dst), r.find(x.Src, src)}
}

func (r *Rules) find(s span, port uint16) uint32 {
	entries := r.portEntries[s.First : s.First+s.N]
	lo, hi := 0, len(entries)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if entries[m].Port < uint32(port) {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo < len(entries) && entries[lo].Port == uint32(port) {
		return entries[lo].Group
	}
	return 0
}

// list is a list of a signature as package signature knows it.
func (r *Rules) list(i uint32) signature.List {
	l := &r.lists[i]
	return signature.List{Buffer: layer.Buffer(l.Buffer), Way: l.Way, Transforms: r.matchesOf(l.Transforms), Matches: r.matchesOf(l.Matches)}
}
