package packet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// pcapHeader is what the header of a pcap file says (draft-ietf-opsawg-pcap).
type pcapHeader struct {
	link   LinkType
	header int   // of a record, bytes
	unit   int64 // of the fraction of a second, nanoseconds
}

// Magic numbers of pcap files, as the writer's byte order has them.
const (
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34 // Kuznetzov's: 8 bytes more in each record
)

func (c *Capture) openPcap() error {
	b, err := c.peek(24)
	if err != nil {
		return middle(err)
	}
	for _, c.order = range [...]binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch c.order.Uint32(b) {
		case magicMicro:
			c.pcap = pcapHeader{header: 16, unit: 1000}
		case magicNano:
			c.pcap = pcapHeader{header: 16, unit: 1}
		case magicModified:
			c.pcap = pcapHeader{header: 24, unit: 1000}
		default:
			continue
		}
		return c.pcapLink(b)
	}
	return errors.New("neither pcap nor pcapng")
}

// pcapLink reads the rest of the file's header: version, two unused words, snap length, link type.
func (c *Capture) pcapLink(b []byte) (err error) {
	if major, minor := c.order.Uint16(b[4:]), c.order.Uint16(b[6:]); major != 2 {
		return fmt.Errorf("pcap version %d.%d is not 2", major, minor)
	}
	// The upper 16 bits say how long the frame check sequence is, which lies behind the packet and is not read.
	if c.pcap.link, err = captureLink(c.order.Uint32(b[20:]) & 0xffff); err != nil {
		return err
	}
	c.take(24)
	c.next = (*Capture).nextPcap
	return nil
}

// nextPcap reads a record: seconds, fraction, captured length, length on the wire, then the frame.
func (c *Capture) nextPcap() (Record, error) {
	b, err := c.peek(c.pcap.header)
	if err != nil {
		return Record{}, err
	}
	second, fraction := c.order.Uint32(b), c.order.Uint32(b[4:])
	captured, length := c.order.Uint32(b[8:]), c.order.Uint32(b[12:])
	if captured > MaxRecord {
		return Record{}, tooLong(captured)
	}
	n := c.pcap.header + int(captured)
	if b, err = c.peek(n); err != nil {
		return Record{}, middle(err)
	}
	c.take(n)
	return Record{
		Data: b[c.pcap.header:], Time: time.Unix(int64(second), int64(fraction)*c.pcap.unit).UTC(),
		Length: int(length), Link: c.pcap.link,
	}, nil
}

func tooLong(n uint32) error {
	return fmt.Errorf("a record of %d bytes, and at most %d are read", n, MaxRecord)
}
