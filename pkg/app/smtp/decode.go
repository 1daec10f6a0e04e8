package smtp

import (
	"bytes"

	"citygate/pkg/app/line"
	"citygate/pkg/flow"
)

// encoding is a Content-Transfer-Encoding (RFC 2045, 6).
type encoding uint8

const (
	identity encoding = iota
	base64
	quoted
)

func encodingOf(value []byte) encoding {
	switch {
	case line.Starts(value, "base64"):
		return base64
	case line.Starts(value, "quoted-printable"):
		return quoted
	}
	return identity
}

// decoder is what is left over between lines.
type decoder struct {
	eol   bool // a line end that belongs to the border if one follows
	bits  uint32
	chars int // of a quantum of base64
	qp    int // characters behind a '=' so far, plus one
	first byte
	out   [256]byte
	n     int
}

func (d *decoder) reset() { d.eol, d.bits, d.chars, d.qp, d.n = false, 0, 0, 0, 0 }

// decode takes a line of a part.
func (b *body) decode(p *Parser, text []byte, ended bool) {
	d := &b.dec
	switch b.part.encoding {
	case base64:
		for _, c := range text {
			b.base64(p, c)
		}
	case quoted:
		b.lineEnd(p)
		for _, c := range text {
			b.quoted(p, c)
		}
		if ended {
			d.eol = d.qp == 0 // behind a '=' the line goes on
			d.qp = 0
		}
	default:
		b.lineEnd(p)
		b.emit(p, text)
		d.eol = ended
		return
	}
	b.flushOut(p)
}

// lineEnd gives the line end of the line before.
func (b *body) lineEnd(p *Parser) {
	if b.dec.eol {
		b.dec.eol = false
		b.emit(p, []byte("\r\n"))
	}
}

func (b *body) put(p *Parser, c byte) {
	d := &b.dec
	if d.n == len(d.out) {
		b.flushOut(p)
	}
	d.out[d.n] = c
	d.n++
}

func (b *body) flushOut(p *Parser) {
	b.emit(p, b.dec.out[:b.dec.n])
	b.dec.n = 0
}

// base64 takes a character (RFC 2045, 6.8). What is none of the alphabet is passed over, as decoders do.
func (b *body) base64(p *Parser, c byte) {
	d := &b.dec
	var v byte
	switch {
	case c >= 'A' && c <= 'Z':
		v = c - 'A'
	case c >= 'a' && c <= 'z':
		v = c - 'a' + 26
	case c >= '0' && c <= '9':
		v = c - '0' + 52
	case c == '+':
		v = 62
	case c == '/':
		v = 63
	case c == '=':
		b.quantum(p)
		return
	default:
		if c != ' ' && c != '\t' && c != '\r' {
			p.tx.raise(flow.ToServer, eventBase64)
		}
		return
	}
	d.bits = d.bits<<6 | uint32(v)
	if d.chars++; d.chars == 4 {
		b.quantum(p)
	}
}

// quantum gives the bytes of up to four characters.
func (b *body) quantum(p *Parser) {
	d := &b.dec
	bits := d.bits << (6 * (4 - d.chars))
	for i := 0; i < d.chars-1; i++ {
		b.put(p, byte(bits>>(16-8*i)))
	}
	d.bits, d.chars = 0, 0
}

// flushBase64 gives what is left when a part ends.
func (b *body) flushBase64(p *Parser) {
	b.quantum(p)
	b.flushOut(p)
}

// quoted takes a character (RFC 2045, 6.7).
func (b *body) quoted(p *Parser, c byte) {
	d := &b.dec
	switch d.qp {
	case 0:
		if c == '=' {
			d.qp = 1
			return
		}
		b.put(p, c)
	case 1:
		if c == ' ' || c == '\t' { // white space before a line's end
			return
		}
		d.qp, d.first = 2, c
		if _, ok := nibble(c); !ok {
			b.badQuoted(p, '=', c)
		}
	default:
		hi, _ := nibble(d.first)
		lo, ok := nibble(c)
		if !ok {
			b.badQuoted(p, '=', d.first, c)
			return
		}
		b.put(p, hi<<4|lo)
		d.qp = 0
	}
}

// badQuoted gives characters as they are.
func (b *body) badQuoted(p *Parser, chars ...byte) {
	p.tx.raise(flow.ToServer, eventQP)
	b.dec.qp = 0
	for _, c := range chars {
		b.put(p, c)
	}
}

func nibble(c byte) (v byte, ok bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// parameter copies a parameter's value (RFC 2045, 5.1) into dst. Pieces (name*0, name*1) are put together in the order in
// which they stand, and the charset of name*=utf-8”x is taken off (RFC 2231). fits is false if it had to be cut.
func parameter(dst, value []byte, key string) (n int, fits bool) {
	fits = true
	_, rest, _ := bytes.Cut(value, []byte{';'})
	for len(rest) > 0 {
		name, after, ok := bytes.Cut(rest, []byte{'='})
		if !ok {
			break
		}
		if i := bytes.LastIndexByte(name, ';'); i >= 0 { // parameters without value
			name = name[i+1:]
		}
		v, tail := valueOf(bytes.TrimLeft(after, " \t"))
		_, rest, _ = bytes.Cut(tail, []byte{';'})
		base, piece, extended := bytes.Cut(bytes.Trim(name, " \t"), []byte{'*'})
		if !line.Is(base, key) {
			continue
		}
		if extended && (len(piece) == 0 || bytes.HasSuffix(piece, []byte{'*'})) {
			if i := bytes.LastIndexByte(v, '\''); i >= 0 {
				v = v[i+1:]
			}
		}
		copied := copy(dst[n:], v)
		n += copied
		fits = fits && copied == len(v)
		if !extended {
			break
		}
	}
	return n, fits
}

// valueOf cuts a value off, quotes taken away.
func valueOf(b []byte) (v, rest []byte) {
	if len(b) > 0 && b[0] == '"' {
		if end := bytes.IndexByte(b[1:], '"'); end >= 0 {
			return b[1 : 1+end], b[2+end:]
		}
		return b[1:], nil
	}
	end := bytes.IndexAny(b, "; \t")
	if end < 0 {
		end = len(b)
	}
	return b[:end], b[end:]
}
