package tls

// Tags of DER (ITU-T X.690).
const (
	tagInteger   = 0x02
	tagBits      = 0x03
	tagOctets    = 0x04
	tagOID       = 0x06
	tagUTF8      = 0x0c
	tagNumeric   = 0x12
	tagPrintable = 0x13
	tagT61       = 0x14
	tagIA5       = 0x16
	tagUTCTime   = 0x17
	tagTime      = 0x18
	tagVisible   = 0x1a
	tagBMP       = 0x1e
	tagSequence  = 0x30
	tagSet       = 0x31
	tagVersion   = 0xa0 // [0] of a certificate
	tagExtension = 0xa3 // [3] of a certificate
)

// element is one element of DER.
type element struct {
	tag  byte
	body []byte
}

// der reads elements one after the other.
type der []byte

// next reads an element; ok is false at the end, for lengths that lie, and for what certificates have no use of: tags and lengths
// of more than 30 and 4 bytes, and indefinite lengths.
func (d *der) next() (e element, ok bool) {
	b := *d
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return e, false
	}
	e.tag = b[0]
	n, head := int(b[1]), 2
	if n >= 0x80 {
		digits := n & 0x7f
		if digits == 0 || digits > 4 || len(b) < 2+digits {
			return e, false
		}
		n = 0
		for _, c := range b[2 : 2+digits] {
			n = n<<8 | int(c)
		}
		head += digits
	}
	if n > len(b)-head {
		return e, false
	}
	e.body = b[head : head+n]
	*d = b[head+n:]
	return e, true
}

// want reads an element of a tag; nothing is read when there is another.
func (d *der) want(tag byte) (body []byte, ok bool) {
	before := *d
	if e, ok := d.next(); ok && e.tag == tag {
		return e.body, true
	}
	*d = before
	return nil, false
}

// cut says that the next element ends inside its length.
func (d der) cut() bool {
	return len(d) == 1 || len(d) > 1 && d[1] > 0x80 && len(d)-2 < int(d[1]&0x7f)
}
