// Package ssh reads the identification lines of SSH (RFC 4253, 4.2): protocol and software version of both sides.
package ssh

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Protocol is SSH's line in the table of protocols.
func Protocol() *layer.Protocol {
	return &layer.Protocol{Proto: layer.SSH, TCP: true, Ports: []uint16{22}, Probe: probe}
}

const magic = "SSH-"

func probe(_ flow.Direction, data []byte) layer.Answer {
	n := min(len(data), len(magic))
	switch {
	case string(data[:n]) != magic[:n]:
		return layer.No
	case n < len(magic):
		return layer.More
	}
	return layer.Yes
}
