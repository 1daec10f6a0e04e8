package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"citygate/pkg/flow"
)

// Limits of texts, in bytes.
const (
	maxName = 64
	maxText = 256
)

var errShort = errors.New("payload is cut off")

// coder goes over an event's fields in order, writing them to b or reading them from it. One list of fields per event
// serves both ways, so the two cannot differ. Integers are big-endian.
type coder struct {
	writing bool
	b       []byte
	err     error
}

// take gives the next n bytes, or nil and an error when there are fewer.
func (c *coder) take(n int) []byte {
	if c.err == nil && len(c.b) < n {
		c.err = errShort
	}
	if c.err != nil {
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *coder) refuse(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func u8[T ~uint8](c *coder, v *T) {
	if c.writing {
		c.b = append(c.b, uint8(*v))
	} else if b := c.take(1); b != nil {
		*v = T(b[0])
	}
}

func u16[T ~uint16](c *coder, v *T) {
	if c.writing {
		c.b = binary.BigEndian.AppendUint16(c.b, uint16(*v))
	} else if b := c.take(2); b != nil {
		*v = T(binary.BigEndian.Uint16(b))
	}
}

func u32[T ~uint32](c *coder, v *T) {
	if c.writing {
		c.b = binary.BigEndian.AppendUint32(c.b, uint32(*v))
	} else if b := c.take(4); b != nil {
		*v = T(binary.BigEndian.Uint32(b))
	}
}

func u64[T ~uint64 | ~int64](c *coder, v *T) {
	if c.writing {
		c.b = binary.BigEndian.AppendUint64(c.b, uint64(*v))
	} else if b := c.take(8); b != nil {
		*v = T(binary.BigEndian.Uint64(b))
	}
}

func duration(c *coder, v *time.Duration) { u64(c, v) }

// time writes nanoseconds since 1970; 0 stands for the zero time.
func (c *coder) time(v *time.Time) {
	var ns int64
	if c.writing && !v.IsZero() {
		ns = v.UnixNano()
	}
	u64(c, &ns)
	if !c.writing && ns != 0 {
		*v = time.Unix(0, ns).UTC()
	}
}

func (c *coder) bool(v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	u8(c, &n)
	if n > 1 {
		c.refuse("%d is neither 0 nor 1", n)
	}
	*v = n == 1
}

// text writes at most limit bytes of valid UTF-8 after their length.
func (c *coder) text(v *string, limit int) {
	if c.writing {
		s := clip(strings.ToValidUTF8(*v, "\uFFFD"), limit)
		c.b = append(binary.BigEndian.AppendUint16(c.b, uint16(len(s))), s...)
		return
	}
	var n uint16
	u16(c, &n)
	if int(n) > limit {
		c.refuse("a text of %d bytes where %d are allowed", n, limit)
	}
	s := string(c.take(int(n)))
	if !utf8.ValidString(s) {
		c.refuse("a text that is no UTF-8")
	}
	*v = s
}

// clip cuts s to at most limit bytes without splitting a character.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// addr writes 0, 4 or 16 bytes after their number. Zones have no meaning off the box and are left out.
func (c *coder) addr(v *netip.Addr) {
	if c.writing {
		b := v.WithZone("").AsSlice()
		c.b = append(append(c.b, uint8(len(b))), b...)
		return
	}
	var n uint8
	u8(c, &n)
	if n != 0 && n != 4 && n != 16 {
		c.refuse("an address of %d bytes", n)
	}
	*v, _ = netip.AddrFromSlice(c.take(int(n)))
}

func (c *coder) mac(v *flow.MAC) {
	if c.writing {
		c.b = append(c.b, v[:]...)
	} else if b := c.take(len(v)); b != nil {
		copy(v[:], b)
	}
}

func (c *coder) tuple(t *flow.FiveTuple) {
	c.addr(&t.Src)
	c.addr(&t.Dst)
	u16(c, &t.SrcPort)
	u16(c, &t.DstPort)
	u8(c, &t.Proto)
}

// list writes at most limit elements after their number.
func list[T any](c *coder, v *[]T, limit int, element func(*T)) {
	n := uint8(min(len(*v), limit))
	u8(c, &n)
	if int(n) > limit {
		c.refuse("a list of %d where %d are allowed", n, limit)
	}
	if c.err != nil {
		return
	}
	if !c.writing && n > 0 {
		*v = make([]T, n)
	}
	for i := range int(n) {
		element(&(*v)[i])
	}
}
