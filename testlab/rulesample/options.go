package main

import (
	"fmt"
	"strconv"
	"strings"

	"citygate/testlab/rulesample/pattern"
)

// section is the tests of one buffer, in order.
type section struct {
	buffer string
	how    []string // transforms
	tests  []*test
}

type kind uint8

const (
	content kind = iota
	pcre
	dataAt
	size
	byteTest
	byteJump
	byteExtract
)

// test is one thing that a rule asks of a buffer.
type test struct {
	kind    kind
	negated bool
	text    string // of the option
	bytes   []byte
	nocase  bool
	// Where a content may lie; nil is anywhere.
	offset, depth, distance, within *number
	starts, ends                    bool
	pattern                         *pattern.Pattern
	relative                        bool
	number                          number // of isdataat
	low, high                       int    // of a size
	bytesOf                         field
}

// number is a number or the name of an extracted one.
type number struct {
	n    int
	name string
}

func (n *number) value(names map[string]int) int {
	if n == nil {
		return 0
	}
	if n.name != "" {
		return names[n.name]
	}
	return n.n
}

// field is where byte_test, byte_jump and byte_extract look, and what they do.
type field struct {
	count         int
	op            string
	value, offset number
	little, text  bool
	base          int
	mask          uint64
	fromBeginning bool
	align         int
	post, times   int
	name          string
}

// buffers are the sticky buffers by their names; old names give the new.
var buffers = map[string]string{
	"file_data": "file.data", "dns_query": "dns.query", "tls_sni": "tls.sni", "ssh_proto": "ssh.proto", "ja3_hash": "ja3.hash",
	"pkt_data": "payload", "base64_data": "base64",
}

// modifiers are old keywords that follow a content.
var modifiers = map[string]string{
	"http_user_agent": "http.user_agent", "http_header": "http.header", "http_uri": "http.uri", "http_method": "http.method",
	"http_cookie": "http.cookie", "http_client_body": "http.request_body", "http_host": "http.host", "http_raw_uri": "http.uri.raw",
}

// pcreBuffers are the buffers that letters of expressions name.
var pcreBuffers = map[byte]string{
	'U': "http.uri", 'I': "http.uri.raw", 'P': "http.request_body", 'Q': "http.response_body", 'H': "http.header", 'D': "http.header.raw",
	'M': "http.method", 'C': "http.cookie", 'S': "http.stat_code", 'Y': "http.stat_msg", 'V': "http.user_agent", 'W': "http.host",
}

var transforms = map[string]bool{"dotprefix": true, "to_lowercase": true, "strip_whitespace": true, "compress_whitespace": true, "header_lowercase": true}

var plainNames = map[string]bool{
	"msg": true, "sid": true, "rev": true, "gid": true, "classtype": true, "reference": true, "metadata": true, "priority": true,
	"target": true, "fast_pattern": true, "tag": true, "rawbytes": true,
}

// reader turns options into sections.
type reader struct {
	r    *rule
	now  string
	how  []string
	last *test
	at   *section
}

// understand reads all options of a rule; what it cannot express is named in unknown.
func (r *rule) understand() {
	d := &reader{r: r, now: "payload"}
	for _, o := range r.options {
		if err := d.option(o); err != nil && r.unknown == "" {
			r.unknown = o.name + ": " + err.Error()
		}
	}
}

func (d *reader) section(buffer string, how []string) *section {
	for _, s := range d.r.sections {
		if s.buffer == buffer && strings.Join(s.how, " ") == strings.Join(how, " ") {
			return s
		}
	}
	s := &section{buffer: buffer, how: how}
	d.r.sections = append(d.r.sections, s)
	return s
}

func (d *reader) add(t *test) {
	d.at = d.section(d.now, d.how)
	d.at.tests = append(d.at.tests, t)
	d.last = t
}

func (d *reader) option(o option) error {
	if plainNames[o.name] {
		return nil
	}
	if b := buffers[o.name]; b != "" {
		d.now, d.how = b, nil
		return nil
	}
	if strings.Contains(o.name, ".") && o.value == "" {
		d.now, d.how = o.name, nil
		return nil
	}
	if transforms[o.name] {
		d.how = append(append([]string(nil), d.how...), o.name)
		return nil
	}
	if b := modifiers[o.name]; b != "" && d.last != nil {
		d.move(b)
		return nil
	}
	if f := readers[o.name]; f != nil {
		return f(d, o.value)
	}
	return d.ruleOption(o)
}

// move takes the last content into another buffer.
func (d *reader) move(buffer string) {
	d.at.tests = d.at.tests[:len(d.at.tests)-1]
	t := d.last
	d.at = d.section(buffer, nil)
	d.at.tests = append(d.at.tests, t)
	d.last = t
}

var readers = map[string]func(d *reader, v string) error{
	"content": func(d *reader, v string) error {
		negated, text := unquote(v)
		b, err := contentBytes(text)
		d.add(&test{kind: content, negated: negated, text: text, bytes: b})
		return err
	},
	"pcre":       (*reader).pcre,
	"nocase":     func(d *reader, _ string) error { d.last.nocase = true; return nil },
	"startswith": func(d *reader, _ string) error { d.last.starts = true; return nil },
	"endswith":   func(d *reader, _ string) error { d.last.ends = true; return nil },
	"offset":     func(d *reader, v string) error { d.last.offset = num(v); return nil },
	"depth":      func(d *reader, v string) error { d.last.depth = num(v); return nil },
	"distance":   func(d *reader, v string) error { d.last.distance = num(v); return nil },
	"within":     func(d *reader, v string) error { d.last.within = num(v); return nil },
	"isdataat":   (*reader).isDataAt,
	"bsize":      func(d *reader, v string) error { return d.size(v) },
	"dsize": func(d *reader, v string) error {
		d.now, d.how = "packet", nil
		err := d.size(v)
		d.now = "payload"
		return err
	},
	"urilen":       (*reader).uriLength,
	"byte_test":    (*reader).byteTest,
	"byte_jump":    (*reader).byteJump,
	"byte_extract": (*reader).byteExtract,
}

func num(v string) *number {
	n, err := strconv.Atoi(strings.TrimSpace(v))
	if err != nil {
		return &number{name: strings.TrimSpace(v)}
	}
	return &number{n: n}
}

func (d *reader) pcre(v string) error {
	negated, text := unquote(v)
	p, err := pattern.Parse(text)
	if err != nil {
		return err
	}
	t := &test{kind: pcre, negated: negated, text: text, pattern: p, relative: strings.Contains(p.Flags, "R")}
	for _, c := range []byte(p.Flags) {
		if b := pcreBuffers[c]; b != "" && b != d.now {
			d.at = d.section(b, nil)
			d.at.tests, d.last = append(d.at.tests, t), t
			return nil
		}
	}
	d.add(t)
	return nil
}

func (d *reader) isDataAt(v string) error {
	negated, text := unquote(v)
	words := strings.Split(text, ",")
	t := &test{kind: dataAt, negated: negated, text: "isdataat:" + v, number: *num(words[0])}
	for _, w := range words[1:] {
		t.relative = t.relative || strings.TrimSpace(w) == "relative"
	}
	d.add(t)
	return nil
}

// maxSize stands for no limit.
const maxSize = 1 << 20

func (d *reader) size(v string) error {
	t := &test{kind: size, text: v, high: maxSize}
	v = strings.ReplaceAll(v, " ", "")
	var err error
	a, b, span := strings.Cut(v, "<>")
	switch {
	case span:
		if t.low, err = strconv.Atoi(a); err == nil {
			t.high, err = strconv.Atoi(b)
		}
		t.low, t.high = t.low+1, t.high-1
	case strings.HasPrefix(v, "<="):
		t.high, err = strconv.Atoi(v[2:])
	case strings.HasPrefix(v, ">="):
		t.low, err = strconv.Atoi(v[2:])
	case strings.HasPrefix(v, "<"):
		t.high, err = strconv.Atoi(v[1:])
		t.high--
	case strings.HasPrefix(v, ">"):
		t.low, err = strconv.Atoi(v[1:])
		t.low++
	default:
		if t.low, err = strconv.Atoi(v); err != nil {
			return fmt.Errorf("size %q", v)
		}
		t.high = t.low
	}
	d.add(t)
	return err
}

func (d *reader) uriLength(v string) error {
	words := strings.Split(strings.ReplaceAll(v, " ", ""), ",")
	now, how := d.now, d.how
	d.now, d.how = "http.uri", nil
	if len(words) > 1 && words[1] == "raw" {
		d.now = "http.uri.raw"
	}
	err := d.size(words[0])
	d.now, d.how = now, how
	return err
}
