package layer

var (
	onHTTP = []Proto{HTTP}
	onDNS  = []Proto{DNS}
	onTLS  = []Proto{TLS}
	onRTSP = []Proto{RTSP}
	onSSH  = []Proto{SSH}
	onSMTP = []Proto{SMTP}
	onSMB  = []Proto{SMB}
	onSIP  = []Proto{SIP}
	files  = []Proto{HTTP, SMTP, FTPData}
)

// infos is the table of buffers: to add one is a constant in buffer.go and a line here. Names are Suricata's where it has them.
var infos = [Buffers]Info{
	Payload:      {Name: "pkt_data", Way: Both, Doc: "the packet's payload or the stream's bytes"},
	IPv4Header:   {Name: "ipv4.hdr", Way: Both, Doc: "the IPv4 header with its options"},
	IPv6Header:   {Name: "ipv6.hdr", Way: Both, Doc: "the IPv6 header with its extension headers"},
	TCPHeader:    {Name: "tcp.hdr", Way: Both, Doc: "the TCP header with its options"},
	UDPHeader:    {Name: "udp.hdr", Way: Both, Doc: "the UDP header"},
	ICMPv4Header: {Name: "icmpv4.hdr", Way: Both, Doc: "the ICMP header"},
	ICMPv6Header: {Name: "icmpv6.hdr", Way: Both, Doc: "the ICMPv6 header"},
	IGMPHeader:   {Name: "igmp.hdr", Way: Both, Doc: "the IGMP header"},
	Base64Data:   {Name: "base64_data", Way: Both, Doc: "what base64_decode decoded"},

	HTTPMethod:         {Name: "http.method", Modify: []string{"http_method"}, Way: Request, Protos: onHTTP, Doc: "the request's method"},
	HTTPURI:            {Name: "http.uri", Modify: []string{"http_uri"}, Way: Request, Protos: onHTTP, Doc: "the URI, decoded and normalised"},
	HTTPURIRaw:         {Name: "http.uri.raw", Old: []string{"http.raw_uri"}, Modify: []string{"http_raw_uri"}, Way: Request, Protos: onHTTP, Doc: "the URI as sent"},
	HTTPRequestLine:    {Name: "http.request_line", Old: []string{"http_request_line"}, Way: Request, Protos: onHTTP, Doc: "the request line without its line end"},
	HTTPRequestHeader:  {Name: "http.request_header", Way: Request, Multi: true, Protos: onHTTP, Doc: "each request header as name: value"},
	HTTPRequestBody:    {Name: "http.request_body", Modify: []string{"http_client_body"}, Way: Request, Protos: onHTTP, Doc: "the request's body, decoded"},
	HTTPHost:           {Name: "http.host", Modify: []string{"http_host"}, Way: Request, Protos: onHTTP, Doc: "the host in lower case, without port"},
	HTTPHostRaw:        {Name: "http.host.raw", Modify: []string{"http_raw_host"}, Way: Request, Protos: onHTTP, Doc: "the host as sent"},
	HTTPUserAgent:      {Name: "http.user_agent", Modify: []string{"http_user_agent"}, Way: Request, Protos: onHTTP, Doc: "the User-Agent header"},
	HTTPReferer:        {Name: "http.referer", Old: []string{"http_referer"}, Way: Request, Protos: onHTTP, Doc: "the Referer header"},
	HTTPAccept:         {Name: "http.accept", Old: []string{"http_accept"}, Way: Request, Protos: onHTTP, Doc: "the Accept header"},
	HTTPAcceptEnc:      {Name: "http.accept_enc", Old: []string{"http_accept_enc"}, Way: Request, Protos: onHTTP, Doc: "the Accept-Encoding header"},
	HTTPAcceptLang:     {Name: "http.accept_lang", Old: []string{"http_accept_lang"}, Way: Request, Protos: onHTTP, Doc: "the Accept-Language header"},
	HTTPCookie:         {Name: "http.cookie", Modify: []string{"http_cookie"}, Way: Both, Protos: onHTTP, Doc: "Cookie of requests, Set-Cookie of responses"},
	HTTPHeader:         {Name: "http.header", Modify: []string{"http_header"}, Way: Both, Protos: onHTTP, Doc: "all headers, normalised, cookies apart"},
	HTTPHeaderRaw:      {Name: "http.header.raw", Modify: []string{"http_raw_header"}, Way: Both, Protos: onHTTP, Doc: "all headers as sent"},
	HTTPHeaderNames:    {Name: "http.header_names", Old: []string{"http_header_names"}, Way: Both, Protos: onHTTP, Doc: "the headers' names, each between line ends"},
	HTTPConnection:     {Name: "http.connection", Old: []string{"http_connection"}, Way: Both, Protos: onHTTP, Doc: "the Connection header"},
	HTTPContentType:    {Name: "http.content_type", Old: []string{"http_content_type"}, Way: Both, Protos: onHTTP, Doc: "the Content-Type header"},
	HTTPContentLen:     {Name: "http.content_len", Old: []string{"http_content_len"}, Way: Both, Protos: onHTTP, Doc: "the Content-Length header"},
	HTTPStart:          {Name: "http.start", Old: []string{"http_start"}, Way: Both, Protos: onHTTP, Doc: "the first line and the headers as sent"},
	HTTPProtocol:       {Name: "http.protocol", Old: []string{"http_protocol"}, Way: Both, Protos: onHTTP, Doc: "the version, such as HTTP/1.1"},
	HTTPStatCode:       {Name: "http.stat_code", Modify: []string{"http_stat_code"}, Way: Response, Protos: onHTTP, Doc: "the status code"},
	HTTPStatMsg:        {Name: "http.stat_msg", Modify: []string{"http_stat_msg"}, Way: Response, Protos: onHTTP, Doc: "the status text"},
	HTTPResponseLine:   {Name: "http.response_line", Old: []string{"http_response_line"}, Way: Response, Protos: onHTTP, Doc: "the status line without its line end"},
	HTTPResponseHeader: {Name: "http.response_header", Way: Response, Multi: true, Protos: onHTTP, Doc: "each response header as name: value"},
	HTTPResponseBody:   {Name: "http.response_body", Modify: []string{"http_server_body"}, Way: Response, Protos: onHTTP, Doc: "the response's body, decoded"},
	HTTPServer:         {Name: "http.server", Way: Response, Protos: onHTTP, Doc: "the Server header"},
	HTTPLocation:       {Name: "http.location", Way: Response, Protos: onHTTP, Doc: "the Location header"},
	FileData:           {Name: "file.data", Old: []string{"file_data"}, Way: Both, Multi: true, Protos: files, Doc: "the content of a transferred file, decoded"},
	FileName:           {Name: "file.name", Old: []string{"file_name"}, Way: Both, Multi: true, Protos: files, Doc: "the name of a transferred file"},
	ONVIFOp:            {Name: "onvif.op", Way: Both, Protos: []Proto{HTTP, WSDiscovery}, Doc: "the SOAP operation of an ONVIF or WS-Discovery message"},

	DNSQuery:           {Name: "dns.query", Old: []string{"dns_query"}, Way: Request, Multi: true, Protos: onDNS, Doc: "each name that is asked for"},
	DNSQueriesName:     {Name: "dns.queries.rrname", Way: Both, Multi: true, Protos: onDNS, Doc: "each name of the question section"},
	DNSAnswersName:     {Name: "dns.answers.rrname", Way: Both, Multi: true, Protos: onDNS, Doc: "each name of the answer section"},
	DNSAuthoritiesName: {Name: "dns.authorities.rrname", Way: Both, Multi: true, Protos: onDNS, Doc: "each name of the authority section"},
	DNSAdditionalsName: {Name: "dns.additionals.rrname", Way: Both, Multi: true, Protos: onDNS, Doc: "each name of the additional section"},

	TLSSNI:             {Name: "tls.sni", Old: []string{"tls_sni"}, Way: Request, Protos: onTLS, Doc: "the server name that the client asks for"},
	TLSCertSubject:     {Name: "tls.cert_subject", Old: []string{"tls_cert_subject"}, Way: Both, Protos: onTLS, Doc: "the certificate's subject"},
	TLSCertIssuer:      {Name: "tls.cert_issuer", Old: []string{"tls_cert_issuer"}, Way: Both, Protos: onTLS, Doc: "the certificate's issuer"},
	TLSCertSerial:      {Name: "tls.cert_serial", Old: []string{"tls_cert_serial"}, Way: Both, Protos: onTLS, Doc: "the certificate's serial number, AA:BB:..."},
	TLSCertFingerprint: {Name: "tls.cert_fingerprint", Old: []string{"tls_cert_fingerprint"}, Way: Both, Protos: onTLS, Doc: "the certificate's SHA-1, aa:bb:..."},
	TLSCerts:           {Name: "tls.certs", Way: Both, Multi: true, Protos: onTLS, Doc: "each certificate in DER"},
	TLSSubjectAltName:  {Name: "tls.subjectaltname", Way: Both, Multi: true, Protos: onTLS, Doc: "each subject alternative name"},
	TLSALPN:            {Name: "tls.alpn", Way: Both, Multi: true, Protos: onTLS, Doc: "each application protocol that is offered"},
	TLSRandom:          {Name: "tls.random", Way: Both, Protos: onTLS, Doc: "the 32 bytes of random of a hello"},
	TLSRandomTime:      {Name: "tls.random_time", Way: Both, Protos: onTLS, Doc: "the first 4 bytes of the random"},
	TLSRandomBytes:     {Name: "tls.random_bytes", Way: Both, Protos: onTLS, Doc: "the last 28 bytes of the random"},
	JA3Hash:            {Name: "ja3.hash", Old: []string{"ja3_hash"}, Way: Request, Protos: onTLS, Doc: "the client's JA3 in hex"},
	JA3String:          {Name: "ja3.string", Old: []string{"ja3_string"}, Way: Request, Protos: onTLS, Doc: "the client's JA3 before hashing"},
	JA3SHash:           {Name: "ja3s.hash", Old: []string{"ja3s_hash"}, Way: Response, Protos: onTLS, Doc: "the server's JA3S in hex"},
	JA3SString:         {Name: "ja3s.string", Way: Response, Protos: onTLS, Doc: "the server's JA3S before hashing"},
	JA4Hash:            {Name: "ja4.hash", Way: Request, Protos: onTLS, Doc: "the client's JA4"},

	RTSPMethod:    {Name: "rtsp.method", Way: Request, Protos: onRTSP, Doc: "the request's method"},
	RTSPURI:       {Name: "rtsp.uri", Way: Request, Protos: onRTSP, Doc: "the request's URI as sent"},
	RTSPStatus:    {Name: "rtsp.status", Way: Response, Protos: onRTSP, Doc: "the status code"},
	RTSPUserAgent: {Name: "rtsp.user_agent", Way: Request, Protos: onRTSP, Doc: "the User-Agent header"},
	RTSPRealm:     {Name: "rtsp.realm", Way: Both, Protos: onRTSP, Doc: "the realm of WWW-Authenticate or Authorization"},
	RTSPTransport: {Name: "rtsp.transport", Way: Both, Protos: onRTSP, Doc: "the Transport header of SETUP"},
	RTSPServer:    {Name: "rtsp.server", Way: Response, Protos: onRTSP, Doc: "the Server header"},

	SSHProto:    {Name: "ssh.proto", Modify: []string{"ssh_proto"}, Old: []string{"ssh_proto"}, Way: Both, Protos: onSSH, Doc: "the protocol version, such as 2.0"},
	SSHSoftware: {Name: "ssh.software", Old: []string{"ssh_software"}, Way: Both, Protos: onSSH, Doc: "the software version"},

	SMTPHelo:     {Name: "smtp.helo", Way: Request, Protos: onSMTP, Doc: "the name in HELO or EHLO"},
	SMTPMailFrom: {Name: "smtp.mail_from", Way: Request, Protos: onSMTP, Doc: "the envelope's sender"},
	SMTPRcptTo:   {Name: "smtp.rcpt_to", Way: Request, Multi: true, Protos: onSMTP, Doc: "each recipient of the envelope"},

	SMBNamedPipe: {Name: "smb.named_pipe", Old: []string{"smb_named_pipe"}, Way: Request, Protos: onSMB, Doc: "the named pipe of a tree connect"},
	SMBShare:     {Name: "smb.share", Old: []string{"smb_share"}, Way: Request, Protos: onSMB, Doc: "the share of a tree connect"},

	SIPMethod:        {Name: "sip.method", Way: Request, Protos: onSIP, Doc: "the request's method"},
	SIPURI:           {Name: "sip.uri", Way: Request, Protos: onSIP, Doc: "the request's URI"},
	SIPRequestLine:   {Name: "sip.request_line", Way: Request, Protos: onSIP, Doc: "the request line"},
	SIPStatCode:      {Name: "sip.stat_code", Way: Response, Protos: onSIP, Doc: "the status code"},
	SIPStatMsg:       {Name: "sip.stat_msg", Way: Response, Protos: onSIP, Doc: "the status text"},
	SIPResponseLine:  {Name: "sip.response_line", Way: Response, Protos: onSIP, Doc: "the status line"},
	SIPProtocol:      {Name: "sip.protocol", Way: Both, Protos: onSIP, Doc: "the version, such as SIP/2.0"},
	SIPFrom:          {Name: "sip.from", Way: Both, Multi: true, Protos: onSIP, Doc: "the From header"},
	SIPTo:            {Name: "sip.to", Way: Both, Multi: true, Protos: onSIP, Doc: "the To header"},
	SIPVia:           {Name: "sip.via", Way: Both, Multi: true, Protos: onSIP, Doc: "each Via header"},
	SIPUserAgent:     {Name: "sip.user_agent", Way: Both, Multi: true, Protos: onSIP, Doc: "the User-Agent header"},
	SIPContentType:   {Name: "sip.content_type", Way: Both, Multi: true, Protos: onSIP, Doc: "the Content-Type header"},
	SIPContentLength: {Name: "sip.content_length", Way: Both, Multi: true, Protos: onSIP, Doc: "the Content-Length header"},
}
