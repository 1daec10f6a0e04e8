package packet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"time"
)

// Block types (draft-ietf-opsawg-pcapng, 4).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockEnhanced  = 6
	orderMagic     = 0x1a2b3c4d
)

// Options of an interface (4.2).
const (
	ngOptionEnd        = 0
	ngOptionResolution = 9
	ngOptionOffset     = 14
)

// maxInterfaces bounds those of a section: a machine has fewer, and a file could declare one in 20 bytes.
const maxInterfaces = 4096

// maxOptions bounds the options of an interface that are looked at, bytes; they hold names and comments too.
const maxOptions = 32 << 10

// blocks is the state of a pcapng file.
type blocks struct {
	interfaces []iface // of the section in hand
	pending    block   // of the last record, of whose body used bytes are taken; the rest is not read yet
	used       int
}

// iface is what an interface block says.
type iface struct {
	link   LinkType
	err    error // if the link type is refused; a packet of it is then an error
	snap   uint32
	ticks  uint64 // in a second
	offset int64  // of its clock, seconds
}

// block is the head of a block: its type, and how many bytes of body it has between the two lengths.
type block struct {
	kind uint32
	body int
}

// openBlocks reads up to the first interface, so that a link type that is not decoded is refused at once.
func (c *Capture) openBlocks() error {
	c.next = (*Capture).nextBlock
	for len(c.blocks.interfaces) == 0 {
		c.at = c.offset
		b, err := c.head()
		if errors.Is(err, io.EOF) {
			return nil // a capture of nothing
		}
		if err != nil {
			return err
		}
		switch b.kind {
		case blockSection:
			err = c.section(b)
		case blockInterface:
			err = c.declare(b)
		case blockPacket, blockSimple, blockEnhanced:
			return errors.New("a packet before any interface")
		default:
			err = c.end(b, 0)
		}
		if err != nil {
			return err
		}
	}
	return c.blocks.interfaces[0].err
}

// nextBlock reads blocks up to the next packet.
func (c *Capture) nextBlock() (Record, error) {
	if c.blocks.pending.kind != 0 {
		b := c.blocks.pending
		c.blocks.pending = block{}
		if err := c.end(b, c.blocks.used); err != nil {
			return Record{}, err
		}
	}
	for {
		c.at = c.offset
		b, err := c.head()
		if err != nil {
			return Record{}, err
		}
		switch b.kind {
		case blockSection:
			err = c.section(b)
		case blockInterface:
			err = c.declare(b)
		case blockEnhanced, blockPacket:
			return c.enhanced(b)
		case blockSimple:
			return c.simple(b)
		default:
			err = c.end(b, 0)
		}
		if err != nil {
			return Record{}, err
		}
	}
}

// head reads a block's type and length. A section begins anew with its own byte order.
func (c *Capture) head() (block, error) {
	b, err := c.peek(8)
	if err != nil {
		return block{}, err
	}
	if binary.BigEndian.Uint32(b) == blockSection {
		if b, err = c.peek(12); err != nil {
			return block{}, middle(err)
		}
		switch uint32(orderMagic) {
		case binary.LittleEndian.Uint32(b[8:]):
			c.order = binary.LittleEndian
		case binary.BigEndian.Uint32(b[8:]):
			c.order = binary.BigEndian
		default:
			return block{}, errors.New("a section without the byte order mark")
		}
	}
	length := c.order.Uint32(b[4:])
	if length < 12 || length%4 != 0 || length > 1<<31-1 {
		return block{}, fmt.Errorf("a block of %d bytes", length)
	}
	kind := c.order.Uint32(b)
	c.take(8)
	return block{kind, int(length) - 12}, nil
}

// part peeks at n bytes of a block's body, which must have as many.
func (c *Capture) part(b block, n int) ([]byte, error) {
	if b.body < n {
		return nil, fmt.Errorf("a block of type %d with a body of %d bytes, too few", b.kind, b.body)
	}
	p, err := c.peek(n)
	return p, middle(err)
}

// end goes behind what is left of a block of which used bytes were taken: options, and the length once more.
func (c *Capture) end(b block, used int) error {
	if err := c.skip(b.body - used); err != nil {
		return err
	}
	p, err := c.peek(4)
	if err != nil {
		return middle(err)
	}
	if again := c.order.Uint32(p); again != uint32(b.body)+12 {
		return fmt.Errorf("a block of %d bytes that says %d at its end", b.body+12, again)
	}
	c.take(4)
	return nil
}

func (c *Capture) section(b block) error {
	p, err := c.part(b, 16)
	if err != nil {
		return err
	}
	if major := c.order.Uint16(p[4:]); major != 1 {
		return fmt.Errorf("pcapng version %d is not 1", major)
	}
	c.blocks.interfaces = c.blocks.interfaces[:0]
	return c.end(b, 0)
}

// declare reads an interface block: link type, reserved, snap length, options.
func (c *Capture) declare(b block) error {
	if len(c.blocks.interfaces) == maxInterfaces {
		return fmt.Errorf("more than %d interfaces", maxInterfaces)
	}
	p, err := c.part(b, min(max(b.body, 8), maxOptions))
	if err != nil {
		return err
	}
	i := iface{snap: c.order.Uint32(p[4:]), ticks: 1e6}
	i.link, i.err = captureLink(uint32(c.order.Uint16(p)))
	if err := i.options(p[8:], c.order); err != nil {
		return err
	}
	c.blocks.interfaces = append(c.blocks.interfaces, i)
	return c.end(b, 0)
}

// options reads the clock's unit and offset.
func (i *iface) options(b []byte, order binary.ByteOrder) error {
	for len(b) >= 4 {
		kind, n := order.Uint16(b), int(order.Uint16(b[2:]))
		if kind == ngOptionEnd || 4+n > len(b) {
			return nil
		}
		value := b[4 : 4+n]
		switch {
		case kind == ngOptionResolution && n == 1:
			if i.ticks = ticks(value[0]); i.ticks == 0 {
				return fmt.Errorf("a clock with a unit of code %d", value[0])
			}
		case kind == ngOptionOffset && n == 8:
			i.offset = int64(order.Uint64(value))
		}
		b = b[min(4+(n+3)&^3, len(b)):]
	}
	return nil
}

// ticks is how many units a second has: a negative power of 2 if the upper bit is set, else of 10; 0 if it is too fine.
func ticks(code byte) uint64 {
	n := code & 0x7f
	if code&0x80 != 0 {
		if n > 63 {
			return 0
		}
		return 1 << n
	}
	if n > 19 {
		return 0
	}
	t := uint64(1)
	for range n {
		t *= 10
	}
	return t
}

// time is the moment of a count of units.
func (i *iface) time(count uint64) time.Time {
	second, rest := count/i.ticks, count%i.ticks
	high, low := bits.Mul64(rest, 1e9)
	nano, _ := bits.Div64(high, low, i.ticks) // rest < ticks, so it fits
	return time.Unix(int64(second)+i.offset, int64(nano)).UTC()
}

// enhanced reads an enhanced packet block, or the obsolete one with its shorter interface number: interface, time in two
// halves, captured length, length on the wire, frame.
func (c *Capture) enhanced(b block) (Record, error) {
	p, err := c.part(b, 20)
	if err != nil {
		return Record{}, err
	}
	number := c.order.Uint32(p)
	if b.kind == blockPacket {
		number = uint32(c.order.Uint16(p))
	}
	if int64(number) >= int64(len(c.blocks.interfaces)) {
		return Record{}, fmt.Errorf("a packet of interface %d, which is not declared", number)
	}
	i := &c.blocks.interfaces[number]
	r := Record{Length: int(c.order.Uint32(p[16:])), Link: i.link}
	r.Time = i.time(uint64(c.order.Uint32(p[4:]))<<32 | uint64(c.order.Uint32(p[8:])))
	return c.data(b, i, r, 20, c.order.Uint32(p[12:]))
}

// simple reads a simple packet block: length on the wire, frame. It has no time and is of the first interface.
func (c *Capture) simple(b block) (Record, error) {
	p, err := c.part(b, 4)
	if err != nil {
		return Record{}, err
	}
	if len(c.blocks.interfaces) == 0 {
		return Record{}, errors.New("a packet before any interface")
	}
	i := &c.blocks.interfaces[0]
	length := c.order.Uint32(p)
	captured := min(length, uint32(b.body-4))
	if i.snap != 0 {
		captured = min(captured, i.snap)
	}
	return c.data(b, i, Record{Length: int(length), Link: i.link, Time: time.Unix(0, 0).UTC()}, 4, captured)
}

// data takes a packet block whose frame stands behind at bytes of its body. It peeks at all of it up to the end of the
// frame, takes that, and leaves the rest to be skipped before the next block, as skipping may move the buffer.
func (c *Capture) data(b block, i *iface, r Record, at int, captured uint32) (Record, error) {
	if i.err != nil {
		return Record{}, i.err
	}
	if captured > MaxRecord {
		return Record{}, tooLong(captured)
	}
	n := at + int(captured)
	p, err := c.part(b, n)
	if err != nil {
		return Record{}, err
	}
	c.take(n)
	r.Data = p[at:]
	c.blocks.pending, c.blocks.used = b, n
	return r, nil
}
