// Package dns reads DNS messages over UDP and TCP (RFC 1035).
package dns

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Protocol is DNS's line in the table of protocols.
func Protocol() *layer.Protocol {
	return &layer.Protocol{Proto: layer.DNS, TCP: true, UDP: true, Ports: []uint16{53}, Hinted: true}
}

var _ = flow.ToServer
