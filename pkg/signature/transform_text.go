package signature

import (
	"bytes"
	"errors"
)

// The transformations of text, which take no options.
var (
	dotPrefix = plainTransform("dotprefix", "puts a dot before the value: .example.com then ends names and their parents alike",
		func(in, out []byte) []byte { return append(append(out, '.'), in...) })
	stripWhitespace    = plainTransform("strip_whitespace", "leaves white space out", stripSpace)
	compressWhitespace = plainTransform("compress_whitespace", "leaves one of several white spaces", compressSpace)
	toLowercase        = plainTransform("to_lowercase", "ASCII in lower case", func(in, out []byte) []byte {
		for _, b := range in {
			out = append(out, lower[b])
		}
		return out
	})
	toUppercase = plainTransform("to_uppercase", "ASCII in upper case", func(in, out []byte) []byte {
		for _, b := range in {
			if 'a' <= b && b <= 'z' {
				b ^= 0x20
			}
			out = append(out, b)
		}
		return out
	})
	urlDecode          = plainTransform("url_decode", "%xx is a byte, + is a space", decodeURL)
	headerLowercase    = plainTransform("header_lowercase", "the names of headers in lower case", lowerHeaders)
	stripPseudoHeaders = plainTransform("strip_pseudo_headers", "leaves lines out that begin with a colon", stripPseudo)
)

var errNoValue = errors.New("it takes no value")

func plainTransform(name, doc string, apply func(in, out []byte) []byte) Keyword {
	return Keyword{
		Name: name, Where: OnValue, Doc: doc,
		Parse: func(b *Builder, value string) error {
			if value != "" {
				return errNoValue
			}
			return b.transform(Match{})
		},
		Apply: func(_ *Context, _ *Match, in, out []byte) []byte { return apply(in, out) },
	}
}

func isSpace(b byte) bool { return b == ' ' || '\t' <= b && b <= '\r' }

func stripSpace(in, out []byte) []byte {
	for _, b := range in {
		if !isSpace(b) {
			out = append(out, b)
		}
	}
	return out
}

func compressSpace(in, out []byte) []byte {
	before := false
	for _, b := range in {
		space := isSpace(b)
		if !space || !before {
			out = append(out, b)
		}
		before = space
	}
	return out
}

func decodeURL(in, out []byte) []byte {
	for i := 0; i < len(in); i++ {
		b := in[i]
		switch {
		case b == '+':
			b = ' '
		case b == '%' && i+2 < len(in):
			high, ok1 := hexDigit(in[i+1])
			low, ok2 := hexDigit(in[i+2])
			if ok1 && ok2 {
				b = high<<4 | low
				i += 2
			}
		}
		out = append(out, b)
	}
	return out
}

func lowerHeaders(in, out []byte) []byte {
	name := true
	for i, b := range in {
		switch {
		case b == '\n':
			name = true
		case b == ':' && i > 0 && in[i-1] != '\n': // the name of a pseudo header begins with a colon
			name = false
		}
		if name {
			b = lower[b]
		}
		out = append(out, b)
	}
	return out
}

func stripPseudo(in, out []byte) []byte {
	for len(in) > 0 {
		n := bytes.IndexByte(in, '\n') + 1
		if n == 0 {
			n = len(in)
		}
		if in[0] != ':' {
			out = append(out, in[:n]...)
		}
		in = in[n:]
	}
	return out
}
