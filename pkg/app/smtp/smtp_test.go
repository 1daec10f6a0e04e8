package smtp

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

const c, s = flow.ToServer, flow.ToClient

type piece struct {
	d    flow.Direction
	data string
}

func play(p *Parser, in []piece, size int) {
	var rest [2][]byte
	give := func(d flow.Direction, end bool) {
		for {
			n, _ := p.Data(d, rest[d], end)
			rest[d] = append([]byte(nil), rest[d][n:]...)
			if n == 0 || len(rest[d]) == 0 {
				return
			}
		}
	}
	for _, x := range in {
		for b := []byte(x.data); len(b) > 0; {
			n := min(size, len(b))
			rest[x.d] = append(rest[x.d], b[:n]...)
			b = b[n:]
			give(x.d, false)
		}
	}
	give(c, true)
	give(s, true)
}

func dump(p *Parser) string {
	var b strings.Builder
	for _, x := range p.Txs() {
		t := x.(*Tx)
		for buf := range layer.Buffers {
			for i := 0; ; i++ {
				v, ok := t.Get(buf, c, i)
				if !ok {
					break
				}
				fmt.Fprintf(&b, "%s=%q ", buf, v)
			}
		}
		for d := range t.events {
			for e := range events {
				if t.events[d].Has(uint8(e)) {
					fmt.Fprintf(&b, "!%s ", events[e])
				}
			}
		}
		fmt.Fprintf(&b, "%v\n", t.complete)
	}
	return b.String()
}

// mail is a conversation that sends a content.
func mail(content string) []piece {
	return []piece{
		{s, "220 mx ESMTP\r\n"},
		{c, "EHLO me.example\r\n"},
		{s, "250-mx\r\n250 PIPELINING\r\n"},
		{c, "MAIL FROM:<a@b> SIZE=5\r\nRCPT TO:<c@d>\r\nrcpt to: <e@f>\r\nDATA\r\n"},
		{s, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
		{c, content + "\r\n.\r\n"},
		{s, "250 queued\r\n"},
		{c, "QUIT\r\n"},
		{s, "221 bye\r\n"},
	}
}

const envelope = `smtp.helo="me.example" smtp.mail_from="<a@b>" smtp.rcpt_to="<c@d>" smtp.rcpt_to="<e@f>" `

const mixed = "Subject: x\r\nContent-Type: multipart/mixed;\r\n boundary=\"b1\"\r\n\r\npreamble\r\n--b1\r\nContent-Type: multipart/alternative; boundary=b1b\r\n\r\n" +
	"--b1b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\nc\r\nd=\r\n--b1b\r\n\r\nplain\r\n..dot\r\n--b1b--\r\nepilogue\r\n" +
	"--b1\r\nContent-Type: application/x; name=n.exe\r\nContent-Disposition: attachment; x; filename=\"mal ware.exe\"\r\nContent-Transfer-Encoding: BASE64\r\n\r\naGVs\r\nbG8gd2\r\n9ybGQ=\r\n" +
	"--b1\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Disposition: attachment; filename*0*=utf-8''in; filename*1=ner.txt\r\n\r\ninner text\r\n--b1--\r\n"

var cases = []struct {
	name string
	in   []piece
	want string
}{
	{"plain", mail("Subject: x\r\n\r\nhello\r\n..x"), `file.data="hello\r\n.x" ` + envelope + "[true true]"},
	{"parts", mail(mixed), `file.data="a=bc\r\nd" file.data="plain\r\n.dot" file.data="hello world" file.data="inner text" file.name="mal ware.exe" file.name="inner.txt" ` + envelope + "[true true]"},
	{"invalid encodings", mail("Content-Transfer-Encoding: base64\r\n\r\naGVs!!bG8"), `file.data="hello" ` + envelope + "!mime_invalid_base64"},
	{"invalid quoted-printable", mail("Content-Transfer-Encoding: quoted-printable\r\n\r\na=ZZ=4q=41"), `file.data="a=ZZ=4qA" ` + envelope + "!mime_invalid_qp"},
	{"a multipart without end", mail("Content-Type: multipart/x; boundary=b\r\n\r\n--b\r\n\r\nx"), `file.data="x" ` + envelope + "!mime_parse_failed"},
	{"long lines", mail("Content-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("YWJj", 5000)), `abcabc" ` + envelope + "!mime_long_line"},
	{"no headers", mail("no header at all\r\n\r\nx"), `file.data="x" ` + envelope + "!mime_malformed_msg"},
	{"long header", mail("X: " + strings.Repeat("y", 9000) + "\r\n\r\nx"), `file.data="x" ` + envelope + "!mime_long_line !mime_long_header_value"},
	{
		"two mails", append(mail("\r\none")[:7:7], []piece{{c, "MAIL FROM:<x@y>\r\nRCPT TO:<z@z>\r\nDATA\r\n"}, {s, "250 ok\r\n250 ok\r\n354 go\r\n"}, {c, "\r\ntwo\r\n.\r\n"}, {s, "250 ok\r\n"}}...),
		`file.data="one" ` + envelope + "[true true]\n" + `file.data="two" smtp.helo="me.example" smtp.mail_from="<x@y>" smtp.rcpt_to="<z@z>" [true true]`,
	},
	{
		"chunks",
		[]piece{{s, "220 mx SMTP\r\n"}, {c, "EHLO me.example\r\n"}, {s, "250 CHUNKING\r\n"}, {c, "MAIL FROM:<a@b>\r\nBDAT 7\r\n\r\nhello"}, {c, "BDAT 8 LAST\r\n wor\r\n.\r"}, {c, "RSET\r\nQUIT\r\n"}},
		`file.data="hello wor\r\n.\r" smtp.helo="me.example" smtp.mail_from="<a@b>" [true true]`,
	},
	{"a reset ends a mail and begins none", []piece{{c, "EHLO me.example\r\nMAIL FROM:<a@b>\r\nRSET\r\nQUIT\r\n"}}, "smtp.helo=\"me.example\" smtp.mail_from=\"<a@b>\" [true true]\n"},
	{"chunk that lies", []piece{{c, "EHLO me.example\r\nBDAT 99999999999999\r\nMAIL FROM:<a@b>\r\n"}}, `smtp.mail_from="<a@b>" !bdat_chunk_len_exceeded`},
	{
		"refused content",
		[]piece{{s, "220 mx SMTP\r\n"}, {c, "EHLO me.example\r\n"}, {s, "250 ok\r\n"}, {c, "DATA\r\n"}, {s, "503 no\r\n"}, {c, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"}},
		`smtp.mail_from="<a@b>" smtp.rcpt_to="<c@d>" !data_command_rejected`,
	},
	{
		"log-in",
		[]piece{{s, "220 mx SMTP\r\n"}, {c, "EHLO me.example\r\n"}, {s, "250 ok\r\n"}, {c, "AUTH LOGIN\r\n"}, {s, "334 x\r\n"}, {c, "DATA\r\n"}, {s, "334 y\r\n"}, {c, "DATA\r\n"}, {s, "235 ok\r\n"}, {c, "MAIL FROM:<a@b>\r\n"}},
		`smtp.helo="me.example" smtp.mail_from="<a@b>" [true true]`,
	},
	{"replies", []piece{{s, "500 no\r\n250 what\r\nxyz\r\n" + strings.Repeat("y", 5000) + "\r\n"}, {c, "EHLO me.example\r\n"}}, `!invalid_reply !unable_to_match_reply_with_request !max_reply_line_len_exceeded !no_server_welcome_message`},
	{"long command, two senders", []piece{{c, "EHLO me.example\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<c@d>\r\nNOOP " + strings.Repeat("n", 5000) + "\r\n"}}, `smtp.mail_from="<a@b>" !max_command_line_len_exceeded !duplicate_fields`},
	{"cut off", []piece{{c, "EHLO me.example\r\nMAIL FROM:<a@b>\r\nDATA\r\nX: y\r\n\r\nhalf of"}}, `file.data="half of" smtp.helo="me.example" smtp.mail_from="<a@b>" !truncated_line [true true]`},
	{"too deep", mail(deep()), "!mime_too_deep"},
	{"too many commands", []piece{{c, strings.Repeat("NOOP\r\n", 2*maxPending) + "MAIL FROM:<a@b>\r\n"}}, `smtp.mail_from="<a@b>" !invalid_pipelined_sequence`},
	{"too many recipients", []piece{{c, strings.Repeat("RCPT TO:<a>\r\n", maxRcpts+1)}}, `!unparsable_content`},
}

func deep() string {
	var b strings.Builder
	for i := range maxDepth + 2 {
		fmt.Fprintf(&b, "Content-Type: multipart/x; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	return b.String()
}

func TestParser(t *testing.T) {
	for _, x := range cases {
		first := ""
		for _, size := range []int{1 << 20, 1, 2, 3, 7, 64, 1460} {
			p := New(layer.NewPool(16 << 20))
			play(p, x.in, size)
			got := dump(p)
			if !strings.Contains(got, x.want) || strings.HasPrefix(x.name, "a reset") && got != x.want {
				t.Fatalf("%s, pieces of %d:\ngot\n%.2000s\nwant\n%s", x.name, size, got, x.want)
			}
			if first == "" {
				first = got
			}
			if got != first {
				t.Fatalf("%s, pieces of %d:\ngot\n%.2000s\nfirst\n%.2000s", x.name, size, got, first)
			}
			p.Reset()
			if p.pool.InUse() != 0 {
				t.Fatalf("%s: %d bytes not given back", x.name, p.pool.InUse())
			}
		}
	}
}

func TestChunks(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	play(p, cases[9].in, 5)
	if name, content := p.list.At(0).File(0); string(name) != "" || string(content) != "hello wor\r\n.\r" && string(content) != "hello wor\r\n." {
		t.Errorf("%q %q", name, content)
	}
}

func TestStartTLS(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	play(p, []piece{{s, "220 mx SMTP\r\n"}, {c, "EHLO a\r\n"}, {s, "250 STARTTLS\r\n"}, {c, "STARTTLS\r\n"}, {s, "220 go\r\n"}}, 3)
	if proto, ok := p.Upgrade(); !ok || proto != layer.TLS {
		t.Error("no upgrade")
	}
	if n, ok := p.Data(c, []byte("\x16\x03\x01"), false); n != 0 || !ok {
		t.Error("took bytes of TLS")
	}
	p = New(layer.NewPool(1 << 20))
	play(p, []piece{{s, "220 mx SMTP\r\n"}, {c, "EHLO a\r\nSTARTTLS\r\n"}, {s, "250 x\r\n454 no\r\n"}}, 100)
	if _, ok := p.Upgrade(); ok || !strings.Contains(dump(p), "!tls_rejected") {
		t.Error("upgraded though refused")
	}
}

func TestLog(t *testing.T) {
	p := New(layer.NewPool(1 << 20))
	play(p, mail(mixed), 1000)
	o := layer.NewObject([]byte("{"))
	want := `{"smtp":{"helo":"me.example","mail_from":"<a@b>","rcpt_to":["<c@d>","<e@f>"]},"email":{"attachment":["mal ware.exe","inner.txt"]}}`
	if x := p.Txs()[0]; x.Log(o, c) || !x.Log(o, s) || string(o.Bytes())+"}" != want || !json.Valid([]byte(want)) {
		t.Errorf("log %s", o.Bytes())
	}
}

func TestProbe(t *testing.T) {
	for _, x := range []struct {
		d    flow.Direction
		in   string
		want layer.Answer
	}{
		{c, "", layer.More},
		{c, "EH", layer.More},
		{c, "ehlo x", layer.Yes},
		{c, "USER x", layer.No},
		{s, "22", layer.More},
		{s, "220 mx", layer.More},
		{s, "220 mx ESMTP", layer.Yes},
		{s, "220 FTP\r\n", layer.No},
		{s, "250 SMTP", layer.No},
	} {
		if got := probe(x.d, []byte(x.in)); got != x.want {
			t.Errorf("%q: %d, want %d", x.in, got, x.want)
		}
	}
}

func TestBounds(t *testing.T) {
	p := New(layer.NewPool(64 << 20))
	big := strings.Repeat(strings.Repeat("x", 70)+"\r\n", maxFile/36)
	play(p, mail("\r\n"+big), 1460)
	if _, content := p.list.At(0).File(0); len(content) != maxFile || !p.Txs()[0].Events(c).Has(eventFile) {
		t.Errorf("%d bytes kept", len(content))
	}
	p = New(layer.NewPool(1 << 20)) // one side only: mails do not wait for replies that nobody sees
	in := []byte("EHLO a\r\n" + strings.Repeat("MAIL FROM:<a@b>\r\nDATA\r\n\r\nx\r\n.\r\n", 2*maxHeld))
	n, _ := p.Data(c, in, false)
	if len(p.Txs()) != maxHeld || n >= len(in) || !p.Txs()[0].Complete(s) {
		t.Errorf("%d held, %d consumed", len(p.Txs()), n)
	}
	p = New(layer.NewPool(0))
	play(p, mail(mixed), 100)
	if !p.Txs()[0].Events(c).Has(eventMemory) {
		t.Error("no memory is no event")
	}
	p = New(layer.NewPool(1 << 20))
	for _, x := range mail("\r\nabc")[:5] {
		p.Data(x.d, []byte(x.data), false)
	}
	p.Gap(c, 100) // with the mail's end
	p.Data(s, []byte("250 queued\r\n"), false)
	p.Data(c, []byte("MAIL FROM:<c@d>\r\n"), false)
	if got := dump(p); !strings.Contains(got, "!gap [true true]") || !strings.Contains(got, "<c@d>") {
		t.Error(got)
	}
	p = New(layer.NewPool(1 << 20))
	p.Data(c, []byte("MAIL FROM:<a@b>\r\nDATA\r\n\r\nabc"), false)
	p.Gap(c, 10)
	p.Data(c, []byte("x\r\ny\r\n.\r\nMAIL FROM:<c@d>\r\n"), false)
	p.Gap(s, 10)
	if got := dump(p); !strings.Contains(got, "!gap") || !strings.Contains(got, "<c@d>") {
		t.Error(got)
	}
}

func FuzzParser(f *testing.F) {
	for _, x := range cases {
		var sides [2]string
		for _, y := range x.in {
			sides[y.d] += y.data
		}
		f.Add(sides[0], sides[1], 3)
	}
	f.Fuzz(func(t *testing.T, client, server string, size int) {
		if len(client)+len(server) > 16<<10 {
			return
		}
		a, b := New(layer.NewPool(64<<20)), New(layer.NewPool(64<<20))
		in := []piece{{c, client}, {s, server}, {c, client}}
		play(a, in, len(client)+len(server)+1)
		play(b, in, size&127+1)
		if len(a.Txs()) < maxHeld && dump(a) != dump(b) {
			t.Fatalf("whole\n%s\nin pieces\n%s", dump(a), dump(b))
		}
		a.Reset()
		if a.pool.InUse() != 0 {
			t.Fatalf("%d bytes not given back", a.pool.InUse())
		}
	})
}

func BenchmarkMail(b *testing.B) {
	p := New(layer.NewPool(16 << 20))
	in := []byte("MAIL FROM:<a@b>\r\nDATA\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat(strings.Repeat("YWJj", 19)+"\r\n", 1000) + ".\r\n")
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		p.Data(c, in, false)
		p.Data(s, []byte("250 a\r\n354 b\r\n250 c\r\n"), false)
		for len(p.Txs()) > 0 {
			p.Release(0)
		}
	}
}
