package signature

import "errors"

// noalert makes a rule silent: it sets bits and says nothing.
var noalert = Keyword{
	Name: "noalert", Where: Meta,
	Doc: "the rule acts and says nothing",
	Parse: func(b *Builder, value string) error {
		b.Flags |= NoAlert
		return noValue(value)
	},
}

// alerts is the opposite: what rules do anyway, but for those that pass.
var alerts = Keyword{
	Name: "alert", Where: Meta,
	Doc: "the rule says what it matches: pass rules are silent without it",
	Parse: func(b *Builder, value string) error {
		b.Flags = b.Flags&^NoAlert | Says
		return noValue(value)
	},
}

var errValue = errors.New("it takes no value")

func noValue(value string) error {
	if value != "" {
		return errValue
	}
	return nil
}
