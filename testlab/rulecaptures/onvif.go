package rulecaptures

import "fmt"

// The namespaces of ONVIF's services.
const (
	deviceService = "http://www.onvif.org/ver10/device/wsdl"
	ptzService    = "http://www.onvif.org/ver20/ptz/wsdl"
)

// wsse are credentials as OASIS WS-Security UsernameToken Profile 1.0 has them.
const wsse = `<s:Header><wsse:Security s:mustUnderstand="1" xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/` +
	`oasis-200401-wss-wssecurity-secext-1.0.xsd"><wsse:UsernameToken><wsse:Username>operator</wsse:Username>` +
	`<wsse:Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest">` +
	`tuOSpGlFlIXsozq4HFNeeGeFLEI=</wsse:Password><wsse:Nonce>LKqI6G/AikKCQrN0zqZFlg==</wsse:Nonce></wsse:UsernameToken>` +
	`</wsse:Security></s:Header>`

func envelope(header, body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">` + header +
		`<s:Body>` + body + `</s:Body></s:Envelope>`
}

// soap is a request for an operation of a service; header are its credentials.
func soap(header, service, op, arguments string, headers ...string) string {
	body := envelope(header, fmt.Sprintf(`<%s xmlns="%s">%s</%s>`, op, service, arguments, op))
	kind := fmt.Sprintf(`Content-Type: application/soap+xml; charset=utf-8; action="%s/%s"`, service, op)
	return request("POST /onvif/device_service", body, append(headers, kind)...)
}

func soapAnswer(service, op string) string {
	return response("200 OK", "application/soap+xml; charset=utf-8",
		envelope("", fmt.Sprintf(`<tds:%sResponse xmlns:tds="%s"/>`, op, service)))
}

// operation is a conversation of a VMS, with credentials.
func operation(service, op, arguments string) func(*Scene) {
	return func(s *Scene) {
		s.Talk(vms, camera, 80, ask(soap(wsse, service, op, arguments)), answer(soapAnswer(service, op)))
	}
}

// everyday is what a VMS asks all day long.
func everyday(s *Scene) {
	s.Talk(vms, camera, 80,
		ask(soap("", deviceService, "GetSystemDateAndTime", "")), answer(soapAnswer(deviceService, "GetSystemDateAndTime")),
		ask(soap(wsse, deviceService, "GetUsers", "")), answer(soapAnswer(deviceService, "GetUsers")),
		ask(soap(wsse, "http://www.onvif.org/ver10/media/wsdl", "GetStreamUri", "<ProfileToken>SystemReboot</ProfileToken>")),
		answer(soapAnswer("http://www.onvif.org/ver10/media/wsdl", "GetStreamUri")),
		ask(soap(wsse, ptzService, "ContinuousMove", "<ProfileToken>p1</ProfileToken>")), answer(soapAnswer(ptzService, "ContinuousMove")),
		ask(soap(wsse, "http://www.onvif.org/ver10/events/wsdl", "PullMessages", "<Timeout>PT60S</Timeout>")),
		answer(soapAnswer("http://www.onvif.org/ver10/events/wsdl", "PullMessages")),
	)
}

// dangerous are the operations with a rule each, and the harmless one beside it.
var dangerous = []struct {
	sid           uint32
	op, arguments string
	harmless      string
}{
	{9300001, "SystemReboot", "", "GetSystemDateAndTime"},
	{9300002, "SetSystemFactoryDefault", "<FactoryDefault>Hard</FactoryDefault>", "GetSystemBackup"},
	{9300003, "CreateUsers", "<User><Username>x</Username><Password>y</Password><UserLevel>Administrator</UserLevel></User>", "GetUsers"},
	{9300004, "SetUser", "<User><Username>admin</Username><Password>y</Password><UserLevel>Administrator</UserLevel></User>", "GetUsers"},
	{9300005, "DeleteUsers", "<Username>operator</Username>", "GetUsers"},
	{9300006, "UpgradeSystemFirmware", "<Firmware>AAAA</Firmware>", "GetDeviceInformation"},
	{9300007, "StartFirmwareUpgrade", "", "GetServiceCapabilities"},
	{9300008, "RestoreSystem", "<BackupFiles><Name>a</Name></BackupFiles>", "GetSystemLog"},
	{9300009, "StartSystemRestore", "", "GetSystemUris"},
	{9300010, "SetNetworkInterfaces", "<InterfaceToken>eth0</InterfaceToken>", "GetNetworkInterfaces"},
	{9300011, "SetNetworkDefaultGateway", "<IPv4Address>203.0.113.9</IPv4Address>", "GetNetworkDefaultGateway"},
	{9300012, "SetDNS", "<FromDHCP>false</FromDHCP>", "GetDNS"},
	{9300013, "SetNetworkProtocols", "<NetworkProtocols><Name>HTTPS</Name><Enabled>false</Enabled></NetworkProtocols>", "GetNetworkProtocols"},
	{9300014, "SetAccessPolicy", "<PolicyFile/>", "GetAccessPolicy"},
	{9300015, "SetRemoteUser", "<RemoteUser><Username>x</Username></RemoteUser>", "GetRemoteUser"},
	{9300016, "SetIPAddressFilter", "<IPAddressFilter><Type>Deny</Type></IPAddressFilter>", "GetIPAddressFilter"},
	{9300017, "SetSystemDateAndTime", "<DateTimeType>Manual</DateTimeType>", "GetSystemDateAndTime"},
}

func onvifStories() (list []Story) {
	for _, d := range dangerous {
		list = append(list, Story{
			SID: d.sid, Attack: operation(deviceService, d.op, d.arguments),
			Clean: func(s *Scene) {
				operation(deviceService, d.harmless, "")(s)
				everyday(s)
			},
		})
	}
	naked := soap("", deviceService, "SystemReboot", "")
	return append(list,
		Story{ // refused: HTTP digest begins so, too
			SID: 9300030, Also: map[uint32]int{9300001: 1},
			Attack: func(s *Scene) {
				s.Talk(stranger, camera, 80, ask(naked), answer(response("401 Unauthorized", "text/html", "no")))
			},
			Clean: func(s *Scene) {
				s.Talk(stranger, camera, 80, ask(soap("", deviceService, "GetSystemDateAndTime", "")),
					answer(soapAnswer(deviceService, "GetSystemDateAndTime")))
			},
		},
		Story{
			SID: 9300031, Also: map[uint32]int{9300001: 1, 9300030: 1},
			Attack: func(s *Scene) {
				s.Talk(stranger, camera, 80, ask(naked), answer(soapAnswer(deviceService, "SystemReboot")))
			},
			Clean: func(s *Scene) {
				s.Talk(stranger, camera, 80, ask(soap("", deviceService, "GetCapabilities", "<Category>All</Category>")),
					answer(soapAnswer(deviceService, "GetCapabilities")))
			},
		},
	)
}
