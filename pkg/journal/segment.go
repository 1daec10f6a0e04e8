package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"citygate/pkg/event"
)

// Epoch is a log's name: a random number made with it.
type Epoch [16]byte

// A segment is a file of a log: a head, then records. Its name is its first sequence number.
type segmentHead struct {
	class event.Class
	epoch Epoch
	first uint64   // sequence number of the first record
	prev  [32]byte // hash of the record before the first
}

// A head on disk: magic 8, class 1 and seven zeros, epoch 16, first 8, prev 32, CRC32C of all before 4.
const headSize = 76

var magic = [8]byte{'C', 'G', 'L', 'O', 'G', 0, 0, 1}

const (
	segmentSuffix = ".seg"
	cutSuffix     = ".cut"
)

func (h segmentHead) name() string { return fmt.Sprintf("%020d%s", h.first, segmentSuffix) }

// genesis is what stands for the record before the first one of a log.
func genesis(class event.Class, epoch Epoch) [32]byte {
	return sha256.Sum256(append(append([]byte("citygate log "), uint8(class)), epoch[:]...))
}

func (h segmentHead) bytes() []byte {
	b := append(magic[:], uint8(h.class), 0, 0, 0, 0, 0, 0, 0)
	b = append(b, h.epoch[:]...)
	b = binary.BigEndian.AppendUint64(b, h.first)
	b = append(b, h.prev[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func parseHead(b []byte) (h segmentHead, err error) {
	if len(b) < headSize {
		return h, errCut
	}
	b = b[:headSize]
	if binary.BigEndian.Uint32(b[72:]) != crc32.Checksum(b[:72], castagnoli) || !bytes.Equal(b[:8], magic[:]) {
		return h, errAltered
	}
	h.class = event.Class(b[8])
	copy(h.epoch[:], b[16:])
	h.first = binary.BigEndian.Uint64(b[32:])
	copy(h.prev[:], b[40:])
	if !bytes.Equal(h.bytes(), b) {
		return segmentHead{}, errAltered
	}
	return h, nil
}

// segments lists the names of a log's segments, the oldest first.
func segments(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the segments of a log: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), segmentSuffix) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// chain checks that records follow each other.
type chain struct {
	class event.Class
	next  uint64
	head  [32]byte // hash of the last record
}

// Why a record does not follow.
var (
	errClass = errors.New("it belongs to another class")
	errOrder = errors.New("its sequence number is not the next one")
	errGap   = errors.New("a segment is missing")
	errLink  = errors.New("it does not name the hash of the record before it: that one, or this one, was replaced")
)

func (c *chain) follow(r *Record) error {
	switch {
	case r.Class != c.class:
		return errClass
	case r.Seq != c.next:
		return fmt.Errorf("%d where %d comes: %w", r.Seq, c.next, errOrder)
	case r.Prev != c.head:
		return errLink
	}
	c.next, c.head = r.Seq+1, r.Hash
	return nil
}

// scan reads the records behind a segment's head and hands each to fn. good is where the last good record ends;
// err says what is wrong there, nil at a clean end. A payload is valid during its call only.
func scan(r io.Reader, c *chain, fn func(*Record) error) (good int64, err error) {
	good = headSize
	buf := make([]byte, 0, 1<<20)
	for {
		n, readErr := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		used := 0
		for used < len(buf) {
			rec, size, err := parseRecord(buf[used:])
			if errors.Is(err, errCut) && readErr == nil {
				break // the rest is not read yet
			}
			if err == nil {
				err = c.follow(&rec)
			}
			if err == nil && fn != nil {
				err = fn(&rec)
			}
			if err != nil {
				return good, err
			}
			used += size
			good += int64(size)
		}
		buf = buf[:copy(buf, buf[used:])]
		if readErr == io.EOF {
			return good, nil
		}
		if readErr != nil {
			return good, fmt.Errorf("read a segment: %w", readErr)
		}
	}
}

// readHead reads the head of an open segment; its name must say the same sequence number.
func readHead(f *os.File) (segmentHead, error) {
	b := make([]byte, headSize)
	if n, err := io.ReadFull(f, b); err != nil && n < headSize {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errCut
		}
		return segmentHead{}, err
	}
	h, err := parseHead(b)
	if err == nil && h.name() != filepath.Base(f.Name()) {
		err = fmt.Errorf("its head belongs to %s: %w", h.name(), errOrder)
	}
	return h, err
}
