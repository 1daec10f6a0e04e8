// Package eve writes what the engine found as EVE JSON lines: Suricata's field names and order, and all that is ours
// under the one object "citygate".
package eve

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"time"

	"citygate/pkg/app/layer"
	"citygate/pkg/detect"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/reassembly"
)

// Options choose what is written besides alerts.
type Options struct {
	Inline       bool // drop records, and alerts that block are "blocked"
	Transactions bool
	Flows        bool
	Anomalies    bool
	CommunityID  bool
}

// Writer is an Output that writes lines. The first error of the file stays and is Close's.
type Writer struct {
	out  *bufio.Writer
	opt  Options
	o    layer.Object
	line []byte
	err  error
}

// New makes a Writer.
func New(w io.Writer, opt Options) *Writer {
	return &Writer{out: bufio.NewWriterSize(w, 1<<18), opt: opt}
}

// Close writes what is left.
func (w *Writer) Close() error {
	if err := w.out.Flush(); w.err == nil {
		w.err = err
	}
	return w.err
}

const timeFormat = "2006-01-02T15:04:05.000000-0700"

// begin starts a line; what all records have comes first.
func (w *Writer) begin(kind string, at time.Time, number uint64, f *detect.Flow, h *packet.Headers) *layer.Object {
	o := &w.o
	b := append(w.line[:0], `{"timestamp":"`...)
	b = at.UTC().AppendFormat(b, timeFormat)
	o.Reset(append(b, `"`...))
	o.Continue()
	if f != nil {
		o.Uint("flow_id", f.ID)
	}
	if number != 0 {
		o.Uint("pcap_cnt", number)
	}
	o.Text("event_type", kind)
	if h.VLANCount > 0 {
		o.Array("vlan")
		for _, v := range h.VLANs[:h.VLANCount] {
			o.ItemInt(int64(v))
		}
		o.EndArray()
	}
	w.tuple(o, f, h)
	return o
}

// tuple writes the ends of a packet.
func (w *Writer) tuple(o *layer.Object, f *detect.Flow, h *packet.Headers) {
	t := &h.Tuple
	if !t.Src.IsValid() || h.IPVersion == 0 {
		return
	}
	w.addr(o, "src_ip", t.Src)
	ports := t.Proto == flow.TCP || t.Proto == flow.UDP || t.Proto == 132
	if ports {
		o.Uint("src_port", uint64(t.SrcPort))
	}
	w.addr(o, "dest_ip", t.Dst)
	if ports {
		o.Uint("dest_port", uint64(t.DstPort))
	}
	o.Text("proto", protoName(t.Proto))
	if t.Src.Is4() {
		o.Int("ip_v", 4)
	} else {
		o.Int("ip_v", 6)
	}
	if t.Proto == flow.ICMP || t.Proto == flow.ICMPv6 {
		o.Uint("icmp_type", uint64(h.ICMPType))
		o.Uint("icmp_code", uint64(h.ICMPCode))
	}
	if w.opt.CommunityID {
		o.Text("community_id", w.communityID(t, h, f))
	}
}

// communityID is the flow's, or of a packet without one its own.
func (w *Writer) communityID(t *flow.FiveTuple, h *packet.Headers, f *detect.Flow) string {
	if f == nil || t.Proto == flow.ICMP || t.Proto == flow.ICMPv6 {
		return event.CommunityID(*t, h.ICMPType, h.ICMPCode)
	}
	if f.CommunityID == "" {
		f.CommunityID = event.CommunityID(*t, 0, 0)
	}
	return f.CommunityID
}

// addr writes an address as Suricata does: IPv6 in full, without "::".
func (w *Writer) addr(o *layer.Object, name string, a netip.Addr) {
	var buf [48]byte
	if a.Is4() {
		o.Raw(name, a.AppendTo(buf[:0]))
		return
	}
	b := buf[:0]
	for i, c := range a.As16() {
		if i > 0 && i%2 == 0 {
			b = append(b, ':')
		}
		const digits = "0123456789abcdef"
		b = append(b, digits[c>>4], digits[c&15])
	}
	o.Raw(name, b)
}

// protoNames are IP protocols as EVE writes them; others are three digits.
var protoNames = map[flow.Proto]string{
	1: "ICMP", 2: "IGMP", 4: "IP-in-IP", 6: "TCP", 17: "UDP", 41: "IPv6", 46: "RSVP", 47: "GRE", 50: "ESP", 51: "AH",
	58: "IPv6-ICMP", 88: "EIGRP", 89: "OSPFIGP", 103: "PIM", 112: "VRRP", 115: "L2TP", 132: "SCTP", 136: "UDPLite",
}

func protoName(p flow.Proto) string {
	if name, ok := protoNames[p]; ok {
		return name
	}
	return fmt.Sprintf("%03d", uint8(p))
}

// end finishes a line and writes it.
func (w *Writer) end(o *layer.Object) {
	w.line = append(o.Bytes(), '}', '\n')
	if _, err := w.out.Write(w.line); w.err == nil {
		w.err = err
	}
}

// Alert writes an alert.
func (w *Writer) Alert(a *detect.Alert) {
	p := a.Packet
	o := w.begin("alert", p.Time, p.Number, p.Flow, p.Headers)
	o.Text("pkt_src", source(p.Number))
	if tx := a.Tx(); tx != nil {
		o.Uint("tx_id", tx.Inspection().ID)
		if a.Guessed() {
			o.Bool("tx_guessed", true)
		}
	}
	o.Begin("alert")
	if a.Blocked(w.opt.Inline) {
		o.Text("action", "blocked")
	} else {
		o.Text("action", "allowed")
	}
	o.Uint("gid", uint64(a.Rule.GID()))
	o.Uint("signature_id", uint64(a.Rule.SID()))
	o.Uint("rev", uint64(a.Rule.Rev()))
	o.Raw("signature", a.Rule.Msg())
	o.Raw("category", a.Rule.Category())
	o.Uint("severity", uint64(a.Rule.Priority()))
	w.target(o, a)
	if m := a.Rule.Metadata(); len(m) > 0 {
		o.Begin("metadata")
		o.Inside(m)
		o.End()
	}
	o.End()
	if a.Proto() > layer.Failed {
		// Some protocols write one record for both directions.
		_ = w.app(o, a.Proto(), a.Tx(), p.Direction) || w.app(o, a.Proto(), a.Tx(), p.Direction.Reverse())
		o.Text("app_proto", a.Proto().String())
	}
	if p.Flow != nil {
		o.Text("direction", p.Direction.String())
		w.flow(o, p.Flow)
	}
	w.end(o)
}

func source(number uint64) string {
	if number == 0 {
		return "stream (flow timeout)"
	}
	return "wire/pcap"
}

// target writes who attacks whom, if the rule says.
func (w *Writer) target(o *layer.Object, a *detect.Alert) {
	t := &a.Packet.Headers.Tuple
	if a.Rule.Target() == 0 || !t.Src.IsValid() {
		return
	}
	ends := [...]struct {
		ip   netip.Addr
		port uint16
	}{{t.Src, t.SrcPort}, {t.Dst, t.DstPort}}
	if a.Rule.Target() == 1 {
		ends[0], ends[1] = ends[1], ends[0]
	}
	for i, name := range [...]string{"source", "target"} {
		o.Begin(name)
		w.addr(o, "ip", ends[i].ip)
		if ends[i].port != 0 {
			o.Uint("port", uint64(ends[i].port))
		}
		o.End()
	}
}

// kindOf is a protocol's event_type.
func kindOf(p layer.Proto) string {
	if p == layer.FTPData {
		return "ftp_data"
	}
	return p.String()
}

// ours are protocols that Suricata's EVE does not know: their objects stand under "citygate".
func ours(p layer.Proto) bool {
	return p == layer.RTSP || p == layer.WSDiscovery || p == layer.Telnet
}

// app writes the protocol's object of a transaction. It reports whether there was anything.
func (w *Writer) app(o *layer.Object, p layer.Proto, tx layer.Tx, d flow.Direction) bool {
	if tx == nil {
		return false
	}
	mark := o.Mark()
	if ours(p) {
		o.Begin("citygate")
	}
	if !tx.Log(o, d) {
		o.Back(mark)
		return false
	}
	if ours(p) {
		o.End()
	}
	return true
}

// flow writes what the flow counted so far.
func (w *Writer) flow(o *layer.Object, f *detect.Flow) {
	s := f.State()
	o.Begin("flow")
	o.Uint("pkts_toserver", s.Packets[0])
	o.Uint("pkts_toclient", s.Packets[1])
	o.Uint("bytes_toserver", s.Bytes[0])
	o.Uint("bytes_toclient", s.Bytes[1])
	var buf [40]byte
	o.Raw("start", f.Start.UTC().AppendFormat(buf[:0], timeFormat))
	w.addr(o, "src_ip", f.Tuple.Src)
	w.addr(o, "dest_ip", f.Tuple.Dst)
	if f.Tuple.Proto == flow.TCP || f.Tuple.Proto == flow.UDP {
		o.Uint("src_port", uint64(f.Tuple.SrcPort))
		o.Uint("dest_port", uint64(f.Tuple.DstPort))
	}
	o.End()
}

// Transaction writes a record of the protocol's own.
func (w *Writer) Transaction(p *detect.Packet, f *detect.Flow, proto layer.Proto, tx layer.Tx, d flow.Direction) {
	if !w.opt.Transactions {
		return
	}
	h := packet.Headers{Tuple: f.Tuple, IPVersion: 4, VLANs: f.VLANs, VLANCount: f.VLANn}
	if d == flow.ToClient && proto == layer.DNS { // a record per message, with its sender first
		h.Tuple = f.Tuple.Reverse()
	}
	o := w.begin(kindOf(proto), p.Time, p.Number, f, &h)
	o.Uint("tx_id", tx.Inspection().ID)
	if w.app(o, proto, tx, d) {
		w.end(o)
	}
}

// Drop writes why a packet did not pass.
func (w *Writer) Drop(p *detect.Packet, reason string) {
	if !w.opt.Inline {
		return
	}
	h := p.Headers
	o := w.begin("drop", p.Time, p.Number, p.Flow, h)
	o.Begin("drop")
	o.Int("len", int64(h.IPLength))
	if h.IPVersion == 4 {
		o.Uint("tos", uint64(h.TOS))
		o.Uint("ttl", uint64(h.TTL))
		o.Uint("ipid", uint64(h.ID))
	}
	if h.Tuple.Proto == flow.TCP {
		o.Uint("tcpseq", uint64(h.TCP.Seq))
		o.Uint("tcpack", uint64(h.TCP.Ack))
		o.Uint("tcpwin", uint64(h.TCP.Window))
		o.Bool("syn", h.TCP.Flags&packet.SYN != 0)
		o.Bool("ack", h.TCP.Flags&packet.ACK != 0)
		o.Bool("psh", h.TCP.Flags&packet.PSH != 0)
		o.Bool("rst", h.TCP.Flags&packet.RST != 0)
		o.Bool("urg", h.TCP.Flags&packet.URG != 0)
		o.Bool("fin", h.TCP.Flags&packet.FIN != 0)
		o.Uint("tcpurgp", uint64(h.TCP.Urgent))
	}
	o.Text("reason", reason)
	o.End()
	w.end(o)
}

// Anomaly writes what is odd in a frame, a stream or a transaction.
func (w *Writer) Anomaly(p *detect.Packet, a detect.Anomaly) {
	if !w.opt.Anomalies {
		return
	}
	o := w.begin("anomaly", p.Time, p.Number, p.Flow, p.Headers)
	o.Begin("anomaly")
	if a.Proto > layer.Failed {
		o.Text("app_proto", a.Proto.String())
	}
	o.Text("type", a.Type)
	o.Text("event", a.Event)
	o.End()
	w.end(o)
}

// Flow writes a flow that is over.
func (w *Writer) Flow(f *detect.Flow) {
	if !w.opt.Flows {
		return
	}
	h := packet.Headers{Tuple: f.Tuple, IPVersion: 4, VLANs: f.VLANs, VLANCount: f.VLANn}
	o := w.begin("flow", f.Last, 0, f, &h)
	if p := f.Conn().Proto(); p != layer.Unknown {
		o.Text("app_proto", p.String())
	}
	s := f.State()
	o.Begin("flow")
	o.Uint("pkts_toserver", s.Packets[0])
	o.Uint("pkts_toclient", s.Packets[1])
	o.Uint("bytes_toserver", s.Bytes[0])
	o.Uint("bytes_toclient", s.Bytes[1])
	var buf [40]byte
	o.Raw("start", f.Start.UTC().AppendFormat(buf[:0], timeFormat))
	o.Raw("end", f.Last.UTC().AppendFormat(buf[:0], timeFormat))
	o.Int("age", int64(f.Last.Sub(f.Start)/time.Second))
	o.Text("state", state(f))
	o.Text("reason", "timeout")
	o.Bool("alerted", f.Alerts > 0)
	o.End()
	if f.Tuple.Proto == flow.TCP {
		o.Begin("tcp")
		o.Text("state", f.Session().State().String())
		o.End()
	}
	w.end(o)
}

func state(f *detect.Flow) string {
	switch {
	case f.Tuple.Proto == flow.TCP && f.Session().State() >= reassembly.TimeWait:
		return "closed"
	case f.Established():
		return "established"
	}
	return "new"
}

var _ detect.Output = (*Writer)(nil)
