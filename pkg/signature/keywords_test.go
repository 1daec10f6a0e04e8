package signature

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"citygate/pkg/app"
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/reassembly"
)

var (
	testSrc = netip.MustParseAddr("10.0.0.1")
	testDst = netip.MustParseAddr("10.0.0.2")
)

// onPacket is a context with a packet.
func onPacket(h packet.Headers) func(*Context) {
	return func(c *Context) { c.Packet = &h }
}

func tcpPacket(t packet.TCP) func(*Context) {
	return onPacket(packet.Headers{IPVersion: 4, Tuple: flow.FiveTuple{Src: testSrc, Dst: testDst, Proto: flow.TCP}, TCP: t, Transport: make([]byte, 20)})
}

func icmpPacket(h packet.Headers) func(*Context) {
	h.IPVersion = 4
	if h.Tuple.Proto == 0 {
		h.Tuple.Proto = flow.ICMP
	}
	if h.Transport == nil {
		h.Transport = make([]byte, 8)
	}
	return onPacket(h)
}

func onTx(tx layer.Tx, d flow.Direction) func(*Context) {
	return func(c *Context) { c.Tx, c.Direction = tx, d }
}

// keywordCase is an option and what it says in contexts.
type keywordCase struct {
	option string
	yes    []func(*Context)
	no     []func(*Context)
}

type contexts = []func(*Context)

// holds judges a rule's matches on the packet in a context.
func holds(t *testing.T, option string, set func(*Context)) bool {
	t.Helper()
	env := NewEnv()
	s, err := Parse("f", 1, "alert ip any any -> any any ("+option+"; sid:1;)", env)
	if err != nil {
		t.Fatalf("%s: %v", option, err)
	}
	c := NewContext()
	c.Packet, c.Blob = &packet.Headers{}, s.Blob
	set(c)
	if len(s.Packet) == 0 {
		t.Fatalf("%s: no match on the packet", option)
	}
	return c.Holds(s.Packet)
}

func checkKeywords(t *testing.T, cases []keywordCase) {
	t.Helper()
	for _, k := range cases {
		for i, set := range k.yes {
			if !holds(t, k.option, set) {
				t.Errorf("%s does not match context %d", k.option, i)
			}
		}
		for i, set := range k.no {
			if holds(t, k.option, set) {
				t.Errorf("%s matches context %d", k.option, i)
			}
		}
		// In an empty context nothing may match, and nothing may go wrong.
		name, _, _ := strings.Cut(k.option, ":")
		if name != "vlan.layers" && name != "dsize" && holds(t, k.option, func(*Context) {}) {
			t.Errorf("%s matches nothing at all", k.option)
		}
	}
}

func TestTCPKeywords(t *testing.T) {
	syn := tcpPacket(packet.TCP{Flags: packet.SYN, Seq: 100, Window: 512, Options: packet.TCPOptions{MSS: 1460, Scale: 7, Scaled: true}})
	ack := tcpPacket(packet.TCP{Flags: packet.ACK, Seq: 101, Ack: 4000000000, Window: 1024})
	synAckECN := tcpPacket(packet.TCP{Flags: packet.SYN | packet.ACK | packet.ECE})
	udp := onPacket(packet.Headers{IPVersion: 4, Tuple: flow.FiveTuple{Proto: flow.UDP}, TCP: packet.TCP{Flags: packet.SYN, Seq: 100}, Transport: make([]byte, 8)})
	null := tcpPacket(packet.TCP{})
	checkKeywords(t, []keywordCase{
		{"flags:S", contexts{syn}, contexts{ack, synAckECN, udp, null}},
		{"flags:SA,12", contexts{synAckECN}, contexts{syn, ack}},
		{"flags:SA,CE", contexts{synAckECN}, contexts{syn, ack}},
		{"flags:+S", contexts{syn, synAckECN}, contexts{ack}},
		{"flags:S+", contexts{syn, synAckECN}, contexts{ack}},
		{"tcp.flags:*SA", contexts{syn, ack, synAckECN}, contexts{null}},
		{"flags:!S", contexts{ack, null}, contexts{syn, synAckECN}},
		{"flags:0", contexts{null}, contexts{syn}},
		{"seq:100", contexts{syn}, contexts{ack, udp}},
		{"tcp.seq:>100", contexts{ack}, contexts{syn}},
		{"ack:4000000000", contexts{ack}, contexts{syn}},
		{"tcp.ack:4000000000", contexts{ack}, contexts{syn}},
		{"window:!512", contexts{ack}, contexts{syn}},
		{"tcp.window:512", contexts{syn}, contexts{ack}},
		{"tcp.mss:1000<>1500", contexts{syn}, contexts{ack}},
		{"tcp.mss:<1000", nil, contexts{syn, ack}},
		{"tcp.wscale:7", contexts{syn}, contexts{ack}},
		{"tcp.wscale:0", nil, contexts{syn, ack}},
	})
}

func TestIPKeywords(t *testing.T) {
	v4 := onPacket(packet.Headers{IPVersion: 4, TTL: 64, TOS: 8, ID: 4660, DontFragment: true, Tuple: flow.FiveTuple{Src: testSrc, Dst: testDst}})
	land := onPacket(packet.Headers{IPVersion: 4, TTL: 1, Tuple: flow.FiveTuple{Src: testSrc, Dst: testSrc}, MoreFragments: true, DontFragment: true})
	v6 := onPacket(packet.Headers{IPVersion: 6, TTL: 64, TOS: 8, ID: 4660})
	fragment := onPacket(packet.Headers{IPVersion: 4, TTL: 255, Offset: 1480, MoreFragments: true})
	options := func(b ...byte) func(*Context) {
		return onPacket(packet.Headers{IPVersion: 4, Network: append(make([]byte, 20), b...)})
	}
	router := options(148, 4, 0, 0)
	record := options(1, 1, 7, 3, 4, 0, 0, 0)
	hidden := options(0, 7, 3, 4)
	lying := options(68, 200, 7, 3)
	checkKeywords(t, []keywordCase{
		{"ttl:64", contexts{v4, v6}, contexts{land}},
		{"ttl:<2", contexts{land}, contexts{v4}},
		{"ttl:1-65", contexts{v4}, contexts{land, fragment}},
		{"id:4660", contexts{v4}, contexts{v6, land}},
		{"tos:8", contexts{v4}, contexts{v6, land}},
		{"tos:!x8", contexts{land}, contexts{v4}},
		{"sameip", contexts{land}, contexts{v4, v6}},
		{"fragbits:D", contexts{v4}, contexts{land, fragment, v6}},
		{"fragbits:+M", contexts{land, fragment}, contexts{v4}},
		{"fragbits:*MR", contexts{land, fragment}, contexts{v4}},
		{"fragbits:!D", contexts{fragment}, contexts{v4, land}},
		{"fragoffset:185", contexts{fragment}, contexts{v4}},
		{"fragoffset:>0", contexts{fragment}, contexts{v4}},
		{"ipopts:rtralt", contexts{router}, contexts{record, v4}},
		{"ipopts:rr", contexts{record}, contexts{router, hidden, lying}},
		{"ipopts:any", contexts{router, record, hidden}, contexts{v4, v6}},
		{"ipopts:eol", contexts{hidden}, contexts{router}},
	})
}

func TestIPProto(t *testing.T) {
	tests := []struct {
		header, options string
		in, out         []uint8
	}{
		{"ip", "ip_proto:47;", []uint8{47}, []uint8{6, 46}},
		{"ip", "ip_proto:GRE;", []uint8{47}, []uint8{6}},
		{"ip", "ip_proto:!tcp; ip_proto:!17;", []uint8{1, 47}, []uint8{6, 17}},
		{"ip", "ip_proto:>100; ip_proto:<110;", []uint8{101, 109}, []uint8{100, 110}},
	}
	for _, test := range tests {
		s := parse(t, "alert "+test.header+" any any -> any any ("+test.options+" sid:1;)")
		for _, p := range test.in {
			if !s.Protocols.Has(p) {
				t.Errorf("%s: %d is not in it", test.options, p)
			}
		}
		for _, p := range test.out {
			if s.Protocols.Has(p) {
				t.Errorf("%s: %d is in it", test.options, p)
			}
		}
	}
	refusal(t, "alert tcp any any -> any any (ip_proto:17; sid:1;)")
	refusal(t, "alert ip any any -> any any (ip_proto:6; ip_proto:17; sid:1;)")
	refusal(t, "alert ip any any -> any any (ip_proto:nothing; sid:1;)")
}

func TestICMPKeywords(t *testing.T) {
	echo := icmpPacket(packet.Headers{ICMPType: 8, HasICMPID: true, ICMPID: 77, ICMPSeq: 5})
	unreachable := icmpPacket(packet.Headers{ICMPType: 3, ICMPCode: 4})
	tooBig := icmpPacket(packet.Headers{Tuple: flow.FiveTuple{Proto: flow.ICMPv6}, ICMPType: 2, Transport: []byte{2, 0, 0, 0, 0, 0, 5, 0xdc}})
	igmp := onPacket(packet.Headers{IPVersion: 4, Tuple: flow.FiveTuple{Proto: flow.IGMP}, ICMPType: 0x16, Transport: make([]byte, 8)})
	checkKeywords(t, []keywordCase{
		{"itype:8", contexts{echo}, contexts{unreachable, igmp}},
		{"itype:>7", contexts{echo}, contexts{unreachable}},
		{"icode:4", contexts{unreachable}, contexts{echo}},
		{"icmp_id:77", contexts{echo}, contexts{unreachable}},
		{"icmp_id:0", nil, contexts{unreachable}},
		{"icmp_seq:5", contexts{echo}, contexts{unreachable}},
		{"icmpv6.mtu:1500", contexts{tooBig}, contexts{echo}},
		{"icmpv6.mtu:<1280", nil, contexts{tooBig, echo}},
		{"igmp.type:0x16", contexts{igmp}, contexts{echo}},
	})
}

func TestVLANKeywords(t *testing.T) {
	tags := func(ids ...uint16) func(*Context) {
		h := packet.Headers{VLANCount: uint8(len(ids))}
		copy(h.VLANs[:], ids)
		return onPacket(h)
	}
	checkKeywords(t, []keywordCase{
		{"vlan.id:200", contexts{tags(200), tags(100, 200)}, contexts{tags(), tags(100)}},
		{"vlan.id:200,any", contexts{tags(100, 200)}, contexts{tags(100)}},
		{"vlan.id:>100,all", contexts{tags(101, 200)}, contexts{tags(), tags(100, 200)}},
		{"vlan.id:200,0", contexts{tags(200, 1)}, contexts{tags(1, 200)}},
		{"vlan.id:200,-1", contexts{tags(1, 200), tags(200)}, contexts{tags(200, 1)}},
		{"vlan.id:100-600,2", contexts{tags(1, 1, 101)}, contexts{tags(101, 101), tags(1, 1, 100)}},
		{"vlan.layers:!1", contexts{tags(), tags(1, 2)}, contexts{tags(1)}},
		{"vlan.layers:0", contexts{tags()}, contexts{tags(1)}},
	})
	for _, wrong := range []string{"vlan.id:4096", "vlan.id:1,3", "vlan.id:1,-4", "vlan.id:1,some", "vlan.id", "vlan.layers:4"} {
		refusal(t, "alert ip any any -> any any ("+wrong+"; sid:1;)")
	}
}

func TestChecksumKeywords(t *testing.T) {
	// The right checksum is found by trying: the test shares no arithmetic with what it tests.
	try := func(h packet.Headers, field []byte, of func(*packet.Headers) packet.Checksum) (right, wrong func(*Context)) {
		for n := range 1 << 16 {
			if field[0], field[1] = byte(n>>8), byte(n); of(&h) == packet.ChecksumValid {
				break
			}
		}
		bad := h
		bad.Network, bad.Transport = append([]byte(nil), h.Network...), append([]byte(nil), h.Transport...)
		bad.Network[0] ^= 0x01
		bad.Transport[0] ^= 0x01
		return onPacket(h), onPacket(bad)
	}
	make4 := func(p flow.Proto, n int) packet.Headers {
		return packet.Headers{
			IPVersion: 4, Tuple: flow.FiveTuple{Src: testSrc, Dst: testDst, Proto: p}, Network: append([]byte{0x45}, make([]byte, 19)...),
			Transport: make([]byte, n), IPLength: 20 + n,
		}
	}
	ip := make4(flow.TCP, 20)
	ipRight, ipWrong := try(ip, ip.Network[10:12], (*packet.Headers).IPv4Checksum)
	tcp := make4(flow.TCP, 20)
	tcpRight, tcpWrong := try(tcp, tcp.Transport[16:18], (*packet.Headers).TransportChecksum)
	igmp := make4(flow.IGMP, 8)
	igmpRight, igmpWrong := try(igmp, igmp.Transport[2:4], (*packet.Headers).TransportChecksum)
	checkKeywords(t, []keywordCase{
		{"ipv4-csum:valid", contexts{ipRight}, contexts{ipWrong}},
		{"ipv4-csum:invalid", contexts{ipWrong}, contexts{ipRight}},
		{"tcpv4-csum:valid", contexts{tcpRight}, contexts{tcpWrong, igmpRight}},
		{"tcpv4-csum:invalid", contexts{tcpWrong}, contexts{tcpRight, igmpWrong}},
		{"tcpv6-csum:invalid", nil, contexts{tcpWrong, tcpRight}},
		{"udpv4-csum:valid", nil, contexts{tcpRight}},
		{"udpv6-csum:valid", nil, contexts{tcpRight}},
		{"icmpv4-csum:valid", nil, contexts{tcpRight}},
		{"icmpv6-csum:valid", nil, contexts{tcpRight}},
		{"igmp-csum:valid", contexts{igmpRight}, contexts{igmpWrong, tcpRight}},
		{"igmp-csum:invalid", contexts{igmpWrong}, contexts{igmpRight}},
	})
}

func TestFlowKeywords(t *testing.T) {
	counted := func(s State) func(*Context) { return func(c *Context) { c.Flow = &s } }
	small := counted(State{Start: 5e9, Last: 14e9, Packets: [2]uint64{10, 3}, Bytes: [2]uint64{900, 8001}})
	checkKeywords(t, []keywordCase{
		{"flow.age:9", contexts{small}, nil},
		{"flow.age:>9", nil, contexts{small}},
		{"flow.pkts:toserver,=10", contexts{small}, nil},
		{"flow.pkts:toclient,=10", nil, contexts{small}},
		{"flow.pkts:either,3", contexts{small}, nil},
		{"flow.pkts_toserver:10", contexts{small}, nil},
		{"flow.pkts_toclient:10", nil, contexts{small}},
		{"flow.bytes:toclient,>8000", contexts{small}, nil},
		{"flow.bytes:toserver,>8000", nil, contexts{small}},
		{"flow.bytes_toserver:<3000", contexts{small}, nil},
		{"flow.bytes_toclient:<3000", nil, contexts{small}},
	})
	for _, wrong := range []string{"flow.pkts:10", "flow.pkts:both,10", "flow.pkts:toserver,x", "flow.bytes", "flow.age:-1"} {
		refusal(t, "alert ip any any -> any any ("+wrong+"; sid:1;)")
	}
}

func TestStreamSize(t *testing.T) {
	// The client has sent a SYN and 10 bytes, the server its SYN.
	a := reassembly.New(reassembly.Config{})
	var s reassembly.Session
	send := func(d flow.Direction, seq, ack uint32, flags uint8, data string) {
		h := packet.Headers{IPVersion: 4, Payload: []byte(data), TCP: packet.TCP{Flags: flags, Seq: seq, Ack: ack, Window: 8000}}
		a.Segment(&s, d, &h, time.Unix(1, 0))
	}
	send(flow.ToServer, 100, 0, packet.SYN, "")
	send(flow.ToClient, 500, 101, packet.SYN|packet.ACK, "")
	send(flow.ToServer, 101, 501, packet.ACK, "0123456789")
	in := func(c *Context) { c.Session = &s }
	checkKeywords(t, []keywordCase{
		{"stream_size:client,=,11", contexts{in}, nil},
		{"stream_size:server,=,1", contexts{in}, nil},
		{"stream_size:server,>,1", nil, contexts{in}},
		{"stream_size:both,>=,1", contexts{in}, nil},
		{"stream_size:both,>,5", nil, contexts{in}},
		{"stream_size:either,>,5", contexts{in}, nil},
		{"stream_size:client,!=,11", nil, contexts{in}},
	})
	for _, wrong := range []string{"stream_size:client,>", "stream_size:nobody,>,1", "stream_size:client,~,1", "stream_size:client,>,x"} {
		refusal(t, "alert tcp any any -> any any ("+wrong+"; sid:1;)")
	}
}

func TestEventKeywords(t *testing.T) {
	odd := func(c *Context) {
		c.Events = &packet.Events{}
		c.Events.Add(packet.IPv4Truncated)
	}
	stream := func(e reassembly.Event) func(*Context) {
		return func(c *Context) { c.Stream[e>>6] |= 1 << (e & 63) }
	}
	checkKeywords(t, []keywordCase{
		{"decode-event:ipv4.trunc_pkt", contexts{odd}, nil},
		{"engine-event:ipv4.trunc_pkt", contexts{odd}, nil},
		{"decode-event:ipv4.opt_invalid", nil, contexts{odd}},
		{"stream-event:est_packet_out_of_window", contexts{stream(reassembly.EstPacketOutOfWindow)}, contexts{stream(reassembly.FinSyn)}},
	})
	refusal(t, "alert ip any any -> any any (decode-event:nothing; sid:1;)")
	refusal(t, "alert ip any any -> any any (stream-event:nothing; sid:1;)")
}

// eventTx is a transaction that has had an event in one direction.
type eventTx struct {
	state layer.Inspection
	event uint8
	on    flow.Direction
}

func (*eventTx) Ready(layer.Buffer, flow.Direction) bool              { return true }
func (*eventTx) Get(layer.Buffer, flow.Direction, int) ([]byte, bool) { return nil, false }
func (*eventTx) Complete(flow.Direction) bool                         { return true }
func (*eventTx) Log(*layer.Object, flow.Direction) bool               { return false }
func (e *eventTx) Inspection() *layer.Inspection                      { return &e.state }
func (e *eventTx) Events(d flow.Direction) (s layer.EventSet) {
	if d == e.on {
		s.Add(e.event)
	}
	return s
}

func TestAppLayerEvent(t *testing.T) {
	var name string
	for _, p := range app.Protocols() {
		if p.Proto == layer.TLS {
			name = p.Events[2]
		}
	}
	option := "app-layer-event:tls." + name
	if !holds(t, option, onTx(&eventTx{event: 2, on: flow.ToServer}, flow.ToServer)) {
		t.Error("the event does not match")
	}
	others := contexts{
		func(*Context) {}, onTx(&eventTx{event: 1, on: flow.ToServer}, flow.ToServer), onTx(&eventTx{event: 2, on: flow.ToClient}, flow.ToServer),
	}
	for i, no := range others {
		if holds(t, option, no) {
			t.Errorf("context %d matches", i)
		}
	}
	for _, wrong := range []string{"tls.nothing", "krb5.x", "applayer_nothing", "http.x"} {
		refusal(t, "alert tls any any -> any any (app-layer-event:"+wrong+"; sid:1;)")
	}
}

func TestAppLayerProtocol(t *testing.T) {
	// A flow of two protocols: the client's bytes say one, the server's another.
	table := func(probe func(flow.Direction, []byte) layer.Answer) *app.Table {
		return app.NewTable([]*layer.Protocol{{Proto: layer.HTTP, TCP: true, Probe: probe}}, layer.NewPool(1<<20))
	}
	yes := func(flow.Direction, []byte) layer.Answer { return layer.Yes }
	no := func(flow.Direction, []byte) layer.Answer { return layer.No }
	conn := func(probe func(flow.Direction, []byte) layer.Answer, bytes int) func(*Context) {
		c, tb := &app.Conn{}, table(probe)
		for _, d := range []flow.Direction{flow.ToServer, flow.ToClient} {
			if bytes > 0 {
				c.Stream(tb, d, app.Hint{Client: 4000, Server: 80}, make([]byte, bytes), true)
			}
		}
		return func(ctx *Context) { ctx.Conn = c }
	}
	http, failed, unknown := conn(yes, 10), conn(no, 10), conn(yes, 0)
	checkKeywords(t, []keywordCase{
		{"app-layer-protocol:http", contexts{http}, contexts{failed, unknown}},
		{"app-layer-protocol:!http", contexts{failed}, contexts{http, unknown}},
		{"app-layer-protocol:!tls", contexts{http, failed}, contexts{unknown}},
		{"app-layer-protocol:failed", contexts{failed}, contexts{http, unknown}},
		{"app-layer-protocol:unknown", contexts{unknown}, contexts{http, failed}},
		{"app-layer-protocol:http,final", contexts{http}, contexts{failed, unknown}},
		{"app-layer-protocol:http,either", contexts{http}, contexts{failed, unknown}},
		{"app-layer-protocol:http,to_server", contexts{http}, contexts{failed}},
		{"app-layer-protocol:http,to_client", nil, contexts{failed}},
		{"app-layer-protocol:http,original", nil, contexts{failed}},
	})
	for _, wrong := range []string{"ip any any -> any any (app-layer-protocol:krb5", "ip any any -> any any (app-layer-protocol:http,sometimes", "http any any -> any any (app-layer-protocol:http"} {
		refusal(t, "alert "+wrong+"; sid:1;)")
	}
}

func TestTag(t *testing.T) {
	for _, right := range []string{"session", "host,9,packets,dst", "session,5,packets", "host, 100, seconds, src"} {
		parse(t, "alert ip any any -> any any (tag:"+right+"; prefilter; bypass; alert; sid:1;)")
	}
	for _, wrong := range []string{"tag", "tag:network", "tag:host,x,packets", "tag:host,1,miles", "tag:host,1,packets,up", "tag:host,1", "tag:host,1,packets,src,x", "prefilter:x", "bypass:x", "alert:x"} {
		refusal(t, "alert ip any any -> any any ("+wrong+"; sid:1;)")
	}
}

// Older keywords are contents on buffers, and leave the buffer in force as it was.
func TestLegacy(t *testing.T) {
	s := parse(t, `alert tls any any -> any any (tls.sni; content:"a"; tls.subject:!"CN=x"; tls.issuerdn:"y"; tls.fingerprint:"AA:bb"; content:"b"; sid:1;)`)
	if len(s.Lists) != 4 || s.Lists[0].Buffer != layer.TLSSNI || len(s.Lists[0].Matches) != 2 {
		t.Fatalf("lists %+v", s.Lists)
	}
	if c, ok := s.Lists[1].Matches[0].Content(); !ok || !c.Negated || s.Lists[1].Buffer != layer.TLSCertSubject {
		t.Errorf("subject %+v", s.Lists[1])
	}
	if c, ok := s.Lists[3].Matches[0].Content(); !ok || !c.NoCase || s.Lists[3].Buffer != layer.TLSCertFingerprint {
		t.Errorf("fingerprint %+v", s.Lists[3])
	}
	s = parse(t, `alert ftp-data any any -> any any (fileext:"txt"; filename:"secret"; sid:1;)`)
	m := s.Lists[0].Matches[0]
	if c, ok := m.Content(); !ok || !c.EndsWith || !c.NoCase || string(s.Blob[m.Data.Off:m.Data.Off+m.Data.Len]) != ".txt" || s.Lists[0].Buffer != layer.FileName {
		t.Errorf("fileext %+v", s.Lists)
	}
	refusal(t, `alert tls any any -> any any (tls.subject:x; sid:1;)`)
}

// Each keyword is refused with a value that makes no sense, by its own name.
func TestKeywordsRefuseNonsense(t *testing.T) {
	any := map[string]bool{ // take what comes
		"classtype": true, "metadata": true, "content": true, "uricontent": true, "pcre": true, "flowbits": false,
	}
	for _, k := range keywords {
		if any[k.Name] {
			continue
		}
		text := "alert ip any any -> any any (" + k.Name + ":%%nonsense%%; sid:1;)"
		if r := refusal(t, text); r.Keyword != k.Name {
			t.Errorf("%s: %v", k.Name, r)
		}
	}
}
