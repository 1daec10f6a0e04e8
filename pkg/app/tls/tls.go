// Package tls reads the handshakes of TLS 1.0 to 1.3 and SSL 2 and 3: hellos, certificates and alerts.
package tls

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Protocol is TLS's line in the table of protocols.
func Protocol() *layer.Protocol {
	return &layer.Protocol{
		Proto: layer.TLS, TCP: true, Ports: []uint16{443}, Probe: probe, Events: events,
		New: func(p *layer.Pool) layer.Parser { return &parser{pool: p} },
	}
}

// Types of records (RFC 8446, 5.1; RFC 6520, 3).
const (
	recordChange    = 20
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
	recordHeartbeat = 24
)

// Versions on the wire.
const (
	SSL2  = 0x0002
	SSL3  = 0x0300
	TLS10 = 0x0301
	TLS11 = 0x0302
	TLS12 = 0x0303
	TLS13 = 0x0304
)

// VersionName is a version's name in EVE.
func VersionName(v uint16) string {
	switch v {
	case SSL2:
		return "SSLv2"
	case SSL3:
		return "SSLv3"
	case TLS10:
		return "TLSv1"
	case TLS11:
		return "TLS 1.1"
	case TLS12:
		return "TLS 1.2"
	case TLS13:
		return "TLS 1.3"
	}
	if v>>8 == 0x7f {
		return "TLS 1.3 draft"
	}
	return "UNDETERMINED"
}

// probe looks for the type and version of a record, or for the hello of SSL 2.
func probe(d flow.Direction, data []byte) layer.Answer {
	if len(data) == 0 {
		return layer.More
	}
	if data[0]&0x80 != 0 {
		return probeSSL2(d, data)
	}
	if data[0] < recordChange || data[0] > recordHeartbeat || len(data) > 1 && data[1] != 3 || len(data) > 2 && data[2] > 4 {
		return layer.No
	}
	if len(data) < 3 {
		return layer.More
	}
	return layer.Yes
}

// probeSSL2 looks for a record of SSL 2 with a hello: two bytes of length, then type and version. A server's hello has
// two more bytes before its version (the SSL Protocol, 1995, 2.6).
func probeSSL2(d flow.Direction, data []byte) layer.Answer {
	kind, version := byte(ssl2ClientHello), 3
	if d == flow.ToClient {
		kind, version = ssl2ServerHello, 5
	}
	switch {
	case len(data) > 2 && data[2] != kind:
		return layer.No
	case len(data) > version && data[version] != 0 && (data[version] != 3 || kind == ssl2ServerHello):
		return layer.No
	case len(data) < version+2:
		return layer.More
	case data[version] == 0 && data[version+1] != 2, data[version+1] > 4:
		return layer.No
	}
	return layer.Yes
}
