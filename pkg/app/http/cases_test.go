package http

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"strings"
)

const (
	get    = "GET /a/b.txt?x=1 HTTP/1.1\r\nHost: h.example\r\n\r\n"
	marker = "<the marker that must be found>"
)

var chunked = func() string {
	var b strings.Builder
	for i := 0; i < len(marker); i += 7 {
		s := marker[i:min(len(marker), i+7)]
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(s), s)
	}
	return b.String() + "0\r\n\r\n"
}()

func gz(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

func raw(s string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 6)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

func zl(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

// flags sets the flags of a gzip header and puts bytes behind it.
func flags(s string, f byte, extra string) string {
	return s[:3] + string([]byte{s[3] | f}) + s[4:10] + extra + s[10:]
}

// sized is a header with the length of a body, and the body.
func sized(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body) }

// oddServers answer get in ways that clients accept; all of them send the marker.
var oddServers = []struct{ name, data string }{
	{"length", "HTTP/1.1 200 OK\r\n" + sized(marker)},
	{"until close", "HTTP/1.1 200 OK\r\n\r\n" + marker},
	{"too short a length, connection closes", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n" + marker},
	{"length zero, connection closes", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" + marker},
	{"too long a length", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + marker},
	{"length with junk", "HTTP/1.1 200 OK\r\nContent-Length: 5, 31\r\n\r\n" + marker},
	{"folded length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n 31\r\n\r\n" + marker},
	{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 31\r\nContent-Length: 5\r\n\r\n" + marker},
	{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked},
	{"chunks and a length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked},
	{"chunks with extensions", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5; a=b\r\n<the \r\n0001a ;\r\nmarker that must be found>\r\n0\r\n\r\n"},
	{"chunks with line feeds", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.ReplaceAll(chunked, "\r", "")},
	{"chunks behind white space", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n \t5\r\r\n<the \r\n\f1a\r\nmarker that must be found>\r\n0\r\n\r\n"},
	{"chunks that end early", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked[:len(chunked)-6]},
	{"chunked is a lie", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + marker},
	{"chunks too large", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n" + marker},
	{"chunked in a longer word", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunkedx\r\n\r\n" + chunked},
	{"chunked with NUL", "HTTP/1.1 200 OK\r\nTransfer\x00-Encoding: chu\x00nked\r\n\r\n" + chunked},
	{"chunked folded", "HTTP/1.1 200 OK\r\nTransfer-Encoding: \r\n \r\n chunked\r\n\r\n" + chunked},
	{"name and colon folded", "HTTP/1.1 200 OK\r\nTransfer-Encoding\r\n :chunked\r\n\r\n" + chunked},
	{"chunked behind a fold", "HTTP/1.1 200 OK\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n" + chunked},
	{"space in front of the colon", "HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n" + chunked},
	{"two colons", "HTTP/1.1 200 OK\r\nTransfer-Encoding:: chunked\r\n\r\n" + chunked},
	{"carriage returns for line ends", "HTTP/1.1 200 OK\rTransfer-Encoding: chunked\rX: y\r\n\r\n" + chunked},
	{"line feeds for line ends", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n" + chunked},
	{"line ends the wrong way round", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\n\r\r\n\r\n" + chunked},
	{"a line of carriage returns", "HTTP/1.1 200 OK\r\nX: y\r\n\r\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked},
	{"a blank line ends the headers", "HTTP/1.1 200 OK\nContent-Encoding: gzip\n \n" + gz(marker)},
	{"no status", "HTTP/1.1\r\n" + sized(marker)},
	{"odd status", "HTTP/1.1 2xx\r\n" + sized(marker)},
	{"odd version", "HTTP/1.010 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked},
	{"lower case version", "http/1.1 200 OK\r\n" + sized(marker)},
	{"space in front of the version", " \tHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked},
	{"NUL in front of the version", "\x00HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked},
	{"a line in front of the status line", "SIP/2.0 200 ok\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked},
	{"blank lines in front of the status line", "\r\n \t\r\n\n\rHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked},
	{"no headers at all", "<html>" + marker},
	{"100 first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n" + sized(marker)},
	{"100 with a body", "HTTP/1.1 100 Continue\r\n" + sized(marker)},
	{"204 with a body", "HTTP/1.1 204 None\r\n" + sized(marker)},
	{"304 with a body", "HTTP/1.1 304 None\r\n" + sized(marker)},
	{"headers without a colon", "HTTP/1.1 200 OK\r\njunk\r\n\x7f\r\n" + sized(marker)},
	{"gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + sized(gz(marker))},
	{"gzip in chunks", "HTTP/1.1 200 OK\r\nContent-Encoding: x-gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(gz(marker)), gz(marker))},
	{"gzip in two members", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + sized(gz(marker[:9])+gz(marker[9:]))},
	{"gzip without a trailer", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + sized(gz(marker)[:len(gz(marker))-8])},
	{"gzip with all fields", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + sized(flags(gz(marker), 31, "\x03\x00abcname\x00comment\x00\x12\x34"))},
	{"gzip with flags that lie", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + sized(flags(gz(marker), 0xf8, ""))},
	{"gzip is a lie", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + sized(marker)},
	{"deflate", "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n" + sized(raw(marker))},
	{"deflate and plain text behind it", "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n" + sized(raw("x")+marker)},
	{"deflate is zlib", "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n" + sized(zl(marker))},
	{"deflate is gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n" + sized(gz(marker))},
	{"gzip is deflate", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + sized(raw(marker))},
	{"two layers", "HTTP/1.1 200 OK\r\nContent-Encoding: deflate, gzip\r\n" + sized(gz(raw(marker)))},
	{"two layers in two headers, one is a lie", "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Encoding: gzip\r\n" + sized(raw(marker))},
	{"two layers, both lies", "HTTP/1.1 200 OK\r\nContent-Encoding: deflate, gzip\r\n" + sized(marker)},
	{"unknown encoding", "HTTP/1.1 200 OK\r\nContent-Encoding: =?UTF-8?B?ZGVmbGF0ZQo=?=\r\n" + sized(marker)},
	{"encoding behind NUL", "HTTP/1.1 200 OK\r\nContent-Encoding:\n\x00gzip\r\n" + sized(gz(marker))},
}

const boundary = "----b0"

var upload = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nplain\r\n" +
	"--" + boundary + "\r\nContent-Disposition: form-data; name=\"f\"; filename=\"one.txt\"\r\nContent-Type: text/plain\r\n\r\nfirst file\n" + "--" + boundary[:4] + "\r\n" +
	"\r\n--" + boundary + "\r\nContent-Disposition: form-data; name=\"g\"; FILENAME=two.bin\r\n\r\n\x00\x01" + marker + "\r\n--" + boundary + "--\r\n"

const envelope = `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><SystemReboot xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>`

// talks are both sides of flows.
var talks = []struct{ name, client, server string }{
	{"pipelined", get + "HEAD /h HTTP/1.1\r\nHost: h.example:8080\r\n\r\n" + get,
		"HTTP/1.1 200 OK\r\n" + sized("one") + "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 404 Not Found\r\n" + sized("three")},
	{"all headers", "GET http://U:p@Ex.Example:81/%41//b/../c%2f?q=%41+b#f HTTP/1.1\r\nHost: Ex.Example:81\r\nUser-Agent: agent\r\nReferer: ref\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nAccept-Language: en\r\nCookie: a=b\r\nConnection: keep-alive\r\nX-Forwarded-For: 1.2.3.4\r\nX: 1\r\nx: 2\r\n\r\n",
		"HTTP/1.1 302 Found\r\nServer: s\r\nLocation: /else\r\nSet-Cookie: c=d\r\nSet-Cookie: e=f\r\nContent-Type: text/html; charset=x\r\nContent-Disposition: attachment; filename=\"n.txt\"\r\n" + sized("body")},
	{"post", "POST /p HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n" + sized("a=b&c=d"), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
	{"post in chunks", "POST /p HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + get, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n" + sized("x")},
	{"post gzip", "POST /p HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\n" + sized(gz(marker)), ""},
	{"put", "PUT /dir/file.bin HTTP/1.1\r\nHost: h\r\n" + sized("content"), "HTTP/1.1 201 Made\r\n\r\n"},
	{"form", "POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=" + boundary + "\r\n" + sized(upload), "HTTP/1.1 200 OK\r\n" + sized("ok")},
	{"form without an end", "POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=\"" + boundary + "\"\r\n" + sized(upload[:len(upload)-12]), ""},
	{"form without a boundary", "POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data\r\n" + sized(upload), ""},
	{"soap", "POST /onvif/device_service HTTP/1.1\r\nHost: cam\r\nContent-Type: application/soap+xml\r\n" + sized(envelope), "HTTP/1.1 200 OK\r\n" + sized(strings.Replace(envelope, "SystemReboot", "SystemRebootResponse", 1))},
	{"old request", "GET /old\r\n", "<html>"},
	{"version is missing", "GET /old\r\nHost: h\r\nUser-Agent: u\r\n\r\n", "HTTP/1.1 200 OK\r\n" + sized("x")},
	{"odd request line", "\r\n\r\n\tGET\t/a b \\..\\c\tHTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\n" + sized("x")},
	{"odd request headers", "GET / HTTP/1.1\r\n fold\r\nHost : a_b..c\r\nno colon\r\n: empty\r\nX(: y\r\nA: 1\r\n 2\r\n\t3 \r\nContent-Length: x\r\nAuthorization: Odd z\r\n\r\n", ""},
	{"hosts differ", "GET http://one/ HTTP/1.1\r\nHost: two\r\n\r\n", ""},
	{"no host", "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.0\r\n\r\n", ""},
	{"body that was not announced", "GET / HTTP/1.1\r\nHost: h\r\n\r\nsome\r\nlines\r\n" + get, "HTTP/1.1 200 OK\r\n" + sized("1") + "HTTP/1.1 200 OK\r\n" + sized("2")},
	{"two lengths in a request", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nab" + get, ""},
	{"bad transfer encoding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab" + get, ""},
	{"bad chunk in a request", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab", ""},
	{"answer without a question", "", "HTTP/1.1 200 OK\r\n" + sized("x")},
	{"closing connection with another answer", get + get, "HTTP/1.0 200 OK\r\nConnection: close\r\n" + sized("one") + "\r\nHTTP/1.0 200 OK\r\n" + sized("two")},
	{"304 with a length", get + get, "HTTP/1.1 304 Not\r\nContent-Length: 20\r\n\r\nHTTP/1.1 200 OK\r\n" + sized("x")},
	{"connect", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n\x16\x03\x01", "HTTP/1.1 200 Fine\r\n\r\n\x16\x03"},
	{"connect refused", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" + get, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n" + sized("x")},
	{"upgrade", "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n\x81\x00", "HTTP/1.1 101 Switch\r\nUpgrade: websocket\r\n\r\n\x81\x00"},
	{"rtsp tunnel", "GET /s HTTP/1.0\r\nAccept: application/x-rtsp-tunnelled\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\nRTSP/1.0 200 OK\r\n\r\n$\x00\x00\x04abcd"},
	{"rtsp tunnel back", "POST /s HTTP/1.0\r\nContent-Type: application/x-rtsp-tunnelled\r\nContent-Length: 32767\r\n\r\nREVTQ1JJQkU=", ""},
	{"cut in the request", get[:20], ""},
	{"cut in the headers", get[:len(get)-6], "HTTP/1.1 200 OK\r\nSer"},
}
