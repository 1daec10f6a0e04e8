package detect

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"citygate/pkg/app/layer"
	"citygate/pkg/detect/prefilter"
	"citygate/pkg/flow"
	"citygate/pkg/signature"
)

// class is what kind of packet a signature is about: each has groups of its own.
type class uint8

const (
	classTCP class = iota
	classUDP
	classICMP
	classOther
	classes
)

var classProtocols = [classes][]uint8{classTCP: {6}, classUDP: {17}, classICMP: {1, 58}}

func (c class) in(p *signature.Protocols) bool {
	if c == classOther { // any protocol that the others do not name
		rest := *p
		for _, n := range []uint8{6, 17, 1, 58} {
			rest[n>>6] &^= 1 << (n & 63)
		}
		return rest != signature.Protocols{}
	}
	return slices.ContainsFunc(classProtocols[c], p.Has)
}

// Places of the port indexes: packets by class and direction, then streams by direction.
func packetIndex(c class, d flow.Direction) int { return int(c)*2 + int(d) }
func streamIndex(d flow.Direction) int          { return int(classes)*2 + int(d) }

const portIndexes = int(classes)*2 + 2

// Places of lists in inProtocols behind the protocols: signatures that are judged in special cases only.
const (
	listDecode  = int(layer.Protos)     // packets with decoder events
	listStream  = int(layer.Protos) + 1 // packets with stream events
	listAddress = int(layer.Protos) + 2 // once per flow and direction
	listCount   = int(layer.Protos) + 3
)

// maxPorts is how many single ports a signature may name and still stand in the groups of these ports; with more it
// stands in the group of any port.
const maxPorts = 64

// bucket collects what becomes a group.
type bucket struct {
	patterns []prefilter.Pattern
	always   []uint32
}

// portKey is a bucket's place.
type portKey struct {
	index int
	side  uint8 // 0 any, 1 destination, 2 source
	port  uint16
}

type viewKey struct {
	buffer     layer.Buffer
	transforms string
}

// grouping is the state of assemble.
type grouping struct {
	*compiler
	ports    map[portKey]*bucket
	views    map[viewKey]*[2]bucket
	chain    map[viewKey]span // the transformations' matches
	specials [listCount][2][]uint32
}

// assemble puts every signature into the groups where it is looked for.
func (c *compiler) assemble(signatures []*signature.Signature) {
	g := &grouping{compiler: c, ports: map[portKey]*bucket{}, views: map[viewKey]*[2]bucket{}, chain: map[viewKey]span{}}
	for i, s := range signatures {
		g.place(uint32(i), s)
	}
	g.layPorts()
	g.layViews()
}

func (g *grouping) place(id uint32, s *signature.Signature) {
	w := wayOf(s)
	switch {
	case w&onAddress != 0:
		g.special(listAddress, id, s)
	case w&onTx != 0:
		g.placeTx(id, s)
	case s.Flags&signature.DecodeEvent != 0:
		g.special(listDecode, id, s)
	case signature.Needs(s, "stream-event"):
		g.special(listStream, id, s)
	default:
		g.placePayload(id, s, w)
	}
}

// ways are the directions in which a signature can match.
func ways(s *signature.Signature) []flow.Direction {
	switch s.Flags & (signature.ToServer | signature.ToClient) {
	case signature.ToServer:
		return []flow.Direction{flow.ToServer}
	case signature.ToClient:
		return []flow.Direction{flow.ToClient}
	}
	return []flow.Direction{flow.ToServer, flow.ToClient}
}

func (g *grouping) special(list int, id uint32, s *signature.Signature) {
	for _, d := range ways(s) {
		g.specials[list][d] = append(g.specials[list][d], id)
	}
}

// placeTx puts a signature about transactions into the group of its fast pattern's buffer.
func (g *grouping) placeTx(id uint32, s *signature.Signature) {
	best := fastest(s, func(b layer.Buffer) bool { return !b.Packet() })
	for _, d := range ways(s) {
		if best == nil {
			for p := range layer.Protos {
				if txProtocol(s, p) {
					g.specials[p][d] = append(g.specials[p][d], id)
				}
			}
			continue
		}
		way := best.list.Way
		if way == 0 {
			way = best.list.Buffer.Info().Way
		}
		if (s.Flags&signature.TransactionTwo == 0 || best.list.Way != 0) && (d == flow.ToServer && way&layer.Request == 0 || d == flow.ToClient && way&layer.Response == 0) {
			continue
		}
		p := best.pattern(id)
		p.Offset, p.Depth = 0, 0 // a transformation moves bytes; Inspect looks at the place
		b := &g.view(best.list, s)[d]
		b.patterns = append(b.patterns, p)
	}
}

// txProtocol says whether a signature is about transactions of a protocol.
func txProtocol(s *signature.Signature, p layer.Proto) bool {
	if s.App != layer.Unknown && s.App != p {
		return false
	}
	for _, l := range s.Lists {
		if !l.Buffer.Packet() && !l.Buffer.Info().Is(p) {
			return false
		}
	}
	return true
}

func (g *grouping) view(l *signature.List, s *signature.Signature) *[2]bucket {
	key := viewKey{l.Buffer, ""}
	for _, t := range l.Transforms {
		data := s.Blob[t.Data.Off : t.Data.Off+t.Data.Len]
		t.Data = signature.Span{Len: t.Data.Len}
		key.transforms += string(bytesOf([]signature.Match{t})) + string(data)
	}
	if g.views[key] == nil {
		g.views[key] = new([2]bucket)
		at := span{uint32(len(g.matches)), uint32(len(l.Transforms))}
		for _, t := range l.Transforms {
			if t.Data.Len > 0 {
				data := s.Blob[t.Data.Off : t.Data.Off+t.Data.Len]
				t.Data.Off = uint32(len(g.blob))
				g.blob = append(g.blob, data...)
			}
			g.matches = append(g.matches, t)
		}
		g.chain[key] = at
	}
	return g.views[key]
}

// placePayload puts a signature about packets or streams into the groups of its ports.
func (g *grouping) placePayload(id uint32, s *signature.Signature, w way) {
	best := fastest(s, func(b layer.Buffer) bool { return b == layer.Payload })
	for _, d := range ways(s) {
		if w&onStream != 0 {
			g.byPort(streamIndex(d), id, s, best)
		}
		if w&onPacket == 0 {
			continue
		}
		for c := range classes {
			if c.in(&s.Protocols) && (c != classTCP || w&onStream == 0 || s.Flags&signature.OnPacket != 0) {
				g.byPort(packetIndex(c, d), id, s, best)
			}
		}
	}
}

func (g *grouping) byPort(index int, id uint32, s *signature.Signature, best *fast) {
	keys := []portKey{{index, 0, 0}}
	if s.Flags&signature.Bidirectional == 0 {
		switch {
		case few(s.DstPort):
			keys = portKeys(index, 1, s.DstPort)
		case few(s.SrcPort):
			keys = portKeys(index, 2, s.SrcPort)
		}
	}
	for _, k := range keys {
		b := g.ports[k]
		if b == nil {
			b = new(bucket)
			g.ports[k] = b
		}
		if best != nil {
			b.patterns = append(b.patterns, best.pattern(id))
		} else {
			b.always = append(b.always, id)
		}
	}
}

func few(p signature.Ports) bool {
	n := 0
	for _, r := range p {
		n += int(r.Hi) - int(r.Lo) + 1
	}
	return n <= maxPorts
}

func portKeys(index int, side uint8, p signature.Ports) (keys []portKey) {
	for _, r := range p {
		for port := int(r.Lo); port <= int(r.Hi); port++ {
			keys = append(keys, portKey{index, side, uint16(port)})
		}
	}
	return keys
}

// lay makes a bucket a group.
func (c *compiler) lay(b *bucket) uint32 {
	if len(b.patterns) == 0 && len(b.always) == 0 {
		return 0
	}
	gr := group{Always: c.memberList(b.always)}
	if len(b.patterns) > 0 {
		for len(c.tables)%8 != 0 {
			c.tables = append(c.tables, 0)
		}
		gr.Table.First = uint32(len(c.tables))
		c.tables = prefilter.Build(c.tables, b.patterns)
		gr.Table.N = uint32(len(c.tables)) - gr.Table.First
		for _, p := range b.patterns {
			gr.Longest = max(gr.Longest, uint32(len(p.Data)))
		}
	}
	c.groups = append(c.groups, gr)
	return uint32(len(c.groups) - 1)
}

func (c *compiler) memberList(ids []uint32) span {
	s := span{uint32(len(c.members)), uint32(len(ids))}
	c.members = append(c.members, ids...)
	return s
}

func (g *grouping) layPorts() {
	keys := slices.SortedFunc(maps.Keys(g.ports), func(a, b portKey) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.side, b.side), cmp.Compare(a.port, b.port))
	})
	g.portIndex = make([]portIndex, portIndexes)
	for _, k := range keys {
		n := g.lay(g.ports[k])
		at := &g.portIndex[k.index]
		if k.side == 0 {
			at.Any = n
			continue
		}
		entries := &at.Dst
		if k.side == 2 {
			entries = &at.Src
		}
		if entries.N == 0 {
			entries.First = uint32(len(g.portEntries))
		}
		entries.N++
		g.portEntries = append(g.portEntries, portEntry{uint32(k.port), n})
	}
}

func (g *grouping) layViews() {
	keys := slices.SortedFunc(maps.Keys(g.views), func(a, b viewKey) int {
		return cmp.Or(cmp.Compare(a.buffer, b.buffer), cmp.Compare(a.transforms, b.transforms))
	})
	for _, k := range keys {
		v := view{Buffer: uint8(k.buffer), Transforms: g.chain[k]}
		for d := range v.Groups {
			v.Groups[d] = g.lay(&g.views[k][d])
		}
		g.compiler.views = append(g.compiler.views, v)
	}
	g.protocols = make([]protocol, listCount)
	for p := range listCount {
		var numbers []uint32
		for i, k := range keys {
			if p < int(layer.Protos) && k.buffer.Info().Is(layer.Proto(p)) {
				numbers = append(numbers, uint32(i))
			}
		}
		g.protocols[p].Views = g.memberList(numbers)
		for d := range 2 {
			g.protocols[p].Always[d] = g.memberList(g.specials[p][d])
		}
	}
}

// fast is a signature's fast pattern: the content by which it is looked for.
type fast struct {
	list    *signature.List
	content signature.Content
	data    []byte
}

func (f *fast) pattern(id uint32) prefilter.Pattern {
	return prefilter.Pattern{Data: f.data, NoCase: f.content.NoCase, ID: id}
}

// fastest chooses a signature's fast pattern among the lists of some buffers: the one that the rule names, else the one
// that is likely to be rarest. nil if there is none.
func fastest(s *signature.Signature, of func(layer.Buffer) bool) (best *fast) {
	score := -1
	for i := range s.Lists {
		l := &s.Lists[i]
		if !of(l.Buffer) {
			continue
		}
		for j := range l.Matches {
			content, ok := l.Matches[j].Content()
			if !ok || content.Negated {
				continue
			}
			at := l.Matches[j].Data
			f := &fast{l, content, s.Blob[at.Off : at.Off+at.Len]}
			if content.FastPattern && content.ChopLen > 0 {
				f.data = f.data[content.ChopOff : content.ChopOff+content.ChopLen]
			}
			if n := rarity(f); n > score {
				best, score = f, n
			}
		}
	}
	return best
}

// common are literals that are in most messages of their protocol: poor fast patterns.
var common = [][]byte{
	[]byte("http/1."), []byte("user-agent"), []byte("mozilla/"), []byte("content-"), []byte("accept"), []byte("host"),
	[]byte("get"), []byte("post"), []byte("application/"), []byte("text/html"), []byte("200"), []byte("connection"), []byte(".php"),
	[]byte(".com"), []byte("www."),
}

// rarity is a guess: what the rule names wins, then many different bytes.
func rarity(f *fast) int {
	if f.content.FastPattern {
		return 1 << 20
	}
	var seen [256]bool
	n := min(len(f.data), 32)
	for _, b := range f.data {
		if !seen[b] && b != 0 && b != ' ' {
			seen[b] = true
			n += 2
		}
	}
	lower := bytes.ToLower(f.data)
	for _, c := range common {
		if bytes.HasPrefix(lower, c) && len(lower) <= len(c)+4 {
			return n / 4
		}
	}
	return n
}
