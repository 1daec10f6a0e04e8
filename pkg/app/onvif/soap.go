// Package onvif reads SOAP messages of cameras (ONVIF over HTTP) and WS-Discovery datagrams: which operation they ask for,
// of which namespace, with whose credentials. It reads XML by itself, in linear time and bounded memory.
package onvif

import "bytes"

// The namespaces of SOAP 1.1 and 1.2.
const (
	soap11 = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12 = "http://www.w3.org/2003/05/soap-envelope"
)

const (
	maxText    = 8 << 10 // bytes of texts kept of a message: scopes of a device are about 500
	maxTargets = 8       // discovery matches kept of a message: devices answer for themselves only
)

// Message is what a SOAP envelope says. Its slices lie in the document and in the message's own memory: they are valid
// until the next Parse. A Message can be used again and again.
type Message struct {
	Op        []byte // local name of the first element in Body
	Namespace []byte // of Op, as written
	Action    []byte // wsa:Action
	Username  []byte // of wsse:UsernameToken
	Security  bool   // a wsse:Security header is present
	Token     bool   // with a UsernameToken
	Response  bool   // an answer: Op ends in Response or Matches, or is Fault
	Fault     bool
	Targets   []Target // of WS-Discovery
	Faults    FaultSet

	scan    scanner
	utf8    []byte
	text    []byte
	names   bindings
	path    [maxDepth]element
	depth   int
	first   bool // nothing but the operation is wanted
	bodies  int
	sure    bool // Op comes from a Body in SOAP's namespace
	ops     int  // in this Body
	capture int  // depth of the element whose text is kept, or 0
	from    int  // where its text begins
	kept    [texts][2]int
	places  [maxTargets][targetTexts][2]int
	target  int
}

// Target is a service in a WS-Discovery message.
type Target struct {
	Endpoint []byte // its stable address, such as urn:uuid:...
	Types    []byte
	Scopes   []byte
	XAddrs   []byte
}

// element is an open element: what it is, and its name to compare the end tag with.
type element struct {
	kind kind
	name []byte
}

type kind uint8

const (
	other kind = iota
	envelope
	header
	body
	operation
	security
	usernameToken
	username
	action
	match
	endpointReference
	address
	types
	scopes
	xaddrs
)

// Texts of a message, then those of a target.
const (
	textAction = iota
	textUsername
	texts
)

const (
	targetEndpoint = iota
	targetTypes
	targetScopes
	targetXAddrs
	targetTexts
)

// Operation finds the operation of a SOAP message: the local name of the first element in its Body. ok is false when there
// is none. op lies in body unless that is UTF-16.
func Operation(b []byte) (op []byte, ok bool) {
	var m Message
	m.first = true
	m.parse(b)
	return m.Op, len(m.Op) > 0
}

// Parse reads a SOAP message. The error is the first of m.Faults, if any; what was found before and in spite of it is
// in m.
func Parse(b []byte, m *Message) error {
	m.parse(b)
	for f := Malformed; f <= Ambiguous; f++ {
		if m.Faults.Has(f) {
			return f
		}
	}
	return nil
}

func (m *Message) reset() {
	*m = Message{
		Targets: m.Targets[:0], utf8: m.utf8, text: m.text[:0], first: m.first, names: m.names, target: -1,
	}
	m.names.n = 0
}

func (m *Message) parse(b []byte) {
	m.reset()
	strange := foreign(b)
	b, m.utf8 = decode(b, m.utf8)
	m.scan.reset(b)
	if strange {
		m.scan.fault(Encoding)
	}
	for {
		switch m.scan.next() {
		case ended:
			if m.depth > 0 {
				m.scan.fault(Truncated)
			}
			m.finish()
			return
		case startTag:
			if !m.open() {
				m.finish()
				return
			}
		case endTag:
			m.close(m.scan.name)
		case text:
			m.keep(false)
		case section:
			m.keep(true)
		}
	}
}

// open takes a start tag; false says that nothing more is wanted.
func (m *Message) open() bool {
	s := &m.scan
	if m.depth == maxDepth {
		s.stop(TooDeep)
		return false
	}
	if !m.names.declare(s.attrs[:s.n], m.depth+1) {
		s.stop(TooManyAttributes)
		return false
	}
	prefix, local := split(s.name)
	k := m.classify(prefix, local)
	m.path[m.depth] = element{k, s.name}
	m.depth++
	m.begin(k)
	if s.empty {
		m.close(s.name)
	}
	return !(m.first && m.sure && len(m.Op) > 0)
}

// classify says what an element is by where it stands. Namespaces of envelope, header and body are not demanded: devices
// that do not look at them would run what was hidden so.
func (m *Message) classify(prefix, local []byte) kind {
	if m.depth == 0 {
		if string(local) == "Envelope" {
			return envelope
		}
		return other
	}
	switch m.path[m.depth-1].kind {
	case envelope:
		switch string(local) {
		case "Header":
			return header
		case "Body":
			m.enterBody(prefix)
			return body
		}
	case header:
		switch string(local) {
		case "Security":
			return security
		case "Action":
			return action
		}
	case security:
		if string(local) == "UsernameToken" {
			return usernameToken
		}
	case usernameToken:
		if string(local) == "Username" {
			return username
		}
	case body:
		m.enterOperation(prefix, local)
		return operation
	case operation, match, endpointReference:
		return discovery(local)
	}
	return other
}

// discovery classifies what stands in a WS-Discovery operation.
func discovery(local []byte) kind {
	switch string(local) {
	case "ProbeMatch", "ResolveMatch":
		return match
	case "EndpointReference":
		return endpointReference
	case "Address":
		return address
	case "Types":
		return types
	case "Scopes":
		return scopes
	case "XAddrs":
		return xaddrs
	}
	return other
}

// enterBody counts bodies: one in SOAP's namespace outweighs one before it that is not.
func (m *Message) enterBody(prefix []byte) {
	m.bodies++
	m.ops = 0
	soap := m.names.is(prefix, soap11) || m.names.is(prefix, soap12)
	if m.bodies > 1 {
		m.scan.fault(Ambiguous)
		if soap && !m.sure {
			m.Op, m.Namespace = nil, nil
		}
	}
	m.sure = m.sure || soap
}

func (m *Message) enterOperation(prefix, local []byte) {
	if m.ops++; m.ops > 1 {
		m.scan.fault(Ambiguous)
	}
	if len(m.Op) > 0 {
		return
	}
	m.Op, m.Namespace = local, m.names.resolve(prefix)
	m.Fault = string(local) == "Fault"
	m.Response = m.Fault || bytes.HasSuffix(local, []byte("Response")) || bytes.HasSuffix(local, []byte("Matches"))
}

// close takes an end tag. One that matches nothing is a fault and closes nothing; one that matches further out closes what is
// between.
func (m *Message) close(name []byte) {
	for i := m.depth; i > 0; i-- {
		if !bytes.Equal(m.path[i-1].name, name) {
			m.scan.fault(Malformed)
			continue
		}
		for m.depth >= i {
			m.leave()
		}
		return
	}
	m.scan.fault(Malformed)
}

func split(name []byte) (prefix, local []byte) {
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return nil, name
}
