package packet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// MaxRecord is how long a record of a capture may be, in bytes: libpcap's largest snap length.
const MaxRecord = 256 << 10

// captureBuffer holds the longest record with the headers of its block.
const captureBuffer = MaxRecord + 64<<10

// ErrTruncated says that a capture ends in the middle of a record; what was read before is sound.
var ErrTruncated = errors.New("the file ends in the middle of a record")

// CaptureError says where a capture is broken.
type CaptureError struct {
	Offset int64 // of the record or block, bytes from the start of the file
	Err    error
}

func (e *CaptureError) Error() string { return fmt.Sprintf("capture, byte %d: %v", e.Offset, e.Err) }

// Unwrap gives the reason: ErrTruncated, a *LinkError, what the reader said, or a text.
func (e *CaptureError) Unwrap() error { return e.Err }

// Record is a frame of a capture.
type Record struct {
	Data   []byte    // as captured; valid until the next Next
	Time   time.Time // UTC
	Length int       // on the wire, bytes
	Link   LinkType
}

// Capture reads a pcap or a pcapng file, in constant memory and without allocating for a record.
type Capture struct {
	in       io.Reader
	buf      []byte
	from, to int   // what of buf is read but not taken
	offset   int64 // of buf[from] in the file
	at       int64 // where the record or block in hand begins
	err      error // what the reader said, or what ended the capture

	order  binary.ByteOrder
	next   func(*Capture) (Record, error)
	pcap   pcapHeader
	blocks blocks
}

// OpenCapture reads the beginning of a capture; what it is shows in its first bytes. It refuses link types that are not
// decoded. The error is a *CaptureError.
func OpenCapture(r io.Reader) (*Capture, error) {
	c := &Capture{in: r, buf: make([]byte, captureBuffer)}
	magic, err := c.peek(4)
	if err == nil {
		if binary.BigEndian.Uint32(magic) == blockSection {
			err = c.openBlocks()
		} else {
			err = c.openPcap()
		}
	}
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		}
		return nil, c.broken(err)
	}
	return c, nil
}

// Next gives the next record: io.EOF after the last one, a *CaptureError where the file is broken or cut. Both stay.
func (c *Capture) Next() (Record, error) {
	c.at = c.offset
	r, err := c.next(c)
	if err == nil {
		return r, nil
	}
	if !errors.Is(err, io.EOF) {
		err = c.broken(err)
	}
	c.next = func(*Capture) (Record, error) { return Record{}, err }
	return Record{}, err
}

// broken names the place of an error, once.
func (c *Capture) broken(err error) error {
	var known *CaptureError
	if errors.As(err, &known) {
		return err
	}
	return &CaptureError{c.at, err}
}

// peek gives the next n bytes without taking them; n is at most captureBuffer. The error is io.EOF if there are none,
// and ErrTruncated if there are fewer.
func (c *Capture) peek(n int) ([]byte, error) {
	for c.to-c.from < n {
		if err := c.fill(); err != nil {
			if errors.Is(err, io.EOF) && c.to > c.from {
				err = ErrTruncated
			}
			return nil, err
		}
	}
	return c.buf[c.from : c.from+n : c.from+n], nil
}

// fill reads more. It makes room first if less than half of the buffer is free, which moves few bytes.
func (c *Capture) fill() error {
	if c.err != nil {
		return c.err
	}
	if c.from > len(c.buf)/2 || c.to == len(c.buf) {
		c.to = copy(c.buf, c.buf[c.from:c.to])
		c.from = 0
	}
	for range 16 { // readers may give nothing now and then
		n, err := c.in.Read(c.buf[c.to:])
		c.to += n
		if err != nil {
			c.err = err
		}
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	c.err = io.ErrNoProgress
	return c.err
}

// skip takes n bytes that may be more than the buffer holds.
func (c *Capture) skip(n int) error {
	for n > 0 {
		if c.from == c.to {
			if _, err := c.peek(1); err != nil {
				return middle(err)
			}
		}
		step := min(n, c.to-c.from)
		c.take(step)
		n -= step
	}
	return nil
}

// take goes behind n bytes that were peeked.
func (c *Capture) take(n int) {
	c.from += n
	c.offset += int64(n)
}

// middle is an error in the middle of a record, where the end of the file is one too.
func middle(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrTruncated
	}
	return err
}
