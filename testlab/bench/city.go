package main

import (
	"net"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

// The city: cameras that the generator numbers, and one video server.
const (
	rtp    = 0  // the service of what cameras send
	rtsp   = 63 // a service that no camera may open
	server = ipc.DeviceID(1)

	firstPort = 1024 // of rtp
	lastPort  = 65535
)

var (
	serverMAC = flow.MAC{2, 0xff, 0, 0, 0, 2}
	serverIP  = netip.AddrFrom4([4]byte{10, 0, 0, 2})
)

// cameraMAC and cameraIP are what frames.bpf.c writes for source i.
func cameraMAC(i int) flow.MAC {
	return flow.MAC{2, 0, byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}
}

func cameraIP(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 64 + byte(i>>16), byte(i >> 8), byte(i)})
}

// city is a policy of cameras x services entries: each camera may send RTP to the server, which may open services - 1
// TCP services of each camera.
func city(cameras, services int) *ipc.PolicySet {
	set := &ipc.PolicySet{
		Devices: []ipc.DeviceEntry{{ID: server, Via: server, Side: flow.ServerSide}},
		MACs:    []ipc.MACEntry{{MAC: serverMAC, Device: server}},
		Addrs:   []ipc.AddrEntry{{Prefix: netip.PrefixFrom(serverIP, 32), Device: server}},
		Services: []ipc.ServiceEntry{
			{Service: rtp, Proto: flow.UDP, Lo: firstPort, Hi: lastPort},
			{Service: rtsp, Proto: flow.TCP, Lo: 554, Hi: 554},
		},
	}
	for s := 1; s < services; s++ {
		port := uint16(8000 + s)
		set.Services = append(set.Services, ipc.ServiceEntry{Service: uint8(s), Proto: flow.TCP, Lo: port, Hi: port})
	}
	for i := range cameras {
		id := server + 1 + ipc.DeviceID(i)
		set.Devices = append(set.Devices, ipc.DeviceEntry{ID: id, Via: id, Side: flow.CameraSide})
		set.MACs = append(set.MACs, ipc.MACEntry{MAC: cameraMAC(i), Device: id})
		set.Addrs = append(set.Addrs, ipc.AddrEntry{Prefix: netip.PrefixFrom(cameraIP(i), 32), Device: id})
		set.Rules = append(set.Rules, ipc.RuleEntry{From: id, To: server, Service: rtp, Rule: 1})
		for s := 1; s < services; s++ {
			set.Rules = append(set.Rules, ipc.RuleEntry{From: server, To: id, Service: uint8(s), Rule: uint16(1 + s)})
		}
	}
	return set
}

func ethernet(from flow.MAC) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: net.HardwareAddr(from[:]), DstMAC: net.HardwareAddr(serverMAC[:]), EthernetType: layers.EthernetTypeIPv4}
}

func ipv4(p layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, IHL: 5, TTL: 64, Protocol: p, SrcIP: cameraIP(0).AsSlice(), DstIP: serverIP.AsSlice()}
}

// rtpFrame is camera 0's frame to the server, of size bytes. It has no UDP checksum, which IPv4 allows: its address and
// port change.
func rtpFrame(size int) []byte {
	const headers = 14 + 20 + 8
	return serialize(ethernet(cameraMAC(0)), ipv4(layers.IPProtocolUDP), &layers.UDP{SrcPort: firstPort, DstPort: 5000, Length: uint16(size - 34)},
		gopacket.Payload(make([]byte, size-headers)))
}

// rtspFrame is a camera's attempt to open RTSP at the server: a listed device, off policy.
func rtspFrame(from flow.MAC) []byte {
	return serialize(ethernet(from), ipv4(layers.IPProtocolTCP), &layers.TCP{SrcPort: 40000, DstPort: 554, SYN: true, DataOffset: 5, Window: 1000},
		gopacket.Payload(make([]byte, 10)))
}

// serialize leaves layer 4 as given and makes IPv4's length and checksum right.
func serialize(e *layers.Ethernet, ip *layers.IPv4, l4 gopacket.SerializableLayer, payload gopacket.Payload) []byte {
	buf := gopacket.NewSerializeBuffer()
	for _, l := range []struct {
		layer gopacket.SerializableLayer
		fix   bool
	}{{payload, false}, {l4, false}, {ip, true}, {e, false}} {
		if err := l.layer.SerializeTo(buf, gopacket.SerializeOptions{FixLengths: l.fix, ComputeChecksums: l.fix}); err != nil {
			panic(err) // constants
		}
	}
	return buf.Bytes()
}
