package onvif

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// decode gives a document as UTF-8 (XML 1.0, appendix F): UTF-16 with a byte order mark, or without one when it begins
// with "<", is converted into scratch, which grows to at most MaxDocument and is used again.
func decode(b, scratch []byte) (out, kept []byte) {
	switch {
	case bytes.HasPrefix(b, []byte{0xef, 0xbb, 0xbf}):
		return b[3:], scratch
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		scratch = fromUTF16(scratch[:0], b[2:], 0)
		return scratch, scratch
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		scratch = fromUTF16(scratch[:0], b[2:], 1)
		return scratch, scratch
	case bytes.HasPrefix(b, []byte{'<', 0}):
		scratch = fromUTF16(scratch[:0], b, 0)
		return scratch, scratch
	case bytes.HasPrefix(b, []byte{0, '<'}):
		scratch = fromUTF16(scratch[:0], b, 1)
		return scratch, scratch
	}
	return b, scratch
}

// foreign says that a document begins in UTF-32 or EBCDIC, which no camera is known to read.
func foreign(b []byte) bool {
	for _, mark := range []string{"\x00\x00\x00<", "<\x00\x00\x00", "\xff\xfe\x00\x00", "\x00\x00\xfe\xff", "\x4c\x6f\xa7\x94"} {
		if bytes.HasPrefix(b, []byte(mark)) {
			return true
		}
	}
	return false
}

// fromUTF16 appends text; big is 1 for big endian, 0 for little endian.
func fromUTF16(dst, b []byte, big int) []byte {
	unit := func(i int) rune { return rune(b[i+1-big])<<8&0xff00 | rune(b[i+big]) }
	for i := 0; i+1 < len(b) && len(dst) < MaxDocument; i += 2 {
		r := unit(i)
		if utf16.IsSurrogate(r) {
			second := rune(0)
			if i+3 < len(b) {
				second = unit(i + 2)
			}
			if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
				i += 2
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// asciiFamilies are beginnings of the names of encodings in which tags are ASCII.
var asciiFamilies = []string{"utf-8", "utf8", "us-ascii", "ascii", "iso-8859", "iso8859", "windows-", "gb", "big5", "euc-", "shift_jis", "koi8", "latin", "utf-16", "utf16"}

// asciiEncoding says whether an XML declaration names an encoding that can be read here. UTF-16 counts: what came as
// UTF-16 is UTF-8 by now, and what only says so is read as the bytes it has, like most devices do.
func asciiEncoding(declaration []byte) bool {
	i := bytes.Index(declaration, []byte("encoding"))
	if i < 0 {
		return true
	}
	v := bytes.TrimLeft(declaration[i+len("encoding"):], " \t\r\n=\"'")
	for _, f := range asciiFamilies {
		if hasPrefixFold(v, f) {
			return true
		}
	}
	return false
}

// appendText appends character data with its references replaced (XML 1.0, 4.1): the five names and numbers. Other
// entities stay as they are, since nothing declares them.
func appendText(dst, b []byte) []byte {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '&')
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		b = b[i:]
		r, n := reference(b)
		if n == 0 {
			dst, b = append(dst, '&'), b[1:]
			continue
		}
		dst, b = utf8.AppendRune(dst, r), b[n:]
	}
	return dst
}

const maxReference = 12 // bytes of a reference with & and ;

// reference reads a reference at the start of b: the character and how many bytes it took, 0 if it is none.
func reference(b []byte) (r rune, n int) {
	end := bytes.IndexByte(b[:min(len(b), maxReference)], ';')
	if end < 2 {
		return 0, 0
	}
	switch name := b[1:end]; string(name) {
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "amp":
		return '&', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	default:
		if r, ok := number(name); ok {
			return r, end + 1
		}
		return 0, 0
	}
}

// number reads #65 or #x41.
func number(name []byte) (r rune, ok bool) {
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], rune(10)
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	for _, c := range digits {
		var v rune
		switch {
		case c >= '0' && c <= '9':
			v = rune(c - '0')
		case base == 16 && c|0x20 >= 'a' && c|0x20 <= 'f':
			v = rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
		r = r*base + v
	}
	return r, len(digits) > 0
}
