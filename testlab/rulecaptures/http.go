package rulecaptures

import (
	"fmt"
	"strings"
)

// request is an HTTP request to the camera: a line without version, headers, a body with its length.
func request(line, body string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s HTTP/1.1\r\nHost: %s\r\n", line, camera)
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	return b.String() + "\r\n" + body
}

// response is an HTTP answer: a status, a body with its type.
func response(status, kind, body string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n", status, kind, len(body))
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	return b.String() + "\r\n" + body
}

const (
	userAgent = "User-Agent: Mozilla/5.0 (X11; Linux x86_64)"
	form      = "Content-Type: application/x-www-form-urlencoded"
	xmlType   = "Content-Type: application/xml"
	jsonType  = "Content-Type: application/json"
	digest    = `Authorization: Digest username="viewer", realm="IP Camera", nonce="4f1c", uri="/", response="6629fae49393a05397450978507c4ef1"`
)

// web is a story of one request to the camera's web server, and an answer of a few bytes.
func web(req string) func(*Scene) {
	return talk(80, ask(req), answer(response("200 OK", "text/html", "<html>OK</html>")))
}
