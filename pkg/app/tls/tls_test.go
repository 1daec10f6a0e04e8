package tls

import (
	"bytes"
	"crypto/sha1"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

var buffers = []layer.Buffer{layer.TLSSNI, layer.TLSCertSubject, layer.TLSCertIssuer, layer.TLSCertSerial, layer.TLSCertFingerprint, layer.TLSCerts,
	layer.TLSSubjectAltName, layer.TLSALPN, layer.TLSRandom, layer.TLSRandomTime, layer.TLSRandomBytes, layer.JA3Hash, layer.JA3String, layer.JA3SHash,
	layer.JA3SString, layer.JA4Hash}

// tell writes down all that a transaction shows.
func tell(t *Tx) string {
	var out strings.Builder
	fmt.Fprintf(&out, "versions %x seen %b resumed %v hello %v done %v\n", t.Versions, t.Seen, t.SessionResumed, t.hello, t.done)
	for _, d := range []flow.Direction{ts, tc} {
		for _, b := range buffers {
			for i := 0; ; i++ {
				v, ok := t.Get(b, d, i)
				if !ok {
					break
				}
				fmt.Fprintf(&out, "%v %v %d %q ready %v\n", d, b, i, v, t.Ready(b, d))
			}
		}
		for i, e := range events {
			if t.Events(d).Has(uint8(i)) {
				fmt.Fprintf(&out, "%v event %s\n", d, e)
			}
		}
	}
	o := layer.NewObject([]byte("{"))
	if t.Log(o, tc) {
		fmt.Fprintf(&out, "%s}\n", o.Bytes())
	}
	return out.String()
}

// hear gives what was said in pieces, keeps what was not consumed, and tells the transactions.
func hear(t testing.TB, p *parser, all []said, piece func(int) int) string {
	var kept [2][]byte
	var skip [2]int
	out := ""
	for _, s := range all {
		for data := s.data; len(data) > 0; {
			n := min(piece(len(data)), len(data))
			now := data[:n]
			data = data[n:]
			m := min(skip[s.d], len(now))
			skip[s.d] -= m
			if kept[s.d] = append(kept[s.d], now[m:]...); len(kept[s.d]) == 0 {
				continue
			}
			n, ok := p.Data(s.d, kept[s.d], false)
			if !ok {
				out += "stopped\n"
				goto end
			}
			skip[s.d] += max(0, n-len(kept[s.d]))
			kept[s.d] = kept[s.d][min(n, len(kept[s.d])):]
		}
	}
end:
	for _, x := range p.Txs() {
		out += tell(x.(*Tx))
	}
	return out
}

func whole(n int) int { return n }

func newParser() *parser { return Protocol().New(layer.NewPool(1 << 20)).(*parser) }

// value is a buffer's value.
func value(t *Tx, b layer.Buffer, d flow.Direction, i int) string {
	v, _ := t.Get(b, d, i)
	return string(v)
}

func TestHandshakes(t *testing.T) {
	for _, v := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		client, server := versions(t, v)
		p := newParser()
		hear(t, p, talk(t, client, server), whole)
		x := p.Txs()[0].(*Tx)
		if x.Version() != v || value(x, layer.TLSSNI, ts, 0) != "camera.example" || value(x, layer.TLSALPN, ts, 1) != "http/1.1" ||
			len(value(x, layer.TLSRandom, tc, 0)) != 32 || len(value(x, layer.TLSRandomBytes, ts, 0)) != 28 {
			t.Errorf("%x: %s", v, tell(x))
		}
		if !x.Complete(ts) || !x.Complete(tc) || !p.Opaque(ts) || !p.Opaque(tc) || x.Events(ts) != 0 || x.Events(tc) != 0 {
			t.Errorf("%x: complete %v, opaque %v %v, events %b", v, x.done, p.Opaque(ts), p.Opaque(tc), x.events)
		}
		if v < tls.VersionTLS13 {
			checkCertificate(t, x, tc, server.Certificates[0].Certificate[0])
		} else if x.Certs[tc].Count != 0 {
			t.Errorf("%x: a certificate out of encrypted bytes", v)
		}
		if j := value(x, layer.JA4Hash, ts, 0); len(j) != ja4Len || j[0] != 't' || j[1:3] != ja4Version(v) {
			t.Errorf("%x: JA4 %q", v, j)
		}
	}
}

// checkCertificate compares with what the certificate was made of.
func checkCertificate(t *testing.T, x *Tx, d flow.Direction, raw []byte) {
	t.Helper()
	const dn = "C=DE, O=Example, Inc, ST=Köln, CN=camera.example, emailAddress=a@b.example, 1.3.6.1.4.1.99999.1=x"
	sum := sha1.Sum(raw)
	print := strings.ReplaceAll(fmt.Sprintf("% x", sum), " ", ":")
	names := []string{}
	for i := 0; ; i++ {
		n, ok := x.Get(layer.TLSSubjectAltName, d, i)
		if !ok {
			break
		}
		names = append(names, string(n))
	}
	for what, pair := range map[string][2]string{
		"subject":     {value(x, layer.TLSCertSubject, d, 0), dn},
		"issuer":      {value(x, layer.TLSCertIssuer, d, 0), dn},
		"serial":      {value(x, layer.TLSCertSerial, d, 0), "00:AB:01"},
		"fingerprint": {value(x, layer.TLSCertFingerprint, d, 0), print},
		"der":         {value(x, layer.TLSCerts, d, 1), string(raw)},
		"names":       {strings.Join(names, " "), "camera.example *.example a@b.example 10.1.2.3 2001:db8::1"},
		"the rest":    {fmt.Sprint(x.Certs[d].Count, x.Certs[d].NotBefore, x.Certs[d].NotAfter), "2 1709168523 2587679999"},
	} {
		if sorted(pair[0]) != sorted(pair[1]) {
			t.Errorf("%s: %q, want %q", what, pair[0], pair[1])
		}
	}
}

// sorted makes distinguished names comparable whose parts are in any order.
func sorted(s string) string {
	parts := strings.Split(s, ", ")
	if len(parts) < 3 {
		return s
	}
	m := map[string]bool{}
	for _, p := range parts {
		m[p] = true
	}
	return fmt.Sprint(m)
}

func TestClientCertificate(t *testing.T) {
	client, server := versions(t, tls.VersionTLS12)
	server.ClientAuth = tls.RequireAnyClientCert
	client.Certificates = server.Certificates
	p := newParser()
	hear(t, p, talk(t, client, server), whole)
	x := p.Txs()[0].(*Tx)
	checkCertificate(t, x, ts, server.Certificates[0].Certificate[0])
	if x.Seen != ClientHello|ServerHello|ServerKeyExchange|ClientKeyExchange|CertificateRequest {
		t.Errorf("seen %b", x.Seen)
	}
	o := layer.NewObject([]byte("{"))
	x.Log(o, tc)
	if s := string(o.Bytes()); !strings.Contains(s, `"client":{"subject":"C=DE`) || !strings.Contains(s, `"notafter":"2051-12-31T23:59:59"`) {
		t.Error(s)
	}
}

// TestRetry is a client whose first hello has a key of the wrong group.
func TestRetry(t *testing.T) {
	client, server := versions(t, tls.VersionTLS13)
	client.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP384}
	server.CurvePreferences = []tls.CurveID{tls.CurveP384}
	all := talk(t, client, server)
	if !bytes.Contains(all[1].data, []byte(retryRandom)) {
		t.Fatal("no retry")
	}
	p := newParser()
	hear(t, p, all, whole)
	x := p.Txs()[0].(*Tx)
	if x.Version() != TLS13 || !p.Opaque(ts) || !p.Opaque(tc) || x.events != [2]layer.EventSet{} || value(x, layer.TLSRandom, tc, 0) == retryRandom {
		t.Error(tell(x))
	}
}

func TestResumed(t *testing.T) {
	client, server := versions(t, tls.VersionTLS12)
	client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	talk(t, client, server)
	p := newParser()
	hear(t, p, talk(t, client, server), whole)
	if x := p.Txs()[0].(*Tx); !x.SessionResumed || x.Certs[tc].Count != 0 {
		t.Error(tell(x))
	}
}

func TestSplits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, v := range []uint16{tls.VersionTLS10, tls.VersionTLS12, tls.VersionTLS13} {
		client, server := versions(t, v)
		all := talk(t, client, server)
		want := hear(t, newParser(), all, whole)
		for i := range 60 {
			got := hear(t, newParser(), all, func(int) int {
				if i == 0 {
					return 1
				}
				return 1 + r.IntN(1<<(i%12))
			})
			if got != want {
				t.Fatalf("%x, run %d:\ngot  %s\nwant %s", v, i, got, want)
			}
		}
	}
}

func record(kind byte, payload string) string {
	return string([]byte{kind, 3, 3, byte(len(payload) >> 8), byte(len(payload))}) + payload
}

func handshake(kind byte, body string) string {
	return string([]byte{kind, 0, byte(len(body) >> 8), byte(len(body))}) + body
}

// hello is a client's hello with the given lists.
func hello(version uint16, ciphers []uint16, ext ...string) string {
	list := ""
	for _, c := range ciphers {
		list += u16(c)
	}
	all := strings.Join(ext, "")
	return u16(version) + strings.Repeat("r", 32) + "\x00" + u16(uint16(len(list))) + list + "\x01\x00" + u16(uint16(len(all))) + all
}

func ext(kind uint16, body string) string { return u16(kind) + u16(uint16(len(body))) + body }

func u16(v uint16) string { return string([]byte{byte(v >> 8), byte(v)}) }

func vec16(body string) string { return u16(uint16(len(body))) + body }

func numbers(v ...uint16) string {
	out := ""
	for _, n := range v {
		out += u16(n)
	}
	return out
}

// TestFingerprints are the examples of the two methods' own descriptions.
func TestFingerprints(t *testing.T) {
	p := newParser()
	hear(t, p, []said{{ts, []byte(record(22, handshake(1, hello(0x0301, []uint16{47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4},
		ext(0, vec16("\x00"+vec16("x"))), ext(10, vec16(numbers(23, 24, 25))), ext(11, "\x01\x00")))))}}, whole)
	x := p.Txs()[0].(*Tx)
	if s, h := value(x, layer.JA3String, ts, 0), value(x, layer.JA3Hash, ts, 0); s != "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0" ||
		h != "ada70206e40642a3e4461f35503241d5" {
		t.Errorf("JA3 %s %s", s, h)
	}
	p = newParser()
	hear(t, p, []said{{ts, []byte(record(22, handshake(1, hello(0x0303, []uint16{0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
		0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35}, ext(0x2a2a, ""), ext(0x1b, ""), ext(0, vec16("\x00"+vec16("x"))), ext(0x33, ""), ext(16, vec16("\x02h2\x08http/1.1")),
		ext(0x4469, ""), ext(0x17, ""), ext(0x2d, ""), ext(13, vec16(numbers(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601))), ext(5, ""),
		ext(0x23, ""), ext(0x12, ""), ext(43, "\x06"+numbers(0x3a3a, 0x0304, 0x0303)), ext(0xff01, ""), ext(11, "\x01\x00"), ext(10, vec16(numbers(29))),
		ext(0x15, "")))))}}, whole)
	if j := value(p.Txs()[0].(*Tx), layer.JA4Hash, ts, 0); j != "t13d1516h2_8daaf6152771_e5627efa2ab1" {
		t.Errorf("JA4 %s", j)
	}
}

func TestEvents(t *testing.T) {
	sni := func(s string) string { return record(22, handshake(1, hello(TLS12, []uint16{1}, s))) }
	good := record(22, handshake(2, u16(TLS12)+strings.Repeat("r", 32)+"\x00\x00\x2f\x00"))
	for _, c := range []struct {
		name string
		all  []said
		want string // events, and whether it stopped
	}{
		{"record type", []said{{ts, []byte(sni("") + "\x19\x03\x03\x00\x01x")}}, "stopped invalid_record_type"},
		{"record version", []said{{ts, []byte(sni("") + "\x16\x04\x03\x00\x01x")}}, "stopped invalid_tls_header invalid_record_version"},
		{"record length", []said{{ts, []byte("\x16\x03\x03\xff\xffx")}}, "stopped invalid_record_length"},
		{"two names", []said{{ts, []byte(sni(ext(0, vec16("\x00"+vec16("a"))) + ext(0, vec16("\x00"+vec16("b")))))}}, "multiple_sni_extensions"},
		{"name's type", []said{{ts, []byte(sni(ext(0, vec16("\x01"+vec16("a")))))}}, "invalid_sni_type"},
		{"name's length", []said{{ts, []byte(sni(ext(0, "\x00\x04\x00\x00\x09a")))}}, "invalid_sni_length"},
		{"hello", []said{{ts, []byte(record(22, handshake(1, "\x03\x03short")))}}, "stopped invalid_handshake_message"},
		{"long message", []said{{ts, []byte(record(22, "\x01\x02\x00\x00xxx"))}}, "handshake_invalid_length"},
		{"alert", []said{{ts, []byte(sni("") + record(21, "\x09\x00"))}}, "invalid_alert_message"},
		{"a fine alert", []said{{tc, []byte(good + record(21, "\x02\x28"))}}, ""},
		{"heartbeat", []said{{ts, []byte(sni("") + record(24, "\x01\x00\x03abc"))}}, "heartbeat_message"},
		{"heartbleed", []said{{ts, []byte(sni("") + record(24, "\x01\x40\x00"))}}, "heartbeat_message overflow_heartbeat_message"},
		{"heartbleed's answer", []said{{ts, []byte(sni("") + record(24, "\x01\x00\x01x"))}, {tc, []byte(good + record(24, "\x02\x00\x09leakleaks"))}},
			"heartbeat_message heartbeat_message dataleak_heartbeat_mismatch"},
		{"encrypted heartbleed", []said{{ts, []byte(sni("") + record(20, "\x01") + record(24, "\x01\x00\x01x"))}, {tc, []byte(good + record(20, "\x01") + record(24, strings.Repeat("x", 99)))}},
			"heartbeat_message heartbeat_message dataleak_heartbeat_mismatch"},
		{"no heartbeat", []said{{ts, []byte(sni("") + record(24, "\x05\x00\x00"))}}, "heartbeat_message invalid_heartbeat_message"},
		{"many records", []said{{ts, []byte(strings.Repeat(record(22, "\x00"), maxRecords+1))}}, "too_many_records_in_packet"},
		{"certificates' length", []said{{tc, []byte(good + record(22, handshake(11, "\x00\x00\x09\x00\x00\x01x")))}},
			"stopped invalid_handshake_message handshake_invalid_length invalid_certificate"},
		{"a certificate's length", []said{{tc, []byte(good + record(22, handshake(11, "\x00\x00\x09\x00\x00\x06\x30\x04\x30\x84\xff\xff")))}},
			"stopped invalid_handshake_message certificate_invalid_length"},
		{"certificate", []said{{tc, []byte(good + record(22, handshake(11, "\x00\x00\x05\x00\x00\x02xy")))}}, "stopped invalid_handshake_message invalid_certificate"},
		{"hollow certificate", []said{{tc, []byte(good + record(22, handshake(11, "\x00\x00\x07\x00\x00\x04\x30\x02\x30\x00")))}},
			"stopped invalid_handshake_message invalid_certificate"},
		{"SSL 2 error", []said{{ts, []byte("\x80\x03\x01\x00\x02")}, {tc, []byte("\x80\x03\x00\x00\x01")}}, "error_message_encountered"},
		{"SSL 2 length", []said{{ts, []byte("\x80\x03\x01\x00\x02\x80\x00")}}, "stopped invalid_sslv2_header"},
	} {
		for _, piece := range []func(int) int{whole, func(int) int { return 1 }} {
			p := newParser()
			out := hear(t, p, c.all, piece)
			var got []string
			if strings.HasPrefix(out, "stopped") {
				got = append(got, "stopped")
			}
			for _, d := range []flow.Direction{ts, tc} {
				for i, e := range events {
					if p.Txs()[0].Events(d).Has(uint8(i)) {
						got = append(got, e)
					}
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s: %v, want %s", c.name, got, c.want)
			}
		}
	}
}

func TestSSL2(t *testing.T) {
	client, server := versions(t, tls.VersionTLS10)
	all := talk(t, client, server)
	all[0].data = []byte("\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + strings.Repeat("x", 37)) // the hello that old clients sent to servers of any version
	p := newParser()
	hear(t, p, all, func(int) int { return 7 })
	if x := p.Txs()[0].(*Tx); x.Version() != TLS10 || x.Certs[tc].Count != 2 || !x.Complete(ts) || !x.Complete(tc) {
		t.Error(tell(x))
	}
	p = newParser()
	hear(t, p, []said{{ts, []byte("\x80\x04\x01\x00\x02x")}, {tc, []byte("\x80\x06\x04\x00\x01\x00\x02x")}, {ts, []byte("\x80\x02\x02x")}}, whole)
	if x := p.Txs()[0].(*Tx); x.Version() != SSL2 || !x.Complete(ts) || !p.Opaque(ts) {
		t.Error(tell(x))
	}
}

func TestGap(t *testing.T) {
	client, server := versions(t, tls.VersionTLS12)
	all := talk(t, client, server)
	p := newParser()
	p.Data(ts, all[0].data, false)
	n, _ := p.Data(tc, all[1].data[:200], false) // inside the certificate
	if n != 200 || !p.Gap(tc, 300) {
		t.Fatal("a gap inside a record")
	}
	p.Data(tc, all[1].data[500:], false)
	for _, s := range all[2:] {
		p.Data(s.d, s.data, false)
	}
	x := p.Txs()[0].(*Tx)
	if x.Version() != TLS12 || x.Certs[tc].Count != 0 || !x.Complete(tc) || !p.Opaque(tc) {
		t.Error(tell(x))
	}
	if !p.Gap(tc, 1<<20) { // encrypted: whatever comes, it is of no use
		t.Error("a gap in what is encrypted")
	}
	if n, ok := p.Data(tc, []byte("anything"), false); n != 8 || !ok || !p.Opaque(tc) {
		t.Errorf("%d %v", n, ok)
	}
	p = newParser()
	p.Data(ts, all[0].data, false)
	if p.Gap(ts, 5) || !p.Txs()[0].Complete(tc) {
		t.Error("a gap between records")
	}
}

// TestEncryptedIsSkipped holds that encrypted video costs a look at each record's header and nothing more.
func TestEncryptedIsSkipped(t *testing.T) {
	p := newParser()
	if n, ok := p.Data(tc, []byte("\x17\x03\x03\x40\x00first bytes"), false); n != 5+0x4000 || !ok {
		t.Errorf("%d %v", n, ok)
	}
}

func TestLaterEvents(t *testing.T) {
	client, server := versions(t, tls.VersionTLS12)
	p := newParser()
	hear(t, p, talk(t, client, server), whole)
	p.Release(0)
	for range 3 {
		p.Data(ts, []byte(record(24, "x")), false)
	}
	if len(p.Txs()) != 1 || !p.Txs()[0].Events(ts).Has(heartbeat) || p.Txs()[0].Log(layer.NewObject(nil), tc) {
		t.Errorf("%d transactions", len(p.Txs()))
	}
}

func TestReset(t *testing.T) {
	pool := layer.NewPool(1 << 20)
	p := Protocol().New(pool).(*parser)
	client, server := versions(t, tls.VersionTLS12)
	all := talk(t, client, server)
	hear(t, p, all, func(int) int { return 11 })
	want := tell(p.Txs()[0].(*Tx))
	p.Data(ts, []byte("\x16\x03\x03\x00\x40\x01"), false)
	p.Reset()
	if pool.InUse() != 0 {
		t.Errorf("%d bytes in use", pool.InUse())
	}
	hear(t, p, all, whole)
	if got := tell(p.Txs()[0].(*Tx)); got != want {
		t.Errorf("used again:\ngot  %s\nwant %s", got, want)
	}
}

func TestNoMemory(t *testing.T) {
	client, server := versions(t, tls.VersionTLS12)
	p := Protocol().New(layer.NewPool(600)).(*parser)
	hear(t, p, talk(t, client, server), func(int) int { return 100 })
	if x := p.Txs()[0].(*Tx); !x.events[ts].Has(noMemory) && !x.events[tc].Has(noMemory) {
		t.Error(tell(x))
	}
}

func FuzzTLS(f *testing.F) {
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client, server := versions(f, v)
		var both [2][]byte
		for _, s := range talk(f, client, server) {
			both[s.d] = append(both[s.d], s.data...)
		}
		f.Add(both[0], both[1], uint16(3))
	}
	f.Add([]byte("\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10"), []byte("\x80\x06\x04\x00\x01\x00\x02x"), uint16(1))
	f.Fuzz(func(t *testing.T, client, server []byte, piece uint16) {
		all := []said{{ts, client}, {tc, server}}
		pool := layer.NewPool(1 << 20)
		p := Protocol().New(pool).(*parser)
		want := hear(t, p, all, whole)
		for _, x := range p.Txs() {
			o := layer.NewObject([]byte("{"))
			if x.Log(o, tc); !json.Valid(append(o.Bytes(), '}')) {
				t.Fatalf("%s", o.Bytes())
			}
		}
		p.Gap(ts, int(piece))
		p.Reset()
		if pool.InUse() != 0 {
			t.Fatal("memory is not given back")
		}
		if got := hear(t, newParser(), all, func(int) int { return 1 + int(piece) }); got != want {
			t.Fatalf("pieces of %d:\ngot  %s\nwant %s", 1+piece, got, want)
		}
	})
}

func BenchmarkHandshake(b *testing.B) {
	client, server := versions(b, tls.VersionTLS12)
	all := talk(b, client, server)
	p := newParser()
	n := 0
	for _, s := range all {
		n += len(s.data)
	}
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range all {
			p.Data(s.d, s.data, false)
		}
		p.Reset()
	}
}

func BenchmarkEncrypted(b *testing.B) {
	p := newParser()
	data := []byte(record(23, strings.Repeat("x", 1<<14)))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		p.Data(tc, data[:1448], false)
	}
}
