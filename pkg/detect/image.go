package detect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"unsafe"

	"citygate/pkg/signature"
)

// An image is a compiled set of rules: a header and sections of records that hold numbers and places, no pointers. So it
// can be mapped read-only at any address by several processes, and is used where it lies. Numbers are in the byte order
// of the machine that compiled it: an image does not leave its box.
//
//	magic 8, length 8, vocabulary 8, then per section: offset 8, bytes 8

const imageMagic = 0x3152_4547_5954_4943 // "CITYGER1"

// sections, in the order of the header.
const (
	inBlob = iota
	inSignatures
	inLists
	inMatches
	inThresholds
	inAddresses
	inRange4
	inRange6
	inPorts
	inPortRanges
	inGroups
	inMembers
	inTables
	inPortIndex
	inPortEntries
	inViews
	inProtocols
	inNumbers
	inRegexes
	sectionCount
)

const imageHeader = 24 + 16*sectionCount

var errImage = errors.New("not a compiled set of rules of this version")

// vocabulary tells whether an image was made with the same keywords and buffers: its numbers mean nothing otherwise.
func vocabulary() uint64 {
	h := fnv.New64a()
	for _, name := range signature.KeywordNames() {
		h.Write([]byte(name))
		h.Write([]byte{0})
	}
	fmt.Fprint(h, unsafe.Sizeof(record{}), unsafe.Sizeof(signature.Match{}))
	return h.Sum64()
}

// plain are the types that stand in images: no pointers, no padding that matters.
type plain interface {
	byte | uint32 | uint64 | record | list | signature.Match | threshold | addresses | signature.Range4 | signature.Range6 |
		span | signature.PortRange | group | portIndex | portEntry | view | protocol | signature.Span
}

// bytesOf is the memory of a slice.
func bytesOf[T plain](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

// viewOf is a section as a slice. Sections begin at multiples of 8 of an image that does, so records are aligned.
func viewOf[T plain](b []byte) ([]T, error) {
	var t T
	size := int(unsafe.Sizeof(t))
	if len(b)%size != 0 {
		return nil, fmt.Errorf("%w: a section of %d bytes with records of %d", errImage, len(b), size)
	}
	if len(b) == 0 {
		return nil, nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/size), nil
}

// layout puts the sections behind the header.
func layout(sections [sectionCount][]byte) []byte {
	total := imageHeader
	for _, s := range sections {
		total = (total+7)&^7 + len(s)
	}
	// A slice of uint64 begins at a multiple of 8.
	image := bytesOf(make([]uint64, (total+7)/8))
	le := binary.NativeEndian
	le.PutUint64(image, imageMagic)
	le.PutUint64(image[8:], uint64(len(image)))
	le.PutUint64(image[16:], vocabulary())
	at := imageHeader
	for i, s := range sections {
		at = (at + 7) &^ 7
		le.PutUint64(image[24+16*i:], uint64(at))
		le.PutUint64(image[32+16*i:], uint64(len(s)))
		at += copy(image[at:], s)
	}
	return image
}

// split finds the sections of an image.
func split(image []byte) (sections [sectionCount][]byte, err error) {
	le := binary.NativeEndian
	switch {
	case len(image) < imageHeader, le.Uint64(image) != imageMagic, le.Uint64(image[16:]) != vocabulary():
		return sections, errImage
	case le.Uint64(image[8:]) != uint64(len(image)):
		return sections, fmt.Errorf("%w: %d bytes where its head says %d", errImage, len(image), le.Uint64(image[8:]))
	case uintptr(unsafe.Pointer(&image[0]))%8 != 0:
		return sections, fmt.Errorf("%w: it lies at an odd address", errImage)
	}
	for i := range sections {
		off, n := le.Uint64(image[24+16*i:]), le.Uint64(image[32+16*i:])
		if off%8 != 0 || off > uint64(len(image)) || n > uint64(len(image))-off {
			return sections, fmt.Errorf("%w: section %d lies outside", errImage, i)
		}
		sections[i] = image[off : off+n : off+n]
	}
	return sections, nil
}
