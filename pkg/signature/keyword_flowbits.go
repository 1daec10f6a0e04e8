package signature

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Operations on bits: Arg[0] of flowbits, xbits and hostbits.
const (
	bitSet int64 = iota
	bitUnset
	bitToggle
	bitIsSet
	bitIsNotSet
)

var bitOperations = map[string]int64{
	"set": bitSet, "unset": bitUnset, "toggle": bitToggle, "isset": bitIsSet, "isnotset": bitIsNotSet,
}

// flowbits sets and reads bits of the flow. Match: Arg[0] the operation, Data the bits' numbers; of several, one must
// answer (isset:a|b).
var flowbits = Keyword{
	Name: "flowbits", Where: OnHeader,
	Doc: "bits that rules keep in the flow: set, unset, toggle, isset, isnotset and a name (isset:a|b: one of them); noalert",
	Parse: func(b *Builder, value string) error {
		if strings.TrimSpace(value) == "noalert" {
			b.Flags |= NoAlert
			return nil
		}
		word, names, _ := strings.Cut(value, ",")
		op, ok := bitOperations[strings.TrimSpace(word)]
		if !ok {
			return fmt.Errorf("%q is none of set, unset, toggle, isset, isnotset, noalert", shorten(word))
		}
		var numbers []byte
		for name := range strings.SplitSeq(names, "|") {
			if name = strings.TrimSpace(name); name == "" || strings.ContainsAny(name, " ,\t") {
				return fmt.Errorf("%q is no name of a bit", shorten(name))
			}
			numbers = binary.LittleEndian.AppendUint32(numbers, b.Env.Symbols.Flowbits.ID(name))
		}
		if len(numbers) > 4 && op < bitIsSet {
			return errors.New("several names are for isset and isnotset only")
		}
		b.addBit(Match{Arg: [6]int64{op}, Data: b.Bytes(numbers)})
		return nil
	},
	Eval: func(c *Context, m *Match) bool {
		if c.Flow == nil {
			return m.Arg[0] == bitIsNotSet
		}
		for numbers := c.Bytes(m); len(numbers) >= 4; numbers = numbers[4:] {
			if c.Flow.flowbit(m.Arg[0], binary.LittleEndian.Uint32(numbers)) {
				return true
			}
		}
		return false
	},
}

// addBit puts a match of the keyword in hand where its operation belongs: reading before, changing after all matched.
func (b *Builder) addBit(m Match) {
	m.Kind = b.kind
	if m.Arg[0] < bitIsSet {
		b.Post = append(b.Post, m)
	} else {
		b.Packet = append(b.Packet, m)
	}
}

// flowbit does an operation; of a change the answer is true.
func (s *State) flowbit(op int64, n uint32) bool {
	if int(n>>6) >= len(s.Bits) {
		return op == bitIsNotSet
	}
	word, bit := &s.Bits[n>>6], uint64(1)<<(n&63)
	switch op {
	case bitSet:
		*word |= bit
	case bitUnset:
		*word &^= bit
	case bitToggle:
		*word ^= bit
	case bitIsSet:
		return *word&bit != 0
	case bitIsNotSet:
		return *word&bit == 0
	}
	return true
}
