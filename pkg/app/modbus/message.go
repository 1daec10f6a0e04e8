package modbus

import (
	"encoding/binary"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Message is a request or an answer.
type Message struct {
	Present     bool
	Transaction uint16
	ProtocolID  uint16
	Length      uint16 // as the header has it
	Unit        uint8
	Function    Function // without the bit of an exception
	SubFunction int      // of Diagnostic, or the type of Encapsulated; -1 if there is none
	Category    Category
	Access      Access
	Exception   uint8 // 0 if it is none

	// Of requests and of answers that repeat them. Quantities are 1 for single writes.
	ReadAddress, ReadQuantity   uint16
	WriteAddress, WriteQuantity uint16

	Data []byte // behind the function code; valid until the parser is called again
	cut  bool   // the data end before the fields do
}

// parse reads a unit, which may be cut off.
func (m *Message) parse(b []byte) {
	*m = Message{Present: true, SubFunction: -1}
	var head [header + 1]byte
	copy(head[:], b)
	m.Transaction = binary.BigEndian.Uint16(head[0:])
	m.ProtocolID = binary.BigEndian.Uint16(head[2:])
	m.Length = binary.BigEndian.Uint16(head[4:])
	m.Unit = head[6]
	m.Function = Function(head[7]) &^ exceptionBit
	m.Data = b[min(len(b), header+1):]
	if head[7]&exceptionBit != 0 {
		m.Exception = 0xff
		if len(m.Data) > 0 {
			m.Exception = m.Data[0]
		}
	}
	switch {
	case m.Function == Diagnostic && len(m.Data) > 1:
		m.SubFunction = int(binary.BigEndian.Uint16(m.Data))
	case m.Function == Encapsulated && len(m.Data) > 0:
		m.SubFunction = int(m.Data[0])
	}
	m.Category = m.Function.category(m.SubFunction)
	m.Access = m.Function.Access()
}

// word is a field of the data.
func (m *Message) word(at int) uint16 {
	if at+2 > len(m.Data) {
		m.cut = true
		return 0
	}
	return binary.BigEndian.Uint16(m.Data[at:])
}

// check reads the fields and notes what must not be.
func (m *Message) check(d flow.Direction, e *layer.EventSet) {
	if m.ProtocolID != 0 {
		e.Add(eventProtocol)
	}
	if m.Unit > 247 && m.Unit < 255 { // Messaging on TCP/IP, 4.4.1.2
		e.Add(eventUnit)
	}
	if m.Function == 0 || d == flow.ToServer && m.Exception != 0 {
		e.Add(eventFunction)
	}
	switch {
	case m.Exception != 0:
		if exceptionName(m.Exception) == "Unknown" {
			e.Add(eventException)
		}
		return
	case d == flow.ToServer:
		m.request(e)
	default:
		m.response(e)
	}
	if m.cut {
		e.Add(eventLength)
	}
}

// request reads addresses and quantities.
func (m *Message) request(e *layer.EventSet) {
	most := uint16(m.Function.shape().most)
	switch m.Function {
	case ReadCoils, ReadDiscretes, ReadHolding, ReadInput:
		m.ReadAddress, m.ReadQuantity = m.word(0), m.word(2)
		fits(m.ReadAddress, m.ReadQuantity, most, e)
	case WriteCoil, WriteRegister, MaskWrite:
		m.single(e)
	case WriteCoils, WriteRegisters:
		m.WriteAddress, m.WriteQuantity = m.word(0), m.word(2)
		fits(m.WriteAddress, m.WriteQuantity, most, e)
		m.counts(4, m.Function == WriteCoils, e)
	case ReadWriteRegisters:
		m.ReadAddress, m.ReadQuantity = m.word(0), m.word(2)
		m.WriteAddress, m.WriteQuantity = m.word(4), m.word(6)
		fits(m.ReadAddress, m.ReadQuantity, most, e)
		fits(m.WriteAddress, m.WriteQuantity, 121, e)
		m.counts(8, false, e)
	case ReadFIFO:
		m.ReadAddress, m.ReadQuantity = m.word(0), 1
	case Diagnostic:
		m.word(0)
	}
}

// single reads the one address of a write.
func (m *Message) single(e *layer.EventSet) {
	m.WriteAddress, m.WriteQuantity = m.word(0), 1
	v := m.word(2)
	if m.Function == WriteCoil && v != 0 && v != 0xff00 { // Modbus Application Protocol 1.1b3, 6.5
		e.Add(eventValue)
	}
}

// fits checks a quantity.
func fits(address, quantity, most uint16, e *layer.EventSet) {
	if quantity == 0 || quantity > most || int(address)+int(quantity) > 1<<16 {
		e.Add(eventValue)
	}
}

// counts compares a byte count with the quantity that is written.
func (m *Message) counts(at int, bits bool, e *layer.EventSet) {
	if at >= len(m.Data) {
		m.cut = true
		return
	}
	want := 2 * int(m.WriteQuantity)
	if bits {
		want = (int(m.WriteQuantity) + 7) / 8
	}
	if int(m.Data[at]) != want {
		e.Add(eventValue)
	}
}

// response reads what an answer repeats.
func (m *Message) response(e *layer.EventSet) {
	switch m.Function {
	case WriteCoil, WriteRegister, MaskWrite:
		m.single(e)
	case WriteCoils, WriteRegisters:
		m.WriteAddress, m.WriteQuantity = m.word(0), m.word(2)
	}
}

// agrees says whether an answer fits its request.
func (m *Message) agrees(q *Message) bool {
	if m.Function != q.Function || m.Unit != q.Unit {
		return false
	}
	if m.Exception != 0 {
		return true
	}
	if m.WriteQuantity != 0 && (m.WriteAddress != q.WriteAddress || m.WriteQuantity != q.WriteQuantity) {
		return false
	}
	switch m.Function {
	case WriteCoil, WriteRegister:
		return m.word(2) == q.word(2)
	case ReadCoils, ReadDiscretes:
		return len(m.Data) == 0 || int(m.Data[0]) == (int(q.ReadQuantity)+7)/8
	case ReadHolding, ReadInput, ReadWriteRegisters:
		return len(m.Data) == 0 || int(m.Data[0]) == 2*int(q.ReadQuantity)
	case Diagnostic:
		return m.SubFunction == q.SubFunction
	}
	return true
}

// Written is the value that a request writes to an address: of coils 0 or 1. ok is false if it does not write there, or
// only changes bits of what is there (MaskWrite).
func (m *Message) Written(address uint16) (value uint16, ok bool) {
	i := int(address) - int(m.WriteAddress)
	if i < 0 || i >= int(m.WriteQuantity) {
		return 0, false
	}
	switch m.Function {
	case WriteCoil:
		return min(m.word(2), 1), len(m.Data) >= 4
	case WriteRegister:
		return m.word(2), len(m.Data) >= 4
	case WriteCoils:
		if at := 5 + i/8; at < len(m.Data) {
			return uint16(m.Data[at]>>(i%8)) & 1, true
		}
	case WriteRegisters, ReadWriteRegisters:
		at := 5 + 2*i
		if m.Function == ReadWriteRegisters {
			at += 4
		}
		return m.word(at), at+2 <= len(m.Data)
	}
	return 0, false
}
