package ipc

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"citygate/pkg/flow"
)

// codec walks over the fields of a struct in one order for writing and for reading, so that the two cannot disagree.
// Numbers are big-endian.
type codec struct {
	b       []byte
	reading bool
	err     error
}

// layout writes and reads one type of message.
type layout struct {
	write func([]byte, Message) ([]byte, bool) // false: m is of another type
	read  func([]byte) (Message, error)
}

func of[T any](fields func(*T, *codec)) layout {
	return layout{
		write: func(dst []byte, m Message) ([]byte, bool) {
			v, ok := m.(T)
			c := codec{b: dst}
			fields(&v, &c)
			return c.b, ok
		},
		read: func(b []byte) (Message, error) {
			var v T
			if err := decode(b, func(c *codec) { fields(&v, c) }); err != nil {
				return nil, err
			}
			return v, nil
		},
	}
}

// decode reads fields that must be all there is.
func decode(b []byte, fields func(*codec)) error {
	c := codec{b: b, reading: true}
	fields(&c)
	c.check(len(c.b) == 0, "bytes after the last field")
	return c.err
}

// check notes the first thing that is wrong with what is read; afterwards only zero values are read.
func (c *codec) check(ok bool, what string) {
	if c.reading && !ok && c.err == nil {
		c.err, c.b = errors.New(what), nil
	}
}

// text is printable UTF-8 of at most max bytes, another limit than MaxText.
type text struct {
	s   *string
	max int
}

// fields writes or reads what the pointers point to; a slice of bytes has the length that it has. Numbers, sides and lists
// are functions.
func (c *codec) fields(all ...any) {
	for _, f := range all {
		switch v := f.(type) {
		case *bool:
			c.bool(v)
		case []byte:
			c.raw(v)
		case *[]byte:
			c.bytes(v)
		case *string:
			c.text(v, MaxText)
		case text:
			c.text(v.s, v.max)
		case *netip.Addr:
			c.addr(v)
		case *netip.Prefix:
			c.prefix(v)
		case func(*codec):
			v(c)
		default:
			panic("a field of a type without a codec")
		}
	}
}

func (c *codec) take(n int) []byte {
	c.check(n <= len(c.b), "cut off")
	if c.err != nil {
		return make([]byte, n)
	}
	head := c.b[:n]
	c.b = c.b[n:]
	return head
}

func (c *codec) raw(v []byte) {
	if c.reading {
		copy(v, c.take(len(v)))
	} else {
		c.b = append(c.b, v...)
	}
}

// num is a number as a field.
func num[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int32 | ~int64](v *T) func(*codec) {
	return func(c *codec) { number(c, v) }
}

func side(v *flow.Side) func(*codec) {
	return func(c *codec) {
		number(c, v)
		c.check(*v <= flow.AnySide, "a side is neither camera, server nor any")
	}
}

func number[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int32 | ~int64](c *codec, v *T) {
	var buf [8]byte
	size := unsafe.Sizeof(*v)
	if !c.reading {
		binary.BigEndian.PutUint64(buf[:], uint64(*v))
		c.b = append(c.b, buf[8-size:]...)
		return
	}
	copy(buf[8-size:], c.take(int(size)))
	*v = T(binary.BigEndian.Uint64(buf[:]))
}

func (c *codec) bool(v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	number(c, &n)
	c.check(n <= 1, "a truth value is neither 0 nor 1")
	*v = n == 1
}

// bytes is raw data behind a 16-bit length.
func (c *codec) bytes(v *[]byte) {
	n := uint16(len(*v))
	number(c, &n)
	if c.reading {
		*v = append([]byte(nil), c.take(int(n))...)
	} else {
		c.raw(*v)
	}
}

// text cuts and cleans what it writes: the reader may put it into a log line.
func (c *codec) text(v *string, limit int) {
	b := []byte(*v)
	if !c.reading {
		b = []byte(clean(*v, limit))
	}
	c.bytes(&b)
	if c.reading {
		*v = string(b)
		c.check(clean(*v, limit) == *v, "a text is too long or not printable")
	}
}

func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	for len(s) > limit {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// addr is the number of bytes of an address, 0, 4 or 16, and the address. It has no zone and is never IPv4 in IPv6.
func (c *codec) addr(v *netip.Addr) {
	b := v.Unmap().AsSlice()
	n := uint8(len(b))
	number(c, &n)
	if !c.reading {
		c.raw(b)
		return
	}
	a, ok := netip.AddrFromSlice(c.take(int(n)))
	c.check((ok || n == 0) && !a.Is4In6(), "an address is malformed")
	*v = a
}

func (c *codec) prefix(v *netip.Prefix) {
	a, bits := v.Masked().Addr(), uint8(v.Bits())
	c.addr(&a)
	number(c, &bits)
	if c.reading {
		*v = netip.PrefixFrom(a, int(bits))
		c.check(v.IsValid() && v.Masked() == *v, "a prefix is malformed")
	}
}

// list is a count and the elements. A reader takes at most limit.
func list[T any](v *[]T, limit int, element func(*T, *codec)) func(*codec) {
	return func(c *codec) {
		n := uint32(len(*v))
		number(c, &n)
		if c.reading {
			c.check(int(n) <= limit, "a list is too long")
			*v = nil
		}
		for i := 0; i < int(n) && c.err == nil; i++ {
			if c.reading {
				*v = append(*v, *new(T))
			}
			element(&(*v)[i], c)
		}
	}
}

// field is an element that is one field.
func field[T any](v *T, c *codec) { c.fields(v) }
