package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// certificate is an X.509 certificate that nobody signed.
type certificate struct {
	serial          []byte
	subject, issuer name
	opaque          []byte // bytes in an extension that no one knows
}

// name is a distinguished name.
type name []attribute

type attribute struct{ key, value string }

// The attributes of names (RFC 4519), by how Suricata writes them.
var attributes = map[string]byte{"CN": 3, "SN": 4, "serialNumber": 5, "C": 6, "L": 7, "ST": 8, "STREET": 9, "O": 10, "OU": 11}

func (n name) String() string {
	var parts []string
	for _, a := range n {
		parts = append(parts, a.key+"="+a.value)
	}
	return strings.Join(parts, ", ")
}

// parseName reads what String writes; nil if it is none.
func parseName(s string) name {
	var n name
	for _, part := range strings.Split(s, ", ") {
		key, value, ok := strings.Cut(part, "=")
		switch {
		case ok && (attributes[key] != 0 || key == "emailAddress"):
			n = append(n, attribute{key, value})
		case n == nil:
			return nil
		default:
			n[len(n)-1].value += ", " + part
		}
	}
	for _, a := range n {
		if a.value == "" || !isValue(a.value) {
			return nil
		}
	}
	return n
}

// distinguished are the ways to make a name of a text.
func distinguished(b []byte) []repaired {
	return ways(b, []string{"", "CN=", "C=US, CN=", "C=US, O"}, []string{"", "x", "=x", ", CN=x"})
}

// serial reads hexadecimal bytes with colons between.
func serial(s string) ([]byte, bool) {
	var out []byte
	for _, part := range strings.Split(s, ":") {
		v, err := strconv.ParseUint(part, 16, 8)
		if err != nil || len(part) != 2 {
			return nil, false
		}
		out = append(out, byte(v))
	}
	return out, true
}

func serialText(b []byte) string {
	var parts []string
	for _, c := range b {
		parts = append(parts, fmt.Sprintf("%02X", c))
	}
	return strings.Join(parts, ":")
}

// tlv is a DER element (X.690, 8.1).
func tlv(tag byte, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	n := len(body)
	switch {
	case n < 128:
		return append([]byte{tag, byte(n)}, body...)
	case n < 256:
		return append([]byte{tag, 0x81, byte(n)}, body...)
	}
	return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, body...)
}

func (n name) der() []byte {
	var sets [][]byte
	for _, a := range n {
		id, text := []byte{0x55, 4, attributes[a.key]}, byte(12)
		if a.key == "emailAddress" {
			id, text = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1}, 22
		}
		if a.key == "C" {
			text = 19
		}
		sets = append(sets, tlv(0x31, tlv(0x30, tlv(6, id), tlv(text, []byte(a.value)))))
	}
	return tlv(0x30, sets...)
}

// der is the certificate's bytes (RFC 5280, 4.1).
func (c *certificate) der() []byte {
	rsa := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1}
	signed := tlv(0x30, tlv(6, append(rsa[:8:8], 11)), tlv(5))
	key := tlv(0x30, tlv(2, append([]byte{0, 0xc1}, slices.Repeat([]byte{0x35}, 127)...)), tlv(2, []byte{1, 0, 1}))
	parts := [][]byte{
		tlv(0xa0, tlv(2, []byte{2})), tlv(2, c.serial), signed, c.issuer.der(),
		tlv(0x30, tlv(23, []byte("240101000000Z")), tlv(23, []byte("340101000000Z"))), c.subject.der(),
		tlv(0x30, tlv(0x30, tlv(6, append(rsa[:8:8], 1)), tlv(5)), tlv(3, []byte{0}, key)),
	}
	if c.opaque != nil {
		parts = append(parts, tlv(0xa3, tlv(0x30, tlv(0x30, tlv(6, []byte{0x2b, 6, 1, 4, 1, 0x82, 0x37, 99}), tlv(4, c.opaque)))))
	}
	return tlv(0x30, tlv(0x30, parts...), signed, tlv(3, append([]byte{0}, slices.Repeat([]byte{0x44}, 128)...)))
}
