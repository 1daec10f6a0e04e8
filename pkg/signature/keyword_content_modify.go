package signature

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"citygate/pkg/app/layer"
)

// The modifiers of the content before them.
var (
	nocase     = modifier("nocase", flagNoCase, "the content before it matches in any case (ASCII)")
	rawbytes   = modifier("rawbytes", flagRaw, "no effect: a content is always matched on raw bytes")
	startsWith = modifier("startswith", flagStarts, "the content before it must be at the buffer's start")
	endsWith   = modifier("endswith", flagEnds, "the content before it must be at the buffer's end")

	contentOffset   = bound("offset", flagOffset, argOffset, 0, maxOffset, "the content before it starts this many bytes into the buffer, or later")
	contentDepth    = bound("depth", flagDepth, argDepth, 0, maxOffset, "the content before it ends within this many bytes from offset on")
	contentDistance = bound("distance", flagDistance, argDistance, -maxDistance, maxDistance, "the content before it starts this many bytes behind the last match's end, or later")
	contentWithin   = bound("within", flagWithin, argWithin, 0, maxDistance, "the content before it ends within this many bytes from the last match's end (and distance) on")

	fastPattern = Keyword{
		Name: "fast_pattern", Parse: parseFastPattern,
		Doc: "the signature is looked for by the content before it: all of it, or (fast_pattern:offset,length) a part",
	}
	contentReplace = Keyword{
		Name: "replace", Parse: func(*Builder, string) error { return errors.New("packets are not rewritten here") },
		Doc: "refused by name: packets are not rewritten",
	}
)

var (
	errTwice = errors.New("twice on the same content")
	errBare  = errors.New("takes no value")
)

// modify finds the content that a modifier is about and marks it.
func (b *Builder) modify(flag uint16) (*Match, error) {
	// A sticky buffer's contents are its own; content:"x"; http_uri; nocase; goes on with a list that was made meanwhile.
	if b.fresh || !b.lastContent(false) || b.Buffer != layer.Payload && b.Lists[b.last.list].Buffer != b.Buffer {
		return nil, errNoContent
	}
	m := &b.Lists[b.last.list].Matches[b.last.match]
	if m.Flags&flag != 0 {
		return nil, errTwice
	}
	m.Flags |= flag
	return m, nil
}

func modifier(name string, flag uint16, doc string) Keyword {
	return Keyword{Name: name, Doc: doc, Parse: func(b *Builder, value string) error {
		if value != "" {
			return errBare
		}
		_, err := b.modify(flag)
		return err
	}}
}

func bound(name string, flag uint16, arg int, lo, hi int64, doc string) Keyword {
	return Keyword{Name: name, Doc: doc, Parse: func(b *Builder, value string) error {
		m, err := b.modify(flag)
		if err != nil {
			return err
		}
		if m.Arg[arg], err = b.operand(value, lo, hi); err != nil {
			return err
		}
		if m.Arg[arg] >= isVariable {
			m.Flags |= flagVariable
		}
		return nil
	}}
}

// isVariable and more in an Arg is the number of an extracted value.
const isVariable = int64(1) << 40

// operand reads a number from lo to hi, or the name of a value that byte_extract or byte_math extracted.
func (b *Builder) operand(s string, lo, hi int64) (int64, error) {
	s = strings.TrimSpace(s)
	base, digits := 10, s
	if rest, ok := strings.CutPrefix(s, "0x"); ok {
		base, digits = 16, rest
	}
	n, err := strconv.ParseInt(digits, base, 64)
	if err != nil {
		if i, ok := b.vars[s]; ok {
			return isVariable + int64(i), nil
		}
		return 0, fmt.Errorf("%q is neither a number nor a value extracted before", s)
	}
	if n < lo || n > hi {
		return 0, fmt.Errorf("%d is not from %d to %d", n, lo, hi)
	}
	return n, nil
}

// value is what an Arg stands for.
func (c *Context) value(arg int64) int64 {
	if arg < isVariable {
		return arg
	}
	if i := arg - isVariable; i < maxExtracted {
		// What is beyond any buffer stays beyond any buffer.
		return int64(min(c.Extracted[i], 1<<40))
	}
	return 0
}

func parseFastPattern(b *Builder, value string) error {
	m, err := b.modify(flagFast)
	if err != nil || value == "" {
		return err
	}
	value = strings.TrimSpace(value)
	if value == "only" {
		m.Flags |= flagFastOnly
		return nil
	}
	off, length, ok := strings.Cut(value, ",")
	if !ok {
		return fmt.Errorf("%q is neither only nor offset,length", value)
	}
	o, err := strconv.ParseUint(strings.TrimSpace(off), 10, 16)
	if err != nil {
		return fmt.Errorf("offset: %w", err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(length), 10, 16)
	if err != nil {
		return fmt.Errorf("length: %w", err)
	}
	m.Arg[argChop] = int64(o<<32 | n)
	return nil
}
