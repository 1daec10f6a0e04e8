package signature

import "strings"

// metadata is what the rule's authors say of it, for EVE.
var metadata = Keyword{
	Name: "metadata", Where: Meta,
	Doc: "keys and values for the alert's metadata: metadata:key value, key value;",
	Parse: func(b *Builder, value string) error {
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			k, v, _ := strings.Cut(part, " ")
			b.Metadata = append(b.Metadata, Pair{k, unescape(strings.TrimSpace(v))})
		}
		return nil
	},
}
