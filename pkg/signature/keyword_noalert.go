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

// alerts is the opposite, which is the rule anyway.
var alerts = Keyword{
	Name: "alert", Where: Meta,
	Doc: "the rule says what it matches, which is so without the word, too",
	Parse: func(b *Builder, value string) error {
		b.Flags &^= NoAlert
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
