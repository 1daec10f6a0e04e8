package tls

import (
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// attributes are the short names of attributes by OID (RFC 4514, 3; RFC 5280, A.1).
var attributes = map[string]string{
	"\x55\x04\x03": "CN", "\x55\x04\x04": "SN", "\x55\x04\x05": "serialNumber", "\x55\x04\x06": "C", "\x55\x04\x07": "L",
	"\x55\x04\x08": "ST", "\x55\x04\x09": "STREET", "\x55\x04\x0a": "O", "\x55\x04\x0b": "OU", "\x55\x04\x0c": "title",
	"\x55\x04\x0d": "description", "\x55\x04\x0f": "businessCategory", "\x55\x04\x11": "postalCode", "\x55\x04\x29": "name",
	"\x55\x04\x2a": "GN", "\x55\x04\x2b": "initials", "\x55\x04\x2e": "dnQualifier", "\x55\x04\x41": "pseudonym",
	"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19": "DC", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01": "UID",
	"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01":         "emailAddress",
	"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01": "jurisdictionL",
	"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02": "jurisdictionST",
	"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03": "jurisdictionC",
}

// maxOID is how many bytes of an unknown OID are written.
const maxOID = 64

// appendOID adds an attribute's short name, or its OID with dots.
func appendOID(out, id []byte) []byte {
	if name, ok := attributes[string(id)]; ok {
		return append(out, name...)
	}
	var v uint64
	first := true
	for _, c := range id[:min(len(id), maxOID)] {
		v = v<<7 | uint64(c&0x7f)
		if c&0x80 != 0 {
			continue
		}
		if first {
			top := min(v/40, 2)
			out = append(out, '0'+byte(top))
			v -= 40 * top
			first = false
		}
		out = strconv.AppendUint(append(out, '.'), v, 10)
		v = 0
	}
	return out
}

func appendUTF16(out, b []byte) []byte {
	for ; len(b) >= 2; b = b[2:] {
		r := rune(b[0])<<8 | rune(b[1])
		if utf16.IsSurrogate(r) && len(b) >= 4 {
			r = utf16.DecodeRune(r, rune(b[2])<<8|rune(b[3]))
			b = b[2:]
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// seconds reads a date of DER (ITU-T X.690, 11.7, 11.8): YYMMDDHHMMSSZ, years from 1950 on, or YYYYMMDDHHMMSSZ.
func seconds(e element) (unix int64, ok bool) {
	b := e.body
	year := 0
	switch {
	case e.tag == tagUTCTime && len(b) == 13:
		year = two(b)
		if year < 50 {
			year += 100
		}
		year += 1900
		b = b[2:]
	case e.tag == tagTime && len(b) == 15:
		year = 100*two(b) + two(b[2:])
		b = b[4:]
	default:
		return 0, false
	}
	for i, c := range b {
		if i < 10 && (c < '0' || c > '9') || i == 10 && c != 'Z' {
			return 0, false
		}
	}
	month, day, hour, minute, second := two(b), two(b[2:]), two(b[4:]), two(b[6:]), two(b[8:])
	if year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC).Unix(), true
}

func two(b []byte) int {
	if b[0] < '0' || b[0] > '9' || b[1] < '0' || b[1] > '9' {
		return -1 << 16 // too little for any of them
	}
	return int(b[0]-'0')*10 + int(b[1]-'0')
}
