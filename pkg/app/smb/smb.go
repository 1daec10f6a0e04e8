// Package smb recognises SMB 1 to 3 over NetBIOS sessions and over TCP directly. It has no parser: signatures see the stream.
package smb

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Protocol is SMB's line in the table of protocols.
func Protocol() *layer.Protocol {
	return &layer.Protocol{Proto: layer.SMB, TCP: true, Ports: []uint16{139, 445}, Probe: probe}
}

const (
	sessionMessage = 0x00 // RFC 1002, 4.3.1; also the first byte of the direct TCP transport (MS-SMB2, 2.1)
	sessionRequest = 0x81
	sessionOK      = 0x82
	sessionNo      = 0x83
	nameLen        = 34 // of an encoded NetBIOS name with its length and end (RFC 1001, 14.1)
	headerLen      = 8  // of the transport and SMB's magic
)

// probe looks for a message with SMB's magic, or for the opening of a NetBIOS session.
func probe(d flow.Direction, data []byte) layer.Answer {
	if len(data) == 0 {
		return layer.More
	}
	switch data[0] {
	case sessionMessage:
		return probeMessage(data)
	case sessionRequest:
		return prefix(data, sessionRequest, 0, 0, 2*nameLen, nameLen-2)
	case sessionOK:
		return prefix(data, sessionOK, 0, 0, 0)
	case sessionNo:
		return prefix(data, sessionNo, 0, 0, 1)
	}
	return layer.No
}

// probeMessage looks for \xffSMB (version 1), \xfeSMB (2 and 3), \xfdSMB (encrypted) or \xfcSMB (compressed).
func probeMessage(data []byte) layer.Answer {
	if len(data) > 4 && (data[4] < 0xfc || !magic(data[5:min(len(data), headerLen)])) {
		return layer.No
	}
	if len(data) < headerLen {
		return layer.More
	}
	return layer.Yes
}

func magic(b []byte) bool { return string(b) == "SMB"[:len(b)] }

// prefix says whether data begins as wanted.
func prefix(data []byte, want ...byte) layer.Answer {
	for i, b := range want {
		if i == len(data) {
			return layer.More
		}
		if data[i] != b {
			return layer.No
		}
	}
	return layer.Yes
}
