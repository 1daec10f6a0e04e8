package signature

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/modbus"
	"citygate/pkg/flow"
)

// What Arg are of a modbus match. A span is lo<<32 | hi, both ends in it.
const (
	modbusUnit     = iota // span
	modbusFunction        // -1: any
	modbusSub             // -1: any
	modbusKinds           // bits of modbus.Category, and of modbus.Access << 8; MatchNot negates the category
	modbusAddress         // span of addresses, of which one will do; -1: any
	modbusValue           // span of written values, of which one will do; -1: any
)

var (
	modbusCategories = map[string]modbus.Category{
		"assigned": modbus.Assigned, "unassigned": modbus.Unassigned, "public": modbus.Public, "user": modbus.User, "reserved": modbus.Reserved,
		"all": modbus.Public | modbus.User | modbus.Reserved,
	}
	modbusTables = map[string]modbus.Access{
		"discretes": modbus.Discretes, "coils": modbus.Coils, "input": modbus.Input, "holding": modbus.Holding,
	}
)

// modbusRequest judges a Modbus request.
var modbusRequest = Keyword{
	Name: "modbus", Where: OnHeader,
	Doc: "a Modbus request: [unit N,] function N[, subfunction N], or function [!]assigned|unassigned|public|user|reserved|all, " +
		"or access read|write [discretes|coils|input|holding][, address N[, value N]]; N may be <N, >N or N<>N where it is no function",
	Parse: func(b *Builder, value string) error {
		m := Match{Arg: [6]int64{span(0, 255), -1, -1, 0, -1, -1}}
		for part := range strings.SplitSeq(value, ",") {
			word, arg, _ := strings.Cut(strings.TrimSpace(part), " ")
			if err := m.modbusPart(strings.ToLower(word), strings.ToLower(strings.TrimSpace(arg))); err != nil {
				return err
			}
		}
		b.Add(m)
		return b.ofTx(layer.Modbus)
	},
	Eval: func(c *Context, m *Match) bool {
		t, ok := c.Tx.(*modbus.Tx)
		return ok && c.Direction == flow.ToServer && t.Request().Present && m.modbusIs(t.Request())
	},
}

func span(lo, hi int64) int64 { return lo<<32 | hi }

func parseSpan(s string, high int64) (int64, error) {
	r, err := parseRange(s, 0, high)
	if err == nil && r.not {
		err = errors.New("it cannot be negated")
	}
	return span(r.lo, r.hi), err
}

func (m *Match) modbusPart(word, arg string) (err error) {
	switch word {
	case "unit":
		m.Arg[modbusUnit], err = parseSpan(arg, 255)
	case "function":
		err = m.modbusFunction(arg)
	case "subfunction":
		if m.Arg[modbusFunction] < 0 {
			return errors.New("subfunction needs a function by number before it")
		}
		var n uint64
		n, err = parseNumber(arg, 0, 65535)
		m.Arg[modbusSub] = int64(n)
	case "access":
		err = m.modbusAccess(arg)
	case "address":
		if m.Arg[modbusKinds]>>8 == 0 {
			return errors.New("address needs access before it")
		}
		m.Arg[modbusAddress], err = parseSpan(arg, 65535)
	case "value":
		if m.Arg[modbusAddress] < 0 || modbus.Access(m.Arg[modbusKinds]>>8)&modbus.Write == 0 {
			return errors.New("value needs access write and an address before it")
		}
		m.Arg[modbusValue], err = parseSpan(arg, 65535)
	default:
		return fmt.Errorf("%q is none of unit, function, subfunction, access, address, value", shorten(word))
	}
	return err
}

func (m *Match) modbusFunction(arg string) error {
	name, not := strings.CutPrefix(arg, "!")
	if category, ok := modbusCategories[strings.TrimSpace(name)]; ok {
		m.Arg[modbusKinds] |= int64(category)
		if not {
			m.Flags = MatchNot
		}
		return nil
	}
	n, err := parseNumber(arg, 1, 255)
	m.Arg[modbusFunction] = int64(n)
	return err
}

func (m *Match) modbusAccess(arg string) error {
	var access modbus.Access
	for i, word := range strings.Fields(arg) {
		table, ok := modbusTables[word]
		switch {
		case i == 0 && word == "read":
			access = modbus.Read
		case i == 0 && word == "write":
			access = modbus.Write
		case i == 1 && ok && (access == modbus.Read || table == modbus.Coils || table == modbus.Holding):
			access |= table
		default:
			return fmt.Errorf("%q is no access: read or write, and then discretes, coils, input or holding (write: coils, holding)", shorten(arg))
		}
	}
	if access == 0 {
		return errors.New("access is read or write")
	}
	m.Arg[modbusKinds] |= int64(access) << 8
	return nil
}

// modbusIs judges a request.
func (m *Match) modbusIs(r *modbus.Message) bool {
	if !overlaps(m.Arg[modbusUnit], int64(r.Unit), int64(r.Unit)) ||
		m.Arg[modbusFunction] >= 0 && int64(r.Function) != m.Arg[modbusFunction] ||
		m.Arg[modbusSub] >= 0 && int64(r.SubFunction) != m.Arg[modbusSub] {
		return false
	}
	if category := modbus.Category(m.Arg[modbusKinds] & 0xff); category != 0 && (r.Category&category != 0) == (m.Flags&MatchNot != 0) {
		return false
	}
	access := modbus.Access(m.Arg[modbusKinds] >> 8)
	if access == 0 {
		return true
	}
	if r.Access&access != access {
		return false
	}
	if m.Arg[modbusAddress] < 0 {
		return true
	}
	if access&modbus.Read != 0 {
		return touchesAddress(m.Arg[modbusAddress], r.ReadAddress, r.ReadQuantity)
	}
	return touchesAddress(m.Arg[modbusAddress], r.WriteAddress, r.WriteQuantity) && m.modbusWrites(r)
}

// overlaps says whether a span and a range share a number.
func overlaps(span, lo, hi int64) bool { return lo <= span&(1<<32-1) && hi >= span>>32 }

func touchesAddress(span int64, first, quantity uint16) bool {
	return quantity > 0 && overlaps(span, int64(first), int64(first)+int64(quantity)-1)
}

// modbusWrites says whether one of the values that are written to the addresses is in the span.
func (m *Match) modbusWrites(r *modbus.Message) bool {
	if m.Arg[modbusValue] < 0 {
		return true
	}
	for i := range int(r.WriteQuantity) {
		at := int64(r.WriteAddress) + int64(i)
		if !overlaps(m.Arg[modbusAddress], at, at) {
			continue
		}
		v, ok := writtenValue(r, i)
		if !ok {
			return false
		}
		if overlaps(m.Arg[modbusValue], v, v) {
			return true
		}
	}
	return false
}

// writtenValue is the i-th value that a request writes: of a coil 0 or 1 (Modbus Application Protocol 1.1b3, 6.5 to 6.17).
func writtenValue(r *modbus.Message, i int) (v int64, ok bool) {
	at := 2 // behind the address
	switch r.Function {
	case modbus.WriteCoils:
		at = 5 + i/8
		if at >= len(r.Data) {
			return 0, false
		}
		return int64(r.Data[at] >> (i & 7) & 1), true
	case modbus.WriteRegisters:
		at = 5 + 2*i
	case modbus.ReadWriteRegisters:
		at = 9 + 2*i
	}
	if at+2 > len(r.Data) {
		return 0, false
	}
	n := binary.BigEndian.Uint16(r.Data[at:])
	if r.Function == modbus.WriteCoil {
		return int64(n >> 15), true // 0xff00 is on
	}
	return int64(n), true
}
