package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"time"

	"citygate/pkg/flow"
)

// line is an EVE record, its fields in the order in which Suricata writes them. What is ours stands under Ours.
type line struct {
	Timestamp   string   `json:"timestamp"`
	FlowID      uint64   `json:"flow_id,omitempty"`
	InIface     string   `json:"in_iface,omitempty"`
	EventType   string   `json:"event_type"`
	VLAN        []uint16 `json:"vlan,omitempty"`
	SrcIP       string   `json:"src_ip,omitempty"`
	SrcPort     *uint16  `json:"src_port,omitempty"`
	DestIP      string   `json:"dest_ip,omitempty"`
	DestPort    *uint16  `json:"dest_port,omitempty"`
	Proto       string   `json:"proto,omitempty"`
	IPVersion   uint8    `json:"ip_v,omitempty"`
	ICMPType    *uint8   `json:"icmp_type,omitempty"`
	ICMPCode    *uint8   `json:"icmp_code,omitempty"`
	CommunityID string   `json:"community_id,omitempty"`
	Drop        any      `json:"drop,omitempty"`
	Flow        any      `json:"flow,omitempty"`
	TCP         any      `json:"tcp,omitempty"`
	Stats       any      `json:"stats,omitempty"`
	Anomaly     any      `json:"anomaly,omitempty"`
	Host        string   `json:"host,omitempty"`
	Ours        any      `json:"citygate"`
}

// EVE renders an event as one line of EVE JSON without its newline: Suricata's field names and order, and all that is
// ours under the one object "citygate". host is the name of the site or box; it may be empty. Times are in UTC.
func EVE(e Event, host string) []byte {
	h := e.Head()
	l := line{Timestamp: timestamp(h.Wall), InIface: h.Iface, EventType: e.EventType().String(), Host: host}
	e.eve(&l)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&l); err != nil {
		// The structures hold only texts, numbers, booleans and maps of them: encoding/json refuses none.
		panic(fmt.Sprintf("render %s event: %v", l.EventType, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// timestamp is RFC 3339 in microseconds, with the zone as Suricata writes it: without a colon.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-0700") }

// vlan fills in the tags, the outer first.
func (l *line) vlan(v flow.VLAN) {
	if outer := uint16(v >> 12 & 0xfff); outer != 0 {
		l.VLAN = []uint16{outer, uint16(v & 0xfff)}
	} else if v != 0 {
		l.VLAN = []uint16{uint16(v & 0xfff)}
	}
}

// tuple fills in what names a flow. icmpType and icmpCode count for ICMP and ICMPv6 only.
func (l *line) tuple(t flow.FiveTuple, v flow.VLAN, bridge string, icmpType, icmpCode uint8) {
	l.SrcIP, l.DestIP = t.Src.String(), t.Dst.String()
	l.Proto = t.Proto.String()
	l.IPVersion = 6
	if t.Src.Is4() {
		l.IPVersion = 4
	}
	switch t.Proto {
	case flow.TCP, flow.UDP, sctp:
		l.SrcPort, l.DestPort = &t.SrcPort, &t.DstPort
	case flow.ICMP, flow.ICMPv6:
		l.ICMPType, l.ICMPCode = &icmpType, &icmpCode
	}
	l.FlowID = flowID(t, v, bridge)
	l.CommunityID = CommunityID(t, icmpType, icmpCode)
}

// flowID is the same for both directions of a flow and on every box. It fits the 53 bits that JSON readers keep.
func flowID(t flow.FiveTuple, v flow.VLAN, bridge string) uint64 {
	if less(t.Dst, t.DstPort, t.Src, t.SrcPort) {
		t = t.Reverse()
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%v %v %v %d %d %d %d", bridge, t.Src, t.Dst, t.SrcPort, t.DstPort, t.Proto, v)
	return h.Sum64()>>11 | 1 // never 0, which would leave the field out
}

// seconds gives whole seconds, as Suricata counts them.
func seconds(d time.Duration) int64 { return int64(d / time.Second) }
