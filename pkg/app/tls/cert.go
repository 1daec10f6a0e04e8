package tls

import (
	"crypto/sha1"
	"encoding/hex"
	"net/netip"

	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// certificates reads a Certificate message of TLS up to 1.2 (RFC 5246, 7.4.2). In TLS 1.3 they are encrypted.
func (p *parser) certificates(t *Tx, d flow.Direction, body []byte) bool {
	if t.certs[d] {
		return true
	}
	t.certs[d] = true
	c := cursor{b: body}
	chain := cursor{b: c.vec24()}
	cert := &t.Certs[d]
	for !c.bad && !chain.end() {
		raw := chain.vec24()
		if chain.bad {
			break
		}
		if len(raw) == 0 {
			continue
		}
		if cert.Count++; cert.Count == 1 && !p.leaf(t, d, raw) {
			return false
		}
		if len(cert.chain) < maxCerts {
			cert.chain = append(cert.chain, p.keep(t, raw))
		}
	}
	if c.bad || chain.bad {
		p.event(d, handshakeLength)
		p.event(d, invalidCertificate)
		return false
	}
	return true
}

// leaf reads the first certificate of a chain (RFC 5280, 4.1).
func (p *parser) leaf(t *Tx, d flow.Direction, raw []byte) bool {
	cert := &t.Certs[d]
	sum := sha1.Sum(raw)
	var print [3 * sha1.Size]byte
	cert.fingerprint = p.keep(t, pairs(print[:0], sum[:], "0123456789abcdef"))

	whole := der(raw)
	outer, ok := whole.want(tagSequence)
	if !ok {
		outer = raw // so that its length is judged below
	}
	signed := der(outer)
	body, ok2 := signed.want(tagSequence)
	switch ok = ok && ok2; {
	case !ok && signed.cut():
		p.event(d, certificateLength)
	case !ok || !p.fields(t, d, der(body)):
		p.event(d, invalidCertificate)
	default:
		return true
	}
	return false
}

// fields reads what a certificate says, up to where it makes no sense.
func (p *parser) fields(t *Tx, d flow.Direction, b der) bool {
	cert := &t.Certs[d]
	b.want(tagVersion)
	serial, ok := b.want(tagInteger)
	if !ok {
		return false
	}
	cert.serial = p.hexPairs(t, serial)
	if _, ok = b.want(tagSequence); !ok { // the signature's algorithm
		return false
	}
	issuer, ok := b.want(tagSequence)
	if !ok {
		return false
	}
	cert.issuer = p.distinguished(t, d, issuer)
	dates, ok := b.want(tagSequence)
	if !ok {
		return false
	}
	p.validity(cert, d, der(dates))
	subject, ok := b.want(tagSequence)
	if !ok {
		return false
	}
	cert.subject = p.distinguished(t, d, subject)
	if _, ok = b.want(tagSequence); !ok { // the key
		return false
	}
	for len(b) > 0 {
		e, ok := b.next()
		if !ok {
			p.event(d, certificateLength)
			return true
		}
		if e.tag == tagExtension {
			p.alternatives(t, d, e.body)
		}
	}
	return true
}

// maxSerial is how many bytes of a serial number are kept: twice what RFC 5280, 4.1.2.2 allows.
const maxSerial = 40

func (p *parser) hexPairs(t *Tx, b []byte) tx.Span {
	var room [3 * maxSerial]byte
	return p.keep(t, pairs(room[:0], b[:min(len(b), maxSerial)], "0123456789ABCDEF"))
}

// pairs adds bytes in hex with colons between them.
func pairs(out, b []byte, digits string) []byte {
	for i, c := range b {
		if i > 0 {
			out = append(out, ':')
		}
		out = append(out, digits[c>>4], digits[c&15])
	}
	return out
}

// validity reads the two dates (RFC 5280, 4.1.2.5).
func (p *parser) validity(cert *Certificate, d flow.Direction, b der) {
	from, ok := b.next()
	to, ok2 := b.next()
	if ok && ok2 {
		cert.NotBefore, ok = seconds(from)
		cert.NotAfter, ok2 = seconds(to)
	}
	if cert.Dated = ok && ok2; !cert.Dated {
		p.event(d, certificateDate)
	}
}

// alternatives reads the subject alternative names among the extensions (RFC 5280, 4.2.1.6).
func (p *parser) alternatives(t *Tx, d flow.Direction, body []byte) {
	const subjectAltName = "\x55\x1d\x11"
	outer := der(body)
	inner, ok := outer.want(tagSequence)
	for list := der(inner); ok && len(list) > 0; {
		var one []byte
		if one, ok = list.want(tagSequence); !ok {
			break
		}
		ext := der(one)
		if id, _ := ext.want(tagOID); string(id) != subjectAltName {
			continue
		}
		ext.want(0x01) // critical
		value, _ := ext.want(tagOctets)
		v := der(value)
		var names []byte
		if names, ok = v.want(tagSequence); ok {
			ok = p.names(t, d, der(names))
		}
	}
	if !ok {
		p.event(d, certificateExtensions)
	}
}

// names reads the general names that are texts or addresses.
func (p *parser) names(t *Tx, d flow.Direction, b der) bool {
	const email, host, uri, address = 0x81, 0x82, 0x86, 0x87
	cert := &t.Certs[d]
	for len(b) > 0 && len(cert.names) < maxNames {
		e, ok := b.next()
		if !ok {
			return false
		}
		switch e.tag {
		case email, host, uri:
			cert.names = append(cert.names, p.keep(t, e.body))
		case address:
			if ip, ok := netip.AddrFromSlice(e.body); ok {
				var room [64]byte
				cert.names = append(cert.names, p.keep(t, ip.AppendTo(room[:0])))
			}
		}
	}
	return true
}

// maxDN is how much of a distinguished name is kept as text; real ones have less than 300 bytes.
const maxDN = 2048

// distinguished is a name as text: "C=US, O=Example, CN=example.org", in its own order.
func (p *parser) distinguished(t *Tx, d flow.Direction, body []byte) tx.Span {
	var room [maxDN]byte
	out := room[:0]
	for sets := der(body); len(sets) > 0; {
		set, ok := sets.want(tagSet)
		if !ok {
			p.event(d, certificateName)
			break
		}
		sep := ", "
		for one := der(set); len(one) > 0; sep = " + " {
			pair, ok := one.want(tagSequence)
			attr := der(pair)
			id, ok2 := attr.want(tagOID)
			value, ok3 := attr.next()
			if !ok || !ok2 || !ok3 {
				p.event(d, certificateString)
				break
			}
			if len(out) > 0 {
				out = append(out, sep...)
			}
			out = appendValue(append(appendOID(out, id), '='), value)
			if len(out) > maxDN {
				return p.keep(t, out[:maxDN])
			}
		}
	}
	if len(out) == 0 {
		return tx.Span{}
	}
	return p.keep(t, out)
}

// appendValue adds the value of an attribute: texts as they are, the rest in hex.
func appendValue(out []byte, e element) []byte {
	body := e.body[:min(len(e.body), maxDN)]
	switch e.tag {
	case tagUTF8, tagNumeric, tagPrintable, tagT61, tagIA5, tagVisible:
		return append(out, body...)
	case tagBMP:
		return appendUTF16(out, body)
	}
	return hex.AppendEncode(out, body)
}
