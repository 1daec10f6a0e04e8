package attacker

import (
	"encoding/binary"

	"citygate/pkg/flow"
)

// Every hostile frame carries a tag, so that whoever receives it can tell: the last 16 bytes of the frame, which are
// payload or Ethernet padding (both are carried along, whatever the headers say). A frame that is too short for it
// has the tag in its source address instead.
const (
	TagLen   = 16
	TagMagic = 0xc17ee1ab
	// ShortPrefix starts the source address of tagged frames that are shorter than ShortLen.
	ShortPrefix = 0x02c6
	ShortLen    = 14 + TagLen
)

// Tag names a hostile frame.
type Tag struct {
	Kind   uint8 // index into Kinds
	Side   flow.Side
	Seed   uint32
	Number uint32
}

// stamp writes the tag over the frame's last 16 bytes.
func (t Tag) stamp(frame []byte) {
	b := frame[len(frame)-TagLen:]
	binary.BigEndian.PutUint32(b, TagMagic)
	b[4], b[5] = t.Kind, byte(t.Side)
	binary.BigEndian.PutUint16(b[6:], ^uint16(TagMagic&0xffff))
	binary.BigEndian.PutUint32(b[8:], t.Seed)
	binary.BigEndian.PutUint32(b[12:], t.Number)
}

// short is the source address that tags a frame of less than ShortLen bytes. It holds 18 bits of the number.
func (t Tag) short() flow.MAC {
	n := t.Number & (1<<18 - 1)
	return flow.MAC{ShortPrefix >> 8, ShortPrefix & 0xff, t.Kind, byte(t.Side)<<4 | byte(n>>16), byte(n >> 8), byte(n)}
}

// ReadTag finds the tag of a frame.
func ReadTag(frame []byte) (Tag, bool) {
	if len(frame) >= ShortLen {
		b := frame[len(frame)-TagLen:]
		if binary.BigEndian.Uint32(b) != TagMagic || binary.BigEndian.Uint16(b[6:]) != ^uint16(TagMagic&0xffff) {
			return Tag{}, false
		}
		return Tag{
			Kind: b[4], Side: flow.Side(b[5]),
			Seed: binary.BigEndian.Uint32(b[8:]), Number: binary.BigEndian.Uint32(b[12:]),
		}, true
	}
	if len(frame) < 14 || binary.BigEndian.Uint16(frame[6:]) != ShortPrefix {
		return Tag{}, false
	}
	src := frame[6:12]
	return Tag{
		Kind: src[2], Side: flow.Side(src[3] >> 4),
		Number: uint32(src[3]&3)<<16 | uint32(src[4])<<8 | uint32(src[5]),
	}, true
}
