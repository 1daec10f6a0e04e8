package signature

import (
	"errors"

	"citygate/pkg/app/layer"
)

var (
	stickyNames   = bufferNames(func(i *layer.Info) []string { return append([]string{i.Name}, i.Old...) })
	modifierNames = bufferNames(func(i *layer.Info) []string { return i.Modify })
)

func bufferNames(of func(*layer.Info) []string) map[string]layer.Buffer {
	m := map[string]layer.Buffer{}
	for b := layer.Buffer(0); b < layer.Buffers; b++ {
		for _, name := range of(b.Info()) {
			m[name] = b
		}
	}
	return m
}

var (
	errBufferValue = errors.New("a buffer takes no value")
	errNoContent   = errors.New("there is no content before it that it could change")
	errMixed       = errors.New("it changes a content's buffer, but a sticky buffer is in force")
	errNoDecode    = errors.New("there is no base64_decode that it could be of")
	errEmptyBuffer = errors.New("the buffer is named and nothing is matched on it")
)

// NameBuffer reads an option that names a buffer: a sticky buffer (http.uri), which holds for the options that follow, or an
// old content modifier (http_uri), which moves the last content. known is false if there is no buffer of that name.
func (b *Builder) NameBuffer(name, value string) (known bool, err error) {
	buffer, sticky := stickyNames[name]
	if !sticky {
		if buffer, known = modifierNames[name]; !known {
			return false, nil
		}
	}
	switch {
	case value != "":
		return true, errBufferValue
	case sticky:
		return true, b.stick(buffer)
	}
	return true, b.moveLast(buffer)
}

// stick puts a sticky buffer in force. Naming it again goes on with its list if that holds one unchanged value.
func (b *Builder) stick(buffer layer.Buffer) error {
	if b.fresh && b.Buffer != layer.Payload || len(b.transforms) > 0 {
		return faultf(b.Buffer.String(), "%w", errEmptyBuffer)
	}
	b.Buffer = buffer
	i := b.plainList(buffer)
	b.fresh = i < 0 || buffer.Info().Multi
	return nil
}

// plainList is the place of the last list of a buffer if that list has no transformations, else -1.
func (b *Builder) plainList(buffer layer.Buffer) int {
	for i := len(b.Lists) - 1; i >= 0; i-- {
		if b.Lists[i].Buffer == buffer {
			if len(b.Lists[i].Transforms) == 0 {
				return i
			}
			break
		}
	}
	return -1
}

// moveLast moves the last content or pcre into the list of another buffer.
func (b *Builder) moveLast(buffer layer.Buffer) error {
	if b.Buffer != layer.Payload {
		return errMixed
	}
	if !b.lastContent(true) || b.Lists[b.last.list].Buffer != layer.Payload {
		return errNoContent
	}
	from := &b.Lists[b.last.list]
	moved := from.Matches[b.last.match]
	from.Matches = append(from.Matches[:b.last.match], from.Matches[b.last.match+1:]...)
	b.addTo(b.listOf(buffer), moved)
	return nil
}

// listOf is the place of the list of a buffer's plain value; it makes one if there is none.
func (b *Builder) listOf(buffer layer.Buffer) int {
	if i := b.plainList(buffer); i >= 0 {
		return i
	}
	b.Lists = append(b.Lists, List{Buffer: buffer})
	return len(b.Lists) - 1
}

// lastContent goes back to the last content (or pcre) of the list in hand: other keywords may stand between it and its modifiers.
func (b *Builder) lastContent(orPCRE bool) bool {
	if b.last.list >= len(b.Lists) {
		return false
	}
	list := b.Lists[b.last.list].Matches
	for i := min(b.last.match, len(list)-1); i >= 0; i-- {
		if k := list[i].Kind; k == kindContent || orPCRE && k == kindPCRE {
			b.last.match = i
			return true
		}
	}
	return false
}

// FinishLists checks and completes the lists of a rule whose options are all read: what a keyword means for its
// neighbours, and what they must not be together. The rule's last step before it is a signature.
func (b *Builder) FinishLists() error {
	if b.fresh && b.Buffer != layer.Payload || len(b.transforms) > 0 {
		return faultf(b.Buffer.String(), "%w", errEmptyBuffer)
	}
	lists := make([]List, 0, len(b.Lists))
	for i := range b.Lists {
		l := &b.Lists[i]
		if len(l.Matches) == 0 {
			continue // its only content was moved
		}
		if err := b.finishList(l); err != nil {
			return err
		}
		if l.Buffer == layer.Base64Data && !b.decodes() {
			return faultf(l.Buffer.String(), "%w", errNoDecode)
		}
		lists = append(lists, *l)
	}
	b.Lists = lists
	return nil
}

// decodes says whether there is a base64_decode.
func (b *Builder) decodes() bool {
	for i := range b.Lists {
		for j := range b.Lists[i].Matches {
			if keywords[b.Lists[i].Matches[j].Kind] == &base64Decode {
				return true
			}
		}
	}
	return false
}

func (b *Builder) finishList(l *List) error {
	for i := range l.Matches {
		m := &l.Matches[i]
		if m.Kind == kindContent {
			if err := b.finishContent(m); err != nil {
				return err
			}
		}
	}
	linkRelatives(l.Matches)
	if err := checkAbsent(l); err != nil {
		return err
	}
	return checkSize(l)
}

// linkRelatives marks the matches that another one counts from: if that one fails, they are tried again further behind.
func linkRelatives(list []Match) {
	base := -1
	for i := range list {
		m := &list[i]
		if m.Flags&flagRelative != 0 && base >= 0 {
			list[base].Flags |= flagBase
		}
		if m.Flags&MatchNot == 0 && keywords[m.Kind].Moves {
			base = i
		}
	}
}
