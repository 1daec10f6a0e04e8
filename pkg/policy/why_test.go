package policy

import (
	"net/netip"
	"testing"

	"citygate/pkg/flow"
	"citygate/pkg/verdict"
)

func TestWhy(t *testing.T) {
	c := compile(t, load(t, "testdata/contract.yaml"), Inputs{Bindings: map[string]netip.Addr{"lobby-2": netip.MustParseAddr("10.0.0.12")}})
	for _, test := range []struct {
		src, dst string
		proto    flow.Proto
		vlan     flow.VLAN
		reason   verdict.Reason
		line     int
		text     string
		remedy   string
	}{
		{"10.0.0.2:40000", "10.0.0.11:554", flow.TCP, 0, verdict.ReasonPolicy, 14, "main -> lobby-1 rtsp is allowed by contract.yaml:14: allow servers -> cameras rtsp,onvif,http", ""},
		{"10.0.0.11:554", "10.0.0.2:40000", flow.TCP, 0, verdict.ReasonReply, 14, "lobby-1 -> main is the answer to rtsp, allowed by contract.yaml:14: allow servers -> cameras rtsp,onvif,http; only if the other end opened it", ""},
		{"10.0.0.12:30000", "10.0.0.2:40000", flow.UDP, 0, verdict.ReasonPolicy, 15, "lobby-2 -> main rtp is allowed by contract.yaml:15: allow cameras -> main rtp,dhcp", ""},
		{"10.0.0.11:0", "10.0.0.2:0", flow.ICMP, 0, verdict.ReasonReply, 16, "lobby-1 -> main is the answer to icmp-echo, allowed by contract.yaml:16: allow main -> cameras ws-discovery,icmp-echo,hik-sdk; only after a request", ""},
		{"10.0.0.11:40000", "10.0.0.2:8000", flow.TCP, 0, verdict.ReasonNoRule, 0, "no allow line covers lobby-1 -> main tcp/8000", "- {from: lobby-1, to: main, services: [hik-sdk]}"},
		{"10.0.0.11:40000", "10.0.0.2:8001", flow.TCP, 0, verdict.ReasonNoRule, 0, "no allow line covers lobby-1 -> main tcp/8001", "- {from: lobby-1, to: main, services: [tcp/8001]}"},
		{"10.0.0.11:40000", "10.0.0.2:80", flow.TCP, 0, verdict.ReasonNoRule, 0, "no allow line covers lobby-1 -> main tcp/80", "- {from: lobby-1, to: main, services: [http]}"},
		{"10.0.0.11:443", "10.0.0.2:40000", flow.TCP, 0, verdict.ReasonNoRule, 0, "no allow line covers lobby-1 -> main tcp/40000", "- {from: main, to: lobby-1, services: [https]}"},
		{"10.7.0.3:30000", "10.0.0.11:40000", flow.UDP, 0, verdict.ReasonNoRule, 0, "no allow line covers remote -> lobby-1 udp/40000", "- {from: remote, to: lobby-1, services: [rtp]}"},
		{"10.0.0.11:0", "10.0.0.254:0", 47, 0, verdict.ReasonNoRule, 0, "no allow line covers lobby-1 -> core proto/47", "- {from: lobby-1, to: core, services: [proto/47]}"},
		{"10.0.0.11:0", "10.0.0.254:0", flow.IGMP, 0, verdict.ReasonNoRule, 0, "no allow line covers lobby-1 -> core proto/2", ""},
		{"10.0.0.99:1", "10.0.0.2:2", flow.TCP, 0, verdict.ReasonUnknownDevice, 0, "10.0.0.99 is no device's address", `NAME: {mac: "02:00:00:00:00:00", ip: [10.0.0.99], role: camera}`},
		{"0.0.0.0:68", "255.255.255.255:67", flow.UDP, 0, verdict.ReasonUnknownDevice, 0, "0.0.0.0 is a device without an address yet: its MAC says which one", ""},
		{"10.0.0.11:1", "10.0.0.2:2", flow.TCP, 10, verdict.ReasonUnknownDevice, 0, "10.0.0.11 is lobby-1 in VLAN untagged, not in VLAN 10", ""},
		{"10.0.0.11:1", "10.0.0.99:2", flow.TCP, 0, verdict.ReasonUnknownDestination, 0, "10.0.0.99 is no device's address", `NAME: {mac: "02:00:00:00:00:00", ip: [10.0.0.99], role: camera}`},
		{"10.0.0.11:1", "10.0.0.12:2", flow.TCP, 0, verdict.ReasonSameSide, 0, "lobby-1 and lobby-2 are both on the camera side: the bridge is not between them", ""},
		{"10.0.0.11:5000", "239.1.1.1:5000", flow.UDP, 0, verdict.ReasonPolicy, 19, "lobby-1 -> group 239.1.1.1 rtp is allowed by contract.yaml:19: multicast 239.1.1.1 lobby-1 -> main rtp", ""},
		{"10.0.0.12:5000", "239.1.1.1:5000", flow.UDP, 0, verdict.ReasonNoRule, 0, "no allow line covers lobby-2 -> group 239.1.1.1 udp/5000", "- {group: 239.1.1.1, from: lobby-2, to: RECEIVER, services: [udp/5000]}"},
		{"10.0.0.11:5353", "224.0.0.251:5353", flow.UDP, 0, verdict.ReasonBroadcast, 0, "no line opens the group 224.0.0.251 in VLAN untagged", "- {from: lobby-1, to: RECEIVER, services: [mdns]}"},
		{"10.0.0.254:67", "255.255.255.255:68", flow.UDP, 0, verdict.ReasonNoRule, 0, "no allow line covers core -> group 255.255.255.255 udp/68", "- {from: core, to: RECEIVER, services: [dhcp-reply]}"},
		{"10.0.0.254:9", "255.255.255.255:9", flow.UDP, 0, verdict.ReasonNoRule, 0, "no allow line covers core -> group 255.255.255.255 udp/9", ""},
		{"239.1.1.1:1", "10.0.0.2:2", flow.UDP, 0, verdict.ReasonSourceGroup, 0, "239.1.1.1 is a group address: nothing may come from it", ""},
		{"[2001:db8::2]:0", "[2001:db8::11]:0", flow.ICMP, 0, verdict.ReasonUnknownDestination, 0, "2001:db8::11 is no device's address", `NAME: {mac: "02:00:00:00:00:00", ip: [2001:db8::11], role: camera}`},
		{"[::ffff:10.0.0.2]:1", "10.0.0.11:554", flow.TCP, 0, verdict.ReasonPolicy, 14, "main -> lobby-1 rtsp is allowed by contract.yaml:14: allow servers -> cameras rtsp,onvif,http", ""},
	} {
		src, dst := netip.MustParseAddrPort(test.src), netip.MustParseAddrPort(test.dst)
		q := Question{VLAN: test.vlan, Tuple: flow.FiveTuple{Src: src.Addr(), Dst: dst.Addr(), SrcPort: src.Port(), DstPort: dst.Port(), Proto: test.proto}}
		a := c.Why(q)
		line := 0
		if a.Rule != nil {
			line = a.Rule.Line
		}
		if a.Reason != test.reason || line != test.line || a.Text != test.text || a.Remedy != test.remedy {
			t.Errorf("%v:\ngot  %v line %d\n     %s\n     %s\nwant %v line %d\n     %s\n     %s", q.Tuple, a.Reason, line, a.Text, a.Remedy, test.reason, test.line, test.text, test.remedy)
		}
	}
}

// A remedy of a no_rule answer, put into the policy, lets the flow pass or makes it an answer.
func TestRemedyHelps(t *testing.T) {
	const devices = "devices:\n  cam: {mac: \"02:00:00:00:00:11\", ip: [10.0.0.11], role: camera}\n  main: {mac: \"02:00:00:00:00:02\", ip: [10.0.0.2], role: vms}\n"
	empty := compile(t, parse(t, devices+"allow: []"), Inputs{})
	for _, proto := range []flow.Proto{flow.TCP, flow.UDP, flow.ICMP, 47} {
		for _, port := range []uint16{1, 22, 53, 67, 68, 80, 123, 554, 1900, 3702, 5353, 8000, 40000} {
			q := Question{Tuple: flow.FiveTuple{Src: netip.MustParseAddr("10.0.0.11"), Dst: netip.MustParseAddr("10.0.0.2"), SrcPort: 50000, DstPort: port, Proto: proto}}
			for _, q := range []Question{q, {Tuple: q.Tuple.Reverse()}} {
				a := empty.Why(q)
				if a.Reason != verdict.ReasonNoRule || a.Remedy == "" {
					t.Fatalf("%v: %+v", q.Tuple, a)
				}
				if b := compile(t, parse(t, devices+"allow:\n  "+a.Remedy), Inputs{}).Why(q); b.Verdict != verdict.Pass {
					t.Errorf("%v: after %s: %+v", q.Tuple, a.Remedy, b)
				}
			}
		}
	}
}
