package event

import (
	"net/netip"
	"time"

	"citygate/pkg/flow"
	"citygate/pkg/verdict"
)

var (
	wall   = time.Date(2026, 3, 1, 12, 30, 5, 123456789, time.UTC)
	head   = Header{Boot: 90 * time.Second, Wall: wall, Bridge: "cctv", Iface: "g0"}
	camera = flow.MAC{2, 0, 0, 0, 0, 0x11}
	server = flow.MAC{2, 0, 0, 0, 0, 2}
	rtsp   = flow.FiveTuple{
		Src: netip.MustParseAddr("10.0.0.2"), Dst: netip.MustParseAddr("10.0.0.11"),
		SrcPort: 40000, DstPort: 554, Proto: flow.TCP,
	}
	ping6 = flow.FiveTuple{Src: netip.MustParseAddr("fe80::1"), Dst: netip.MustParseAddr("fe80::2"), SrcPort: 7, Proto: flow.ICMPv6}
)

// samples has at least one event of every type; together they fill in every field.
var samples = []Event{
	&Device{
		Header: head, Event: DeviceNew, MAC: camera, VLAN: 10, Side: flow.CameraSide, Addr: netip.MustParseAddr("10.0.0.11"),
		Vendor: "Axis Communications AB", Name: "lobby-1", Role: "camera", Listed: true,
		Hostname: "axis <1> & \"co\"", VendorClass: "AXIS,Network Camera",
	},
	&Device{Header: Header{Wall: wall}, Event: DeviceBack, MAC: server, Side: flow.ServerSide},
	&Drop{
		Header: head, Tuple: rtsp, VLAN: flow.QinQ(100, 20), SrcMAC: server, DstMAC: camera, EtherType: 0x800,
		Side: flow.ServerSide, Reason: verdict.ReasonNoRule, Count: 7, Suppressed: 396016, Device: "main",
		PolicyLine: "policy.yaml:12", Length: 74, TTL: 64, TCPFlags: 0x12,
	},
	&Drop{
		Header: head, Tuple: ping6, SrcMAC: server, DstMAC: camera, EtherType: 0x86dd, Reason: verdict.ReasonNDSpoof,
		WouldDrop: true, Count: 1, Length: 86, TTL: 255, ICMPType: 136, ICMPCode: 1,
	},
	&Drop{
		Header: head, Tuple: flow.FiveTuple{Src: rtsp.Src, Dst: rtsp.Dst}, SrcMAC: server, DstMAC: camera,
		EtherType: etherARP, Reason: verdict.ReasonARPSpoof, Count: 1, Length: 60,
	},
	&Drop{Header: head, SrcMAC: server, DstMAC: camera, EtherType: 0x88b5, Reason: verdict.ReasonUnknownEthertype, Count: 1, Length: 60},
	&Flow{
		Header: head, Tuple: rtsp, VLAN: 10, Side: flow.ServerSide, FramesToServer: 952, FramesToClient: 1858,
		BytesToServer: 64000, BytesToClient: 2622000, Start: wall.Add(-10 * time.Second), End: wall, State: FlowClosed,
		EndReason: FlowTimeout, Reason: verdict.ReasonPolicy, Client: "main", Server: "lobby-1", Service: "rtsp",
		PolicyLine: "policy.yaml:12", Generation: 3, TCPToServer: 0x1b, TCPToClient: 0x1a,
	},
	&Flow{Header: head, Tuple: ping6, Start: wall, End: wall, State: FlowNew, Reason: verdict.ReasonPolicy},
	&Stats{
		Header: head, Uptime: time.Hour,
		Reasons: []ReasonCount{
			{verdict.ReasonCached, verdict.Pass, 100, 140000, 0},
			{verdict.ReasonNoRule, verdict.Drop, 5, 300, 0},
			{verdict.ReasonNoRule, verdict.Pass, 4, 240, 4},
		},
		DevmapLost: 1, XSK: XSKStats{1, 2, 3, 4, 5, 6}, Suppressed: 9, RingLost: 2, Flows: 12, Devices: 5, Generation: 3,
	},
	&Anomaly{
		Header: head, Type: AnomalyBox, Event: "log_cut", Text: "the log ended in a torn record",
		Object: "1/0000000000000001.seg", Offset: 4096, Count: 17,
	},
	&Policy{
		Header: Header{Wall: wall}, Action: PolicyApplied, Generation: 3, Hash: [32]byte{0xab, 31: 1}, Entries: 640, Who: "ann",
		Summary: "+1 device, 2 lines changed",
	},
	&Audit{
		Header: Header{Wall: wall}, UID: 1000, Who: "ann", Verb: "block", Object: "10.0.0.9 -> 10.0.0.2", Result: AuditDenied,
		Reason: "not in group citygate",
	},
}
