package tls

import (
	"crypto/md5"
	"encoding/hex"

	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Extensions (IANA, TLS ExtensionType Values).
const (
	extServerName  = 0
	extGroups      = 10
	extPointFormat = 11
	extSignatures  = 13
	extALPN        = 16
	extPreShared   = 41
	extVersions    = 43
)

const randomLen = 32

// retryRandom is the random of a server that asks for another hello (RFC 8446, 4.1.3).
const retryRandom = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

// maxList is how many ciphers, extensions, groups or signature algorithms a fingerprint is made of: three times what scanners
// send. Beyond, the hello has no fingerprint.
const maxList = 400

// list is a list of numbers without those that are random (GREASE, RFC 8701).
type list struct {
	v    [maxList]uint16
	n    int
	over bool
}

func (l *list) add(v uint16) {
	switch {
	case v&0x0f0f == 0x0a0a && v>>8 == v&0xff:
	case l.n == maxList:
		l.over = true
	default:
		l.v[l.n] = v
		l.n++
	}
}

func (l *list) all() []uint16 { return l.v[:l.n] }

// fields are what fingerprints are made of.
type fields struct {
	version                                  uint16 // of the hello itself
	most                                     uint16 // the highest version that is offered
	ciphers, extensions, groups, points, sig list
	sni                                      bool
	alpn                                     [2]byte // ends of the first protocol; 0 if there is none
}

// clientHello reads a client's hello (RFC 8446, 4.1.2). The second one of a flow adds nothing.
func (p *parser) clientHello(t *Tx, body []byte) bool {
	if t.Seen&ClientHello != 0 {
		return true
	}
	t.Seen |= ClientHello
	t.hello[flow.ToServer] = true
	c := cursor{b: body}
	var f fields
	f.version = c.u16()
	f.most = f.version
	random := c.take(randomLen)
	c.vec8() // session
	ciphers := cursor{b: c.vec16()}
	c.vec8() // compression
	if c.bad || len(ciphers.b)%2 != 0 {
		return false
	}
	t.Versions[flow.ToServer] = f.version
	t.random[flow.ToServer] = p.keep(t, random)
	for !ciphers.end() {
		f.ciphers.add(ciphers.u16())
	}
	ok := p.extensions(t, flow.ToServer, &c, &f)
	t.Versions[flow.ToServer] = f.most
	p.fingerprint(t, &f)
	return ok
}

// serverHello reads a server's hello (RFC 8446, 4.1.3).
func (p *parser) serverHello(t *Tx, body []byte) bool {
	c := cursor{b: body}
	var f fields
	f.version = c.u16()
	f.most = f.version
	random := c.take(randomLen)
	if p.retry = string(random) == retryRandom; p.retry || t.Seen&ServerHello != 0 {
		return !c.bad
	}
	t.Seen |= ServerHello
	t.hello[flow.ToClient] = true
	c.vec8() // session
	cipher := c.u16()
	c.take(1) // compression
	if c.bad {
		return false
	}
	t.random[flow.ToClient] = p.keep(t, random)
	ok := p.extensions(t, flow.ToClient, &c, &f)
	t.Versions[flow.ToClient] = f.most
	var room [12 + 6*maxList]byte
	text := joined(appendNumber(append(appendNumber(room[:0], f.version), ','), cipher), f.extensions.all())
	if !f.extensions.over {
		t.ja3s = p.keep(t, text)
		sum := md5.Sum(text)
		hex.Encode(t.ja3sHash[:], sum[:])
	}
	return ok
}

// extensions reads a hello's extensions, which may be absent.
func (p *parser) extensions(t *Tx, d flow.Direction, c *cursor, f *fields) bool {
	if c.end() {
		return true
	}
	all := cursor{b: c.vec16()}
	if c.bad {
		return false
	}
	for !all.end() {
		kind := all.u16()
		e := cursor{b: all.vec16()}
		if all.bad {
			return false
		}
		f.extensions.add(kind)
		if !p.extension(t, d, kind, &e, f) {
			return false
		}
	}
	return true
}

func (p *parser) extension(t *Tx, d flow.Direction, kind uint16, e *cursor, f *fields) bool {
	switch {
	case kind == extALPN:
		p.alpn(t, d, e, f)
	case kind == extVersions && d == flow.ToClient:
		f.most = e.u16()
	case kind == extPreShared && d == flow.ToClient:
		t.SessionResumed = true
	case d == flow.ToClient:
	case kind == extServerName:
		p.serverName(t, e, f)
	case kind == extGroups:
		each16(&f.groups, e.vec16())
	case kind == extPointFormat:
		for _, v := range e.vec8() {
			f.points.add(uint16(v))
		}
	case kind == extSignatures:
		each16(&f.sig, e.vec16())
	case kind == extVersions:
		var l list
		each16(&l, e.vec8())
		for _, v := range l.all() {
			f.most = max(f.most, v&^uint16(draft(v)))
		}
	}
	return !e.bad
}

// draft is all ones for a draft's version, so that it counts for nothing beside a final one.
func draft(v uint16) uint16 {
	if v>>8 == 0x7f {
		return 0xffff
	}
	return 0
}

func each16(l *list, b []byte) {
	for ; len(b) >= 2; b = b[2:] {
		l.add(uint16(b[0])<<8 | uint16(b[1]))
	}
}

// serverName reads the name that the client asks for (RFC 6066, 3).
func (p *parser) serverName(t *Tx, e *cursor, f *fields) {
	if f.sni {
		p.event(flow.ToServer, multipleSNI)
		return
	}
	f.sni = true
	if e.end() {
		return
	}
	e.u16() // of the list; only its first name is in use
	if kind := e.u8(); kind != 0 && !e.bad {
		p.event(flow.ToServer, invalidSNIType)
		return
	}
	name := e.vec16()
	if e.bad {
		p.event(flow.ToServer, invalidSNILength)
		e.bad = false
		return
	}
	t.sni = p.keep(t, name)
}

// alpn reads the application protocols (RFC 7301, 3.1).
func (p *parser) alpn(t *Tx, d flow.Direction, e *cursor, f *fields) {
	names := cursor{b: e.vec16()}
	for !names.end() && !names.bad {
		name := names.vec8()
		if names.bad || len(name) == 0 {
			return
		}
		if f.alpn[0] == 0 && len(t.alpn[d]) == 0 {
			f.alpn = ja4ALPN(name)
		}
		if len(t.alpn[d]) < maxALPN {
			t.alpn[d] = append(t.alpn[d], p.keep(t, name))
		}
	}
}

// keep copies what the transaction remembers.
func (p *parser) keep(t *Tx, b []byte) tx.Span {
	s, ok := t.store.Keep(p.pool, b)
	if !ok {
		p.event(flow.ToServer, noMemory)
	}
	return s
}

// fingerprint makes JA3 and JA4 of a client's hello.
func (p *parser) fingerprint(t *Tx, f *fields) {
	if f.ciphers.over || f.extensions.over || f.groups.over || f.points.over || f.sig.over {
		return
	}
	var room [8 + 4*6*maxList]byte
	text := ja3(room[:0], f)
	t.ja3 = p.keep(t, text)
	sum := md5.Sum(text)
	hex.Encode(t.ja3Hash[:], sum[:])
	t.ja4 = ja4(f) // last: it sorts the lists
}
