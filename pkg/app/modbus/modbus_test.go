package modbus

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// piece is a side's bytes in hex.
type piece struct {
	d    flow.Direction
	data string
}

func raw(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// unit is a unit with a right header.
func unit(transaction int, pdu string) string {
	return fmt.Sprintf("%04x 0000 %04x 01 %s", transaction, 1+len(raw(pdu)), pdu)
}

func play(p *Parser, in []piece, size int) {
	var rest [2][]byte
	give := func(d flow.Direction, end bool) {
		n, _ := p.Data(d, rest[d], end)
		rest[d] = append([]byte(nil), rest[d][n:]...)
	}
	for _, x := range in {
		for b := raw(x.data); len(b) > 0; {
			n := min(size, len(b))
			rest[x.d] = append(rest[x.d], b[:n]...)
			b = b[n:]
			give(x.d, false)
		}
	}
	give(flow.ToServer, true)
	give(flow.ToClient, true)
}

func dump(p *Parser) string {
	var b strings.Builder
	for _, x := range p.Txs() {
		t := x.(*Tx)
		fmt.Fprintf(&b, "%d:", t.inspection.ID)
		for d := range t.Messages {
			if m := &t.Messages[d]; m.Present {
				fmt.Fprintf(&b, " [f%d/%d u%d r%d+%d w%d+%d x%d %s %x]", m.Function, m.SubFunction, m.Unit, m.ReadAddress, m.ReadQuantity,
					m.WriteAddress, m.WriteQuantity, m.Exception, m.Category, m.Data)
			}
			for e := range events {
				if t.events[d].Has(uint8(e)) {
					fmt.Fprintf(&b, " !%s", events[e])
				}
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

const c, s = flow.ToServer, flow.ToClient

var cases = []struct {
	name string
	in   []piece
	want string
}{
	{
		"read",
		[]piece{{c, unit(1, "03 006b 0003")}, {s, unit(1, "03 06 022b 0000 0064")}},
		"0: [f3/-1 u1 r107+3 w0+0 x0 PUBLIC_ASSIGNED 006b0003] [f3/-1 u1 r0+0 w0+0 x0 PUBLIC_ASSIGNED 06022b00000064]\n",
	},
	{
		"pipelined, answered in another order",
		[]piece{{c, unit(1, "06 0001 0003") + unit(2, "05 00ac ff00")}, {s, unit(2, "05 00ac ff00") + unit(1, "86 02")}},
		"0: [f6/-1 u1 r0+0 w1+1 x0 PUBLIC_ASSIGNED 00010003] [f6/-1 u1 r0+0 w0+0 x2 PUBLIC_ASSIGNED 02]\n" +
			"1: [f5/-1 u1 r0+0 w172+1 x0 PUBLIC_ASSIGNED 00acff00] [f5/-1 u1 r0+0 w172+1 x0 PUBLIC_ASSIGNED 00acff00]\n",
	},
	{
		"write many",
		[]piece{{c, unit(1, "10 0001 0002 04 000a 0102")}, {s, unit(1, "10 0001 0002")}, {c, unit(2, "17 0003 0006 000e 0001 02 00ff")}},
		"0: [f16/-1 u1 r0+0 w1+2 x0 PUBLIC_ASSIGNED 0001000204000a0102] [f16/-1 u1 r0+0 w1+2 x0 PUBLIC_ASSIGNED 00010002]\n" +
			"1: [f23/-1 u1 r3+6 w14+1 x0 PUBLIC_ASSIGNED 00030006000e00010200ff]\n",
	},
	{
		"diagnostics",
		[]piece{{c, unit(1, "08 0004 0000") + unit(2, "2b 0e 01 00") + unit(3, "08 0016 0000")}},
		"0: [f8/4 u1 r0+0 w0+0 x0 PUBLIC_ASSIGNED 00040000]\n1: [f43/14 u1 r0+0 w0+0 x0 PUBLIC_ASSIGNED 0e0100]\n2: [f8/22 u1 r0+0 w0+0 x0 RESERVED 00160000]\n",
	},
	{
		"values",
		[]piece{{c, unit(1, "05 0000 1234") + unit(2, "03 0000 007e") + unit(3, "0f 0000 0009 01 ff") + unit(4, "03 ffff 0002")}},
		"0: [f5/-1 u1 r0+0 w0+1 x0 PUBLIC_ASSIGNED 00001234] !invalid_value\n1: [f3/-1 u1 r0+126 w0+0 x0 PUBLIC_ASSIGNED 0000007e] !invalid_value\n" +
			"2: [f15/-1 u1 r0+0 w0+9 x0 PUBLIC_ASSIGNED 0000000901ff] !invalid_value\n3: [f3/-1 u1 r65535+2 w0+0 x0 PUBLIC_ASSIGNED ffff0002] !invalid_value\n",
	},
	{
		"answers that do not fit",
		[]piece{
			{c, unit(1, "03 0000 0001") + unit(2, "06 0001 0002") + unit(3, "03 0000 0001")},
			{s, unit(1, "04 02 0000") + unit(2, "06 0001 0003") + unit(3, "83 09") + unit(9, "03 02 0000")},
		},
		"0: [f3/-1 u1 r0+1 w0+0 x0 PUBLIC_ASSIGNED 00000001] [f4/-1 u1 r0+0 w0+0 x0 PUBLIC_ASSIGNED 020000] !value_mismatch\n" +
			"1: [f6/-1 u1 r0+0 w1+1 x0 PUBLIC_ASSIGNED 00010002] [f6/-1 u1 r0+0 w1+1 x0 PUBLIC_ASSIGNED 00010003] !value_mismatch\n" +
			"2: [f3/-1 u1 r0+1 w0+0 x0 PUBLIC_ASSIGNED 00000001] [f3/-1 u1 r0+0 w0+0 x9 PUBLIC_ASSIGNED 09] !invalid_exception_code\n" +
			"3: [f3/-1 u1 r0+0 w0+0 x0 PUBLIC_ASSIGNED 020000] !unsolicited_response\n",
	},
	{
		"categories",
		[]piece{{c, unit(1, "41") + unit(2, "5a 00") + unit(3, "32") + unit(4, "00") + unit(5, "83 01")}},
		"0: [f65/-1 u1 r0+0 w0+0 x0 USER_DEFINED ]\n1: [f90/-1 u1 r0+0 w0+0 x0 RESERVED 00]\n2: [f50/-1 u1 r0+0 w0+0 x0 PUBLIC_UNASSIGNED ]\n" +
			"3: [f0/-1 u1 r0+0 w0+0 x0 NONE ] !invalid_function_code\n4: [f3/-1 u1 r0+0 w0+0 x1 PUBLIC_ASSIGNED 01] !invalid_function_code\n",
	},
	{
		"a unit hidden in a length",
		[]piece{{c, "0001 0000 0012 01 03 0000 0001 " + unit(2, "06 0001 0002")}},
		"0: [f3/-1 u1 r0+1 w0+0 x0 PUBLIC_ASSIGNED 00000001000200000006010600010002] !invalid_length\n1: [f6/-1 u1 r0+0 w1+1 x0 PUBLIC_ASSIGNED 00010002]\n",
	},
	{
		"a length that nothing can have",
		[]piece{{c, "0001 0000 ffff 01 06 0001 0002" + unit(2, "05 0000 ff00")}},
		"0: [f6/-1 u1 r0+0 w0+1 x0 PUBLIC_ASSIGNED ] !invalid_length\n1: [f5/-1 u1 r0+0 w0+1 x0 PUBLIC_ASSIGNED 0000ff00]\n",
	},
	{
		"a length that is too short",
		[]piece{{c, "0001 0000 0002 01 06" + unit(2, "05 0000 ff00")}},
		"0: [f6/-1 u1 r0+0 w0+1 x0 PUBLIC_ASSIGNED ] !invalid_length\n1: [f5/-1 u1 r0+0 w0+1 x0 PUBLIC_ASSIGNED 0000ff00]\n",
	},
	{"protocol, unit", []piece{{c, "0001 0001 0006 f9 03 0000 0001"}}, "0: [f3/-1 u249 r0+1 w0+0 x0 PUBLIC_ASSIGNED 00000001] !invalid_protocol_id !invalid_unit_identifier\n"},
	{"cut off", []piece{{c, "0001 0000 0006 01 06 00"}}, "0: [f6/-1 u1 r0+0 w0+1 x0 PUBLIC_ASSIGNED 00] !invalid_length\n"},
}

func TestParser(t *testing.T) {
	for _, x := range cases {
		for size := 1; size < 40; size++ {
			p := New(layer.NewPool(1 << 20))
			play(p, x.in, size)
			got := dump(p)
			if got != x.want {
				t.Fatalf("%s, pieces of %d:\ngot\n%swant\n%s", x.name, size, got, x.want)
			}
			pool := p.pool
			p.Reset()
			if pool.InUse() != 0 {
				t.Fatalf("%s: %d bytes not given back", x.name, pool.InUse())
			}
		}
	}
}

func TestWritten(t *testing.T) {
	for _, x := range []struct {
		pdu     string
		address uint16
		want    int
	}{
		{"06 0010 1234", 16, 0x1234},
		{"06 0010 1234", 17, -1},
		{"05 0010 ff00", 16, 1},
		{"05 0010 0000", 16, 0},
		{"10 0001 0002 04 000a 0102", 2, 0x102},
		{"10 0001 0002 04 000a 0102", 3, -1},
		{"10 0001 0002 04 000a 01", 2, -1},
		{"0f 0013 000a 02 cd 01", 0x13 + 2, 1},
		{"0f 0013 000a 02 cd 01", 0x13 + 1, 0},
		{"0f 0013 000a 02 cd 01", 0x13 + 8, 1},
		{"17 0003 0006 000e 0001 02 00ff", 14, 255},
		{"03 0000 0001", 0, -1},
		{"16 0004 00f2 0025", 4, -1},
	} {
		var m Message
		var e layer.EventSet
		m.parse(raw(unit(1, x.pdu)))
		m.check(c, &e)
		v, ok := m.Written(x.address)
		got := int(v)
		if !ok {
			got = -1
		}
		if got != x.want {
			t.Errorf("%s at %d: %d, want %d", x.pdu, x.address, got, x.want)
		}
	}
}

func TestProbe(t *testing.T) {
	for in, want := range map[string]layer.Answer{
		"": layer.More, "0001 0000 00": layer.More, unit(1, "03 0000 0001"): layer.Yes, "0001 0001": layer.No,
		"0001 0000 0001": layer.No, "0001 0000 00ff": layer.No, "0001 0000 0100": layer.No, "0001 0000 0002 01 00": layer.No,
	} {
		if got := probe(c, raw(in)); got != want {
			t.Errorf("%s: %d, want %d", in, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	play(p, []piece{{c, strings.Repeat(unit(1, "03 0000 0001"), maxWaiting+1)}}, 1000)
	if !p.Txs()[0].Events(c).Has(eventFlooded) || !p.Txs()[0].Complete(s) || p.Txs()[1].Events(c).Has(eventFlooded) {
		t.Error("the oldest of too many is not given up")
	}
	p = New(layer.NewPool(1 << 20))
	in := raw(strings.Repeat(unit(1, "03 0000 0001"), 2*maxHeld))
	if n, _ := p.Data(c, in, false); len(p.Txs()) != maxHeld || n != len(in)/2 {
		t.Errorf("%d held, %d consumed", len(p.Txs()), n)
	}
	p = New(layer.NewPool(0))
	play(p, cases[0].in, 100)
	if !p.Txs()[0].Events(c).Has(eventMemory) {
		t.Error("no memory is no event")
	}
}

func TestGap(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	p.Data(c, raw(unit(1, "03 0000 0001")), false)
	p.Gap(c, 3)
	p.Data(c, raw("01 06 00 01"+unit(7, "05 0000 ff00")), false)
	if len(p.Txs()) != 2 || p.list.At(1).Request().Transaction != 7 || !p.Txs()[1].Events(c).Has(eventGap) {
		t.Errorf("after a gap:\n%s", dump(p))
	}
}

func TestLog(t *testing.T) {
	want := []string{
		`{"modbus":{"id":1,"request":{"transaction_id":1,"protocol_id":0,"unit_id":1,"function_raw":3,"function_code":"RdHoldRegs","access_type":"READ | HOLDING","category":"PUBLIC_ASSIGNED","error_flags":"NONE","read":{"address":107,"quantity":3}},"response":{"transaction_id":1,"protocol_id":0,"unit_id":1,"function_raw":3,"function_code":"RdHoldRegs","access_type":"READ | HOLDING","category":"PUBLIC_ASSIGNED","error_flags":"NONE","read":{"data":"\u0002+\u0000\u0000\u0000d"}}}}`,
		`{"modbus":{"id":1,"request":{"transaction_id":1,"protocol_id":0,"unit_id":1,"function_raw":6,"function_code":"WrSingleReg","access_type":"WRITE | HOLDING | SINGLE","category":"PUBLIC_ASSIGNED","error_flags":"NONE","write":{"address":1,"data":3}},"response":{"transaction_id":1,"protocol_id":0,"unit_id":1,"function_raw":134,"function_code":"WrSingleReg","access_type":"WRITE | HOLDING | SINGLE","category":"PUBLIC_ASSIGNED","error_flags":"NONE","exception":{"raw":2,"code":"IllegalDataAddr"}}}}`,
	}
	for i, w := range want {
		p := New(layer.NewPool(1 << 20))
		play(p, cases[i].in, 100)
		o := layer.NewObject([]byte("{"))
		if p.Txs()[0].Log(o, c) || !p.Txs()[0].Log(o, s) || string(o.Bytes())+"}" != w {
			t.Errorf("got  %s}\nwant %s", o.Bytes(), w)
		}
	}
	for _, x := range cases {
		p := New(layer.NewPool(1 << 20))
		play(p, x.in, 100)
		for _, tx := range p.Txs() {
			if o := layer.NewObject([]byte("{")); !tx.Log(o, s) || !json.Valid(append(o.Bytes(), '}')) {
				t.Errorf("%s: %s", x.name, o.Bytes())
			}
		}
	}
}

func FuzzParser(f *testing.F) {
	for _, x := range cases {
		var sides [2]string
		for _, y := range x.in {
			sides[y.d] += y.data
		}
		f.Add(raw(sides[0]), raw(sides[1]), 3)
	}
	f.Fuzz(func(t *testing.T, client, server []byte, size int) {
		if len(client)+len(server) > 2000 {
			return
		}
		in := []piece{{c, hex.EncodeToString(client)}, {s, hex.EncodeToString(server)}}
		a, b := New(layer.NewPool(1<<20)), New(layer.NewPool(1<<20))
		play(a, in, len(client)+len(server)+1)
		play(b, in, max(size%50, 1))
		if len(a.Txs()) < maxHeld && dump(a) != dump(b) {
			t.Fatalf("whole\n%s\nin pieces\n%s", dump(a), dump(b))
		}
	})
}

func BenchmarkParser(b *testing.B) {
	p := New(layer.NewPool(1 << 20))
	q, r := raw(unit(1, "03 006b 0003")), raw(unit(1, "03 06 022b 0000 0064"))
	b.SetBytes(int64(len(q) + len(r)))
	b.ReportAllocs()
	for b.Loop() {
		p.Data(c, q, false)
		p.Data(s, r, false)
		p.Release(0)
	}
}
