package signature

import (
	"errors"
	"slices"
)

// sid is the rule's number.
var sid = Keyword{
	Name: "sid", Where: Meta,
	Doc: "the rule's number, 1 to 4294967295; each rule must have one",
	Parse: func(b *Builder, value string) error {
		if b.has("sid") {
			return errOnce
		}
		return b.number(&b.SID, value, 1)
	},
}

// rev is the rule's revision.
var rev = Keyword{
	Name: "rev", Where: Meta,
	Doc: "the rule's revision; of two rules with one sid the higher revision is used",
	Parse: func(b *Builder, value string) error {
		if b.has("rev") {
			return errOnce
		}
		return b.number(&b.Rev, value, 0)
	},
}

// gid is the rule's group.
var gid = Keyword{
	Name: "gid", Where: Meta,
	Doc: "the group that sid counts in, 1 if it is not given",
	Parse: func(b *Builder, value string) error {
		if b.has("gid") {
			return errOnce
		}
		return b.number(&b.GID, value, 1)
	},
}

var errOnce = errors.New("a rule may have it only once")

// has says whether an option came before.
func (b *Builder) has(name string) bool { return slices.Contains(b.names, name) }

func (b *Builder) number(to *uint32, value string, low uint64) error {
	n, err := parseNumber(value, low, 1<<32-1)
	*to = uint32(n)
	return err
}
