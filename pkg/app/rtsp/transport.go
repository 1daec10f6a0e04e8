package rtsp

import (
	"bytes"
	"net/netip"
	"strconv"

	"citygate/pkg/app/line"
)

// maxTransports of a header are read: clients offer up to about four.
const maxTransports = 8

// Transport is one alternative of a Transport header (RFC 2326, 12.39; RFC 7826, 18.54). What is absent is zero, invalid,
// or for channels -1.
type Transport struct {
	Profile     Profile
	TCP         bool // lower transport; otherwise UDP
	Unicast     bool
	Multicast   bool
	ClientPort  [2]uint16 // first and last
	ServerPort  [2]uint16
	Port        [2]uint16 // of multicast
	Interleaved [2]int16  // channels
	Source      netip.Addr
	Destination netip.Addr
	TTL         uint8
	SSRC        uint32
	HasSSRC     bool
	Mode        Mode
}

// Profile is what is carried.
type Profile uint8

// The profiles of RTP, encrypted or with feedback.
const (
	OtherProfile Profile = iota
	AVP
	SAVP
	AVPF
	SAVPF
)

// Mode is which way the media goes.
type Mode uint8

// The modes.
const (
	Play Mode = iota
	Record
)

// parseTransports reads a Transport header into list.
func parseTransports(list []Transport, value []byte) []Transport {
	for len(value) > 0 && len(list) < maxTransports {
		end := outside(value, ',')
		if t, ok := parseTransport(bytes.Trim(value[:end], " \t")); ok {
			list = append(list, t)
		}
		value = value[min(end+1, len(value)):]
	}
	return list
}

// outside is where a character stands outside of quotes, or the end.
func outside(b []byte, c byte) int {
	quotes := false
	for i, v := range b {
		switch {
		case v == '"':
			quotes = !quotes
		case v == c && !quotes:
			return i
		}
	}
	return len(b)
}

func parseTransport(b []byte) (t Transport, ok bool) {
	end := outside(b, ';')
	if !t.protocol(bytes.Trim(b[:end], " \t")) {
		return t, false
	}
	t.Interleaved = [2]int16{-1, -1}
	for b = b[min(end+1, len(b)):]; len(b) > 0; b = b[min(end+1, len(b)):] {
		end = outside(b, ';')
		name, value, _ := bytes.Cut(b[:end], []byte{'='})
		t.parameter(bytes.Trim(name, " \t"), bytes.Trim(value, " \t"))
	}
	return t, true
}

// protocol reads RTP/AVP/TCP.
func (t *Transport) protocol(b []byte) bool {
	first, rest, _ := bytes.Cut(b, []byte{'/'})
	profile, lower, _ := bytes.Cut(rest, []byte{'/'})
	for p, name := range [...]string{AVP: "avp", SAVP: "savp", AVPF: "avpf", SAVPF: "savpf"} {
		if line.Is(first, "rtp") && line.Is(profile, name) {
			t.Profile = Profile(p)
		}
	}
	t.TCP = line.Is(lower, "tcp")
	return len(first) > 0
}

func (t *Transport) parameter(name, value []byte) {
	list := value // of quoted addresses
	value = bytes.Trim(value, "\"")
	switch {
	case line.Is(name, "unicast"):
		t.Unicast = true
	case line.Is(name, "multicast"):
		t.Multicast = true
	case line.Is(name, "client_port"):
		ports(&t.ClientPort, value)
	case line.Is(name, "server_port"):
		ports(&t.ServerPort, value)
	case line.Is(name, "port"):
		ports(&t.Port, value)
	case line.Is(name, "interleaved"):
		if v, ok := pair(value, 255); ok {
			t.Interleaved = [2]int16{int16(v[0]), int16(v[1])}
		}
	case line.Is(name, "source"):
		t.Source = address(value)
	case line.Is(name, "destination"):
		t.Destination = address(value)
	case line.Is(name, "src_addr"):
		endpoints(&t.Source, &t.ServerPort, list)
	case line.Is(name, "dest_addr"):
		endpoints(&t.Destination, &t.ClientPort, list)
	case line.Is(name, "ttl"):
		if v, ok := line.Number(value, 255); ok {
			t.TTL = uint8(v)
		}
	case line.Is(name, "ssrc"):
		if v, err := strconv.ParseUint(string(value[:min(len(value), 9)]), 16, 32); err == nil {
			t.SSRC, t.HasSSRC = uint32(v), true
		}
	case line.Is(name, "mode"):
		if line.Starts(value, "record") || line.Starts(value, "receive") {
			t.Mode = Record
		}
	}
}

// pair reads "6" or "6-7".
func pair(value []byte, max int) (v [2]int, ok bool) {
	first, second, two := bytes.Cut(value, []byte{'-'})
	if v[0], ok = line.Number(first, max); !ok {
		return v, false
	}
	v[1] = v[0]
	if two {
		if v[1], ok = line.Number(second, max); !ok || v[1] < v[0] {
			return v, false
		}
	}
	return v, true
}

func ports(to *[2]uint16, value []byte) {
	if v, ok := pair(value, 65535); ok {
		*to = [2]uint16{uint16(v[0]), uint16(v[1])}
	}
}

// maxAddress is the length of an IPv6 address with brackets, zone and port.
const maxAddress = 80

func address(value []byte) netip.Addr {
	a, _ := netip.ParseAddr(string(value[:min(len(value), maxAddress)]))
	return a
}

// endpoints reads RTSP 2.0's "192.0.2.5:3456" / "192.0.2.5:3457", where the address may be missing.
func endpoints(to *netip.Addr, port *[2]uint16, value []byte) {
	for i := 0; i < 2 && len(value) > 0; i++ {
		end := outside(value, '/')
		b := bytes.Trim(value[:end], " \t\"")
		value = value[min(end+1, len(value)):]
		colon := bytes.LastIndexByte(b, ':')
		if colon < 0 {
			continue
		}
		if v, ok := line.Number(b[colon+1:], 65535); ok {
			if i == 0 {
				port[0] = uint16(v)
			}
			port[1] = uint16(v)
		}
		if i == 0 {
			*to = address(bytes.Trim(b[:colon], "[]"))
		}
	}
}
