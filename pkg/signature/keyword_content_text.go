package signature

import (
	"errors"
	"fmt"
	"strings"
)

var (
	errEmptyContent = errors.New("an empty content")
	errHexOpen      = errors.New("a | without its end")
)

// negation takes the negation and the quotes off the value in hand: !"text". In "!text" the mark is part of the text.
func (b *Builder) negation(value string) (text string, not, quoted bool) {
	if b.Quoted {
		return value, false, true
	}
	text, not = strings.CutPrefix(value, "!")
	text = strings.TrimSpace(text)
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		return text[1 : len(text)-1], not, true
	}
	return text, not, false
}

// parsePattern reads a content's text: bytes in hex stand between bars, and \ stands before a quote, semicolon, colon, backslash
// or bar that means itself.
func parsePattern(s string) ([]byte, error) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '|':
			n := strings.IndexByte(s[i+1:], '|')
			if n < 0 {
				return nil, errHexOpen
			}
			var err error
			if out, err = appendHex(out, s[i+1:i+1+n]); err != nil {
				return nil, err
			}
			i += n + 1
		case '\\':
			i++
			if i == len(s) || !strings.ContainsRune(`";:\|`, rune(s[i])) {
				return nil, fmt.Errorf("a \\ before %q", s[i:min(i+1, len(s))])
			}
			out = append(out, s[i])
		default:
			out = append(out, s[i])
		}
	}
	if len(out) == 0 {
		return nil, errEmptyContent
	}
	return out, nil
}

// appendHex reads pairs of hex digits with spaces anywhere between them.
func appendHex(out []byte, s string) ([]byte, error) {
	var high byte
	half := false
	for i := range len(s) {
		if s[i] == ' ' {
			continue
		}
		d, ok := hexDigit(s[i])
		if !ok {
			return nil, fmt.Errorf("%q is not hex", s)
		}
		if half {
			out = append(out, high<<4|d)
		}
		high, half = d, !half
	}
	if half {
		return nil, fmt.Errorf("%q has half a byte", s)
	}
	return out, nil
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
