package layer

// Buffer is something that a signature's contents can be applied to: a sticky buffer.
type Buffer uint8

// The buffers. Payload is the packet's payload or the stream's bytes; those down to IGMPHeader are of packets, the rest of
// transactions.
const (
	Payload Buffer = iota
	IPv4Header
	IPv6Header
	TCPHeader
	UDPHeader
	ICMPv4Header
	ICMPv6Header
	IGMPHeader
	Base64Data // what base64_decode found

	HTTPMethod
	HTTPURI
	HTTPURIRaw
	HTTPRequestLine
	HTTPRequestHeader
	HTTPRequestBody
	HTTPHost
	HTTPHostRaw
	HTTPUserAgent
	HTTPReferer
	HTTPAccept
	HTTPAcceptEnc
	HTTPAcceptLang
	HTTPCookie
	HTTPHeader
	HTTPHeaderRaw
	HTTPHeaderNames
	HTTPConnection
	HTTPContentType
	HTTPContentLen
	HTTPStart
	HTTPProtocol
	HTTPStatCode
	HTTPStatMsg
	HTTPResponseLine
	HTTPResponseHeader
	HTTPResponseBody
	HTTPServer
	HTTPLocation
	FileData
	FileName
	ONVIFOp

	DNSQuery
	DNSQueriesName
	DNSAnswersName
	DNSAuthoritiesName
	DNSAdditionalsName

	TLSSNI
	TLSCertSubject
	TLSCertIssuer
	TLSCertSerial
	TLSCertFingerprint
	TLSCerts
	TLSSubjectAltName
	TLSALPN
	TLSRandom
	TLSRandomTime
	TLSRandomBytes
	JA3Hash
	JA3String
	JA3SHash
	JA3SString
	JA4Hash

	RTSPMethod
	RTSPURI
	RTSPStatus
	RTSPUserAgent
	RTSPRealm
	RTSPTransport
	RTSPServer

	SSHProto
	SSHSoftware

	SMTPHelo
	SMTPMailFrom
	SMTPRcptTo

	SMBNamedPipe
	SMBShare

	SIPMethod
	SIPURI
	SIPRequestLine
	SIPStatCode
	SIPStatMsg
	SIPResponseLine
	SIPProtocol
	SIPFrom
	SIPTo
	SIPVia
	SIPUserAgent
	SIPContentType
	SIPContentLength

	Buffers // how many there are
)

// BufferSet is a set of buffers.
type BufferSet [2]uint64

// Add puts a buffer into the set.
func (s *BufferSet) Add(b Buffer) { s[b>>6] |= 1 << (b & 63) }

// Has says whether a buffer is in the set.
func (s *BufferSet) Has(b Buffer) bool { return s[b>>6]>>(b&63)&1 != 0 }

// Way says in which directions a buffer has values.
type Way uint8

// The ways.
const (
	Request Way = 1 << iota
	Response
	Both = Request | Response
)

// Info describes a buffer.
type Info struct {
	Name   string   // the sticky buffer's keyword
	Old    []string // other names of the sticky buffer
	Modify []string // content modifiers that mean it: content:"x"; http_uri;
	Way    Way
	Multi  bool // it can have several values in a direction; each is matched on its own
	Protos []Proto
	Doc    string
}

// Is says whether the buffer belongs to a protocol.
func (i *Info) Is(p Proto) bool {
	for _, q := range i.Protos {
		if p == q {
			return true
		}
	}
	return false
}

// Growing gives the place in Inspection.Grown of a buffer whose value grows over many packets.
func (b Buffer) Growing() (place int, ok bool) {
	switch b {
	case HTTPRequestBody:
		return 0, true
	case HTTPResponseBody:
		return 1, true
	case FileData:
		return 2, true
	}
	return 0, false
}

// Packet says whether a buffer is read from the packet itself rather than from a transaction.
func (b Buffer) Packet() bool { return b <= Base64Data }

// Info is the buffer's line of the table.
func (b Buffer) Info() *Info { return &infos[b] }

func (b Buffer) String() string { return infos[b].Name }
