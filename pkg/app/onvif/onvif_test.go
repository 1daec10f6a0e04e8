package onvif

import (
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

const reboot = `<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">
<s:Header><wsse:Security s:mustUnderstand="1"><wsse:UsernameToken><wsse:Username> ad<![CDATA[m&]]>i&#110; </wsse:Username>
<wsse:Password>x</wsse:Password></wsse:UsernameToken></wsse:Security>
<Action xmlns="http://www.w3.org/2005/08/addressing">http://www.onvif.org/ver10/device/wsdl/SystemReboot</Action></s:Header>
<!-- <s:Body><GetHostname/></s:Body> --><?x <s:Body><GetHostname/></s:Body> ?>
<s:Body a="<s:Body><GetHostname/>"><tds:SystemReboot xmlns:tds="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>`

const matches = `<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><e:Header><w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</w:Action></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch><w:EndpointReference><w:Address>urn:uuid:1</w:Address></w:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/A onvif://www.onvif.org/hardware/B</d:Scopes><d:XAddrs>http://10.0.0.1/onvif/device_service</d:XAddrs></d:ProbeMatch><d:ProbeMatch><w:EndpointReference><w:Address>urn:uuid:2</w:Address></w:EndpointReference></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>`

func utf16Bytes(s string, order binary.ByteOrder, mark bool) []byte {
	units := utf16.Encode([]rune(s))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	b := make([]byte, 2*len(units))
	for i, u := range units {
		order.PutUint16(b[2*i:], u)
	}
	return b
}

func TestParse(t *testing.T) {
	var m Message
	if err := Parse([]byte(reboot), &m); err != nil {
		t.Fatal(err)
	}
	if string(m.Op) != "SystemReboot" || string(m.Namespace) != "http://www.onvif.org/ver10/device/wsdl" || !m.Security ||
		!m.Token || string(m.Username) != "adm&in" || m.Response || m.Fault ||
		string(m.Action) != "http://www.onvif.org/ver10/device/wsdl/SystemReboot" {
		t.Errorf("%q %q %q %q %+v", m.Op, m.Namespace, m.Username, m.Action, m.Faults)
	}
	if err := Parse([]byte(matches), &m); err != nil {
		t.Fatal(err)
	}
	if string(m.Op) != "ProbeMatches" || m.Security || len(m.Username) > 0 || !m.Response || len(m.Targets) != 2 {
		t.Fatalf("%q %d targets", m.Op, len(m.Targets))
	}
	if g := m.Targets[0]; string(g.Endpoint) != "urn:uuid:1" || string(g.Types) != "dn:NetworkVideoTransmitter" ||
		!strings.HasSuffix(string(g.Scopes), "hardware/B") || string(g.XAddrs) != "http://10.0.0.1/onvif/device_service" {
		t.Errorf("first target %q", g)
	}
	if g := m.Targets[1]; string(g.Endpoint) != "urn:uuid:2" || len(g.Types) != 0 {
		t.Errorf("second target %q", g)
	}
}

func TestOperation(t *testing.T) {
	const e, b, end = `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/">`, `<Body>`, `</Body></Envelope>`
	for _, c := range []struct{ name, in, op string }{
		{"empty", "", ""},
		{"not xml", `{"a":1}`, ""},
		{"html", "<html><body><SystemReboot/></body></html>", ""},
		{"default namespace", e + b + `<SystemReboot xmlns="x"></SystemReboot>` + end, "SystemReboot"},
		{"no namespace at all", `<Envelope><Body><SystemReboot/></Body></Envelope>`, "SystemReboot"},
		{"unknown prefix", `<q:Envelope><q:Body><q:SystemReboot/></q:Body></q:Envelope>`, "SystemReboot"},
		{"single quotes and space", "<a:Envelope\n xmlns:a = 'http://www.w3.org/2003/05/soap-envelope' ><a:Body\t><b:SetUser \n></b:SetUser></a:Body></a:Envelope>", "SetUser"},
		{"cut after the operation's tag", e + b + `<SystemReboot>`, "SystemReboot"},
		{"cut inside it", e + b + `<SystemReb`, ""},
		{"text before", e + b + ` text <![CDATA[<GetHostname/>]]> <SystemReboot/>` + end, "SystemReboot"},
		{"decoy body in another namespace", `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><Body xmlns="x"><GetHostname/></Body><s:Body><SystemReboot/></s:Body></s:Envelope>`, "SystemReboot"},
		{"namespace written with references", `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap&#45;envelope"><Body xmlns="x"><GetHostname/></Body><s:Body><SystemReboot/></s:Body></s:Envelope>`, "SystemReboot"},
		{"decoy body in the header", e + `<Header><Body><GetHostname/></Body></Header>` + b + `<SystemReboot/>` + end, "SystemReboot"},
		{"operation is not what lies deeper", e + b + `<GetHostname><SystemReboot/></GetHostname>` + end, "GetHostname"},
		{"document type", `<!DOCTYPE a [<!ENTITY x "]>"> <!-- ]> --> <?p ]> ?>]>` + e + b + `<SystemReboot/>` + end, "SystemReboot"},
		{"attribute without quotes", e + `<Body a=b c>` + `<SystemReboot/>` + end, "SystemReboot"},
		{"byte order mark", "\xef\xbb\xbf" + e + b + `<SystemReboot/>` + end, "SystemReboot"},
		{"UTF-16 little endian", string(utf16Bytes(e+b+`<SystemReboot x="😀"/>`+end, binary.LittleEndian, true)), "SystemReboot"},
		{"UTF-16 big endian", string(utf16Bytes(e+b+`<SystemReboot/>`+end, binary.BigEndian, true)), "SystemReboot"},
		{"UTF-16 without mark", string(utf16Bytes(e+b+`<SystemReboot/>`+end, binary.LittleEndian, false)), "SystemReboot"},
	} {
		op, ok := Operation([]byte(c.in))
		if string(op) != c.op || ok != (c.op != "") {
			t.Errorf("%s: %q %v", c.name, op, ok)
		}
		var m Message
		_ = Parse([]byte(c.in), &m)
		if string(m.Op) != c.op {
			t.Errorf("%s: Parse finds %q", c.name, m.Op)
		}
	}
}

func TestFaults(t *testing.T) {
	wrap := func(s string) string { return "<Envelope><Body>" + s + "</Body></Envelope>" }
	for _, c := range []struct {
		in   string
		want Fault
		op   string
	}{
		{wrap("<A/><B/>"), Ambiguous, "A"},
		{wrap("<A/>") + wrap("<B/>"), Ambiguous, "A"},
		{"<!DOCTYPE x><Envelope><Body><A/></Body></Envelope>", Doctype, "A"},
		{"<!doctype x [<!ENTITY a '&b;&b;'>]>" + wrap("&a;"), Doctype, ""},
		{wrap("<A></B>"), Malformed, "A"},
		{wrap("<A <B>"), Malformed, ""},
		{wrap("<A/x>"), Malformed, "A"},
		{wrap("<A><!ELEMENT x></A>"), Malformed, "A"},
		{wrap("<>"), Malformed, ""},
		{wrap("<A>") + "<", Malformed, "A"},
		{"<Envelope><Body><A>", Truncated, "A"},
		{"<Envelope><Body><A b='", Truncated, ""},
		{"<Envelope><!--", Truncated, ""},
		{"<Envelope><![CDAT", Truncated, ""},
		{wrap("<A>" + strings.Repeat("<x>", 100)), TooDeep, "A"},
		{wrap("<" + strings.Repeat("x", 300) + "/>"), TooLong, ""},
		{wrap("<A>" + strings.Repeat("x", MaxDocument)), TooLong, "A"},
		{wrap("<A" + strings.Repeat(" a=''", 100) + "/>"), TooManyAttributes, ""},
		{strings.Replace(wrap(strings.Repeat("<A"+strings.Repeat(" xmlns:a=''", 60)+">", 3)), "<Body", "<Body", 1), TooManyAttributes, "A"},
		{`<?xml version="1.0" encoding='utf-7'?>` + wrap("<A/>"), Encoding, "A"},
		{"\x00\x00\x00<\x00\x00\x00a", Encoding, ""},
		{"\x4c\x6f\xa7\x94", Encoding, ""},
		{"<Envelope><Header><Security><UsernameToken><Username>" + strings.Repeat("x", 2*maxText), TooLong, ""},
	} {
		var m Message
		err := Parse([]byte(c.in), &m)
		if err == nil || !m.Faults.Has(c.want) || string(m.Op) != c.op {
			t.Errorf("%.80q: %v, faults %b, op %q", c.in, err, m.Faults, m.Op)
		}
		if err != nil && err.Error() == "" {
			t.Errorf("%.80q: a fault without name", c.in)
		}
	}
}

// Documents that make a careless reader look at the same bytes again and again must take no longer than plain ones.
func TestLinear(t *testing.T) {
	start := time.Now()
	for _, unit := range []string{"<a", "<a b='", "</a>", "<a>", "<!--", "<![CDATA[", "<!DOCTYPE [", "&#", "&", "<a:", "<a b=", "'", "<a></b>", "]]>", "<?"} {
		var m Message
		_ = Parse([]byte(strings.Repeat(unit, MaxDocument/len(unit))), &m)
		_ = Parse([]byte("<Envelope><Header><Action>"+strings.Repeat(unit, MaxDocument/len(unit))), &m)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("30 documents of 1 MiB took %v", d)
	}
}

func TestDiscovery(t *testing.T) {
	proto := Protocol()
	for in, want := range map[string]layer.Answer{
		matches: layer.Yes, " \r\n" + matches: layer.Yes, string(utf16Bytes(matches, binary.BigEndian, true)): layer.Yes,
		reboot: layer.No, "x" + matches: layer.No, "": layer.No,
	} {
		if got := proto.Probe(flow.ToServer, []byte(in)); got != want {
			t.Errorf("probe of %.20q: %d", in, got)
		}
	}
	pool := layer.NewPool(1 << 20)
	p := proto.New(pool)
	if n, ok := p.Data(flow.ToClient, []byte(matches), false); n != len(matches) || !ok || len(p.Txs()) != 1 {
		t.Fatal(n, ok)
	}
	g := p.Txs()[0].(*Tx)
	if v, ok := g.Get(layer.ONVIFOp, flow.ToClient, 0); !ok || string(v) != "ProbeMatches" || g.Targets != 2 || string(g.EndpointReference) != "urn:uuid:1" {
		t.Errorf("%q %d %q", v, g.Targets, g.EndpointReference)
	}
	if _, ok := g.Get(layer.ONVIFOp, flow.ToServer, 0); ok {
		t.Error("a value in the other direction")
	}
	o := layer.NewObject([]byte("{"))
	want := `{"ws_discovery":{"op":"ProbeMatches","types":"dn:NetworkVideoTransmitter","scopes":"onvif://www.onvif.org/name/A onvif://www.onvif.org/hardware/B","xaddrs":"http://10.0.0.1/onvif/device_service","endpoint":"urn:uuid:1","targets":2}}`
	if !g.Log(o, flow.ToClient) || string(o.Bytes())+"}" != want || !json.Valid([]byte(want)) {
		t.Errorf("log %s", o.Bytes())
	}
	for range 2 * maxOpen {
		p.Data(flow.ToServer, []byte("<a"), false)
	}
	if len(p.Txs()) != maxOpen || !p.Txs()[maxOpen-1].Events(flow.ToServer).Has(eventOpen) || !p.Txs()[0].Events(flow.ToServer).Has(uint8(Truncated-1)) {
		t.Errorf("%d open", len(p.Txs()))
	}
	p.(*Parser).Reset()
	if pool.InUse() != 0 || len(p.Txs()) != 0 {
		t.Errorf("%d bytes not given back", pool.InUse())
	}
}

func TestDiscoveryWithoutMemory(t *testing.T) {
	p := Protocol().New(layer.NewPool(0))
	p.Data(flow.ToServer, []byte(matches), false)
	g := p.Txs()[0]
	if _, ok := g.Get(layer.ONVIFOp, flow.ToServer, 0); ok || !g.Events(flow.ToServer).Has(eventMemory) {
		t.Error("no memory is no event")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{reboot, matches, "<!DOCTYPE a [<!ENTITY b 'c'>]><Envelope><Body><![CDATA[x]]></Body>"} {
		f.Add([]byte(s))
		f.Add(utf16Bytes(s, binary.LittleEndian, true))
	}
	var m Message
	f.Fuzz(func(t *testing.T, b []byte) {
		op, ok := Operation(b)
		if ok != (len(op) > 0) {
			t.Fatalf("%q %v", op, ok)
		}
		_ = Parse(b, &m)
		if (len(m.Op) > 0) != ok || len(m.Targets) > maxTargets || len(m.text) > 2*maxText {
			t.Fatalf("Operation %q, Parse %q, %d targets, %d bytes of text", op, m.Op, len(m.Targets), len(m.text))
		}
	})
}

func BenchmarkOperation(b *testing.B) {
	doc := []byte(reboot)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Operation(doc); !ok {
			b.Fatal("no operation")
		}
	}
}

func BenchmarkDiscovery(b *testing.B) {
	p := Protocol().New(layer.NewPool(1 << 20))
	doc := []byte(matches)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		p.Data(flow.ToClient, doc, false)
		p.Release(0)
	}
}
