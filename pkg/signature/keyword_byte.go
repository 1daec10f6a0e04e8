package signature

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Flags of byte_test, byte_jump, byte_extract and byte_math, beside the common ones.
const (
	flagLittle    = flagNoCase << iota // the number's last byte comes first
	flagText                           // the number is written in digits
	flagValueName                      // argValue is the number of an extracted value
	flagFromStart
	flagFromEnd
	flagMask
)

// Arg of the four keywords.
const (
	argBytes = iota // how many bytes the number has
	argPlace        // from the buffer's start, or (flagRelative) the last match's end
	argValue        // what it is compared or calculated with; byte_jump, byte_extract: the factor
	argMask         // bits of the number that count
	argForm         // of bytes: the base of the digits, the operator, what it is rounded up to, where the result goes
	argPost         // byte_jump: added at the end
)

// form is what argForm holds.
type form struct{ base, operator, align, result uint8 }

func (f form) pack() int64 {
	return int64(f.base) | int64(f.operator)<<8 | int64(f.align)<<16 | int64(f.result)<<24
}

func formOf(m *Match) form {
	a := m.Arg[argForm]
	return form{uint8(a), uint8(a >> 8), uint8(a >> 16), uint8(a >> 24)}
}

// Limits of numbers: Suricata's.
const (
	maxNumberBytes  = 8
	maxNumberDigits = 23
	maxPlace        = 65535
	maxFactor       = 65535
)

var (
	errDCE        = errors.New("dce: byte order by DCERPC is not known here")
	errTooMany    = errors.New("too many extracted values in one rule")
	errVarName    = errors.New("not a name for a value: a letter, then letters, digits, - and _")
	errBytesCount = fmt.Errorf("a number has 1 to %d bytes or %d digits", maxNumberBytes, maxNumberDigits)
)

// number reads the options that the four keywords share; take says whether it knew the option.
type number struct {
	m    Match
	form form
}

func (n *number) take(b *Builder, option string) (known bool, err error) {
	name, value, _ := strings.Cut(option, " ")
	value = strings.TrimSpace(value)
	switch strings.ToLower(name) {
	case "relative":
		n.m.Flags |= flagRelative
	case "big":
	case "little":
		n.m.Flags |= flagLittle
	case "endian":
		return true, n.endian(value)
	case "string":
		n.m.Flags |= flagText
		if value != "" {
			return n.take(b, value)
		}
	case "hex":
		n.form.base = 16
	case "dec":
		n.form.base = 10
	case "oct":
		n.form.base = 8
	case "dce":
		return true, errDCE
	case "bitmask":
		mask, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(value), "0x"), 16, 32)
		if err != nil || mask == 0 {
			return true, fmt.Errorf("bitmask: %q is not a number in hex of up to 32 bits", value)
		}
		n.m.Arg[argMask] = int64(mask)
		n.m.Flags |= flagMask
	default:
		return false, nil
	}
	return true, nil
}

func (n *number) endian(value string) error {
	switch value {
	case "little":
		n.m.Flags |= flagLittle
	case "big":
	case "dce":
		return errDCE
	default:
		return fmt.Errorf("endian: %q is neither big nor little", value)
	}
	return nil
}

// bytes and place read the two numbers that all four begin with.
func (n *number) bytes(b *Builder, s string, least int64) (err error) {
	n.m.Arg[argBytes], err = b.operand(s, least, maxNumberDigits)
	return err
}

func (n *number) place(b *Builder, s string) (err error) {
	n.m.Arg[argPlace], err = b.operand(s, -maxPlace, maxPlace)
	return err
}

// finish checks what depends on several options and adds the match.
func (n *number) finish(b *Builder) error {
	size := n.m.Arg[argBytes]
	if n.form.base == 0 {
		n.form.base = 10
	}
	if n.m.Flags&flagText == 0 && size > maxNumberBytes && size < isVariable {
		return errBytesCount
	}
	if size >= isVariable || n.m.Arg[argPlace] >= isVariable || n.m.Flags&flagValueName != 0 {
		n.m.Flags |= flagVariable
	}
	n.m.Arg[argForm] = n.form.pack()
	b.Add(n.m)
	return nil
}

// variable gives a value to be extracted its number.
func (b *Builder) variable(name string) (uint8, error) {
	for i := range len(name) {
		c := name[i] | 0x20
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || name[i] != '_' && name[i] != '-' && (name[i] < '0' || name[i] > '9')) {
			return 0, errVarName
		}
	}
	if name == "" {
		return 0, errVarName
	}
	i, ok := b.vars[name]
	if !ok {
		if i = len(b.vars); i == maxExtracted {
			return 0, errTooMany
		}
		if b.vars == nil {
			b.vars = map[string]int{}
		}
		b.vars[name] = i
	}
	return uint8(i), nil
}

// splitOptions cuts a value at its commas.
func splitOptions(value string) []string {
	parts := strings.Split(value, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// number is the number that a match is about, and the place behind it.
func (c *Context) number(m *Match) (v uint64, end int64, ok bool) {
	at := c.value(m.Arg[argPlace])
	if m.Flags&flagRelative != 0 {
		at += int64(c.In.Cursor)
	} else {
		at -= c.start()
	}
	n := c.value(m.Arg[argBytes])
	size := int64(len(c.In.Data))
	if at < 0 || at > size || n < 0 || n > size-at {
		return 0, 0, false
	}
	data := c.In.Data[at : at+n]
	switch {
	case m.Flags&flagText != 0:
		if n == 0 { // as many digits as there are
			data = c.In.Data[at:]
		}
		v, ok = digits(data[:min(len(data), maxNumberDigits)], uint64(formOf(m).base))
	case n == 0:
		return 0, at, true
	case n <= maxNumberBytes:
		v, ok = binaryNumber(data, m.Flags&flagLittle != 0), true
	}
	return v, at + n, ok
}

func binaryNumber(data []byte, little bool) (v uint64) {
	for i := range data {
		if little {
			v |= uint64(data[i]) << (8 * i)
		} else {
			v = v<<8 | uint64(data[i])
		}
	}
	return v
}

// digits reads a number as C's strtoull does: white space, a sign, digits; what follows does not count.
func digits(s []byte, base uint64) (v uint64, ok bool) {
	i := 0
	for i < len(s) && (s[i] == ' ' || '\t' <= s[i] && s[i] <= '\r') {
		i++
	}
	negative := i < len(s) && s[i] == '-'
	if negative || i < len(s) && s[i] == '+' {
		i++
	}
	if base == 16 && i+2 < len(s) && s[i] == '0' && s[i+1]|0x20 == 'x' {
		i += 2
	}
	for ; i < len(s); i++ {
		d, hex := hexDigit(s[i])
		if !hex || uint64(d) >= base {
			break
		}
		high, low := bits.Mul64(v, base)
		sum, carry := bits.Add64(low, uint64(d), 0)
		if high != 0 || carry != 0 {
			return 0, false
		}
		v, ok = sum, true
	}
	if negative {
		v = -v
	}
	return v, ok
}

// masked is the part of a number that its mask leaves, moved down.
func (m *Match) masked(v uint64) uint64 {
	if m.Flags&flagMask == 0 {
		return v
	}
	mask := uint64(m.Arg[argMask])
	return (v & mask) >> (bits.TrailingZeros64(mask) & 63)
}

func roundUp(v, to uint64) uint64 {
	if to > 1 && v%to != 0 {
		v += to - v%to
	}
	return v
}
