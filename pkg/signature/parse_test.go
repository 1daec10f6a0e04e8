package signature

import (
	"errors"
	"strings"
	"testing"

	"citygate/pkg/app/layer"
)

// parse reads a rule that must be a signature.
func parse(t testing.TB, text string) *Signature {
	t.Helper()
	s, err := Parse("test.rules", 1, text, NewEnv())
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// refusal reads a rule that must be refused.
func refusal(t testing.TB, text string) *Refusal {
	t.Helper()
	s, err := Parse("test.rules", 7, text, NewEnv())
	var r *Refusal
	if s != nil || !errors.As(err, &r) {
		t.Fatalf("%s: not refused: %v", text, err)
	}
	return r
}

func TestParse(t *testing.T) {
	const text = `  drop tcp-pkt [10.0.0.0/8, !10.1.0.0/16] 1024: -> $HOME_NET [80,443] (msg:"a \"b\"\; c\\d\: e"; flow:established,to_server; ` +
		`reference:cve,2021-36260; reference:url,example.org/a\;b; classtype:trojan-activity; metadata:a b, c d e,lone; ` +
		`target:dest_ip; sid:42; rev:7; gid:3; noalert;)  `
	s := parse(t, text)
	if s.Action != Drop || s.GID != 3 || s.SID != 42 || s.Rev != 7 || s.Msg != `a "b"; c\d: e` || s.Target != "dest_ip" {
		t.Errorf("got %+v", s)
	}
	if s.Classtype != "A Network Trojan was detected" || s.Priority != 1 {
		t.Errorf("class %q, priority %d", s.Classtype, s.Priority)
	}
	if want := Established | ToServer | OnPacket | NoAlert; s.Flags != want {
		t.Errorf("flags %b, want %b", s.Flags, want)
	}
	if len(s.Metadata) != 3 || s.Metadata[1] != (Pair{"c", "d e"}) || s.Metadata[2] != (Pair{"lone", ""}) {
		t.Errorf("metadata %q", s.Metadata)
	}
	if len(s.References) != 2 || !strings.HasSuffix(s.References[0], "2021-36260") || s.References[1] != "http://example.org/a;b" {
		t.Errorf("references %q", s.References)
	}
	if s.Text != strings.TrimSpace(text) || s.File != "test.rules" || s.Line != 1 {
		t.Errorf("place %s:%d, text %q", s.File, s.Line, s.Text)
	}
	if !s.SrcPort.Contains(1024) || s.SrcPort.Contains(1023) || !s.DstPort.Contains(443) || s.DstPort.Contains(81) {
		t.Errorf("ports %v -> %v", s.SrcPort, s.DstPort)
	}
}

func TestParseHeader(t *testing.T) {
	tests := []struct {
		header string
		action Action
		protos []uint8
		not    []uint8
		app    layer.Proto
		flags  Flags
	}{
		{"alert tcp any any -> any any", Alert, []uint8{6}, []uint8{17}, 0, IPOnly},
		{"ALERT IP any any -> any any", Alert, []uint8{0, 6, 17, 255}, nil, 0, IPOnly},
		{"pass udp any any <> any 53", Pass, []uint8{17}, []uint8{6}, 0, Bidirectional},
		{"alert udp any any <> any any", Alert, []uint8{17}, []uint8{6}, 0, IPOnly}, // both ways are the same
		{"reject tcp any any -> any 80", Reject, []uint8{6}, nil, 0, 0},
		{"rejectsrc tcp any any -> any 80", Reject, []uint8{6}, nil, 0, 0},
		{"rejectdst tcp any any -> any 80", RejectDst, []uint8{6}, nil, 0, 0},
		{"rejectboth tcp any any -> any 80", RejectBoth, []uint8{6}, nil, 0, 0},
		{"alert icmp any any -> any any", Alert, []uint8{1, 58}, []uint8{6}, 0, IPOnly},
		{"alert icmpv6 any any -> any any", Alert, []uint8{58}, []uint8{1}, 0, IPOnly},
		{"alert igmp any any -> any any", Alert, []uint8{2}, []uint8{1}, 0, IPOnly},
		{"alert sctp any any -> any any", Alert, []uint8{132}, []uint8{6}, 0, IPOnly},
		{"alert ipv4 any any -> any any", Alert, []uint8{6}, nil, 0, IPOnly | OnIPv4},
		{"alert ip6 any any -> any any", Alert, []uint8{6}, nil, 0, IPOnly | OnIPv6},
		{"alert pkthdr any any -> any any", Alert, []uint8{6}, nil, 0, DecodeEvent},
		{"alert tcp-stream any any -> any any", Alert, []uint8{6}, nil, 0, OnStream},
		{"alert http any any -> any any", Alert, []uint8{6}, []uint8{17}, layer.HTTP, 0},
		{"alert dns any any -> any any", Alert, []uint8{6, 17}, []uint8{1}, layer.DNS, 0},
		{"alert tls any any => any any", Alert, []uint8{6}, nil, layer.TLS, TransactionTwo},
		{"alert ip !10.0.0.0/8 any -> any any", Alert, []uint8{6}, nil, 0, 0}, // negated: packet by packet
		{"alert\ttcp  [ 10.0.0.1 , 10.0.0.2 ]\tany ->any any", Alert, []uint8{6}, nil, 0, 0},
	}
	for _, test := range tests[:len(tests)-1] {
		s := parse(t, test.header+" (sid:1;)")
		if s.Action != test.action || s.App != test.app || s.Flags != test.flags {
			t.Errorf("%s: action %v, app %v, flags %b; want %v, %v, %b", test.header, s.Action, s.App, s.Flags, test.action, test.app, test.flags)
		}
		for _, p := range test.protos {
			if !s.Protocols.Has(p) {
				t.Errorf("%s: protocol %d is not in it", test.header, p)
			}
		}
		for _, p := range test.not {
			if s.Protocols.Has(p) {
				t.Errorf("%s: protocol %d is in it", test.header, p)
			}
		}
	}
	if r := refusal(t, tests[len(tests)-1].header+" (sid:1;)"); r.Keyword != "syntax" {
		t.Errorf("->any: %v", r)
	}
}

// Every kind of fault blames its part, and the sid is found whatever is wrong.
func TestRefusals(t *testing.T) {
	const head = `alert tcp any any -> any any `
	tests := []struct{ text, keyword, reason string }{
		{``, "syntax", "missing"},
		{`alert`, "syntax", "protocol is missing"},
		{`alert tcp any any -> any`, "syntax", "port is missing"},
		{head, "syntax", "parenthesis"},
		{head + `msg:"x"; sid:9;)`, "syntax", "parenthesis"},
		{head + `(msg:"x"; sid:9;`, "syntax", "does not end with a closing parenthesis"},
		{head + `(msg:"x"; sid:9;) more`, "syntax", `"more" stands behind`},
		{head + `(msg:"x"; sid:9)`, "syntax", "semicolon"},
		{head + `(msg:"x"; ; sid:9;)`, "syntax", "no name"},
		{head + `(msg:"x"; two words:1; sid:9;)`, "syntax", "no name of an option"},
		{head + `(msg:"x; sid:9;)`, "msg", "closing quote"},
		{head + `(msg:x; sid:9;)`, "msg", "double quotes"},
		{head + `(msg:!"x"; sid:9;)`, "msg", "double quotes"},
		{head + `(msg:"x"; msg:"y"; sid:9;)`, "msg", "once"},
		{head + "(msg:\"\x00\"; sid:9;)", "syntax", "zero byte"},
		{head + `(msg:"x";)`, "sid", "no sid"},
		{head + `(sid:0;)`, "sid", "from 1"},
		{head + `(sid:4294967296;)`, "sid", "from 1"},
		{head + `(sid:-1;)`, "sid", "from 1"},
		{head + `(sid:;)`, "sid", "from 1"},
		{head + `(sid:1; sid:2;)`, "sid", "once"},
		{head + `(sid:9; rev:x;)`, "rev", "from 0"},
		{head + `(nonsense; sid:9;)`, "nonsense", "unknown keyword"},
		{head + `(lua:x.lua; sid:9;)`, "lua", "scripts"},
		{head + `(flow:to_server,to_client; sid:9;)`, "flow", "contradicts"},
		{head + `(flow:established,stateless; sid:9;)`, "flow", "contradicts"},
		{head + `(flow:sideways; sid:9;)`, "flow", "no state"},
		{head + `(flow; sid:9;)`, "flow", "write what"},
		{head + `(priority:0; sid:9;)`, "priority", "from 1 to 255"},
		{head + `(reference:cve; sid:9;)`, "reference", "system,id"},
		{head + `(target:everyone; sid:9;)`, "target", "neither"},
		{head + `(noalert:yes; sid:9;)`, "noalert", "no value"},
		{`log tcp any any -> any any (sid:9;)`, "action", "none of alert"},
		{`config tcp any any -> any any (sid:9;)`, "action", "config rules"},
		{`accept:flow tcp any any -> any any (sid:9;)`, "action", "firewall"},
		{`alert krb5 any any -> any any (sid:9;)`, "protocol", "no protocol"},
		{`alert failed any any -> any any (sid:9;)`, "protocol", "no protocol"},
		{`alert tcp any any <- any any (sid:9;)`, "direction", "swap"},
		{`alert tcp any any to any any (sid:9;)`, "direction", "none of"},
		{`alert tcp $NOWHERE any -> any any (sid:9;)`, "address", "vars.address-groups.NOWHERE"},
		{`alert tcp $HTTP_PORTS any -> any any (sid:9;)`, "address", "other kind"},
		{`alert tcp any any -> any $NOPORTS (sid:9;)`, "port", "vars.port-groups.NOPORTS"},
		{`alert tcp !any any -> any any (sid:9;)`, "address", "leaves no address"},
		{`alert tcp any any -> any !any (sid:9;)`, "port", "leaves no port"},
		{`alert tcp [10.0.0.1 any -> any any (sid:9;)`, "address", "closing bracket"},
		{`alert tcp 10.0.0.1] any -> any any (sid:9;)`, "address", "too many"},
		{`alert tcp any 80-90 -> any any (sid:9;)`, "port", "no port"},
		{`alert tcp any any -> any any (http.uri; content:"a"; http.stat_code; content:"200"; sid:9;)`, "http.stat_code", "=>"},
		{`alert tcp any any -> any any (flow:to_client; http.uri; content:"a"; sid:9;)`, "http.uri", "to_client"},
		{`alert udp any any -> any any (http.uri; content:"a"; sid:9;)`, "protocol", "does not carry"},
		{`alert dns any any -> any any (http.uri; content:"a"; sid:9;)`, "http.uri", "not of dns"},
		{`alert tcp any any -> any any (tls.sni; content:"a"; http.uri; content:"a"; sid:9;)`, "http.uri", "no protocol"},
		{`alert http any any -> any any (dsize:5; http.uri; content:"a"; sid:9;)`, "dsize", "single packets"},
		{`alert tcp-stream any any -> any any (flags:S; sid:9;)`, "flags", "single packets"},
		{`alert tcp any any -> any any (flow:only_stream; dsize:1; sid:9;)`, "dsize", "single packets"},
		{`alert tcp any any => any any (content:"a"; sid:9;)`, "direction", "transactions"},
		{`alert http any any => any any (http.uri:to_client; content:"a"; sid:9;)`, "http.uri", "direction"},
	}
	for _, test := range tests {
		r := refusal(t, test.text)
		if r.Keyword != test.keyword || !strings.Contains(r.Reason, test.reason) || r.File != "test.rules" || r.Line != 7 {
			t.Errorf("%s\n\tgot  %v\n\twant %s: ...%s...", test.text, r, test.keyword, test.reason)
		}
		if strings.Contains(test.text, "sid:9;") && r.SID != 9 {
			t.Errorf("%s: the sid was not found: %v", test.text, r)
		}
	}
}

func TestRefusalText(t *testing.T) {
	r := refusal(t, `alert tcp any any -> any any (nonsense; sid:9;)`)
	if got, want := r.Error(), "test.rules:7: sid 9: nonsense: unknown keyword: this engine cannot evaluate the rule"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRequires(t *testing.T) {
	tests := []struct {
		requires string
		taken    bool
	}{
		{"version >= 7", true},
		{"version >= 7 < 8", false},
		{"version >= 7.0.3 < 8 | >= 9.0.99", false},
		{"version >= 7.0.3 < 7.1 | >= 8", true},
		{"version>=8.0.0, keyword sid", true},
		{"version > 8.0.0", false},
		{"version <= 8", true},
		{"keyword http.uri", true},
		{"keyword foobar", false},
		{"feature ja4", true},
		{"feature warp", false},
		{"mood good", false},
	}
	for _, test := range tests {
		// What does not apply here may hold anything.
		text := `alert tcp any any -> any any (requires: ` + test.requires + `; sid:1;)`
		if !test.taken {
			text = `alert vxlan any any -> any any (never_heard_of; requires: ` + test.requires + `; sid:1;)`
		}
		_, err := Parse("f", 1, text, NewEnv())
		var r *Refusal
		if errors.As(err, &r) != !test.taken || r != nil && !r.Skipped {
			t.Errorf("%s: %v", test.requires, err)
		}
	}
	for _, wrong := range []string{"version 8", "version >= x", "version", "version >= 1.2.3.4", "version == 8"} {
		if r := refusal(t, `alert tcp any any -> any any (requires: `+wrong+`; sid:1;)`); r.Skipped || r.Keyword != "requires" {
			t.Errorf("%s: %+v", wrong, r)
		}
	}
}
