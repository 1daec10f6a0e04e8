package signature

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"citygate/pkg/app"
	"citygate/pkg/app/layer"
)

// NewEnv is an environment with the default variables, classes and references, and no symbols.
func NewEnv() *Env {
	return &Env{
		Vars: DefaultVars(), Classes: DefaultClasses(), References: DefaultReferences(), Symbols: &Symbols{},
		protocols: app.Protocols(),
	}
}

// transports are the IP protocols that an application protocol is spoken over.
func (e *Env) transports(p layer.Proto) (s Protocols) {
	for _, line := range e.table() {
		if line.Proto != p {
			continue
		}
		if line.TCP {
			s.Add(ipTCP)
		}
		if line.UDP {
			s.Add(ipUDP)
		}
	}
	if s == (Protocols{}) { // a protocol that is in no table comes over either
		s.Add(ipTCP)
		s.Add(ipUDP)
	}
	return s
}

// table is the table of protocols, made once.
func (e *Env) table() []*layer.Protocol {
	if e.protocols == nil {
		e.protocols = app.Protocols()
	}
	return e.protocols
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// parseNumber reads a decimal number.
func parseNumber(s string, low, high uint64) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q is no number from %d to %d", shorten(s), low, high)
	}
	return n, nil
}
