package tls

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Messages is a set of handshake messages.
type Messages uint8

// The messages that Tx.Seen knows.
const (
	ClientHello Messages = 1 << iota
	ServerHello
	ServerKeyExchange
	ClientKeyExchange
	CertificateRequest
)

// maxCerts is how many certificates of a chain, names of a certificate and offered protocols are kept.
const (
	maxCerts = 16
	maxNames = 128
	maxALPN  = 16
)

// Certificate is the first certificate of a direction, and how many came with it.
type Certificate struct {
	Count               int
	NotBefore, NotAfter int64 // in seconds since 1970
	Dated               bool  // the two are known

	subject, issuer, serial, fingerprint tx.Span
	chain                                []tx.Span
	names                                []tx.Span
}

// Tx is a handshake.
type Tx struct {
	Versions       [2]uint16 // what the client offers at most, what the server chose; 0 if unknown
	Certs          [2]Certificate
	Seen           Messages
	SessionResumed bool

	state     layer.Inspection
	store     tx.Store
	events    [2]layer.EventSet
	hello     [2]bool // a direction's hello was read
	certs     [2]bool // a direction's certificates were read
	done      [2]bool // nothing of a direction's handshake is to come that is not encrypted
	later     bool    // events only
	sni       tx.Span
	random    [2]tx.Span
	alpn      [2][]tx.Span
	ja3, ja3s tx.Span
	ja3Hash   [32]byte
	ja3sHash  [32]byte
	ja4       [ja4Len]byte
}

func (t *Tx) reset() {
	c, a := t.Certs, t.alpn
	*t = Tx{state: t.state}
	for d := range c {
		t.Certs[d] = Certificate{chain: c[d].chain[:0], names: c[d].names[:0]}
		t.alpn[d] = a[d][:0]
	}
}

func (t *Tx) helloDone(d flow.Direction) bool { return t.hello[d] }

// Version is what is spoken: the server's choice, or the client's offer while that is unknown.
func (t *Tx) Version() uint16 {
	if v := t.Versions[flow.ToClient]; v != 0 {
		return v
	}
	return t.Versions[flow.ToServer]
}

// Inspection is the engine's state of the handshake.
func (t *Tx) Inspection() *layer.Inspection { return &t.state }

// Ready says that the message which carries a buffer was read, or cannot come any more.
func (t *Tx) Ready(b layer.Buffer, d flow.Direction) bool {
	if t.done[d] {
		return true
	}
	switch b {
	case layer.TLSCertSubject, layer.TLSCertIssuer, layer.TLSCertSerial, layer.TLSCertFingerprint, layer.TLSCerts, layer.TLSSubjectAltName:
		return t.certs[d]
	}
	return t.hello[d]
}

// Complete says that a direction's handshake is over, or goes on encrypted.
func (t *Tx) Complete(d flow.Direction) bool { return t.done[d] }

// Events are those of a direction.
func (t *Tx) Events(d flow.Direction) layer.EventSet { return t.events[d] }

// Get is the i-th value of a buffer.
func (t *Tx) Get(b layer.Buffer, d flow.Direction, i int) (value []byte, ok bool) {
	c := &t.Certs[d]
	switch b {
	case layer.TLSCerts:
		return t.among(c.chain, i)
	case layer.TLSSubjectAltName:
		return t.among(c.names, i)
	case layer.TLSALPN:
		return t.among(t.alpn[d], i)
	}
	if i != 0 {
		return nil, false
	}
	switch b {
	case layer.TLSCertSubject:
		return t.text(c.subject)
	case layer.TLSCertIssuer:
		return t.text(c.issuer)
	case layer.TLSCertSerial:
		return t.text(c.serial)
	case layer.TLSCertFingerprint:
		return t.text(c.fingerprint)
	case layer.TLSRandom, layer.TLSRandomTime, layer.TLSRandomBytes:
		return t.part(b, t.random[d])
	}
	if d == flow.ToServer {
		return t.ofClient(b)
	}
	return t.ofServer(b)
}

func (t *Tx) ofClient(b layer.Buffer) (value []byte, ok bool) {
	switch b {
	case layer.TLSSNI:
		return t.text(t.sni)
	case layer.JA3String:
		return t.text(t.ja3)
	case layer.JA3Hash:
		return t.ja3Hash[:], t.ja3.Present()
	case layer.JA4Hash:
		return t.ja4[:], t.ja4[0] != 0
	}
	return nil, false
}

func (t *Tx) ofServer(b layer.Buffer) (value []byte, ok bool) {
	switch b {
	case layer.JA3SString:
		return t.text(t.ja3s)
	case layer.JA3SHash:
		return t.ja3sHash[:], t.ja3s.Present()
	}
	return nil, false
}

const randomTime = 4 // bytes of time at a random's start

func (t *Tx) part(b layer.Buffer, s tx.Span) (value []byte, ok bool) {
	if !s.Present() {
		return nil, false
	}
	value = t.store.Bytes(s)
	switch b {
	case layer.TLSRandomTime:
		return value[:randomTime], true
	case layer.TLSRandomBytes:
		return value[randomTime:], true
	}
	return value, true
}

func (t *Tx) text(s tx.Span) (value []byte, ok bool) {
	if !s.Present() {
		return nil, false
	}
	return t.store.Bytes(s), true
}

func (t *Tx) among(s []tx.Span, i int) (value []byte, ok bool) {
	if i >= len(s) {
		return nil, false
	}
	return t.text(s[i])
}
