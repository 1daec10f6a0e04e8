package signature

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// tag asks Suricata to log the packets that follow. There is no log of packets here, so it changes nothing; what it says is
// still checked.
var tag = Keyword{
	Name: "tag", Where: Meta,
	Doc: "no effect: it asks for a log of the packets that follow, and alerts are the same without: tag:session|host[,N,packets|bytes|seconds[,src|dst]]",
	Parse: func(_ *Builder, value string) error {
		parts := strings.Split(value, ",")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		if parts[0] != "session" && parts[0] != "host" {
			return fmt.Errorf("%q is neither session nor host", shorten(parts[0]))
		}
		if len(parts) > 1 {
			if _, err := parseNumber(parts[1], 0, 1<<32-1); err != nil {
				return err
			}
		}
		if len(parts) > 2 && !slices.Contains([]string{"packets", "bytes", "seconds"}, parts[2]) {
			return fmt.Errorf("%q is none of packets, bytes, seconds", shorten(parts[2]))
		}
		if len(parts) > 3 && parts[3] != "src" && parts[3] != "dst" || len(parts) > 4 || len(parts) == 2 {
			return errors.New("write session or host, and then number,packets|bytes|seconds,src|dst")
		}
		return nil
	},
}

// prefilter advises Suricata how to look for the rule first. Here the compiler decides.
var prefilterAdvice = Keyword{
	Name: "prefilter", Where: Meta,
	Doc:   "no effect: it advises how the rule is looked for first, which is decided here without it",
	Parse: func(_ *Builder, value string) error { return noValue(value) },
}

// bypass ends the inspection of the flow.
var bypass = Keyword{
	Name: "bypass", Where: Meta,
	Doc: "a match ends the inspection of the flow",
	Parse: func(b *Builder, value string) error {
		b.Flags |= Bypass
		return noValue(value)
	},
}
