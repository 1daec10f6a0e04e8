package ipc

import (
	"errors"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// codec walks over the fields of a struct in one order for writing and for reading, so that the two cannot disagree.
// Numbers are big-endian.
type codec struct {
	b       []byte
	reading bool
	err     error
}

// layout writes and reads one kind of message.
type layout struct {
	write func(*codec, Message)
	read  func([]byte) (Message, error)
}

func of[T Message](fields func(*codec, *T)) layout {
	return layout{
		write: func(c *codec, m Message) {
			v := m.(T)
			fields(c, &v)
		},
		read: func(b []byte) (Message, error) {
			var v T
			if err := decode(b, func(c *codec) { fields(c, &v) }); err != nil {
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

func (c *codec) take(n int) []byte {
	c.check(n <= len(c.b), "cut off")
	if c.err != nil {
		return make([]byte, n)
	}
	head := c.b[:n]
	c.b = c.b[n:]
	return head
}

func (c *codec) number(size int, v uint64) uint64 {
	if !c.reading {
		for i := size - 1; i >= 0; i-- {
			c.b = append(c.b, byte(v>>(8*i)))
		}
		return v
	}
	v = 0
	for _, x := range c.take(size) {
		v = v<<8 | uint64(x)
	}
	return v
}

func u8[T ~uint8](c *codec, v *T)            { *v = T(c.number(1, uint64(*v))) }
func u16[T ~uint16](c *codec, v *T)          { *v = T(c.number(2, uint64(*v))) }
func u32[T ~uint32 | ~int32](c *codec, v *T) { *v = T(c.number(4, uint64(*v))) }
func u64[T ~uint64 | ~int64](c *codec, v *T) { *v = T(c.number(8, uint64(*v))) }

func (c *codec) bool(v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	u8(c, &n)
	c.check(n <= 1, "a truth value is neither 0 nor 1")
	*v = n == 1
}

// bytes is raw data behind a 16-bit length.
func (c *codec) bytes(v *[]byte) {
	n := uint16(len(*v))
	u16(c, &n)
	if !c.reading {
		c.b = append(c.b, *v...)
		return
	}
	*v = append([]byte(nil), c.take(int(n))...)
}

// text is printable UTF-8 of at most limit bytes. A writer cuts and cleans it: the reader may put it into a log line.
func (c *codec) text(v *string, limit int) {
	if !c.reading {
		b := []byte(clean(*v, limit))
		c.bytes(&b)
		return
	}
	var b []byte
	c.bytes(&b)
	*v = string(b)
	c.check(clean(*v, limit) == *v, "a text is too long or not printable")
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
	u8(c, &n)
	if !c.reading {
		c.b = append(c.b, b...)
		return
	}
	a, ok := netip.AddrFromSlice(c.take(int(n)))
	c.check((ok || n == 0) && !a.Is4In6(), "an address is malformed")
	*v = a
}

func (c *codec) prefix(v *netip.Prefix) {
	a, bits := v.Masked().Addr(), uint8(v.Bits())
	c.addr(&a)
	u8(c, &bits)
	if c.reading {
		*v = netip.PrefixFrom(a, int(bits))
		c.check(v.IsValid() && v.Masked() == *v, "a prefix is malformed")
	}
}

// array is as many elements as v has.
func array[T any](c *codec, v []T, element func(*codec, *T)) {
	for i := range v {
		element(c, &v[i])
	}
}

// list is a 16-bit count and the elements.
func list[T any](c *codec, v *[]T, limit int, element func(*codec, *T)) {
	n := uint16(min(len(*v), limit))
	u16(c, &n)
	if c.reading {
		c.check(int(n) <= limit, "a list is too long")
		*v = nil
	}
	for i := 0; i < int(n) && c.err == nil; i++ {
		if c.reading {
			*v = append(*v, *new(T))
		}
		element(c, &(*v)[i])
	}
}
