package rtsp

import (
	"bytes"

	"citygate/pkg/app/line"
)

// Scheme is how credentials are given.
type Scheme uint8

// The schemes.
const (
	SchemeNone Scheme = iota
	Basic
	Digest
	SchemeOther
)

var schemeNames = [...]string{"none", "basic", "digest", "other"}

func (s Scheme) String() string { return schemeNames[s] }

// Auth is how authentication went.
type Auth uint8

// The results.
const (
	AuthNone   Auth = iota
	Challenged      // the server wants credentials and got none, or such that are only out of date
	Failed          // it got some and refused
	Authorized      // it got some and went on
	AuthOpen        // credentials were sent, no answer was seen
)

var authNames = [...]string{"none", "challenged", "failed", "ok", "open"}

func (a Auth) String() string { return authNames[a] }

// judge says how authentication went, by the request and its answer. A refusal with 400 or 403 counts as failed: some servers answer wrong
// credentials so, and what tries passwords sees nothing else from them.
func (t *Tx) judge() {
	sent, had := t.header(t.Request, authorization)
	asked, asks := t.header(t.Request.Reverse(), authenticate)
	switch {
	case had:
		t.Scheme = schemeOf(sent)
	case asks:
		t.Scheme = schemeOf(asked)
	}
	stale, _ := parameter(asked, "stale")
	switch {
	case t.Status == 0 && had:
		t.Auth = AuthOpen
	case t.Status == 401 && (!had || line.Is(stale, "true")):
		t.Auth = Challenged
	case had && (t.Status == 401 || t.Status == 400 || t.Status == 403):
		t.Auth = Failed
	case had && t.Status >= 200 && t.Status < 300:
		t.Auth = Authorized
	}
}

func schemeOf(value []byte) Scheme {
	w, _ := word(value)
	switch {
	case line.Is(w, "basic"):
		return Basic
	case line.Is(w, "digest"):
		return Digest
	}
	return SchemeOther
}

// parameter finds name="value" or name=value in a list behind a scheme (RFC 7235, 2.1).
func parameter(list []byte, name string) (value []byte, ok bool) {
	_, rest := word(list)
	for len(rest) > 0 {
		rest = bytes.TrimLeft(rest, " \t,")
		end := bytes.IndexAny(rest, "=,")
		if end < 0 {
			return nil, false
		}
		key := bytes.TrimRight(rest[:end], " \t")
		if rest[end] == ',' {
			rest = rest[end:]
			continue
		}
		value, rest = quoted(bytes.TrimLeft(rest[end+1:], " \t"))
		if line.Is(key, name) {
			return value, true
		}
	}
	return nil, false
}

// quoted cuts a value off, quotes taken away; what is escaped in it stays so.
func quoted(b []byte) (value, rest []byte) {
	if len(b) == 0 || b[0] != '"' {
		end := bytes.IndexAny(b, ", \t;")
		if end < 0 {
			end = len(b)
		}
		return b[:end], b[end:]
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return b[1:i], b[i+1:]
		}
	}
	return b[1:], nil
}
