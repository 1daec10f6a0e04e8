// Package app finds out which protocol a flow speaks and gives its bytes to that protocol's parser.
package app

import (
	"citygate/pkg/app/dns"
	"citygate/pkg/app/ftp"
	"citygate/pkg/app/http"
	"citygate/pkg/app/layer"
	"citygate/pkg/app/modbus"
	"citygate/pkg/app/onvif"
	"citygate/pkg/app/rtsp"
	"citygate/pkg/app/sip"
	"citygate/pkg/app/smb"
	"citygate/pkg/app/smtp"
	"citygate/pkg/app/ssh"
	"citygate/pkg/app/telnet"
	"citygate/pkg/app/tls"
)

// Protocols is the table of protocols, those first whose first bytes say most. To add one is a folder beside this file and a
// line here.
func Protocols() []*layer.Protocol {
	return []*layer.Protocol{
		tls.Protocol(),
		ssh.Protocol(),
		http.Protocol(),
		rtsp.Protocol(),
		sip.Protocol(),
		smb.Protocol(),
		smtp.Protocol(),
		ftp.Protocol(),
		ftp.DataProtocol(),
		dns.Protocol(),
		dns.OverTCP(),
		onvif.Protocol(),
		modbus.Protocol(),
		telnet.Protocol(),
	}
}

// clientFirst says that a server of the protocol never speaks before its client does. Bytes of such a protocol that come from a
// server out of the blue are something else.
func clientFirst(p layer.Proto) bool {
	switch p {
	case layer.HTTP, layer.TLS, layer.DNS, layer.RTSP, layer.Modbus:
		return true
	}
	return false
}
