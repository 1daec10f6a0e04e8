package main

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A variant of a telling is a number of which each bit is a choice.
const (
	noHost      = 1 << iota // no Host that nothing asks for
	ownFirst                // what is needed besides stands in front
	noLength                // no Content-Length that nothing asks for
	bodyBefore              // the bytes that the stream must hold stand before the body that is asked for
	streamFirst             // they are the message's beginning
	asPost                  // a request without a method that is asked for is a POST
)

// request is the request of a story.
func (p *plan) request(variant int) *message {
	asked := p.rule.toServer()
	m := &message{request: true, line: "GET /index HTTP/1.1"}
	if !asked {
		m.set("Host", "www.site.test", false)
		if p.rule.has("http.method", "http.uri", "http.host") {
			p.requestLine(m, variant)
		}
		return m
	}
	if b := p.bytes("http.start"); b != nil {
		if m = parseMessage(b); m == nil || !m.request {
			return nil
		}
	} else if b := p.bytes("payload"); b != nil && variant&streamFirst != 0 {
		if m = beginning(b, true); m == nil {
			return nil
		}
	}
	if !p.requestLine(m, variant) {
		return nil
	}
	p.body(m, variant, "http.request_body", "file.data")
	if !p.headers(m, variant) {
		return nil
	}
	return m
}

// requestLine puts what is asked for into the request's line.
func (p *plan) requestLine(m *message, variant int) bool {
	if b := p.bytes("http.request_line"); b != nil {
		m.line = string(b)
	}
	w := strings.Split(m.line, " ")
	if len(w) != 3 {
		return false
	}
	if b := p.bytes("http.method"); b != nil {
		w[0] = string(b)
	} else if variant&asPost != 0 {
		w[0] = "POST"
	}
	if b := p.bytes("http.uri.raw"); b != nil {
		w[1] = string(b)
	} else if b := p.bytes("http.uri"); b != nil {
		raw, ok := rawURI(b)
		if !ok {
			return false
		}
		w[1] = string(raw)
	}
	if b := p.bytes("http.protocol"); b != nil {
		w[2] = string(b)
	}
	m.line = strings.Join(w, " ")
	return true
}

// response is the answer of a story.
func (p *plan) response(variant int) *message {
	m := &message{line: "HTTP/1.1 200 OK"}
	if p.rule.toServer() {
		m.set("Content-Length", "0", false)
		return m
	}
	if b := p.bytes("http.start"); b != nil {
		if m = parseMessage(b); m == nil || m.request {
			return nil
		}
	} else if b := p.bytes("payload"); b != nil && variant&streamFirst != 0 {
		if m = beginning(b, false); m == nil {
			return nil
		}
	}
	if b := p.bytes("http.response_line"); b != nil {
		m.line = string(b)
	}
	w := strings.SplitN(m.line, " ", 3)
	if len(w) != 3 {
		return nil
	}
	for i, name := range []string{"http.protocol", "http.stat_code", "http.stat_msg"} {
		if b := p.bytes(name); b != nil {
			w[i] = string(b)
		}
	}
	m.line = strings.Join(w, " ")
	p.body(m, variant, "file.data", "http.response_body")
	if !p.headers(m, variant) {
		return nil
	}
	return m
}

// body puts what is asked for into the body.
func (p *plan) body(m *message, variant int, buffers ...string) {
	var body []byte
	for _, name := range buffers {
		b := p.bytes(name)
		if bytes.Contains(b, body) {
			body = nil
		}
		if !bytes.Contains(body, b) {
			body = append(body[:len(body):len(body)], b...)
		}
	}
	if b := p.bytes("payload"); b != nil && variant&streamFirst == 0 && !bytes.Contains(body, b) {
		if variant&bodyBefore != 0 {
			body = slices.Concat(b, body)
		} else {
			body = slices.Concat(body, b)
		}
	}
	if body != nil {
		m.body = body
	}
}

// beginning makes a message that begins with some bytes; nil if they begin none.
func beginning(b []byte, request bool) *message {
	for _, w := range headRepairs(b, request) {
		if m := parseMessage(w.b); m != nil && m.request == request && w.shift == 0 {
			return m
		}
	}
	return nil
}

// headers puts in what is asked for, in the order that is asked for, and what is needed.
func (p *plan) headers(m *message, variant int) bool {
	for _, name := range []string{"http.header", "http.header.raw"} {
		if b := p.bytes(name); b != nil {
			extra := parseMessage(slices.Concat([]byte("GET / HTTP/1.1\r\n"), bytes.TrimSuffix(b, []byte("\r\n\r\n")), []byte("\r\n\r\n")))
			if bytes.HasSuffix(b, []byte("\r\n")) && !bytes.HasSuffix(b, []byte("\r\n\r\n")) {
				extra = parseMessage(slices.Concat([]byte("GET / HTTP/1.1\r\n"), b, []byte("\r\n")))
			}
			if extra == nil {
				return false
			}
			m.fields = append(m.fields, extra.fields...)
		}
	}
	front := variant&ownFirst != 0
	for _, s := range p.rule.sections {
		if n, b := fieldNames[s.buffer], p.bytes(s.buffer); n != "" && b != nil {
			if old, ok := m.field(n); ok && n == "Host" && strings.EqualFold(old, string(b)) {
				continue
			}
			m.set(n, string(b), front && n != "Host")
		}
	}
	if b := p.bytes("http.cookie"); b != nil {
		n := "Cookie"
		if !m.request {
			n = "Set-Cookie"
		}
		m.set(n, string(b), front)
	}
	if _, ok := m.field("Host"); !ok && m.request && variant&noHost == 0 {
		m.set("Host", "www.site.test", true)
	}
	return p.length(m, variant) && p.order(m)
}

// length says how long the body is, and makes it as long as is asked for.
func (p *plan) length(m *message, variant int) bool {
	if v, ok := m.field("Content-Length"); ok {
		n, err := strconv.Atoi(v)
		if err != nil || n > 1<<20 || n < len(m.body) {
			// Left as it is where it is what the rule wants: what follows is not body.
			return p.bytes("http.content_len") != nil || p.bytes("http.header") != nil
		}
		for len(m.body) < n {
			m.body = append(m.body, 'z')
		}
		return true
	}
	if _, ok := m.field("Transfer-Encoding"); ok || len(m.body) == 0 && m.request {
		return true
	}
	if variant&noLength == 0 {
		n := len(m.wire()) - len(m.head())
		m.set("Content-Length", fmt.Sprint(n), variant&ownFirst != 0)
	}
	return true
}

// order puts the fields in the order of the names that are asked for.
func (p *plan) order(m *message) bool {
	b := p.bytes("http.header_names")
	if b == nil {
		return true
	}
	var sorted []headerField
	rest := slices.Clone(m.fields)
	for _, name := range strings.Split(strings.Trim(string(b), "\r\n"), "\r\n") {
		i := slices.IndexFunc(rest, func(f headerField) bool { return strings.EqualFold(f.name, name) })
		if i < 0 {
			sorted = append(sorted, headerField{name, defaultValue(name)})
			continue
		}
		sorted = append(sorted, headerField{name, rest[i].value})
		rest = slices.Delete(rest, i, i+1)
	}
	m.fields = append(sorted, rest...)
	if s := p.rule.find("http.header_names"); s != nil {
		have := map[string][][]byte{}
		m.views(have)
		if !s.holds(have["http.header_names"][0]) {
			m.fields = append(rest, sorted...)
		}
	}
	return true
}

func defaultValue(name string) string {
	switch strings.ToLower(name) {
	case "content-length":
		return "0"
	case "host":
		return "www.site.test"
	case "connection":
		return "keep-alive"
	case "cache-control", "pragma":
		return "no-cache"
	}
	return "vbn"
}
