package signature

import (
	"testing"

	"citygate/pkg/app/layer"
)

// What follows from the parts of a rule.
func TestFinish(t *testing.T) {
	const judged = ToServer | ToClient | OnPacket | OnStream | IPOnly | ProtocolOnly | AppEvent
	tests := []struct {
		text  string
		app   layer.Proto
		flags Flags
	}{
		{`alert tcp any any -> any any (content:"a"; sid:1;)`, 0, OnStream},
		{`alert tcp any any -> any any (content:"a"; offset:3; sid:1;)`, 0, OnStream | OnPacket},
		{`alert tcp any any -> any any (content:"a"; depth:3; sid:1;)`, 0, OnStream | OnPacket},
		{`alert tcp any any -> any any (content:"a"; startswith; sid:1;)`, 0, OnStream | OnPacket},
		{`alert tcp any any -> any any (content:"a"; content:"b"; distance:0; sid:1;)`, 0, OnStream},
		{`alert tcp any any -> any any (content:"a"; stream_size:server,>,5; sid:1;)`, 0, OnStream | OnPacket},
		{`alert tcp any any -> any any (content:"a"; dsize:>5; sid:1;)`, 0, OnPacket},
		{`alert tcp any any -> any any (content:"a"; flow:no_stream; sid:1;)`, 0, OnPacket},
		{`alert tcp any any -> any any (content:"a"; flow:only_stream; sid:1;)`, 0, OnStream},
		{`alert tcp-pkt any any -> any any (content:"a"; sid:1;)`, 0, OnPacket},
		{`alert tcp-stream any any -> any any (content:"a"; offset:3; sid:1;)`, 0, OnStream},
		{`alert udp any any -> any any (content:"a"; sid:1;)`, 0, OnPacket},
		{`alert ip any any -> any any (content:"a"; sid:1;)`, 0, OnStream},
		{`alert tcp any any -> any any (flags:S; sid:1;)`, 0, OnPacket},
		{`alert tcp any any -> any any (tcp.hdr; content:"a"; sid:1;)`, 0, OnPacket},
		{`alert tcp any any -> any any (http.uri; content:"a"; sid:1;)`, layer.HTTP, ToServer},
		{`alert tcp any any -> any any (content:"a"; http_uri; sid:1;)`, layer.HTTP, ToServer},
		{`alert http any any -> any any (http.stat_code; content:"2"; sid:1;)`, layer.HTTP, ToClient},
		{`alert http any any -> any any (http.header; content:"2"; sid:1;)`, layer.HTTP, 0},
		{`alert http any any -> any any (http.header; content:"2"; http.uri; content:"a"; sid:1;)`, layer.HTTP, ToServer},
		{`alert http any any => any any (http.uri; content:"2"; http.stat_code; content:"a"; sid:1;)`, layer.HTTP, 0},
		{`alert dns any any -> any any (dns.query; content:"a"; sid:1;)`, layer.DNS, ToServer},
		{`alert tcp any any -> any any (app-layer-event:tls.invalid_record_type; sid:1;)`, layer.TLS, AppEvent},
		{`alert ip any any -> any any (app-layer-event:applayer_unexpected_protocol; sid:1;)`, 0, 0},
		{`alert tcp any any -> any any (app-layer-protocol:http; sid:1;)`, 0, ProtocolOnly},
		{`alert tcp any any -> any any (app-layer-protocol:http; flowbits:isset,x; sid:1;)`, 0, 0},
		{`alert ip 10.0.0.1 any -> any any (sid:1;)`, 0, IPOnly},
		{`alert tcp any any -> any any (flowbits:set,x; sid:1;)`, 0, IPOnly},
		{`alert tcp any any -> any 80 (sid:1;)`, 0, 0},
		{`alert tcp any any -> any any (flow:established; sid:1;)`, 0, 0},
		{`alert ip any any -> any any (ip_proto:47; sid:1;)`, 0, OnPacket},
	}
	for _, test := range tests {
		s := parse(t, test.text)
		if s.App != test.app || s.Flags&judged != test.flags {
			t.Errorf("%s\n\tapp %v, flags %b; want %v, %b", test.text, s.App, s.Flags&judged, test.app, test.flags)
		}
	}
}

// Buffers that several protocols have leave the protocol open until another buffer decides.
func TestFinishSharedBuffers(t *testing.T) {
	if s := parse(t, `alert tcp any any -> any any (file.data; content:"a"; http.uri; content:"b"; sid:1;)`); s.App != layer.HTTP {
		t.Errorf("app %v", s.App)
	}
	if s := parse(t, `alert smtp any any -> any any (file.data; content:"a"; sid:1;)`); s.App != layer.SMTP {
		t.Errorf("app %v", s.App)
	}
	if s := parse(t, `alert tcp any any -> any any (file.data; content:"a"; sid:1;)`); s.App != layer.Unknown {
		t.Errorf("app %v: the file may come over any of three protocols", s.App)
	}
}

// In a rule with => a buffer may say of which direction it is, and the two are apart.
func TestFinishTwoWays(t *testing.T) {
	s := parse(t, `alert http any any => any any (http.connection:to_server; content:"a"; http.connection:to_client; content:"b"; `+
		`http.uri; content:"c"; sid:1;)`)
	if len(s.Lists) != 3 || s.Lists[0].Way != layer.Request || s.Lists[1].Way != layer.Response || s.Lists[2].Way != 0 {
		t.Errorf("lists %+v", s.Lists)
	}
}
