package signature

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// asn1 looks for BER (X.690) that overflows careless readers: asn1:oversize_length n, bitstring_overflow, double_overflow,
// absolute_offset n|relative_offset n. Match: Arg[0] is the length from which on one is too long (0: none), Arg[1] the offset.
var asn1 = Keyword{
	Name: "asn1", Where: InBuffer, Parse: parseASN1, Eval: evalASN1,
	Doc: "BER that overflows careless readers: oversize_length n, bitstring_overflow, double_overflow, absolute_offset n, relative_offset n",
}

const (
	flagBitString = flagNoCase << iota
	flagDouble
	flagOversize
)

// Limits: deeper or more elements are not looked at.
const (
	maxASN1Depth    = 30
	maxASN1Elements = 256
	// longDouble is the length beyond which a REAL in binary is an attack: Snort's number.
	longDouble = 256
)

var errASN1 = errors.New("it has none of oversize_length, bitstring_overflow and double_overflow")

func parseASN1(b *Builder, value string) error {
	var m Match
	for _, o := range splitOptions(value) {
		name, v, _ := strings.Cut(o, " ")
		v = strings.TrimSpace(v)
		var err error
		switch name {
		case "oversize_length":
			m.Flags |= flagOversize
			m.Arg[0], err = strconv.ParseInt(v, 10, 32)
		case "bitstring_overflow":
			m.Flags |= flagBitString
		case "double_overflow":
			m.Flags |= flagDouble
		case "absolute_offset":
			m.Arg[1], err = strconv.ParseInt(v, 10, 17)
		case "relative_offset":
			m.Flags |= flagRelative
			m.Arg[1], err = strconv.ParseInt(v, 10, 17)
		default:
			err = fmt.Errorf("unknown option %q", o)
		}
		if err != nil {
			return err
		}
	}
	if m.Flags&(flagOversize|flagBitString|flagDouble) == 0 {
		return errASN1
	}
	b.Add(m)
	return nil
}

func evalASN1(c *Context, m *Match) bool {
	at := m.Arg[1]
	if m.Flags&flagRelative != 0 {
		at += int64(c.In.Cursor)
	} else {
		at -= c.start()
	}
	if at < 0 || at >= int64(len(c.In.Data)) {
		return false
	}
	w := asn1Walk{m: m, left: maxASN1Elements}
	return w.elements(c.In.Data[at:], 0)
}

type asn1Walk struct {
	m    *Match
	left int
}

// elements says whether one of the elements in data, or in those, is what the match looks for.
func (w *asn1Walk) elements(data []byte, depth int) bool {
	for len(data) > 0 && w.left > 0 && depth < maxASN1Depth {
		w.left--
		e, rest, ok := readBER(data)
		if !ok {
			return false
		}
		if w.bad(&e) || e.constructed && w.elements(e.value, depth+1) {
			return true
		}
		data = rest
	}
	return false
}

func (w *asn1Walk) bad(e *element) bool {
	const (
		tagBitString = 3
		tagReal      = 9
	)
	f := w.m.Flags
	switch {
	case f&flagOversize != 0 && e.length > w.m.Arg[0]:
		return true
	case e.constructed || e.class != 0 || len(e.value) == 0:
		return false
	case e.tag == tagBitString && f&flagBitString != 0:
		return (e.length-1)*8 < int64(e.value[0]) // more unused bits than bits
	case e.tag == tagReal && f&flagDouble != 0:
		return e.length > longDouble && e.value[0]&0xc0 == 0
	}
	return false
}

// element is a BER element. Its value is as much of it as there is.
type element struct {
	class       byte
	tag         uint32
	constructed bool
	length      int64
	value       []byte
}

// readBER reads the head of an element.
func readBER(data []byte) (e element, rest []byte, ok bool) {
	e.class, e.constructed, e.tag = data[0]>>6, data[0]&0x20 != 0, uint32(data[0]&0x1f)
	i := 1
	if e.tag == 0x1f {
		e.tag = 0
		for ; ; i++ {
			if i >= len(data) || e.tag >= 1<<24 {
				return e, nil, false
			}
			e.tag = e.tag<<7 | uint32(data[i]&0x7f)
			if data[i]&0x80 == 0 {
				i++
				break
			}
		}
	}
	if i >= len(data) {
		return e, nil, false
	}
	n := int(data[i])
	i++
	switch {
	case n < 0x80:
		e.length = int64(n)
	case n == 0x80: // it ends with two zero bytes: its elements follow here
		e.value, e.length = data[i:], 0
		return e, nil, true
	case n-0x80 > 4 || i+n-0x80 > len(data):
		return e, nil, false
	default:
		e.length = int64(binaryNumber(data[i:i+n-0x80], false))
		i += n - 0x80
	}
	end := min(int64(i)+e.length, int64(len(data)))
	e.value = data[i:end]
	return e, data[end:], true
}
