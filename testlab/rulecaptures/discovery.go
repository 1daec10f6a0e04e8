package rulecaptures

import (
	"net/netip"
	"strings"
)

// The port of WS-Discovery and that of SSDP.
const (
	discoveryPort = 3702
	ssdpPort      = 1900
)

// probe is the question of a VMS for cameras; more stands in its body.
func probe(declaration, more string) string {
	return declaration + `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" ` +
		`xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>` +
		`<a:MessageID>uuid:0a6dc791-2be6-4991-9af1-454778a1917a</a:MessageID></s:Header><s:Body>` + more + `</s:Body></s:Envelope>`
}

const (
	forCameras = `<d:Probe><d:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter</d:Types></d:Probe>`
	found      = `<d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1419d68a-1dd2-11b2-a105-000000000000</a:Address>` +
		`</a:EndpointReference><d:XAddrs>http://192.168.64.10/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches>`
)

// discover is a question to the group and the answer of a camera, n times.
func discover(n int) func(*Scene) {
	return func(s *Scene) {
		for range n {
			s.Datagram(vms, group, discoveryPort, probe("", forCameras))
			s.UDP(netip.AddrPortFrom(camera, discoveryPort), netip.AddrPortFrom(vms, s.port), []byte(probe("", found)))
		}
	}
}

// datagram is one datagram.
func datagram(from, to netip.Addr, port uint16, data string) func(*Scene) {
	return func(s *Scene) { s.Datagram(from, to, port, data) }
}

// search is a question of SSDP (UPnP Device Architecture 2.0, 1.3.2).
func search(what string) string {
	return "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: " + what + "\r\n\r\n"
}

const presence = "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=1800\r\nLOCATION: http://192.168.64.10/desc.xml\r\n" +
	"NT: urn:schemas-upnp-org:device:Basic:1\r\nNTS: ssdp:alive\r\nUSN: uuid:1::urn:schemas-upnp-org:device:Basic:1\r\n\r\n"

// from answers with a datagram from a port of the camera.
func from(port uint16, to netip.Addr, data string) func(*Scene) {
	return func(s *Scene) { s.UDP(netip.AddrPortFrom(camera, port), netip.AddrPortFrom(to, 40000), []byte(data)) }
}

func discoveryStories() []Story {
	const gateway = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
	const foundSSDP = "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nST: upnp:rootdevice\r\nLOCATION: http://192.168.64.10/desc.xml\r\n\r\n"
	quiet := discover(2)
	forward := func(action string) string {
		return post("/upnp/control/WANIPConn1", "<a/>", `SOAPAction: "urn:schemas-upnp-org:service:WANIPConnection:1#`+action+`"`, xmlType)
	}
	router := netip.MustParseAddr("192.168.64.1")
	return []Story{
		{SID: 9300700, Attack: datagram(outside, camera, discoveryPort, probe("", forCameras)), Clean: datagram(vms, camera, discoveryPort, probe("", forCameras))},
		{SID: 9300701, Attack: from(discoveryPort, outside, probe("", found)), Clean: from(discoveryPort, vms, probe("", found))},
		{SID: 9300702, Attack: datagram(stranger, camera, discoveryPort, "<\xaa>"), Clean: quiet},
		{SID: 9300703, Attack: times(31, datagram(stranger, group, discoveryPort, probe("", forCameras))), Clean: discover(4)},
		{SID: 9300704, Attack: datagram(stranger, camera, discoveryPort, probe(`<!DOCTYPE a [<!ENTITY b "c">]>`, forCameras)), Clean: quiet},
		{
			SID: 9300705, Clean: quiet,
			Attack: datagram(stranger, camera, discoveryPort, probe("", strings.Repeat("<a>", 100)+strings.Repeat("</a>", 100))),
		},
		{SID: 9300706, Attack: datagram(stranger, camera, discoveryPort, probe("", forCameras+"<d:Resolve/>")), Clean: quiet},
		{SID: 9300710, Attack: datagram(camera, group, ssdpPort, search(gateway)), Clean: datagram(camera, group, ssdpPort, presence)},
		{
			SID: 9300711, Attack: sends(router, 5000, forward("AddPortMapping")),
			Clean: sends(router, 5000, forward("GetExternalIPAddress")),
		},
		{SID: 9300712, Attack: datagram(outside, camera, ssdpPort, search("ssdp:all")), Clean: datagram(vms, group, ssdpPort, search("ssdp:all"))},
		{SID: 9300713, Attack: from(ssdpPort, outside, foundSSDP), Clean: from(ssdpPort, vms, foundSSDP)},
	}
}
