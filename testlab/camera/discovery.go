package camera

import (
	"encoding/xml"
	"fmt"
	"net"
)

// The group and port of WS-Discovery (OASIS WS-Discovery 1.1, 3.1.1).
var discoveryGroup = &net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 3702}

type probe struct {
	Header struct {
		MessageID string `xml:"MessageID"`
	} `xml:"Header"`
	Body struct {
		Probe *struct{} `xml:"Probe"`
	} `xml:"Body"`
}

const probeMatch = `<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header>
<a:MessageID>urn:uuid:%[1]s-%[2]d</a:MessageID><a:RelatesTo>%[3]s</a:RelatesTo>
<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>
<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header>
<s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:%[1]s</a:Address></a:EndpointReference>
<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/%[4]s onvif://www.onvif.org/hardware/%[5]s
 onvif://www.onvif.org/Profile/Streaming</d:Scopes><d:XAddrs>http://%[6]s/onvif/device_service</d:XAddrs>
<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>
`

// discovery answers probes until conn is closed.
func (c *Camera) discovery(conn *net.UDPConn) error {
	uuid := fmt.Sprintf("4c414231-0000-4000-8000-%x", c.host.MAC[:])
	buf := make([]byte, 4096)
	for n := 0; ; n++ {
		size, from, err := conn.ReadFromUDP(buf)
		if err != nil {
			return err
		}
		var p probe
		if xml.Unmarshal(buf[:size], &p) != nil || p.Body.Probe == nil {
			continue // anything may come to a group
		}
		addr, ok := c.addr4()
		if !ok {
			continue
		}
		answer := fmt.Sprintf(probeMatch, uuid, n, escape(p.Header.MessageID), c.host.Name, model, addr)
		_, _ = conn.WriteToUDP([]byte(answer), from) // the prober may be unreachable: it asks again
	}
}
