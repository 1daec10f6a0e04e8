package dns

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

const (
	ts = flow.ToServer
	tc = flow.ToClient
)

// msg is a message of sections in hex-free notation: header words, then bytes.
func msg(id, flags uint16, qd, an, ns, ar uint16, body ...string) []byte {
	b := make([]byte, headerLen)
	for i, v := range []uint16{id, flags, qd, an, ns, ar} {
		binary.BigEndian.PutUint16(b[2*i:], v)
	}
	return append(b, strings.Join(body, "")...)
}

func name(s string) string {
	out := ""
	for l := range strings.SplitSeq(s, ".") {
		out += string(rune(len(l))) + l
	}
	return out + "\x00"
}

func question(n string, kind uint16) string { return n + u16(kind) + u16(1) }

func rr(n string, kind uint16, data string) string {
	return n + u16(kind) + u16(1) + "\x00\x00\x00\x3c" + u16(uint16(len(data))) + data
}

func u16(v uint16) string { return string([]byte{byte(v >> 8), byte(v)}) }

const toFirst = "\xc0\x0c" // a pointer to the first question's name

var request = msg(0x1234, 0x0100, 1, 0, 0, 0, question(name("www.Example.com"), kindA))

var response = msg(0x1234, 0x8180, 1, 11, 1, 1, question(name("www.Example.com"), kindA),
	rr(toFirst, kindCNAME, "\x03web\xc0\x10"), rr("\x03web\xc0\x10", kindA, "\x0a\x00\x00\x01"),
	rr(toFirst, kindAAAA, "\x20\x01\x0d\xb8"+strings.Repeat("\x00", 11)+"\x01"),
	rr(toFirst, kindMX, "\x00\x05\x04mail\xc0\x10"), rr(toFirst, kindTXT, "\x03abc\x02\"d"),
	rr(toFirst, kindSRV, "\x00\x01\x00\x02\x15\xb3\x02ts\xc0\x10"), rr(toFirst, kindSSHFP, "\x01\x02\xab\xcd"),
	rr(toFirst, kindPTR, name("ptr.x")), rr(toFirst, kindNULL, "\x00\xff"), rr(toFirst, 65, "zz"),
	rr(toFirst, kindA, ""),
	rr("\xc0\x10", kindSOA, "\x02ns\xc0\x10\x04root\xc0\x10"+"\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x05"),
	rr("\x00", 41, ""))

// tell writes down all that a transaction shows.
func tell(x layer.Tx) string {
	t := x.(*Tx)
	out := fmt.Sprintf("%v id %x op %d rc %d types %v", t.Direction, t.ID, t.Opcode, t.RCode, t.RRTypes)
	for _, b := range []layer.Buffer{layer.DNSQuery, layer.DNSQueriesName, layer.DNSAnswersName, layer.DNSAuthoritiesName, layer.DNSAdditionalsName} {
		for i := 0; ; i++ {
			v, ok := t.Get(b, t.Direction, i)
			if !ok {
				break
			}
			if i < 2 {
				out += fmt.Sprintf(" %v[%d]=%q", b, i, v[:min(len(v), 40)])
			}
		}
	}
	for i, e := range events {
		if t.Events(t.Direction).Has(uint8(i)) {
			out += " " + e
		}
	}
	return out
}

func TestMessages(t *testing.T) {
	loop := msg(1, 0x0100, 1, 0, 0, 0, question("\x01a\xc0\x0e", kindA))
	mutual := msg(1, 0x0100, 2, 0, 0, 0, question("\xc0\x12", kindA), question("\xc0\x0c", kindA))
	long := msg(1, 0x0100, 1, 0, 0, 0, question(strings.Repeat("\x3f"+strings.Repeat("b", 63), 20)+"\x00", kindA))
	many := msg(1, 0x0100, 1500, 0, 0, 0, strings.Repeat(question("\x00", kindA), 1500))
	for _, c := range []struct {
		name string
		d    flow.Direction
		data []byte
		want string
	}{
		{"request", ts, request, `to_server id 1234 op 0 rc 0 types [1] dns.query[0]="www.Example.com" dns.queries.rrname[0]="www.Example.com"`},
		{"response", tc, response, `to_client id 1234 op 0 rc 0 types [1 5 1 28 15 16 33 44 12 10 65 1] dns.queries.rrname[0]="www.Example.com" ` +
			`dns.answers.rrname[0]="www.Example.com" dns.answers.rrname[1]="web.Example.com" dns.authorities.rrname[0]="Example.com" dns.additionals.rrname[0]=""`},
		{"two questions", ts, msg(1, 0x2100, 2, 0, 0, 0, question(name("a"), 1), question(name("b.c"), 28)),
			`to_server id 1 op 4 rc 0 types [1 28] dns.query[0]="a" dns.query[1]="b.c" dns.queries.rrname[0]="a" dns.queries.rrname[1]="b.c"`},
		{"flags", ts, msg(1, 0x4140, 1, 0, 0, 0, question(name("a"), 1)),
			`to_server id 1 op 8 rc 0 types [1] dns.query[0]="a" dns.queries.rrname[0]="a" z_flag_set invalid_opcode`},
		{"loop", ts, loop, `to_server id 1 op 0 rc 0 types [1] dns.query[0]="a" dns.queries.rrname[0]="a" infinite_loop`},
		{"loop of two", ts, mutual, `to_server id 1 op 0 rc 0 types [1 1] dns.query[0]="" dns.query[1]="" dns.queries.rrname[0]="" dns.queries.rrname[1]="" too_many_labels`},
		{"long name", ts, long, `to_server id 1 op 0 rc 0 types [1] dns.query[0]="` + strings.Repeat("b", 40) + `" dns.queries.rrname[0]="` + strings.Repeat("b", 40) + `" name_too_long`},
		{"wrong direction", ts, response, `to_server id 0 op 0 rc 0 types [] not_request`},
		{"wrong direction", tc, request, `to_client id 0 op 0 rc 0 types [] not_response`},
		{"cut", ts, request[:20], `to_server id 1234 op 0 rc 0 types [] malformed_data`},
		{"cut header", ts, request[:11], `to_server id 0 op 0 rc 0 types [] malformed_data`},
		{"bad label", ts, msg(1, 0, 1, 0, 0, 0, "\x40a\x00\x00\x01\x00\x01"), `to_server id 1 op 0 rc 0 types [] malformed_data`},
		{"authorities are missing", tc, msg(1, 0x8003, 1, 0, 1, 0, question(name("a"), 1)),
			`to_client id 1 op 0 rc 3 types [1] dns.queries.rrname[0]="a" invalid_authorities`},
		{"many", ts, many, ""},
	} {
		p := Protocol().New(layer.NewPool(1 << 20))
		if n, ok := p.Data(c.d, c.data, false); n != len(c.data) || !ok {
			t.Errorf("%s: %d %v", c.name, n, ok)
		}
		if c.want == "" {
			if x := p.Txs()[0].(*Tx); !x.events.Has(tooManyRecords) || len(x.records) != maxRecords {
				t.Errorf("%s: %d records, events %b", c.name, len(x.records), x.events)
			}
			continue
		}
		if got := tell(p.Txs()[0]); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestNoMemory(t *testing.T) {
	p := Protocol().New(layer.NewPool(100))
	p.Data(ts, request, false)
	if x := p.Txs()[0]; !x.Events(ts).Has(noMemory) || x.Log(layer.NewObject(nil), ts) {
		t.Errorf("events %b", x.Events(ts))
	}
}

func TestLog(t *testing.T) {
	p := Protocol().New(layer.NewPool(1 << 20))
	p.Data(ts, request, false)
	p.Data(tc, response, false)
	for i, want := range []string{
		`{"dns":{"version":3,"type":"request","tx_id":0,"id":4660,"flags":"100","rd":true,"opcode":0,"rcode":"NOERROR","queries":[{"rrname":"www.Example.com","rrtype":"A"}]}`,
		`{"dns":{"version":3,"type":"response","tx_id":1,"id":4660,"flags":"8180","qr":true,"rd":true,"ra":true,"opcode":0,"rcode":"NOERROR",` +
			`"queries":[{"rrname":"www.Example.com","rrtype":"A"}],` +
			`"answers":[{"rrname":"www.Example.com","rrtype":"CNAME","ttl":60,"rdata":"web.Example.com"},` +
			`{"rrname":"web.Example.com","rrtype":"A","ttl":60,"rdata":"10.0.0.1"},` +
			`{"rrname":"www.Example.com","rrtype":"AAAA","ttl":60,"rdata":"2001:db8::1"},` +
			`{"rrname":"www.Example.com","rrtype":"MX","ttl":60,"rdata":"mail.Example.com"},` +
			`{"rrname":"www.Example.com","rrtype":"TXT","ttl":60,"rdata":"abc\"d"},` +
			`{"rrname":"www.Example.com","rrtype":"SRV","ttl":60,"srv":{"priority":1,"weight":2,"port":5555,"name":"ts.Example.com"}},` +
			`{"rrname":"www.Example.com","rrtype":"SSHFP","ttl":60,"sshfp":{"fingerprint":"ab:cd","algo":1,"type":2}},` +
			`{"rrname":"www.Example.com","rrtype":"PTR","ttl":60,"rdata":"ptr.x"},` +
			`{"rrname":"www.Example.com","rrtype":"NULL","ttl":60,"rdata":"\u0000ÿ"},` +
			`{"rrname":"www.Example.com","rrtype":"HTTPS","ttl":60},{"rrname":"www.Example.com","rrtype":"A","ttl":60}],` +
			`"grouped":{"A":["10.0.0.1"],"AAAA":["2001:db8::1"],"CNAME":["web.Example.com"],"MX":["mail.Example.com"],"NULL":["\u0000ÿ"],` +
			`"PTR":["ptr.x"],"SRV":[{"priority":1,"weight":2,"port":5555,"name":"ts.Example.com"}],` +
			`"SSHFP":[{"fingerprint":"ab:cd","algo":1,"type":2}],"TXT":["abc\"d"]},` +
			`"authorities":[{"rrname":"Example.com","rrtype":"SOA","ttl":60,"soa":{"mname":"ns.Example.com","rname":"root.Example.com",` +
			`"serial":1,"refresh":2,"retry":3,"expire":4,"minimum":5}}],"additionals":[{"rrname":"","rrtype":"OPT","ttl":60}]}`,
	} {
		o := layer.NewObject([]byte("{"))
		d := flow.Direction(i)
		if !p.Txs()[i].Log(o, d) || p.Txs()[i].Log(layer.NewObject(nil), d.Reverse()) {
			t.Errorf("message %d: logged in the wrong direction", i)
		}
		if got := string(o.Bytes()) + "}"; got != want+"}" || !json.Valid([]byte(got)) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func framed(messages ...[]byte) []byte {
	var out []byte
	for _, m := range messages {
		out = append(append(out, u16(uint16(len(m)))...), m...)
	}
	return out
}

// stream gives data in pieces and tells the transactions.
func stream(p layer.Parser, d flow.Direction, data []byte, piece func(int) int) string {
	out, kept := "", []byte(nil)
	for len(data) > 0 {
		n := min(piece(len(data)), len(data))
		kept = append(kept, data[:n]...)
		data = data[n:]
		n, ok := p.Data(d, kept, len(data) == 0)
		if !ok {
			return out + "stopped"
		}
		kept = kept[n:]
		for len(p.Txs()) > 0 {
			out += tell(p.Txs()[0]) + "\n"
			p.Release(0)
		}
	}
	return out
}

func TestStreamSplits(t *testing.T) {
	data := framed(request, msg(2, 0, 1, 0, 0, 0, "\xff"), []byte{}, request, request[:5])
	data = append(data, 0, 100, 1, 2, 3)
	want := stream(OverTCP().New(layer.NewPool(1<<20)), ts, data, func(n int) int { return n })
	if strings.Count(want, "\n") != 5 || strings.Count(want, "malformed_data") != 3 {
		t.Fatalf("whole: %s", want)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		got := stream(OverTCP().New(layer.NewPool(1<<20)), ts, data, func(int) int {
			if i == 0 {
				return 1
			}
			return 1 + r.IntN(40)
		})
		if got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func TestGap(t *testing.T) {
	data := framed(request, request)
	size := len(data) / 2
	for _, c := range []struct {
		before, gap int
		ok          bool
		want        int // messages
	}{{10, 5, true, 2}, {10, size - 10, true, 2}, {10, size - 9, false, 0}, {1, 3, false, 0}, {size, 3, false, 1}} {
		p := OverTCP().New(layer.NewPool(1 << 20))
		n, _ := p.Data(ts, data[:c.before], false)
		if got := p.Gap(ts, c.gap); got != c.ok {
			t.Errorf("%+v: %v", c, got)
			continue
		}
		if c.ok {
			p.Data(ts, data[c.before+c.gap:], false)
		}
		if len(p.Txs()) != c.want || c.ok && (!p.Txs()[0].Events(ts).Has(malformedData) || p.Txs()[1].Events(ts) != 0) {
			t.Errorf("%+v: %d messages, %d consumed first", c, len(p.Txs()), n)
		}
	}
}

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		d    flow.Direction
		data []byte
		want layer.Answer
	}{
		{ts, request, layer.Yes}, {tc, response, layer.Yes}, {tc, request, layer.No}, {ts, response, layer.No},
		{ts, request[:20], layer.No}, {ts, nil, layer.No}, {ts, bytes.Repeat([]byte{0x80}, 200), layer.No},
	} {
		if got := probe(c.d, c.data); got != c.want {
			t.Errorf("%v %x: %v", c.d, c.data, got)
		}
	}
	if a := probeTCP(ts, framed(request)); a != layer.Yes {
		t.Errorf("over TCP: %v", a)
	}
	if a := probeTCP(ts, []byte("\x00\x0b")); a != layer.No {
		t.Errorf("too short a message: %v", a)
	}
}

func TestReset(t *testing.T) {
	pool := layer.NewPool(1 << 20)
	p := OverTCP().New(pool).(*parser)
	for range maxOpen + 1 {
		p.Data(ts, framed(request), false)
	}
	if p.list.Len() != maxOpen || !p.Txs()[maxOpen-1].Events(ts).Has(tooManyTransactions) {
		t.Errorf("%d open", p.list.Len())
	}
	p.Reset()
	if pool.InUse() != 0 || p.list.Len() != 0 {
		t.Errorf("%d bytes in use, %d open", pool.InUse(), p.list.Len())
	}
	p.Data(ts, framed(request), false)
	if id := p.Txs()[0].Inspection().ID; id != 0 {
		t.Errorf("the first transaction has number %d", id)
	}
}

func TestNames(t *testing.T) {
	if k, ok := Kind("AAAA"); k != 28 || !ok {
		t.Error("AAAA")
	}
	if c, ok := RCode("NXDOMAIN"); c != 3 || !ok {
		t.Error("NXDOMAIN")
	}
	if kindName(4711) != "4711" || rcodeName(99) != "99" {
		t.Error("numbers")
	}
}

func FuzzDNS(f *testing.F) {
	f.Add(request, uint8(0))
	f.Add(response, uint8(1))
	f.Add(framed(request, request), uint8(2))
	f.Add(framed(response), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, mode uint8) {
		d := flow.Direction(mode & 1)
		pool := layer.NewPool(1 << 20)
		line := Protocol()
		if mode&2 != 0 {
			line = OverTCP()
		}
		p := line.New(pool)
		if n, ok := p.Data(d, data, mode&4 != 0); n < 0 || n > len(data) || !ok {
			t.Fatalf("%d of %d, %v", n, len(data), ok)
		}
		line.Probe(d, data)
		for _, x := range p.Txs() {
			tell(x)
			o := layer.NewObject([]byte("{"))
			if x.Log(o, d); !json.Valid(append(o.Bytes(), '}')) {
				t.Fatalf("%s", o.Bytes())
			}
		}
		p.Gap(d, int(mode))
		p.(*parser).Reset()
		if pool.InUse() != 0 {
			t.Fatal("memory is not given back")
		}
	})
}

func BenchmarkQueryAndAnswer(b *testing.B) {
	p := Protocol().New(layer.NewPool(1 << 20))
	b.SetBytes(int64(len(request) + len(response)))
	b.ReportAllocs()
	for b.Loop() {
		p.Data(ts, request, false)
		p.Data(tc, response, false)
		p.Release(1)
		p.Release(0)
	}
}
