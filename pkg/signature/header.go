package signature

import (
	"fmt"
	"strings"

	"citygate/pkg/app/layer"
)

// header is what stands before the options, as text.
type header struct {
	action, proto, src, srcPort, arrow, dst, dstPort string
}

// cutHeader reads the seven words of a header and gives what is between the parentheses. Lists in brackets may hold spaces.
func cutHeader(text string) (h header, options string, err error) {
	rest := text
	for _, w := range []struct {
		to   *string
		part string
	}{
		{&h.action, "action"}, {&h.proto, "protocol"}, {&h.src, "address"}, {&h.srcPort, "port"},
		{&h.arrow, "direction"}, {&h.dst, "address"}, {&h.dstPort, "port"},
	} {
		if *w.to, rest, err = word(rest); err != nil {
			return h, "", blame(w.part, err)
		}
		if *w.to == "" {
			return h, "", faultf("syntax", "the %s is missing: a rule is ACTION PROTOCOL ADDRESS PORT -> ADDRESS PORT (OPTIONS)", w.part)
		}
	}
	rest = strings.TrimSpace(rest)
	switch {
	case rest == "" || rest[0] != '(':
		return h, "", faultf("syntax", "an opening parenthesis and the options must follow the ports")
	case rest[len(rest)-1] != ')':
		if i := strings.LastIndexByte(rest, ')'); i > 0 && strings.HasSuffix(strings.TrimSpace(rest[:i]), ";") {
			return h, "", faultf("syntax", "%q stands behind the closing parenthesis", shorten(strings.TrimSpace(rest[i+1:])))
		}
		return h, "", faultf("syntax", "the rule does not end with a closing parenthesis")
	}
	return h, strings.TrimSpace(rest[1 : len(rest)-1]), nil
}

// word cuts the next word off: up to a space or an opening parenthesis, spaces in brackets belong to it.
func word(s string) (w, rest string, err error) {
	s = trimLeft(s)
	level := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '[':
			level++
		case c == ']':
			if level--; level < 0 {
				return "", "", fmt.Errorf("%q has a closing bracket too many", shorten(s[:i+1]))
			}
		case level > 0:
			if c == '(' || c == ';' {
				return "", "", fmt.Errorf("%q has no closing bracket", shorten(s[:i]))
			}
		case c == '(' || c == ' ' || c == '\t':
			return s[:i], s[i:], nil
		}
	}
	if level > 0 {
		return "", "", fmt.Errorf("%q has no closing bracket", shorten(s))
	}
	return s, "", nil
}

// header puts a header into the signature.
func (b *Builder) header(h header) (err error) {
	if b.Action, err = parseAction(h.action); err != nil {
		return blame("action", err)
	}
	if err = b.protocol(h.proto); err != nil {
		return blame("protocol", err)
	}
	switch h.arrow {
	case "->":
	case "<>":
		b.Flags |= Bidirectional
	case "=>":
		b.Flags |= TransactionTwo
	case "<-":
		return faultf("direction", "<- is not known: swap the sides and write ->")
	default:
		return faultf("direction", "%q is none of ->, <>, =>", shorten(h.arrow))
	}
	var notSrc, notDst bool
	if b.Src, notSrc, err = parseAddresses(h.src, &b.Env.Vars, 0); err != nil {
		return blame("address", fmt.Errorf("source: %w", err))
	}
	if b.Dst, notDst, err = parseAddresses(h.dst, &b.Env.Vars, 0); err != nil {
		return blame("address", fmt.Errorf("destination: %w", err))
	}
	b.negated = notSrc || notDst
	if b.SrcPort, err = ParsePorts(h.srcPort, &b.Env.Vars); err != nil {
		return blame("port", fmt.Errorf("source: %w", err))
	}
	if b.DstPort, err = ParsePorts(h.dstPort, &b.Env.Vars); err != nil {
		return blame("port", fmt.Errorf("destination: %w", err))
	}
	return nil
}

func parseAction(s string) (Action, error) {
	switch strings.ToLower(s) {
	case "alert":
		return Alert, nil
	case "pass":
		return Pass, nil
	case "drop":
		return Drop, nil
	case "reject", "rejectsrc":
		return Reject, nil
	case "rejectdst":
		return RejectDst, nil
	case "rejectboth":
		return RejectBoth, nil
	case "config":
		return 0, fmt.Errorf("config rules change the engine while it runs, which this engine does not do")
	}
	if strings.HasPrefix(s, "accept") {
		return 0, fmt.Errorf("%s is of firewall rules: write pass, or a policy", shorten(s))
	}
	return 0, fmt.Errorf("%q is none of alert, pass, drop, reject, rejectsrc, rejectdst, rejectboth", shorten(s))
}

// IP protocol numbers (IANA).
const (
	ipICMP   = 1
	ipIGMP   = 2
	ipTCP    = 6
	ipUDP    = 17
	ipGRE    = 47
	ipESP    = 50
	ipAH     = 51
	ipICMPv6 = 58
	ipSCTP   = 132
)

// protocol reads the header's protocol: of IP, or of an application.
func (b *Builder) protocol(s string) error {
	s = strings.ToLower(s)
	switch s {
	case "ip", "pkthdr":
		b.Protocols = AllProtocols
		if s == "pkthdr" {
			b.Flags |= DecodeEvent
		}
	case "ipv4", "ip4":
		b.Protocols = AllProtocols
		b.Flags |= OnIPv4
	case "ipv6", "ip6":
		b.Protocols = AllProtocols
		b.Flags |= OnIPv6
	case "tcp":
		b.Protocols.Add(ipTCP)
	case "tcp-pkt":
		b.Protocols.Add(ipTCP)
		b.Flags |= OnPacket
	case "tcp-stream":
		b.Protocols.Add(ipTCP)
		b.Flags |= OnStream
	case "udp":
		b.Protocols.Add(ipUDP)
	case "icmp":
		b.Protocols.Add(ipICMP)
		b.Protocols.Add(ipICMPv6)
	case "icmpv4":
		b.Protocols.Add(ipICMP)
	case "icmpv6":
		b.Protocols.Add(ipICMPv6)
	case "igmp":
		b.Protocols.Add(ipIGMP)
	case "sctp":
		b.Protocols.Add(ipSCTP)
	case "gre":
		b.Protocols.Add(ipGRE)
	case "esp":
		b.Protocols.Add(ipESP)
	case "ah":
		b.Protocols.Add(ipAH)
	default:
		return b.application(s)
	}
	return nil
}

func (b *Builder) application(s string) error {
	if s == "http1" { // of HTTP there is only version 1 here
		s = "http"
	}
	p, ok := layer.ProtoByName(s)
	if !ok {
		return fmt.Errorf("%q is no protocol of this engine: ip, tcp, udp, icmp, ... or one of %s", shorten(s), applicationNames())
	}
	b.App = p
	b.Protocols = b.Env.transports(p)
	return nil
}

func applicationNames() string {
	names := make([]string, 0, layer.Protos)
	for p := layer.HTTP; p < layer.Protos; p++ {
		names = append(names, p.String())
	}
	return strings.Join(names, ", ")
}
