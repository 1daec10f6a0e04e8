package onvif

import "bytes"

// Limits of a document. What goes beyond ends the scan with a Fault; what was found before stays found.
const (
	MaxDocument   = 1 << 20 // bytes that are looked at: firmware inside a SOAP body is longer, an operation's name never lies there
	maxDepth      = 64      // elements in one another; ONVIF needs about 12
	maxAttributes = 64      // of one element: gSOAP's envelopes declare up to about 40 namespaces
	maxName       = 256     // bytes of an element's name with its prefix
	maxBindings   = 128     // namespace declarations in force
)

// Fault says why a document was not read to its end, or not as it stands. Its text is an event name.
type Fault uint8

// The faults.
const (
	Malformed Fault = iota + 1
	Truncated       // it ends inside an element: no event, bodies are cut where inspection ends
	Doctype         // it has a document type declaration, which SOAP forbids (SOAP 1.2, 5); entities are not expanded
	TooDeep
	TooLong
	TooManyAttributes
	Encoding  // it declares an encoding that does not contain ASCII
	Ambiguous // more than one Body, or more than one operation in it: two readers may see two messages
)

var faultNames = [...]string{
	"", "xml_malformed", "xml_truncated", "xml_doctype", "xml_too_deep", "xml_too_long", "xml_too_many_attributes",
	"xml_encoding", "soap_ambiguous",
}

func (f Fault) Error() string { return faultNames[f] }

// FaultSet is a set of faults.
type FaultSet uint16

// Has says whether a fault is in the set.
func (s FaultSet) Has(f Fault) bool { return s>>f&1 != 0 }

type token uint8

const (
	ended token = iota
	startTag
	endTag
	text
	section // CDATA: text without references
)

type attribute struct{ name, value []byte }

// scanner cuts a document into tags and text (XML 1.0, 2 and 3). It checks only what is needed to find the same elements
// as a full reader; names are compared by whoever uses it. Every byte is looked at a fixed number of times.
type scanner struct {
	b      []byte
	pos    int
	faults FaultSet
	name   []byte
	data   []byte // of text and section
	empty  bool   // the start tag is its own end
	attrs  [maxAttributes]attribute
	n      int // attributes
}

func (s *scanner) reset(b []byte) {
	*s = scanner{}
	if len(b) > MaxDocument {
		b = b[:MaxDocument]
		s.fault(TooLong)
	}
	s.b = b
}

func (s *scanner) fault(f Fault) { s.faults |= 1 << f }

// stop ends the document here.
func (s *scanner) stop(f Fault) token {
	s.fault(f)
	s.pos = len(s.b)
	return ended
}

// next is the next tag or text; comments, processing instructions and the document type are skipped.
func (s *scanner) next() token {
	for s.pos < len(s.b) {
		rest := s.b[s.pos:]
		if rest[0] != '<' {
			n := bytes.IndexByte(rest, '<')
			if n < 0 {
				n = len(rest)
			}
			s.data = rest[:n]
			s.pos += n
			return text
		}
		switch {
		case len(rest) == 1:
			return s.stop(Truncated)
		case rest[1] == '?':
			if !s.instruction(rest) {
				return ended
			}
		case rest[1] == '!':
			if t, again := s.markup(rest); !again {
				return t
			}
		case rest[1] == '/':
			return s.end(rest[2:])
		default:
			return s.start()
		}
	}
	return ended
}

// skip goes behind the next mark, which is looked for from an offset.
func (s *scanner) skip(from int, mark string) bool {
	if from > len(s.b)-s.pos {
		s.stop(Truncated)
		return false
	}
	i := bytes.Index(s.b[s.pos+from:], []byte(mark))
	if i < 0 {
		s.stop(Truncated)
		return false
	}
	s.pos += from + i + len(mark)
	return true
}

// instruction skips <?...?>; the XML declaration is looked at for its encoding.
func (s *scanner) instruction(rest []byte) bool {
	start := s.pos
	if !s.skip(2, "?>") {
		return false
	}
	if start == 0 && bytes.HasPrefix(rest, []byte("<?xml")) && !asciiEncoding(s.b[:s.pos]) {
		s.fault(Encoding)
	}
	return true
}

// markup reads what begins with <!: again says that it was skipped.
func (s *scanner) markup(rest []byte) (t token, again bool) {
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		return ended, s.skip(4, "-->")
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		from := s.pos + 9
		if !s.skip(9, "]]>") {
			return ended, false
		}
		s.data = s.b[from : s.pos-3]
		return section, false
	case hasPrefixFold(rest, "<!DOCTYPE"):
		s.fault(Doctype)
		return ended, s.doctype()
	case len(rest) < len("<![CDATA["):
		return s.stop(Truncated), false
	}
	return s.stop(Malformed), false
}

// doctype skips a document type declaration with its internal subset.
func (s *scanner) doctype() bool {
	s.pos += len("<!DOCTYPE")
	depth := 0
	for s.pos < len(s.b) {
		ok := true
		switch c := s.b[s.pos]; c {
		case '\'', '"':
			ok = s.skip(1, string(s.b[s.pos:s.pos+1]))
		case '[':
			depth++
			s.pos++
		case ']':
			depth--
			s.pos++
		case '<':
			switch rest := s.b[s.pos:]; {
			case bytes.HasPrefix(rest, []byte("<!--")):
				ok = s.skip(4, "-->")
			case bytes.HasPrefix(rest, []byte("<?")):
				ok = s.skip(2, "?>")
			default:
				s.pos++
			}
		case '>':
			s.pos++
			if depth <= 0 {
				return true
			}
		default:
			s.pos++
		}
		if !ok {
			return false
		}
	}
	s.stop(Truncated)
	return false
}

func (s *scanner) end(rest []byte) token {
	n := bytes.IndexByte(rest, '>')
	if n < 0 {
		return s.stop(Truncated)
	}
	s.name = bytes.TrimRight(rest[:n], " \t\r\n")
	s.pos += 2 + n + 1
	return endTag
}

// start reads a start tag with its attributes.
func (s *scanner) start() token {
	s.n, s.empty = 0, false
	from := s.pos + 1
	s.pos = s.word(from)
	s.name = s.b[from:s.pos]
	if len(s.name) == 0 {
		return s.stop(Malformed)
	}
	if len(s.name) > maxName {
		return s.stop(TooLong)
	}
	for {
		s.pos = s.space(s.pos)
		if s.pos >= len(s.b) {
			return s.stop(Truncated)
		}
		switch s.b[s.pos] {
		case '>':
			s.pos++
			return startTag
		case '/':
			s.empty = true
			s.pos++
			if s.pos < len(s.b) && s.b[s.pos] != '>' {
				s.fault(Malformed)
				s.empty = false
			}
		case '<':
			return s.stop(Malformed)
		default:
			if !s.attribute() {
				return ended
			}
		}
	}
}

// attribute reads name="value".
func (s *scanner) attribute() bool {
	from := s.pos
	s.pos = s.word(from)
	name := s.b[from:s.pos]
	s.pos = s.space(s.pos)
	if s.pos >= len(s.b) {
		s.stop(Truncated)
		return false
	}
	if len(name) == 0 || s.b[s.pos] != '=' {
		if s.b[s.pos] == '=' || len(name) == 0 {
			s.pos++
		}
		s.fault(Malformed) // a name alone, or a stray character: passed over as lenient readers do
		return true
	}
	s.pos = s.space(s.pos + 1)
	if s.pos >= len(s.b) {
		s.stop(Truncated)
		return false
	}
	quote := s.b[s.pos]
	if quote != '"' && quote != '\'' {
		s.fault(Malformed)
		s.pos = s.word(s.pos)
		return true
	}
	n := bytes.IndexByte(s.b[s.pos+1:], quote)
	if n < 0 {
		s.stop(Truncated)
		return false
	}
	if s.n == maxAttributes {
		s.stop(TooManyAttributes)
		return false
	}
	s.attrs[s.n] = attribute{name, s.b[s.pos+1 : s.pos+1+n]}
	s.n++
	s.pos += n + 2
	return true
}

// word is where a name ends.
func (s *scanner) word(i int) int {
	for i < len(s.b) {
		switch s.b[i] {
		case ' ', '\t', '\r', '\n', '/', '>', '=', '<', '"', '\'':
			return i
		}
		i++
	}
	return i
}

// space is where white space ends.
func (s *scanner) space(i int) int {
	for i < len(s.b) && (s.b[i] == ' ' || s.b[i] == '\t' || s.b[i] == '\r' || s.b[i] == '\n') {
		i++
	}
	return i
}

func hasPrefixFold(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && bytes.EqualFold(b[:len(prefix)], []byte(prefix))
}
