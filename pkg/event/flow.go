package event

import (
	"fmt"
	"time"

	"citygate/pkg/flow"
	"citygate/pkg/verdict"
)

// How a Flow ended or stands, in Suricata's words.
const (
	FlowNew         = "new"         // frames of one direction only
	FlowEstablished = "established" // frames of both directions
	FlowClosed      = "closed"      // TCP: FIN or RST seen

	FlowTimeout  = "timeout"  // nothing came for a while
	FlowShutdown = "shutdown" // the gateway stopped watching
)

// Flow says what a flow moved, both directions together. The client is the end that opened it.
type Flow struct {
	Header
	Tuple flow.FiveTuple // from client to server
	VLAN  flow.VLAN
	Side  flow.Side // of the client
	FramesToServer,
	FramesToClient,
	BytesToServer,
	BytesToClient uint64
	Start, End time.Time // first and last frame
	State      string    // FlowNew, FlowEstablished, FlowClosed
	EndReason  string    // FlowTimeout, FlowShutdown; empty while it lives
	Verdict    verdict.Verdict
	Reason     verdict.Reason // why it passes
	Client     string         // the client's name in the policy
	Server     string         // the server's name in the policy
	Service    string         // the policy's name of the service
	PolicyLine string
	Generation uint32 // of the policy
	TCPToServer,
	TCPToClient uint8 // all TCP flags seen; TCPToServer alone where the directions are not told apart
}

// EventType is TypeFlow.
func (*Flow) EventType() Type { return TypeFlow }

func (f *Flow) wire(c *coder) {
	c.tuple(&f.Tuple)
	u32(c, &f.VLAN)
	u8(c, &f.Side)
	u64(c, &f.FramesToServer)
	u64(c, &f.FramesToClient)
	u64(c, &f.BytesToServer)
	u64(c, &f.BytesToClient)
	c.time(&f.Start)
	c.time(&f.End)
	c.text(&f.State, maxName)
	c.text(&f.EndReason, maxName)
	u8(c, &f.Verdict)
	u8(c, &f.Reason)
	c.text(&f.Client, maxName)
	c.text(&f.Server, maxName)
	c.text(&f.Service, maxName)
	c.text(&f.PolicyLine, maxText)
	u32(c, &f.Generation)
	u8(c, &f.TCPToServer)
	u8(c, &f.TCPToClient)
}

// flowBody is EVE's flow object.
type flowBody struct {
	PktsToServer  uint64 `json:"pkts_toserver"`
	PktsToClient  uint64 `json:"pkts_toclient"`
	BytesToServer uint64 `json:"bytes_toserver"`
	BytesToClient uint64 `json:"bytes_toclient"`
	Start         string `json:"start"`
	End           string `json:"end"`
	Age           int64  `json:"age"`
	State         string `json:"state"`
	Reason        string `json:"reason,omitempty"`
	Alerted       bool   `json:"alerted"`
}

// tcpBody is EVE's tcp object.
type tcpBody struct {
	Flags         string `json:"tcp_flags"`
	FlagsToServer string `json:"tcp_flags_ts"`
	FlagsToClient string `json:"tcp_flags_tc"`
}

type flowOurs struct {
	Bridge     string `json:"bridge,omitempty"`
	Side       string `json:"side"`
	VLAN       string `json:"vlan,omitempty"`
	Client     string `json:"client,omitempty"`
	Server     string `json:"server,omitempty"`
	Service    string `json:"service,omitempty"`
	Verdict    string `json:"verdict"`
	Reason     string `json:"reason"`
	ReasonText string `json:"reason_text"`
	PolicyLine string `json:"policy_line,omitempty"`
	Generation uint32 `json:"generation"`
}

// The data path keeps state for echo requests alone, of all ICMP messages.
const (
	icmpEcho  = 8
	icmp6Echo = 128
)

func (f *Flow) eve(l *line) {
	l.vlan(f.VLAN)
	request := uint8(icmpEcho)
	if f.Tuple.Proto == flow.ICMPv6 {
		request = icmp6Echo
	}
	if f.Tuple.Src.IsValid() && f.Tuple.Dst.IsValid() {
		l.tuple(f.Tuple, f.VLAN, f.Bridge, request, 0)
	}
	l.Flow = flowBody{
		PktsToServer: f.FramesToServer, PktsToClient: f.FramesToClient,
		BytesToServer: f.BytesToServer, BytesToClient: f.BytesToClient,
		Start: timestamp(f.Start), End: timestamp(f.End), Age: seconds(f.End.Sub(f.Start)),
		State: f.State, Reason: f.EndReason,
	}
	if f.Tuple.Proto == flow.TCP {
		l.TCP = tcpBody{hex8(f.TCPToServer | f.TCPToClient), hex8(f.TCPToServer), hex8(f.TCPToClient)}
	}
	l.Ours = flowOurs{
		Bridge: f.Bridge, Side: f.Side.String(), VLAN: vlanText(f.VLAN), Client: f.Client, Server: f.Server,
		Service: f.Service, Verdict: f.Verdict.String(), Reason: f.Reason.String(), ReasonText: f.Reason.Text(),
		PolicyLine: f.PolicyLine, Generation: f.Generation,
	}
}

func hex8(v uint8) string { return fmt.Sprintf("%02x", v) }
