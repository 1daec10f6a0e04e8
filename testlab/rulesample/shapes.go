package main

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
)

// shapes say what buffers of protocols look like.
var shapes = map[string]func(v *solver){
	"http.uri": func(v *solver) {
		v.fill = slashFirst
		v.valid = func(b []byte) bool { _, ok := rawURI(b); return ok }
	},
	"http.uri.raw":      func(v *solver) { v.fill = slashFirst; v.valid = isURI },
	"http.method":       func(v *solver) { v.fill, v.valid = capitals, func(b []byte) bool { return isToken(string(b)) } },
	"http.host":         func(v *solver) { v.valid = isHost; v.lower = true },
	"http.host.raw":     func(v *solver) { v.valid = isHost },
	"http.stat_code":    func(v *solver) { v.fill, v.most, v.valid = twos, 3, isStatus },
	"http.stat_msg":     headerValue,
	"http.protocol":     func(v *solver) { v.repair = protocols },
	"http.header":       func(v *solver) { v.repair, v.valid = headerRepairs, isHeaders },
	"http.header.raw":   func(v *solver) { v.repair, v.valid = headerRepairs, isHeaders },
	"http.header_names": func(v *solver) { v.repair, v.valid = nameRepairs, isNames },
	"http.request_line": func(v *solver) {
		v.repair, v.valid = lineRepairs, func(b []byte) bool { return isRequestLine(string(b)) }
	},
	"http.response_line": func(v *solver) {
		v.repair, v.valid = statusRepairs, func(b []byte) bool { return isStatusLine(string(b)) }
	},
	"http.start": func(v *solver) {
		v.repair = func(b []byte) []repaired { return append(headRepairs(b, true), headRepairs(b, false)...) }
		v.valid = func(b []byte) bool { m := parseMessage(b); return m != nil && len(m.body) == 0 }
	},
	"http.content_len": func(v *solver) { v.fill = func(*rand.Rand, int) byte { return '1' }; headerValue(v) },
	"http.user_agent":  headerValue, "http.referer": headerValue, "http.accept": headerValue, "http.accept_enc": headerValue,
	"http.accept_lang": headerValue, "http.connection": headerValue, "http.content_type": headerValue, "http.server": headerValue,
	"http.location": headerValue, "http.cookie": headerValue,
	"dns.query": func(v *solver) { v.valid = isName },
	"tls.sni":   func(v *solver) { v.valid = func(b []byte) bool { return len(b) < 250 && isURI(b) } },
	"tls.cert_subject": func(v *solver) {
		v.repair, v.valid = distinguished, func(b []byte) bool { return parseName(string(b)) != nil }
	},
	"tls.cert_issuer": func(v *solver) {
		v.repair, v.valid = distinguished, func(b []byte) bool { return parseName(string(b)) != nil }
	},
	"tls.cert_serial": func(v *solver) { v.valid = func(b []byte) bool { _, ok := serial(string(b)); return ok } },
}

func headerValue(v *solver) { v.valid = func(b []byte) bool { return isValue(string(b)) } }

func slashFirst(rng *rand.Rand, at int) byte {
	if at == 0 {
		return '/'
	}
	return letters(rng, at)
}

func capitals(rng *rand.Rand, _ int) byte { return byte('A' + rng.IntN(26)) }

func twos(_ *rand.Rand, at int) byte {
	if at == 0 {
		return '2'
	}
	return '0'
}

func isHost(b []byte) bool {
	return isURI(b) && !bytes.ContainsAny(b, ":/@?#") && b[len(b)-1] != '.' && b[0] != '['
}

// around is b with something before and behind.
func around(before string, b []byte, behind string) repaired {
	return repaired{slices.Concat([]byte(before), b, []byte(behind)), len(before)}
}

func ways(b []byte, before, behind []string) (out []repaired) {
	for _, x := range before {
		for _, y := range behind {
			out = append(out, around(x, b, y))
		}
	}
	return out
}

func protocols([]byte) []repaired {
	return []repaired{{[]byte("HTTP/1.1"), 0}, {[]byte("HTTP/1.0"), 0}}
}

func headerRepairs(b []byte) []repaired {
	return ways(b, []string{"", "X-Kept: ", "X-Kept: a\r\n", "X-Kept: a", "X-"}, []string{"", "\r\n", ": b\r\n", "b\r\n", "X: b\r\n", "\r\n\r\n"})
}

func isHeaders(b []byte) bool {
	b = bytes.TrimSuffix(b, []byte("\r\n"))
	return parseMessage(slices.Concat([]byte("GET / HTTP/1.1\r\n"), bytes.TrimSuffix(b, []byte("\r\n")), []byte("\r\n\r\n"))) != nil && !bytes.Contains(b, []byte("\r\n\r\n"))
}

func nameRepairs(b []byte) []repaired {
	return ways(b, []string{"", "\r\n", "\r\nX", "\r\nX-Kept\r\n", "\r"}, []string{"", "\r\n\r\n", "\r\n", "x\r\n\r\n", "X-Last\r\n\r\n", "\n"})
}

func isNames(b []byte) bool {
	s := string(b)
	if !strings.HasPrefix(s, "\r\n") || !strings.HasSuffix(s, "\r\n\r\n") || len(s) < 7 {
		return false
	}
	for _, n := range strings.Split(s[2:len(s)-4], "\r\n") {
		if !isToken(n) {
			return false
		}
	}
	return true
}

func lineRepairs(b []byte) []repaired {
	return ways(b, []string{"", "GET /", "GET ", "GET /x", "G", "POST /"}, []string{"", " HTTP/1.1", " HTTP/1.0", "HTTP/1.1", "x HTTP/1.1", "1.1", ".1", "/1.1", "1", "0"})
}

func statusRepairs(b []byte) []repaired {
	return ways(b, []string{"", "HTTP/1.1 ", "HTTP/1.1 200 ", "HTTP/1.1 2"}, []string{"", " OK", "OK", "0 OK", " 200 OK"})
}

// headRepairs make the head of a message of some bytes.
func headRepairs(b []byte, request bool) []repaired {
	before, line := []string{"", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1", "GET /", "GET / HTTP/1.1\r\nX: "}, "x HTTP/1.1\r\n\r\n"
	if !request {
		before, line = []string{"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK", "HTTP/1.1 200 ", "HTTP/1.1 200 OK\r\nX: "}, " 200 OK\r\n\r\n"
	}
	return ways(b, before, []string{"", "\r\n\r\n", "\r\n", "\n", " HTTP/1.1\r\n\r\n", line, ": x\r\n\r\n", "x\r\n\r\n", "1.1\r\n\r\n", ".1\r\n\r\n", "/1.1\r\n\r\n", "1\r\n\r\n", "0\r\n\r\n", "\nX: x\r\n\r\n"})
}
