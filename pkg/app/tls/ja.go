package tls

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
)

// ja3 is version, ciphers, extensions, groups and point formats in decimal.
func ja3(out []byte, f *fields) []byte {
	out = appendNumber(out, f.version)
	for _, l := range []*list{&f.ciphers, &f.extensions, &f.groups, &f.points} {
		out = joined(out, l.all())
	}
	return out
}

// joined adds a comma and numbers in decimal with dashes between them.
func joined(out []byte, numbers []uint16) []byte {
	out = append(out, ',')
	for i, v := range numbers {
		if i > 0 {
			out = append(out, '-')
		}
		out = appendNumber(out, v)
	}
	return out
}

func appendNumber(out []byte, v uint16) []byte { return strconv.AppendUint(out, uint64(v), 10) }

const (
	ja4Len   = 36 // t13d1516h2_8daaf6152771_e5627efa2ab1
	ja4Hash  = 12 // hex digits of a hash
	ja4Empty = "000000000000"
)

// ja4 is the JA4 of a client's hello over TCP (FoxIO, technical details of JA4: the TLS client part, which is free to use).
func ja4(f *fields) (out [ja4Len]byte) {
	b := append(out[:0], 't')
	b = append(b, ja4Version(f.most)...)
	if f.sni {
		b = append(b, 'd')
	} else {
		b = append(b, 'i')
	}
	b = twoDigits(twoDigits(b, f.ciphers.n), f.extensions.n)
	if f.alpn[0] == 0 {
		f.alpn = [2]byte{'0', '0'}
	}
	b = append(b, f.alpn[:]...)

	var room [5 * (2*maxList + 1)]byte
	slices.Sort(f.ciphers.all())
	text := hexes(room[:0], f.ciphers.all(), false)
	b = shortHash(append(b, '_'), text)

	slices.Sort(f.extensions.all())
	text = hexes(room[:0], f.extensions.all(), true)
	if f.sig.n > 0 {
		text = hexes(append(text, '_'), f.sig.all(), false)
	}
	if f.extensions.n == 0 {
		text = text[:0]
	}
	shortHash(append(b, '_'), text)
	return out
}

func ja4Version(v uint16) string {
	switch v {
	case TLS13:
		return "13"
	case TLS12:
		return "12"
	case TLS11:
		return "11"
	case TLS10:
		return "10"
	case SSL3:
		return "s3"
	case SSL2:
		return "s2"
	}
	return "00"
}

// ja4ALPN is the first and the last character of a protocol's name; of its hex digits if they are not both letters or digits.
func ja4ALPN(name []byte) [2]byte {
	const digits = "0123456789abcdef"
	a, z := name[0], name[len(name)-1]
	if alphanumeric(a) && alphanumeric(z) {
		return [2]byte{a, z}
	}
	return [2]byte{digits[a>>4], digits[z&15]}
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func twoDigits(b []byte, n int) []byte {
	n = min(n, 99)
	return append(b, '0'+byte(n/10), '0'+byte(n%10))
}

// hexes adds numbers in hex with commas between them; named leaves out server name and ALPN.
func hexes(out []byte, numbers []uint16, named bool) []byte {
	first := true
	for _, v := range numbers {
		if named && (v == extServerName || v == extALPN) {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = hex.AppendEncode(out, []byte{byte(v >> 8), byte(v)})
	}
	return out
}

func shortHash(b, text []byte) []byte {
	if len(text) == 0 {
		return append(b, ja4Empty...)
	}
	sum := sha256.Sum256(text)
	var digits [2 * sha256.Size]byte
	hex.Encode(digits[:], sum[:])
	return append(b, digits[:ja4Hash]...)
}
