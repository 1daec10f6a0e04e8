package main

import (
	"errors"
	"strconv"
	"strings"
)

var (
	errKeyword = errors.New("the generator does not know the keyword")
	errValue   = errors.New("the generator does not know the value")
)

// ruleOption reads a keyword that looks at no buffer.
func (d *reader) ruleOption(o option) error {
	r := d.r
	words := split(o.value)
	switch o.name {
	case "flow":
		for _, w := range words {
			r.flow[w] = true
		}
		r.needsEstablished = r.flow["established"]
	case "flowbits":
		if o.value == "noalert" {
			r.noalert = true
			return nil
		}
		r.bits = append(r.bits, strings.ReplaceAll(o.value, " ", ""))
	case "noalert":
		r.noalert = true
	case "xbits":
		r.xbits = append(r.xbits, words[0]+","+words[1])
	case "threshold", "detection_filter":
		return r.threshold(o.name, words)
	case "flags":
		r.flags = words[0]
	case "itype":
		return limits(o.value, &r.itype)
	case "icode":
		return limits(o.value, &r.icode)
	case "ip_proto":
		n, err := strconv.Atoi(o.value)
		r.ipProto = n
		return err
	case "stream_size":
		return r.streamSize(words)
	case "base64_decode", "asn1", "flowint", "app-layer-event", "ftpbounce":
		return errKeyword
	default:
		return errKeyword
	}
	return nil
}

// limits is a number that satisfies n, >n, <n or a<>b.
func limits(v string, out *int) (err error) {
	a, b, span := strings.Cut(v, "<>")
	switch {
	case span:
		*out, err = strconv.Atoi(a)
		_ = b
		*out++
	case v[0] == '>':
		*out, err = strconv.Atoi(v[1:])
		*out++
	case v[0] == '<':
		*out = 0
	default:
		*out, err = strconv.Atoi(v)
	}
	return err
}

func (r *rule) threshold(name string, words []string) error {
	how, count := "", 1
	for _, w := range words {
		key, value, _ := strings.Cut(w, " ")
		switch key {
		case "type":
			how = strings.TrimSpace(value)
		case "count":
			count, _ = strconv.Atoi(strings.TrimSpace(value))
		}
	}
	switch {
	case name == "detection_filter":
		r.repeat = count + 1
	case how == "threshold" || how == "both":
		r.repeat = count
	case how != "limit":
		return errValue
	}
	if r.repeat > 2000 {
		return errValue
	}
	return nil
}

// streamSize reads side,operator,bytes. The bytes of a stream as Suricata counts them begin with the SYN.
func (r *rule) streamSize(words []string) error {
	if len(words) != 3 {
		return errValue
	}
	n, err := strconv.Atoi(words[2])
	if err != nil {
		return errValue
	}
	low, high := 0, maxSize
	switch words[1] {
	case "<":
		high = n - 1
	case "<=":
		high = n
	case ">":
		low = n + 1
	case ">=":
		low = n
	case "=":
		low, high = n, n
	default:
		return errValue
	}
	r.streamLow[words[0]] = [2]int{low, high}
	return nil
}

// toServer says which way the traffic goes that the rule looks at.
func (r *rule) toServer() bool {
	if r.flow["to_client"] || r.flow["from_server"] {
		return false
	}
	if r.flow["to_server"] || r.flow["from_client"] {
		return true
	}
	for _, s := range r.sections {
		switch s.buffer {
		case "http.stat_code", "http.stat_msg", "http.response_body", "http.server", "http.location", "http.response_line",
			"tls.certs", "tls.cert_subject", "tls.cert_issuer", "tls.cert_serial", "tls.cert_fingerprint", "ja3s.hash":
			return false
		case "file.data":
			if !r.has("http.uri", "http.method", "http.request_body") {
				return false
			}
		}
	}
	return true
}

// has says whether the rule looks at one of some buffers.
func (r *rule) has(buffers ...string) bool {
	for _, s := range r.sections {
		for _, b := range buffers {
			if s.buffer == b {
				return true
			}
		}
	}
	return false
}

// find is the section of a buffer without transforms that shift bytes; nil if there is none.
func (r *rule) find(buffer string) *section {
	for _, s := range r.sections {
		if s.buffer == buffer {
			return s
		}
	}
	return nil
}
