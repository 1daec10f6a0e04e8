package signature

import (
	"errors"

	"citygate/pkg/app/layer"
)

// Flags of matches in lists. The first three mean the same for every keyword.
const (
	flagRelative uint16 = 1 << iota // it counts from the end of the match before it
	flagBase                        // a relative match counts from its end
	flagVariable                    // it reads extracted values

	flagNoCase // content: Data is in lower case
	flagOffset // content: which of Arg are set
	flagDepth
	flagDistance
	flagWithin
	flagStarts
	flagEnds
	flagFast
	flagFastOnly
	flagRaw
)

// Arg of a content. A value of isVariable and more is the number of an extracted value.
const (
	argOffset   = iota // from the stream's or the buffer's start
	argDepth           // how many bytes from offset on
	argDistance        // from the last match's end
	argWithin          // how many bytes from there on
	argChop            // fast_pattern's part: its offset << 32 | its length; 0 all
	argAnchor          // the place in Data of the byte that is the rarest in traffic
)

// limits of a content's numbers: Suricata's.
const (
	maxOffset   = 65535
	maxDistance = 1 << 20
)

// The places of content and pcre in the table of keywords.
const (
	kindContent = iota
	kindPCRE
)

// content looks for bytes: content:"GET |0d 0a|". Match: Data the pattern, Arg as above, Flags as above.
var content = Keyword{
	Name: "content", Where: InBuffer, Moves: true,
	Doc:   "bytes that the buffer must have (content:!\"...\": must not have)",
	Parse: parseContent,
	Find:  findContent,
}

// uricontent is the old name of a content on http.uri.
var uricontent = Keyword{
	Name: "uricontent", Where: InBuffer,
	Doc: "bytes that the normalised URI must have: the old way to write http.uri; content",
	Parse: func(b *Builder, value string) error {
		if b.Buffer != layer.Payload {
			return errMixed
		}
		if err := parseContent(b, value); err != nil {
			return err
		}
		b.Lists[b.last.list].Matches[b.last.match].Kind = kindContent
		return b.moveLast(layer.HTTPURI)
	},
}

func parseContent(b *Builder, value string) error {
	text, not, quoted := b.negation(value)
	if !quoted {
		return errNoQuotes
	}
	pattern, err := parsePattern(text)
	if err != nil {
		return err
	}
	m := Match{Data: b.Bytes(pattern)}
	if not {
		m.Flags = MatchNot
	}
	b.Add(m)
	return nil
}

// Content is what a prefilter has to know about a content. Its bytes are Match.Data.
type Content struct {
	NoCase  bool // the bytes are in lower case and match in any case
	Negated bool
	// Relative: it counts from another match, so Offset and Depth do not bind it.
	Relative bool
	// Offset and Depth are the part of the buffer in which it must lie, Depth counted from Offset on. Depth 0: to the end.
	// Both are 0 where a variable decides.
	Offset, Depth int
	StartsWith    bool
	EndsWith      bool
	// FastPattern: the rule names it as its fast pattern. FastOnly: it need not be looked for again.
	FastPattern, FastOnly bool
	// ChopOff and ChopLen are the part of the bytes to use as the fast pattern; ChopLen 0: all of them.
	ChopOff, ChopLen int
}

// Content describes a match that is a content.
func (m *Match) Content() (c Content, ok bool) {
	if m.Kind != kindContent {
		return Content{}, false
	}
	has := func(f uint16) bool { return m.Flags&f != 0 }
	c = Content{
		NoCase: has(flagNoCase), Negated: has(MatchNot), Relative: has(flagRelative), StartsWith: has(flagStarts), EndsWith: has(flagEnds),
		FastPattern: has(flagFast), FastOnly: has(flagFastOnly),
		ChopOff: int(m.Arg[argChop] >> 32), ChopLen: int(uint32(m.Arg[argChop])),
	}
	if !has(flagVariable) && !has(flagRelative) {
		c.Offset, c.Depth = int(m.Arg[argOffset]), int(m.Arg[argDepth])
	}
	return c, true
}

var (
	errNoQuotes   = errors.New("the bytes must stand in quotes")
	errDepth      = errors.New("depth is shorter than the content")
	errWithin     = errors.New("within is shorter than the content")
	errStarts     = errors.New("startswith with offset, depth, distance or within on the same content")
	errAbsolute   = errors.New("distance or within with offset or depth on the same content")
	errFastBounds = errors.New("fast_pattern on a negated content with offset, depth, distance or within")
	errFastOnly   = errors.New("fast_pattern:only on a content that is negated or has offset, depth, distance or within")
	errFastChop   = errors.New("fast_pattern's part is longer than the content")
	errFastTwice  = errors.New("fast_pattern on two contents")
)

const (
	flagsAbsolute = flagOffset | flagDepth
	flagsFromLast = flagDistance | flagWithin
)

// finishContent checks a content whose modifiers are all read.
func (b *Builder) finishContent(m *Match) error {
	pattern := b.Blob[m.Data.Off : m.Data.Off+m.Data.Len]
	if err := checkContent(m, int64(len(pattern))); err != nil {
		return err
	}
	if m.Flags&flagFast != 0 {
		for i := range b.Lists {
			for j := range b.Lists[i].Matches {
				if o := &b.Lists[i].Matches[j]; o != m && o.Kind == kindContent && o.Flags&flagFast != 0 {
					return errFastTwice
				}
			}
		}
	}
	if m.Flags&flagNoCase != 0 {
		lowerInPlace(pattern)
	}
	m.Arg[argAnchor] = int64(rarest(pattern, m.Flags&flagNoCase != 0))
	if m.Flags&flagsFromLast != 0 {
		m.Flags |= flagRelative
	}
	return nil
}

func checkContent(m *Match, length int64) error {
	f := m.Flags
	switch {
	case f&flagStarts != 0 && f&(flagsAbsolute|flagsFromLast) != 0:
		return errStarts
	case f&flagsAbsolute != 0 && f&flagsFromLast != 0:
		return errAbsolute
	case f&flagDepth != 0 && m.Arg[argDepth] < length:
		return errDepth
	case f&flagWithin != 0 && m.Arg[argWithin] < length:
		return errWithin
	case f&flagFast == 0:
		return nil
	case f&MatchNot != 0 && f&(flagsAbsolute|flagsFromLast) != 0:
		return errFastBounds
	case f&flagFastOnly != 0 && (f&MatchNot != 0 || f&(flagsAbsolute|flagsFromLast|flagStarts|flagEnds) != 0):
		return errFastOnly
	case m.Arg[argChop]>>32+int64(uint32(m.Arg[argChop])) > length:
		return errFastChop
	}
	return nil
}
