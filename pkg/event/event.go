// Package event is the vocabulary of what a gateway reports: one file per type of event, a binary codec for the
// channels between processes, and EVE JSON for people and for other systems.
package event

import (
	"fmt"
	"time"
)

// MaxPayload bounds an encoded event in bytes: with its frame it fits a channel message of 4 KiB.
const MaxPayload = 4000

// Header is what every event carries.
type Header struct {
	Boot   time.Duration // CLOCK_MONOTONIC: orders events when the wall clock jumps
	Wall   time.Time     // as the sender's clock had it, to the nanosecond; never rewritten
	Bridge string        // its name in the config; empty for what concerns the whole box
	Iface  string        // the bridge port's interface; empty when there is none
}

// Event is one of this package's types, by pointer: *Drop, *Device, ... Only this package can add one (types.go).
type Event interface {
	EventType() Type
	Head() *Header
	wire(*coder)
	eve(*line)
}

// Head gives an event's header for reading and for filling in.
func (h *Header) Head() *Header { return h }

func (h *Header) wire(c *coder) {
	duration(c, &h.Boot)
	c.time(&h.Wall)
	c.text(&h.Bridge, maxName)
	c.text(&h.Iface, maxName)
}

// Encode gives an event's type number and its payload of at most MaxPayload bytes. Texts longer than their field
// allows are cut at a character, bytes that are no UTF-8 become U+FFFD, and lists are cut to their limit: an
// event must not be lost over the length of a name that a stranger chose.
func Encode(e Event) (typ uint16, payload []byte) {
	c := coder{writing: true, b: make([]byte, 0, 256)}
	e.Head().wire(&c)
	e.wire(&c)
	return uint16(e.EventType()), c.b
}

// Decode is the inverse of Encode. It accepts exactly the payloads that Encode gives.
func Decode(typ uint16, payload []byte) (Event, error) {
	info, ok := Type(typ).info()
	if !ok {
		return nil, fmt.Errorf("decode event: type %d is unknown", typ)
	}
	if len(payload) > MaxPayload {
		return nil, fmt.Errorf("decode %s event: %d bytes are more than %d", info.name, len(payload), MaxPayload)
	}
	e := info.make()
	c := coder{b: payload}
	e.Head().wire(&c)
	e.wire(&c)
	if c.err == nil && len(c.b) != 0 {
		c.err = fmt.Errorf("%d bytes after the last field", len(c.b))
	}
	if c.err != nil {
		return nil, fmt.Errorf("decode %s event: %w", info.name, c.err)
	}
	return e, nil
}
