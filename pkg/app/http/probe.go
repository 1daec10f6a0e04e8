package http

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

const (
	probeLine   = 4096 // a first line that is longer before its end is no request we would know by its version
	probeMethod = 32   // bytes of a method
)

// methods are known by name, so that odd lines behind them are still HTTP. Methods of RTSP and SIP are told apart by the
// version at the end of the line.
var methods = []string{
	"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "COPY",
	"MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT", "CHECKOUT", "CHECKIN", "UNCHECKOUT", "MKWORKSPACE", "UPDATE", "LABEL",
	"MERGE", "BASELINE-CONTROL", "MKACTIVITY", "VERSION-CONTROL", "ACL", "INVALID", "DEBUG", "BIND", "SUBSCRIBE",
	"UNSUBSCRIBE", "NOTIFY", "M-SEARCH", "PURGE", "BITS_POST", "CCM_POST", "SMS_POST", "RPC_IN_DATA", "RPC_OUT_DATA",
	"RPC_CONNECT", "BCOPY", "BMOVE", "BDELETE", "BPROPFIND", "BPROPPATCH", "POLL", "TRACK", "TUNNEL",
}

// probe judges the first bytes of a direction.
func probe(d flow.Direction, data []byte) layer.Answer {
	if d == flow.ToClient {
		return probeResponse(data)
	}
	return probeRequest(data)
}

func probeResponse(data []byte) layer.Answer {
	for i, c := range data {
		if isSpace(c) || c == 0 {
			continue
		}
		return prefix(data[i:], "http/")
	}
	if len(data) > probeLine {
		return layer.No
	}
	return layer.More
}

// prefix says whether data begins with a word in lower case, as far as it goes.
func prefix(data []byte, word string) layer.Answer {
	for i := range len(word) {
		if i == len(data) {
			return layer.More
		}
		if lower(data[i]) != word[i] {
			return layer.No
		}
	}
	return layer.Yes
}

func probeRequest(data []byte) layer.Answer {
	i := 0
	for i < len(data) && isSpace(data[i]) {
		i++
	}
	line := data[i:]
	end := bytes.IndexByte(line, '\n')
	if end >= 0 {
		line = bytes.TrimRight(line[:end], "\r ")
	}
	m := 0
	for m < len(line) && isMethod(line[m]) {
		m++
	}
	switch {
	case m == len(line) && end < 0 && m <= probeMethod && len(data) <= probeLine:
		return layer.More
	case m == 0 || m == len(line) || m > probeMethod || !isSpace(line[m]):
		return layer.No
	case end < 0 && len(line) <= probeLine:
		return layer.More
	}
	return judgeLine(line[:m], line[m:])
}

// judgeLine looks at a method and at the rest of its line.
func judgeLine(method, rest []byte) layer.Answer {
	if string(method) == "PRI" { // HTTP/2, RFC 9113, 3.4
		return layer.No
	}
	last := rest[bytes.LastIndexAny(rest, " \t")+1:]
	if len(last) >= 5 && prefix(last, "http/") == layer.Yes {
		return layer.Yes
	}
	if i := bytes.IndexByte(last, '/'); i > 0 && i+1 < len(last) && last[i+1] >= '0' && last[i+1] <= '9' {
		if v := last[:i]; bytes.EqualFold(v, []byte("RTSP")) || bytes.EqualFold(v, []byte("SIP")) {
			return layer.No
		}
	}
	for _, m := range methods {
		if string(method) == m {
			return layer.Yes
		}
	}
	return layer.No
}

func isMethod(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'
}

// isSpace is white space as lenient servers see it: with vertical tab and form feed.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
