package packet

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"citygate/pkg/flow"
)

// dhcp is a message about macA, with 10.0.0.11 as yiaddr.
func dhcp(op byte, options string) []byte {
	b := make([]byte, fixedDHCP)
	b[0], b[1], b[2] = op, 1, 6
	copy(b[16:], raw("0a00000b"))
	copy(b[28:], macA[:])
	copy(b[236:], raw("63825363"))
	return append(b, raw(options)...)
}

const (
	ackOptions      = "350105 3604 0a000002 3304 00000e10 00 0104ffffff00 ff 3604ffffffff"
	discoverOptions = "350101 3707 0103060c0f1c2a 0c06 63616d2d3100 3c0c 756468637020312e33352e30 ff"
)

var (
	ack      = dhcp(2, ackOptions)
	discover = dhcp(1, discoverOptions)
)

func TestParseDHCP(t *testing.T) {
	m, err := ParseDHCP(ack)
	if err != nil {
		t.Fatal(err)
	}
	want := DHCP{
		Type: DHCPAck, Reply: true, Client: macA, Lease: time.Hour,
		Assigned: netip.MustParseAddr("10.0.0.11"), Server: netip.MustParseAddr("10.0.0.2"),
	}
	if m != want {
		t.Errorf("ack: got %+v, want %+v", m, want)
	}

	m, err = ParseDHCP(discover)
	if err != nil {
		t.Fatal(err)
	}
	if m.Type != DHCPDiscover || m.Reply || m.Hostname != "cam-1" || m.VendorClass != "udhcp 1.35.0" ||
		string(m.Parameters[:m.ParameterN]) != "\x01\x03\x06\x0c\x0f\x1c\x2a" {
		t.Errorf("discover: got %+v", m)
	}
}

func TestParseDHCPCut(t *testing.T) {
	cut := fixedDHCP + 3 + 6 + 3 // in the lease
	m, err := ParseDHCP(ack[:cut])
	if err != nil || m.Type != DHCPAck || !m.Server.IsValid() || m.Lease != 0 {
		t.Errorf("got %+v, %v", m, err)
	}
}

// A stranger's name must not reach a terminal as it is.
func TestParseDHCPHostname(t *testing.T) {
	for in, want := range map[string]string{
		"1b5b324a63":             "?[2Jc",
		"ff63":                   "?c",
		"6300":                   "c",
		strings.Repeat("61", 80): strings.Repeat("a", 64),
	} {
		size := len(in) / 2
		m, err := ParseDHCP(append(dhcp(1, "350101 0c"), append([]byte{byte(size)}, raw(in)...)...))
		if err != nil || m.Hostname != want {
			t.Errorf("%s: got %q, %v, want %q", in, m.Hostname, err, want)
		}
	}
}

var badDHCP = map[string][]byte{
	"short":    ack[:fixedDHCP-1],
	"op":       dhcp(3, ackOptions),
	"htype":    edit(ack, 1, 6),
	"hlen":     edit(ack, 2, 16),
	"magic":    edit(ack, 236, 0),
	"no type":  dhcp(2, "3604 0a000002 ff"),
	"cut type": dhcp(2, "3501"),
	"long":     dhcp(2, "35020505 ff"),
}

func TestParseDHCPBad(t *testing.T) {
	for name, b := range badDHCP {
		if m, err := ParseDHCP(b); err == nil || m != (DHCP{}) {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
	}
	// An address that nobody can have is no assignment.
	for _, a := range []string{"00000000", "ffffffff", "e0000001", "7f000001"} {
		b := dhcp(2, ackOptions)
		copy(b[16:], raw(a))
		if m, err := ParseDHCP(b); err != nil || m.Assigned.IsValid() {
			t.Errorf("yiaddr %s: got %+v, %v", a, m, err)
		}
	}
}

func FuzzParseDHCP(f *testing.F) {
	f.Add(ack)
	f.Add(discover)
	for _, b := range badDHCP {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseDHCP(b)
		if (err != nil) != (m == DHCP{}) {
			t.Fatalf("got %+v, %v", m, err)
		}
		if err == nil && (m.Type == 0 || len(m.Hostname) > 3*maxText || m.Client == (flow.MAC{}) != (flow.MAC(b[28:34]) == flow.MAC{})) {
			t.Fatalf("got %+v", m)
		}
	})
}
