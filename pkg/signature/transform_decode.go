package signature

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// xor undoes a simple encryption: xor:"key in hex", or xor:[offset n,]extract length place, whose key stands in the value itself
// at a place; offset says where the encrypted part begins, and only that is left. A value without such a key stays as it is.
// Match: Data the key; or Arg[0] the offset, Arg[1] the key's length, Arg[2] its place.
var xor = Keyword{
	Name: "xor", Where: OnValue, Parse: parseXOR, Apply: applyXOR,
	Doc: "the value with a key in hex xored to it, or (offset n,extract length place) with a key out of the value",
}

var errXOR = errors.New("neither a key in hex nor [offset n,]extract length place")

func parseXOR(b *Builder, value string) error {
	text, _, _ := b.negation(value)
	if !strings.Contains(text, "extract") {
		key, err := appendHex(nil, text)
		if err != nil || len(key) == 0 {
			return errXOR
		}
		return b.transform(Match{Data: b.Bytes(key)})
	}
	var m Match
	for _, o := range splitOptions(text) {
		f := strings.Fields(o)
		var numbers [2]int64
		for i := range min(len(f)-1, 2) {
			n, err := strconv.ParseUint(f[i+1], 10, 16)
			if err != nil {
				return errXOR
			}
			numbers[i] = int64(n)
		}
		switch {
		case len(f) == 2 && f[0] == "offset":
			m.Arg[0] = numbers[0]
		case len(f) == 3 && f[0] == "extract" && numbers[0] > 0:
			m.Arg[1], m.Arg[2] = numbers[0], numbers[1]
		default:
			return errXOR
		}
	}
	return b.transform(m)
}

func applyXOR(c *Context, m *Match, in, out []byte) []byte {
	key := c.Bytes(m)
	if len(key) == 0 {
		size := int64(len(in))
		if m.Arg[2]+m.Arg[1] > size || m.Arg[0] > size {
			return append(out, in...)
		}
		key = in[m.Arg[2] : m.Arg[2]+m.Arg[1]]
		in = in[m.Arg[0]:]
	}
	for i, n := 0, 0; i < len(in) && len(key) > 0; i++ {
		out = append(out, in[i]^key[n])
		if n++; n == len(key) {
			n = 0
		}
	}
	return out
}

// fromBase64 decodes base64: from_base64[:bytes n][,offset n][,mode rfc4648|rfc2045|strict]. A value that holds none stays as it
// is. Match: Arg[0] is how many characters at most (0: all), Arg[1] the offset, Arg[2] the mode.
var fromBase64 = Keyword{
	Name: "from_base64", Where: OnValue, Parse: parseFromBase64, Apply: applyFromBase64,
	Doc: "decodes base64: bytes n, offset n, mode rfc4648 (ends at other characters), rfc2045 (leaves them out) or strict",
}

var base64Modes = map[string]base64Mode{"rfc4648": base64Plain, "rfc2045": base64Mail, "strict": base64Strict}

func parseFromBase64(b *Builder, value string) error {
	var m Match
	for _, o := range splitOptions(value) {
		name, v, _ := strings.Cut(o, " ")
		v = strings.TrimSpace(v)
		var n uint64
		var err error
		switch name {
		case "":
		case "bytes":
			n, err = strconv.ParseUint(v, 10, 16)
			m.Arg[0] = int64(n)
		case "offset":
			n, err = strconv.ParseUint(v, 10, 16)
			m.Arg[1] = int64(n)
		case "mode":
			mode, ok := base64Modes[strings.ToLower(v)]
			if !ok {
				err = fmt.Errorf("unknown mode %q", v)
			}
			m.Arg[2] = int64(mode)
		default:
			err = fmt.Errorf("unknown option %q", o)
		}
		if err != nil {
			return err
		}
	}
	return b.transform(m)
}

func applyFromBase64(_ *Context, m *Match, in, out []byte) []byte {
	if m.Arg[1] >= int64(len(in)) {
		return append(out, in...)
	}
	text := in[m.Arg[1]:]
	if n := m.Arg[0]; n > 0 && n < int64(len(text)) {
		text = text[:n]
	}
	mode := base64Mode(m.Arg[2])
	result, good := appendBase64(out, text, mode)
	if len(result) == len(out) || mode == base64Strict && !good {
		return append(out, in...)
	}
	return result
}
