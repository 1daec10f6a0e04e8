package signature

import "strings"

// classtype is the kind of attack; its description is EVE's category.
var classtype = Keyword{
	Name: "classtype", Where: Meta,
	Doc: "the kind of attack, as classification.config names it; it gives the alert its category, and its priority if there is none",
	Parse: func(b *Builder, value string) error {
		if b.has("classtype") {
			return errOnce
		}
		class, ok := b.Env.Classes[strings.ToLower(value)]
		if !ok {
			// Suricata takes the rule, too: a class is a label.
			class = Class{Priority: 3}
		}
		b.Classtype = class.Description
		if !b.has("priority") {
			b.Priority = class.Priority
		}
		return nil
	},
}
