package signature

import (
	"errors"
	"strings"
)

// reference is where to read about it.
var reference = Keyword{
	Name: "reference", Where: Meta,
	Doc: "where to read more: reference:cve,2021-36260; the systems are those of reference.config",
	Parse: func(b *Builder, value string) error {
		system, id, ok := strings.Cut(value, ",")
		system, id = strings.ToLower(strings.TrimSpace(system)), unescape(strings.TrimSpace(id))
		if !ok || system == "" || id == "" {
			return errors.New("write system,id, such as cve,2021-36260 or url,example.org/page")
		}
		prefix, known := b.Env.References[system]
		if !known {
			prefix = system + ":" // Suricata takes the rule, too
		}
		b.References = append(b.References, prefix+id)
		return nil
	},
}
