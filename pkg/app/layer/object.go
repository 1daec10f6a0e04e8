package layer

import (
	"strconv"
	"unicode/utf8"
)

// Object writes a JSON object into a slice that is used again and again. Texts may be any bytes: what is no UTF-8 is
// written as Latin-1, so that a reader gets every byte.
type Object struct {
	b     []byte
	comma bool
}

// NewObject continues a JSON text, right after an opening brace.
func NewObject(b []byte) *Object { return &Object{b: b} }

// Reset starts over behind b, right after an opening brace.
func (o *Object) Reset(b []byte) { o.b, o.comma = b, false }

// Bytes is the text so far.
func (o *Object) Bytes() []byte { return o.b }

func (o *Object) key(name string) {
	if o.comma {
		o.b = append(o.b, ',')
	}
	o.comma = true
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

// Text writes a text field.
func (o *Object) Text(name, value string) {
	o.key(name)
	o.b = quote(o.b, value)
}

// Raw writes foreign bytes as a text field.
func (o *Object) Raw(name string, value []byte) {
	o.key(name)
	o.b = quote(o.b, value)
}

// Int writes a number.
func (o *Object) Int(name string, value int64) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, value, 10)
}

// Uint writes a number.
func (o *Object) Uint(name string, value uint64) {
	o.key(name)
	o.b = strconv.AppendUint(o.b, value, 10)
}

// Bool writes true or false.
func (o *Object) Bool(name string, value bool) {
	o.key(name)
	o.b = strconv.AppendBool(o.b, value)
}

// Begin opens an object as a field; in an array name is empty. End closes it.
func (o *Object) Begin(name string) { o.open(name, '{') }

// End closes what Begin opened.
func (o *Object) End() { o.close('}') }

// Array opens an array as a field. Its elements are Item, ItemRaw, ItemInt, or Begin("") and End.
func (o *Object) Array(name string) { o.open(name, '[') }

// EndArray closes what Array opened.
func (o *Object) EndArray() { o.close(']') }

// Item is a text in an array.
func (o *Object) Item(value string) {
	o.element()
	o.b = quote(o.b, value)
}

// ItemRaw is a text of foreign bytes in an array.
func (o *Object) ItemRaw(value []byte) {
	o.element()
	o.b = quote(o.b, value)
}

// ItemInt is a number in an array.
func (o *Object) ItemInt(value int64) {
	o.element()
	o.b = strconv.AppendInt(o.b, value, 10)
}

func (o *Object) element() {
	if o.comma {
		o.b = append(o.b, ',')
	}
	o.comma = true
}

func (o *Object) open(name string, c byte) {
	if name == "" {
		o.element()
	} else {
		o.key(name)
	}
	o.b = append(o.b, c)
	o.comma = false
}

func (o *Object) close(c byte) {
	o.b = append(o.b, c)
	o.comma = true
}

const hex = "0123456789abcdef"

// quote writes a JSON string (RFC 8259, 7).
func quote[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= 0x20 && c < 0x7f:
			b = append(b, c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < utf8.RuneSelf:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			r, n := utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
			if r == utf8.RuneError && n <= 1 {
				b = utf8.AppendRune(b, rune(c))
				break
			}
			b = append(b, s[i:i+n]...)
			i += n - 1
		}
		i++
	}
	return append(b, '"')
}

// Continue says that a field stands before the next one.
func (o *Object) Continue() { o.comma = true }

// Inside puts fields (or elements) that are JSON already into the open object (or array).
func (o *Object) Inside(fields []byte) {
	o.element()
	o.b = append(o.b, fields...)
}

// Mark is a place to come Back to.
type Mark struct {
	n     int
	comma bool
}

// Mark remembers the place.
func (o *Object) Mark() Mark { return Mark{len(o.b), o.comma} }

// Back forgets what was written since.
func (o *Object) Back(m Mark) { o.b, o.comma = o.b[:m.n], m.comma }
