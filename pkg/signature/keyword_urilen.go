package signature

import (
	"fmt"
	"strings"

	"citygate/pkg/app/layer"
)

// urilen compares the size of the URI: urilen:n, <n, >n, a<>b, and then ,norm (normalised, as without it) or ,raw. It is bsize on
// http.uri or http.uri.raw.
var urilen = Keyword{Name: "urilen", Where: InBuffer, Parse: parseURILen, Eval: evalSize, Doc: "the size of the URI in bytes; ,raw: as it was sent"}

func parseURILen(b *Builder, value string) error {
	size, form, _ := strings.Cut(value, ",")
	buffer := layer.HTTPURI
	switch strings.TrimSpace(form) {
	case "", "norm":
	case "raw":
		buffer = layer.HTTPURIRaw
	default:
		return fmt.Errorf("%q is neither norm nor raw", strings.TrimSpace(form))
	}
	r, err := parseRange(size, 0, maxOffset)
	if err != nil {
		return err
	}
	m := r.match()
	m.Kind = b.kind
	// The modifiers that follow are still about the content before.
	last := b.last
	b.addTo(b.listOf(buffer), m)
	b.last = last
	return nil
}
