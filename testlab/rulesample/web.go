package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"

	"citygate/pkg/flow"
)

// message is an HTTP message: a request or a response.
type message struct {
	request bool
	line    string
	fields  []headerField
	body    []byte
}

type headerField struct{ name, value string }

func (m *message) field(name string) (string, bool) {
	for _, f := range m.fields {
		if strings.EqualFold(f.name, name) {
			return f.value, true
		}
	}
	return "", false
}

// set gives a field its value, in place if it is there.
func (m *message) set(name, value string, first bool) {
	for i, f := range m.fields {
		if strings.EqualFold(f.name, name) {
			m.fields[i].value = value
			return
		}
	}
	f := headerField{name, value}
	if first {
		m.fields = append([]headerField{f}, m.fields...)
		return
	}
	m.fields = append(m.fields, f)
}

// head is the line and the fields, with the empty line.
func (m *message) head() []byte {
	var b bytes.Buffer
	b.WriteString(m.line + "\r\n")
	for _, f := range m.fields {
		b.WriteString(f.name + ": " + f.value + "\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// wire is the message as it is sent.
func (m *message) wire() []byte {
	body := m.body
	if v, _ := m.field("Content-Encoding"); strings.EqualFold(v, "gzip") {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(body)
		w.Close()
		body = z.Bytes()
	}
	if v, ok := m.field("Transfer-Encoding"); ok && strings.EqualFold(v, "chunked") {
		body = fmt.Appendf(nil, "%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	}
	return append(m.head(), body...)
}

// parseMessage reads a message; nil if the text is none.
func parseMessage(b []byte) *message {
	head, body, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok {
		return nil
	}
	lines := strings.Split(string(head), "\r\n")
	m := &message{line: lines[0], body: body, request: !strings.HasPrefix(lines[0], "HTTP/")}
	if m.request && !isRequestLine(lines[0]) || !m.request && !isStatusLine(lines[0]) {
		return nil
	}
	for _, l := range lines[1:] {
		name, value, ok := strings.Cut(l, ": ")
		if !ok || !isToken(name) || !isValue(value) {
			return nil
		}
		m.fields = append(m.fields, headerField{name, value})
	}
	return m
}

func isRequestLine(s string) bool {
	w := strings.Split(s, " ")
	return len(w) == 3 && isToken(w[0]) && strings.ToUpper(w[0]) == w[0] && len(w[0]) > 1 && w[1] != "" && isURI([]byte(w[1])) && (w[2] == "HTTP/1.1" || w[2] == "HTTP/1.0")
}

func isStatusLine(s string) bool {
	w := strings.SplitN(s, " ", 3)
	return len(w) == 3 && (w[0] == "HTTP/1.1" || w[0] == "HTTP/1.0") && len(w[1]) == 3 && isStatus([]byte(w[1])) && isValue(w[2])
}

func isStatus(b []byte) bool {
	return len(b) == 3 && b[0] >= '1' && b[0] <= '5' && digit(b[1]) < 10 && digit(b[2]) < 10
}

func isToken(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 127 || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

func isValue(s string) bool {
	for _, c := range []byte(s) {
		if c == '\r' || c == '\n' || c == 0 {
			return false
		}
	}
	return s == strings.TrimSpace(s)
}

func isURI(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 127 {
			return false
		}
	}
	return len(b) > 0
}

// views are the buffers of an HTTP message, by rule names.
func (m *message) views(have map[string][][]byte) {
	set := func(name, value string) { have[name] = [][]byte{[]byte(value)} }
	var all, raw, order strings.Builder
	order.WriteString("\r\n")
	for _, f := range m.fields {
		raw.WriteString(f.name + ": " + f.value + "\r\n")
		order.WriteString(f.name + "\r\n")
		lower := strings.ToLower(f.name)
		if lower == "cookie" || lower == "set-cookie" {
			set("http.cookie", f.value)
			continue
		}
		all.WriteString(f.name + ": " + f.value + "\r\n")
		if b := headerBuffers[lower]; b != "" && f.value != "" {
			set(b, f.value)
		}
	}
	order.WriteString("\r\n")
	set("http.header", all.String())
	set("http.header.raw", raw.String()+"\r\n")
	set("http.header_names", order.String())
	set("http.start", string(m.head()))
	if len(m.body) > 0 {
		set("file.data", string(m.body))
	}
	words := strings.SplitN(m.line, " ", 3)
	if !m.request {
		set("http.protocol", words[0])
		set("http.stat_code", words[1])
		set("http.stat_msg", words[2])
		set("http.response_line", m.line)
		if len(m.body) > 0 {
			set("http.response_body", string(m.body))
		}
		return
	}
	set("http.method", words[0])
	set("http.uri.raw", words[1])
	set("http.uri", string(normalURI([]byte(words[1]))))
	set("http.protocol", words[2])
	set("http.request_line", m.line)
	if host, ok := m.field("Host"); ok {
		set("http.host.raw", host)
		name, _, _ := strings.Cut(host, ":")
		set("http.host", strings.ToLower(name))
	}
	if len(m.body) > 0 {
		set("http.request_body", string(m.body))
	}
}

// headerBuffers are the buffers of single fields, by the field's name.
var headerBuffers = map[string]string{
	"user-agent": "http.user_agent", "referer": "http.referer", "accept": "http.accept", "accept-encoding": "http.accept_enc",
	"accept-language": "http.accept_lang", "connection": "http.connection", "content-type": "http.content_type",
	"content-length": "http.content_len", "server": "http.server", "location": "http.location",
}

// fieldNames are the usual names of fields, by buffer.
var fieldNames = map[string]string{
	"http.user_agent": "User-Agent", "http.referer": "Referer", "http.accept": "Accept", "http.accept_enc": "Accept-Encoding",
	"http.accept_lang": "Accept-Language", "http.connection": "Connection", "http.content_type": "Content-Type",
	"http.content_len": "Content-Length", "http.server": "Server", "http.location": "Location", "http.host": "Host", "http.host.raw": "Host",
}

// tellWeb is a request and its answer.
func (p *plan) tellWeb(variant int) *story {
	ask, reply := p.request(variant), p.response(variant)
	if ask == nil || reply == nil {
		return nil
	}
	s := &story{have: map[string][][]byte{}}
	d, m := flow.ToServer, ask
	if p.direction() == flow.ToClient {
		d, m = flow.ToClient, reply
	}
	m.views(s.have)
	if d == flow.ToClient {
		// What a request holds is known when its answer is judged only where rules may ask for both.
		other := map[string][][]byte{}
		ask.views(other)
		for _, b := range []string{"http.method", "http.uri", "http.host"} {
			s.have[b] = other[b]
		}
	}
	s.turns = []turn{{flow.ToServer, ask.wire()}, {flow.ToClient, reply.wire()}}
	s.have["payload"] = [][]byte{m.wire()}
	s.have["packet"] = s.have["payload"]
	return s
}
