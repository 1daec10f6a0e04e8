package signature

import (
	"fmt"
	"strings"
)

// base64Decode decodes base64 in the buffer for base64_data: base64_decode[:bytes n][,offset n][,relative]. It matches if there is at
// least a byte. Match: Arg[0] is how many characters at most (0: all), Arg[1] the offset.
var base64Decode = Keyword{
	Name: "base64_decode", Where: InBuffer, Parse: parseBase64Decode, Eval: evalBase64Decode,
	Doc: "decodes base64 in the buffer; base64_data is what it gives",
}

// maxBase64 is how many characters are decoded: Suricata's limit.
const maxBase64 = 65535

func parseBase64Decode(b *Builder, value string) error {
	var m Match
	for _, o := range splitOptions(value) {
		name, v, _ := strings.Cut(o, " ")
		var err error
		switch name {
		case "":
		case "bytes":
			m.Arg[0], err = b.operand(v, 1, maxBase64)
		case "offset":
			m.Arg[1], err = b.operand(v, 0, maxBase64)
		case "relative":
			m.Flags |= flagRelative
		default:
			err = fmt.Errorf("unknown option %q", o)
		}
		if err != nil {
			return err
		}
	}
	if m.Arg[0] >= isVariable || m.Arg[1] >= isVariable {
		m.Flags |= flagVariable
	}
	b.Add(m)
	return nil
}

func evalBase64Decode(c *Context, m *Match) bool {
	at := c.value(m.Arg[1])
	if m.Flags&flagRelative != 0 {
		at += int64(c.In.Cursor)
	} else {
		at -= c.start()
	}
	if at < 0 || at >= int64(len(c.In.Data)) {
		return false
	}
	text := c.In.Data[at:]
	most := int64(maxBase64)
	if n := c.value(m.Arg[0]); n > 0 {
		most = min(most, n)
	}
	text = text[:min(most, int64(len(text)))]
	c.Base64, _ = appendBase64(c.Base64[:0], text, base64Plain)
	return len(c.Base64) > 0
}

// base64Mode says what happens to characters that are none of base64's.
type base64Mode int64

const (
	base64Plain  base64Mode = iota // RFC 4648: they end the text
	base64Mail                     // RFC 2045: they are left out
	base64Strict                   // they, and text without its padding, spoil all
)

// appendBase64 decodes base64. What is left at the end counts as if it were padded; good says that nothing had to be made up for.
func appendBase64(out, text []byte, mode base64Mode) (result []byte, good bool) {
	acc, held, padding := uint32(0), 0, 0
	good = true
	for _, c := range text {
		d := base64Digit(c)
		if d < 0 {
			if c == '=' && held >= 2 {
				padding++
				if held+padding == 4 {
					break
				}
				continue
			}
			good = false
			if mode == base64Mail {
				continue
			}
			break
		}
		if padding > 0 {
			good = false
			break
		}
		acc = acc<<6 | uint32(d)
		if held++; held == 4 {
			out = append(out, byte(acc>>16), byte(acc>>8), byte(acc))
			acc, held = 0, 0
		}
	}
	if held > 0 && held+padding != 4 {
		good = false
	}
	switch held {
	case 2:
		out = append(out, byte(acc>>4))
	case 3:
		out = append(out, byte(acc>>10), byte(acc>>2))
	}
	return out, good
}

func base64Digit(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return int(c - 'A')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 26
	case '0' <= c && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}
