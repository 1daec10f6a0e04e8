package signature

import (
	"citygate/pkg/app/layer"
)

// Where says where a keyword's match belongs.
type Where uint8

// The places.
const (
	Meta     Where = iota // it describes the rule (msg, sid) or changes another keyword (nocase); no match of its own
	OnHeader              // Signature.Packet: judged on the packet, flow or transaction
	InBuffer              // the list of the sticky buffer in force
	AfterAll              // Signature.Post
	OnValue               // a transformation of the sticky buffer in force
)

// Keyword is a line in the table of keywords.
type Keyword struct {
	Name    string
	Aliases []string
	Where   Where
	// NeedsPacket: the keyword is about single packets, so the signature is judged packet by packet.
	NeedsPacket bool
	// Parse reads the option's value (without quotes, escapes intact; empty if there is none) into the signature.
	Parse func(b *Builder, value string) error
	// Eval judges a match: OnHeader, AfterAll (where it acts and its answer does not count) and InBuffer.
	Eval func(c *Context, m *Match) bool
	// Find is for what can match at several places of a buffer (content, pcre): the first match whose start is at or
	// behind from. It replaces Eval; Inspect sees to MatchNot.
	Find func(c *Context, m *Match, from int) (start, end int, ok bool)
	// Moves: relative matches behind it count from its end (Context.In.Cursor).
	Moves bool
	// Apply is of transformations: it appends the changed value of in to out.
	Apply func(c *Context, m *Match, in, out []byte) []byte
	// Doc is one sentence for docs/reference/keywords.md.
	Doc string
}

// Builder builds one signature, keyword by keyword.
type Builder struct {
	*Signature
	Env *Env
	// Buffer is the sticky buffer in force; layer.Payload at the start.
	Buffer layer.Buffer
	// fresh says that the sticky buffer was named and has no list yet.
	fresh      bool
	transforms []Match
	// last is where the last content stands, for its modifiers.
	last    place
	keyword *Keyword // in hand
	kind    uint16   // its number
	vars    map[string]int
	names   []string // of the options so far: for keywords that depend on others
	// Quoted says that the value of the option in hand stood in double quotes, which are taken off. A negated value (!"x") stays
	// as it was.
	Quoted bool

	negated     bool      // an address is negated
	needsPacket string    // the keyword that is about single packets
	way         layer.Way // that the sticky buffer in force was named with
	count       int       // of options
}

type place struct{ list, match int }

// Env is what all rules of a set share.
type Env struct {
	Vars       Vars
	Classes    Classes
	References map[string]string // reference.config: the system's URL prefix
	Symbols    *Symbols

	protocols []*layer.Protocol
}

// Symbols numbers the names and the expressions of a set of rules.
type Symbols struct {
	Flowbits, Flowints, Xbits, Hostbits Names
	Regexes                             Names // flags and expression
}

// Names numbers names from 0 in the order in which they come.
type Names struct {
	index map[string]uint32
	List  []string
}

// ID is the number of a name.
func (n *Names) ID(name string) uint32 {
	if i, ok := n.index[name]; ok {
		return i
	}
	if n.index == nil {
		n.index = map[string]uint32{}
	}
	i := uint32(len(n.List))
	n.index[name] = i
	n.List = append(n.List, name)
	return i
}

// Bytes puts data into the signature's blob.
func (b *Builder) Bytes(data []byte) Span {
	s := Span{uint32(len(b.Blob)), uint32(len(data))}
	b.Blob = append(b.Blob, data...)
	return s
}

// Add puts the match of the keyword in hand where it belongs.
func (b *Builder) Add(m Match) {
	m.Kind = b.kind
	switch b.keyword.Where {
	case OnHeader:
		b.Packet = append(b.Packet, m)
	case AfterAll:
		b.Post = append(b.Post, m)
	case OnValue:
		b.transforms = append(b.transforms, m)
	default:
		b.addTo(b.listFor(&m), m)
	}
}

// listFor is the place of the list that a match belongs to: what is relative to the last content goes where an old
// modifier has moved that.
func (b *Builder) listFor(m *Match) int {
	if m.Flags&flagRelative != 0 && b.Buffer == layer.Payload && b.last.list < len(b.Lists) {
		return b.last.list
	}
	return b.list()
}

// list is the place of the list of the sticky buffer in force. Naming a buffer again begins another list for buffers with several
// values or transformations: each list is matched on one value.
func (b *Builder) list() int {
	if !b.fresh {
		for i := len(b.Lists) - 1; i >= 0; i-- {
			if b.Lists[i].Buffer == b.Buffer {
				return i
			}
		}
	}
	b.Lists = append(b.Lists, List{Buffer: b.Buffer, Transforms: b.transforms})
	b.fresh, b.transforms = false, nil
	return len(b.Lists) - 1
}

func (b *Builder) addTo(list int, m Match) {
	b.Lists[list].Matches = append(b.Lists[list].Matches, m)
	b.last = place{list, len(b.Lists[list].Matches) - 1}
}
