package policy

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"citygate/pkg/flow"
	"citygate/pkg/policy/document"
)

// Ports is a range of destination ports of a protocol; of message types for ICMP and ICMPv6; 0 to 0 for other protocols.
type Ports struct {
	Proto  flow.Proto
	Lo, Hi uint16
}

// Service is what one device may open towards another, by name.
type Service struct {
	Name   string
	Ports  []Ports
	Both   bool         // the receiver may open it towards the sender too
	Answer string       // the service that the receiver opens towards the sender
	Groups []netip.Addr // where the sender asks everyone: an allow line opens these too
	About  string
	Line   int // of the user's own service, 0 = built in
}

// Services that stand behind more than one name.
var (
	broadcast = []netip.Addr{netip.AddrFrom4([4]byte{255, 255, 255, 255})}
	upnp      = []netip.Addr{netip.MustParseAddr("239.255.255.250"), netip.MustParseAddr("ff02::c")}
	mdns      = []netip.Addr{netip.MustParseAddr("224.0.0.251"), netip.MustParseAddr("ff02::fb")}
)

// builtin is the table of named services. Ports are IANA's unless About says otherwise.
var builtin = []Service{
	{Name: "rtsp", Ports: tcp(554, 8554), About: "video control, and video inside the same connection (RFC 7826)"},
	{Name: "rtsps", Ports: tcp(322), About: "RTSP over TLS"},
	{Name: "rtp", Ports: []Ports{{flow.UDP, 1024, 65535}}, Both: true, About: "video and its control over UDP (RFC 3550); wide, until pinholes exist"},
	{Name: "onvif", Ports: tcp(80, 5000, 8080, 8899), About: "ONVIF device service: 80, and the ports that makers chose"},
	{Name: "http", Ports: tcp(80), About: "web page"},
	{Name: "https", Ports: tcp(443), About: "web page over TLS"},
	{Name: "ntp", Ports: udp(123), About: "time (RFC 5905)"},
	{Name: "dns", Ports: append(udp(53), tcp(53)...), About: "names (RFC 1035)"},
	{Name: "dhcp", Ports: udp(67), Answer: "dhcp-reply", Groups: broadcast, About: "IPv4 addresses: from = the clients, to = the server (RFC 2131)"},
	{Name: "dhcp-reply", Ports: udp(68), Groups: broadcast, About: "the server's side of dhcp; dhcp contains it"},
	{Name: "ws-discovery", Ports: udp(3702), Groups: upnp, About: "ONVIF discovery: from = who searches or says hello"},
	{Name: "mdns", Ports: udp(5353), Both: true, Groups: mdns, About: "names and services on the link (RFC 6762)"},
	{Name: "ssdp", Ports: udp(1900), Groups: upnp, About: "UPnP discovery: from = who searches"},
	{Name: "icmp-echo", Ports: []Ports{{flow.ICMP, 8, 8}, {flow.ICMPv6, 128, 128}}, About: "ping"},
	{Name: "modbus", Ports: tcp(502), About: "Modbus TCP"},
	{Name: "mqtt", Ports: tcp(1883), About: "MQTT"},
	{Name: "mqtts", Ports: tcp(8883), About: "MQTT over TLS"},
	{Name: "snmp", Ports: udp(161), About: "SNMP requests"},
	{Name: "snmp-trap", Ports: udp(162), About: "SNMP notifications"},
	{Name: "syslog", Ports: append(udp(514), tcp(6514)...), About: "log messages over UDP (RFC 5426) and TLS (RFC 5425)"},
	{Name: "ssh", Ports: tcp(22), About: "SSH"},
	{Name: "telnet", Ports: tcp(23), About: "Telnet"},
	{Name: "ftp", Ports: tcp(21), About: "FTP's control connection; its data connections need lines of their own"},
	{Name: "smtp", Ports: tcp(25, 465, 587), About: "mail"},
}

func tcp(ports ...uint16) []Ports { return single(flow.TCP, ports) }
func udp(ports ...uint16) []Ports { return single(flow.UDP, ports) }

func single(proto flow.Proto, ports []uint16) []Ports {
	list := make([]Ports, len(ports))
	for i, p := range ports {
		list[i] = Ports{proto, p, p}
	}
	return list
}

// BuiltinServices lists the named services that every policy may use.
func BuiltinServices() []Service { return append([]Service(nil), builtin...) }

func builtinService(name string) *Service {
	for i := range builtin {
		if builtin[i].Name == name {
			return &builtin[i]
		}
	}
	return nil
}

const portsForm = "tcp/8000, udp/5000-5010, icmp/8, icmpv6/128 or proto/47"

// ParsePorts reads a range such as tcp/8000, udp/5000-5010, icmp/8, icmpv6/128 or proto/47.
func ParsePorts(s string) (Ports, error) {
	name, number, _ := strings.Cut(s, "/")
	bad := fmt.Errorf("%s is no service and no range of ports", document.Quote(s))
	switch name {
	case "tcp", "udp":
		proto := map[string]flow.Proto{"tcp": flow.TCP, "udp": flow.UDP}[name]
		low, high, ranged := strings.Cut(number, "-")
		lo, err := strconv.ParseUint(low, 10, 16)
		hi := lo
		if err == nil && ranged {
			hi, err = strconv.ParseUint(high, 10, 16)
		}
		if err != nil || lo == 0 || hi < lo {
			return Ports{}, fmt.Errorf("%s needs ports from 1 to 65535", document.Quote(s))
		}
		return Ports{proto, uint16(lo), uint16(hi)}, nil
	case "icmp", "icmpv6", "proto":
		n, err := strconv.ParseUint(number, 10, 8)
		if err != nil {
			return Ports{}, bad
		}
		if name == "proto" {
			return otherProtocol(flow.Proto(n))
		}
		return messageType(name, uint16(n))
	}
	return Ports{}, bad
}

// guarded are the message types that the bridge's guards judge, whatever the policy says: errors and redirects,
// neighbour discovery (RFC 4861) and multicast listener reports (RFC 2710, 3810).
var guarded = map[string]map[uint16]bool{
	"icmp":   {3: true, 4: true, 5: true, 11: true, 12: true},
	"icmpv6": {1: true, 2: true, 3: true, 4: true, 130: true, 131: true, 132: true, 133: true, 134: true, 135: true, 136: true, 137: true, 143: true},
}

func messageType(name string, n uint16) (Ports, error) {
	if guarded[name][n] {
		return Ports{}, fmt.Errorf("%s/%d needs no line: the bridge judges errors, neighbour discovery and group reports by itself", name, n)
	}
	if name == "icmp" {
		return Ports{flow.ICMP, n, n}, nil
	}
	return Ports{flow.ICMPv6, n, n}, nil
}

// otherProtocol refuses the protocols that have a form of their own, and IPv6 extension headers (IANA's list).
func otherProtocol(p flow.Proto) (Ports, error) {
	switch p {
	case flow.TCP, flow.UDP, flow.ICMP, flow.ICMPv6:
		return Ports{}, fmt.Errorf("proto/%d has ports or types of its own", p)
	case flow.IGMP:
		return Ports{}, fmt.Errorf("proto/2 needs no line: the bridge judges IGMP by itself")
	case 0, 43, 44, 51, 59, 60, 135, 139, 140, 253, 254, 255:
		return Ports{}, fmt.Errorf("proto/%d is no protocol above IP: it cannot be allowed", p)
	}
	return Ports{Proto: p}, nil
}

// String is the form that ParsePorts reads.
func (p Ports) String() string {
	switch p.Proto {
	case flow.TCP, flow.UDP:
		name := strings.ToLower(p.Proto.String())
		if p.Lo == p.Hi {
			return fmt.Sprintf("%s/%d", name, p.Lo)
		}
		return fmt.Sprintf("%s/%d-%d", name, p.Lo, p.Hi)
	case flow.ICMP:
		return fmt.Sprintf("icmp/%d", p.Lo)
	case flow.ICMPv6:
		return fmt.Sprintf("icmpv6/%d", p.Lo)
	}
	return fmt.Sprintf("proto/%d", uint8(p.Proto))
}

func (p Ports) covers(proto flow.Proto, port uint16) bool {
	return p.Proto == proto && p.Lo <= port && port <= p.Hi
}

func (s *Service) covers(proto flow.Proto, port uint16) bool {
	for _, p := range s.Ports {
		if p.covers(proto, port) {
			return true
		}
	}
	return false
}

// width is how many ports a service opens.
func (s *Service) width() int {
	n := 0
	for _, p := range s.Ports {
		n += int(p.Hi) - int(p.Lo) + 1
	}
	return n
}

// HasPorts reports whether the protocol has ports: it is TCP or UDP.
func (p Ports) HasPorts() bool { return p.Proto == flow.TCP || p.Proto == flow.UDP }
