package packet

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"citygate/pkg/flow"
)

// UDP ports of DHCP (RFC 2131, 4.1).
const (
	DHCPServerPort = 67
	DHCPClientPort = 68
)

// DHCPType is a DHCP message type (RFC 2132, 9.6).
type DHCPType uint8

// The types that a binding depends on, and those a client introduces itself with.
const (
	DHCPDiscover DHCPType = 1
	DHCPRequest  DHCPType = 3
	DHCPAck      DHCPType = 5
)

// DHCP is a DHCPv4 message. What the message does not have, or has behind the captured bytes, is zero.
type DHCP struct {
	Type     DHCPType
	Reply    bool // from a server
	Client   flow.MAC
	Assigned netip.Addr // of a reply: the address that the client now has
	Server   netip.Addr
	Lease    time.Duration

	// What the client says of itself: not trusted, cut to 64 bytes, printable.
	Hostname    string
	VendorClass string
	Parameters  [32]uint8 // option 55: the first of what it asks for, in its order
	ParameterN  int
}

// DHCP options (RFC 2132).
const (
	optionPad         = 0
	optionHostname    = 12
	optionLease       = 51
	optionType        = 53
	optionServer      = 54
	optionParameters  = 55
	optionVendorClass = 60
	optionEnd         = 255
)

// fixedDHCP is the size of the fields before the options, the magic cookie included (RFC 2131, 2).
const (
	fixedDHCP = 240
	magicDHCP = 0x63825363
)

// maxText is how much in bytes of a text that a stranger chose is kept.
const maxText = 64

// ParseDHCP reads the payload of a UDP datagram. It may be cut among the options: those before the cut count. Options in
// the fields sname and file (RFC 2132, 9.3) are not read, nor the second part of a split option (RFC 3396).
func ParseDHCP(b []byte) (DHCP, error) {
	switch {
	case len(b) < fixedDHCP:
		return DHCP{}, errors.New("dhcp message is shorter than its fixed fields")
	case b[0] != 1 && b[0] != 2:
		return DHCP{}, errors.New("dhcp message is neither request nor reply")
	case b[1] != 1 || b[2] != 6:
		return DHCP{}, errors.New("dhcp message is not about an Ethernet address")
	case binary.BigEndian.Uint32(b[236:]) != magicDHCP:
		return DHCP{}, errors.New("dhcp message has no magic cookie")
	}
	m := DHCP{Reply: b[0] == 2, Client: flow.MAC(b[28:34])}
	if a := addr4(b[16:20]); a.IsGlobalUnicast() {
		m.Assigned = a
	}
	for o := b[fixedDHCP:]; len(o) > 0 && o[0] != optionEnd; {
		if o[0] == optionPad {
			o = o[1:]
			continue
		}
		if len(o) < 2 || len(o) < 2+int(o[1]) {
			break
		}
		m.option(o[0], o[2:2+int(o[1])])
		o = o[2+int(o[1]):]
	}
	if m.Type == 0 {
		return DHCP{}, errors.New("dhcp message has no type")
	}
	return m, nil
}

// option takes the first option of a kind that has a valid length.
func (m *DHCP) option(kind uint8, b []byte) {
	switch {
	case kind == optionType && len(b) == 1 && m.Type == 0:
		m.Type = DHCPType(b[0])
	case kind == optionServer && len(b) == 4 && !m.Server.IsValid():
		m.Server = addr4(b)
	case kind == optionLease && len(b) == 4 && m.Lease == 0:
		m.Lease = time.Duration(binary.BigEndian.Uint32(b)) * time.Second
	case kind == optionHostname && m.Hostname == "":
		m.Hostname = printable(b)
	case kind == optionVendorClass && m.VendorClass == "":
		m.VendorClass = printable(b)
	case kind == optionParameters && m.ParameterN == 0:
		m.ParameterN = copy(m.Parameters[:], b)
	}
}

// printable makes a text that is safe to show of bytes that a stranger chose.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.TrimRight(string(b[:min(len(b), maxText)]), "\x00 "))
}
