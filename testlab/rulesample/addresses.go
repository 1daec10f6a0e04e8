package main

import (
	"net/netip"
	"strconv"
	"strings"
)

// The variables of the rules, as the engine's defaults say and as the peer is told.
var addressVars = map[string]string{
	"HOME_NET": "[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]", "EXTERNAL_NET": "any",
	"HTTP_SERVERS": "$HOME_NET", "SMTP_SERVERS": "$HOME_NET", "SQL_SERVERS": "$HOME_NET", "DNS_SERVERS": "$HOME_NET",
	"TELNET_SERVERS": "$HOME_NET", "AIM_SERVERS": "any", "DC_SERVERS": "$HOME_NET", "MODBUS_CLIENT": "$HOME_NET",
	"MODBUS_SERVER": "$HOME_NET", "DNP3_SERVER": "$HOME_NET", "DNP3_CLIENT": "$HOME_NET", "ENIP_CLIENT": "$HOME_NET",
	"ENIP_SERVER": "$HOME_NET", "CAMERAS": "$HOME_NET", "VMS_SERVERS": "$HOME_NET", "PLCS": "$HOME_NET",
}

var portVars = map[string]string{
	"HTTP_PORTS": "80", "SHELLCODE_PORTS": "!80", "ORACLE_PORTS": "1521", "SSH_PORTS": "22", "DNP3_PORTS": "20000",
	"MODBUS_PORTS": "502", "FILE_DATA_PORTS": "[80,110,143]", "FTP_PORTS": "21", "GENEVE_PORTS": "6081", "VXLAN_PORTS": "4789",
	"TEREDO_PORTS": "3544", "SIP_PORTS": "[5060,5061]", "RTSP_PORTS": "[554,8554]", "ONVIF_PORTS": "[80,2020,8000,8080,8899]",
}

// leaves walks a group of addresses or ports; each leaf is given with whether it is taken out.
func leaves(text string, vars map[string]string, out bool, leaf func(s string, out bool)) {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "!"); ok {
		leaves(rest, vars, !out, leaf)
		return
	}
	if v, ok := strings.CutPrefix(text, "$"); ok {
		leaves(vars[v], vars, out, leaf)
		return
	}
	if !strings.HasPrefix(text, "[") {
		leaf(text, out)
		return
	}
	text = strings.TrimSuffix(text[1:], "]")
	depth, from := 0, 0
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text) || text[i] == ',' && depth == 0:
			leaves(text[from:i], vars, out, leaf)
			from = i + 1
		case text[i] == '[':
			depth++
		case text[i] == ']':
			depth--
		}
	}
}

// inside says whether an address is in a group: in something that is named, or nothing is, and in nothing that is taken out.
func inside(text string, a netip.Addr) bool {
	named, in, out := false, false, false
	leaves(text, addressVars, false, func(s string, not bool) {
		hit := s == "any"
		if p, ok := prefix(s); ok {
			hit = p.Contains(a)
		}
		if not {
			out = out || hit
		} else {
			named, in = true, in || hit
		}
	})
	return (in || !named) && !out
}

func prefix(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// hosts are addresses to try for the story of a number: a site's, the Internet's, and those that a group names.
func hosts(text string, number int, home bool) []netip.Addr {
	hi, lo := byte(number>>8), byte(number)
	site := []netip.Addr{netip.AddrFrom4([4]byte{10, hi, lo, 11}), netip.AddrFrom4([4]byte{192, 168, hi, lo | 1}), netip.AddrFrom4([4]byte{172, 16, hi, lo | 1})}
	net := []netip.Addr{netip.AddrFrom4([4]byte{198, 18 + hi>>7, hi, lo | 1}), netip.AddrFrom4([4]byte{203, 0, 113, lo | 1})}
	all := append(net, site...)
	if home {
		all = append(site, net...)
	}
	leaves(text, addressVars, false, func(s string, not bool) {
		if p, ok := prefix(s); ok && !not && p.Addr().Is4() {
			a := p.Addr()
			if p.Bits() < 31 {
				a = a.Next()
			}
			all = append(all, a)
		}
	})
	return all
}

// insidePort says whether a port is in a group.
func insidePort(text string, port int) bool {
	named, in, out := false, false, false
	leaves(text, portVars, false, func(s string, not bool) {
		low, high := portRange(s)
		hit := port >= low && port <= high
		if not {
			out = out || hit
		} else {
			named, in = true, in || hit
		}
	})
	return (in || !named) && !out
}

func portRange(s string) (low, high int) {
	if s == "any" {
		return 0, 65535
	}
	a, b, span := strings.Cut(s, ":")
	low, _ = strconv.Atoi(a)
	high = low
	if span {
		high = 65535
		if b != "" {
			high, _ = strconv.Atoi(b)
		}
	}
	return low, high
}

// ports are ports to try, the liked one first.
func ports(text string, liked ...int) []int {
	all := liked
	leaves(text, portVars, false, func(s string, not bool) {
		if !not && s != "any" {
			low, high := portRange(s)
			all = append(all, low, min(low+1, high), high)
		}
	})
	return append(all, 40000, 8080, 5555)
}

// ends are the addresses and ports of a rule's source and destination.
func (r *rule) ends(number int, sport, dport int, ok func(src, dst netip.AddrPort) bool) (src, dst netip.AddrPort, found bool) {
	for _, s := range hosts(r.src, number, strings.Contains(r.src, "HOME_NET") || strings.Contains(r.src, "SERVERS")) {
		if !inside(r.src, s) {
			continue
		}
		for _, d := range hosts(r.dst, number, true) {
			if s == d || !inside(r.dst, d) {
				continue
			}
			for _, sp := range ports(r.sport, sport) {
				if !insidePort(r.sport, sp) {
					continue
				}
				for _, dp := range ports(r.dport, dport) {
					src, dst = netip.AddrPortFrom(s, uint16(sp)), netip.AddrPortFrom(d, uint16(dp))
					if insidePort(r.dport, dp) && (ok == nil || ok(src, dst)) {
						return src, dst, true
					}
				}
			}
		}
	}
	return src, dst, false
}

// takes says whether a rule's head takes a packet from src to dst.
func (r *rule) takes(src, dst netip.AddrPort) bool {
	fits := func(s, d netip.AddrPort) bool {
		return inside(r.src, s.Addr()) && inside(r.dst, d.Addr()) && insidePort(r.sport, int(s.Port())) && insidePort(r.dport, int(d.Port()))
	}
	return fits(src, dst) || r.both && fits(dst, src)
}
