// Package tls reads the handshakes of TLS 1.0 to 1.3 and SSL 2 and 3: hellos, certificates and alerts.
package tls

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Protocol is TLS's line in the table of protocols.
func Protocol() *layer.Protocol {
	return &layer.Protocol{Proto: layer.TLS, TCP: true, Ports: []uint16{443}, Probe: probe}
}

// Types of records (RFC 8446, 5.1; RFC 6520, 3).
const (
	recordChange    = 20
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
	recordHeartbeat = 24
)

// probe looks for the type and version of a record, or for the hello of SSL 2.
func probe(d flow.Direction, data []byte) layer.Answer {
	if len(data) == 0 {
		return layer.More
	}
	if data[0]&0x80 != 0 {
		return probeSSL2(data)
	}
	if data[0] < recordChange || data[0] > recordHeartbeat || len(data) > 1 && data[1] != 3 || len(data) > 2 && data[2] > 4 {
		return layer.No
	}
	if len(data) < 3 {
		return layer.More
	}
	return layer.Yes
}

// probeSSL2 looks for a record of SSL 2 with a hello: two bytes of length, then type and version.
func probeSSL2(data []byte) layer.Answer {
	if len(data) > 2 && data[2] != 1 && data[2] != 4 {
		return layer.No
	}
	version := 3 // a server's hello has two more bytes before its version (SSL 2.0 specification, 5.6)
	if len(data) > 2 && data[2] == 4 {
		version = 5
	}
	if len(data) < version+2 {
		return layer.More
	}
	if data[version] == 0 && data[version+1] == 2 || data[2] == 1 && data[version] == 3 && data[version+1] <= 4 {
		return layer.Yes
	}
	return layer.No
}
