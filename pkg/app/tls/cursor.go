package tls

// cursor reads numbers and vectors (RFC 8446, 3). Reading past the end makes it bad and gives zeros.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) end() bool { return len(c.b) == 0 }

func (c *cursor) take(n int) []byte {
	if n > len(c.b) {
		c.b, c.bad = nil, true
		return nil
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) number(n int) int {
	v := 0
	for _, b := range c.take(n) {
		v = v<<8 | int(b)
	}
	return v
}

func (c *cursor) u8() uint8   { return uint8(c.number(1)) }
func (c *cursor) u16() uint16 { return uint16(c.number(2)) }

// vec8, vec16 and vec24 read a vector after its length.
func (c *cursor) vec8() []byte  { return c.take(c.number(1)) }
func (c *cursor) vec16() []byte { return c.take(c.number(2)) }
func (c *cursor) vec24() []byte { return c.take(c.number(3)) }
