package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"citygate/pkg/event"
)

// MaxPayload bounds a record's payload in bytes: an event of event.MaxPayload with every character escaped fits.
const MaxPayload = 64 << 10

// Quality says how far a wall time can be trusted.
type Quality uint8

// The qualities. Numbers are stable: append only.
const (
	WallUnchecked Quality = 0 // nobody vouches for the clock
	WallBehind    Quality = 1 // the clock is behind a record that the log already has
)

// Entry is what a caller wants recorded.
type Entry struct {
	Kind    uint16        // event.Type
	Mono    time.Duration // CLOCK_MONOTONIC
	Wall    time.Time
	Payload []byte // one line of EVE JSON
}

// Record is an entry as the log keeps it.
type Record struct {
	Entry
	Seq     uint64
	Class   event.Class
	Boot    [16]byte // the kernel's boot id: what Mono counts from
	Quality Quality
	Prev    [32]byte // SHA-256 of the record before
	Hash    [32]byte // SHA-256 of this record, not stored
}

// A record on disk, integers big-endian:
//
//	 0 length of the whole record   4
//	 4 CRC32C of length and 8..end  4
//	 8 sequence number              8
//	16 boot id                     16
//	32 monotonic time, ns           8
//	40 wall time, ns since 1970     8
//	48 class, quality, kind         1 1 2
//	52 hash of the record before   32
//	84 payload
const recordHeader = 84

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errCut     = errors.New("it is cut off")
	errAltered = errors.New("its checksum is wrong")
)

func checksum(record []byte) uint32 {
	return crc32.Update(crc32.Checksum(record[:4], castagnoli), castagnoli, record[8:])
}

// append adds r's bytes to b and fills in its hash.
func (r *Record) append(b []byte) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint32(b, uint32(recordHeader+len(r.Payload)))
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, r.Seq)
	b = append(b, r.Boot[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Mono))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Wall.UnixNano()))
	b = append(b, uint8(r.Class), uint8(r.Quality))
	b = binary.BigEndian.AppendUint16(b, r.Kind)
	b = append(b, r.Prev[:]...)
	b = append(b, r.Payload...)
	record := b[start:]
	binary.BigEndian.PutUint32(record[4:], checksum(record))
	r.Hash = sha256.Sum256(record)
	return b
}

// parseRecord reads the record at the start of b; size is its length on disk. The payload is b's own memory.
// The error is errCut if b ends too early, errAltered if the bytes are not those that were written.
func parseRecord(b []byte) (r Record, size int, err error) {
	if len(b) < 4 {
		return Record{}, 0, errCut
	}
	size = int(binary.BigEndian.Uint32(b))
	switch {
	case size < recordHeader || size > recordHeader+MaxPayload:
		return Record{}, 0, fmt.Errorf("a record of %d bytes: %w", size, errAltered)
	case size > len(b):
		return Record{}, 0, errCut
	}
	b = b[:size]
	if binary.BigEndian.Uint32(b[4:]) != checksum(b) {
		return Record{}, 0, errAltered
	}
	r.Seq = binary.BigEndian.Uint64(b[8:])
	copy(r.Boot[:], b[16:])
	r.Mono = time.Duration(binary.BigEndian.Uint64(b[32:]))
	r.Wall = time.Unix(0, int64(binary.BigEndian.Uint64(b[40:]))).UTC()
	r.Class, r.Quality = event.Class(b[48]), Quality(b[49])
	r.Kind = binary.BigEndian.Uint16(b[50:])
	copy(r.Prev[:], b[52:])
	r.Payload = b[recordHeader:]
	r.Hash = sha256.Sum256(b)
	return r, size, nil
}
