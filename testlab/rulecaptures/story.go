// Package rulecaptures makes the captures that the shipped rules are tested on: for each rule an attack as it travels, and
// a twin as close to it as normal traffic comes, which must stay silent.
package rulecaptures

import (
	"net/netip"
	"slices"

	"citygate/pkg/flow"
	"citygate/testlab/forge"
)

// Story is what a rule is tested on.
type Story struct {
	SID      uint32
	Attack   func(*Scene)
	Clean    func(*Scene)
	Count    int            // alerts of SID that the attack must give; 0 means 1
	Also     map[uint32]int // alerts of other rules that it must give besides
	Settings []string       // --set of both captures
}

// All are the stories of every shipped rule.
func All() []Story {
	return slices.Concat(onvifStories(), rtspStories(), exploitStories(), botnetStories(), credentialStories(),
		modbusStories(), discoveryStories())
}

// The hosts of the stories. What is outside is of the networks for documentation (RFC 5737).
var (
	vms      = netip.MustParseAddr("192.168.64.2")
	camera   = netip.MustParseAddr("192.168.64.10")
	plc      = netip.MustParseAddr("192.168.64.30")
	stranger = netip.MustParseAddr("192.168.64.99")
	outside  = netip.MustParseAddr("203.0.113.9")
	group    = netip.MustParseAddr("239.255.255.250")
)

// Settings that tell the roles apart: by default all are the whole home network.
var roles = []string{
	"vars.address-groups.CAMERAS=192.168.64.8/29", "vars.address-groups.VMS_SERVERS=192.168.64.2",
	"vars.address-groups.PLCS=192.168.64.30",
}

// Scene is a capture in the making.
type Scene struct {
	*forge.Capture
	Segment int // bytes of every segment at most; 0 leaves it to the story
	port    uint16
}

// NewScene is an empty scene.
func NewScene() *Scene { return &Scene{Capture: forge.New(), port: 40000} }

// Turn is what one side says before the other speaks.
type Turn struct {
	From flow.Direction
	Data string
	Size int // bytes of a segment at most; 0 cuts the data in two
}

// ask is a client's turn in two segments, whole one in a single one. answer is a server's turn.
func ask(data string) Turn    { return Turn{From: flow.ToServer, Data: data} }
func whole(data string) Turn  { return Turn{From: flow.ToServer, Data: data, Size: 1460} }
func answer(data string) Turn { return Turn{From: flow.ToClient, Data: data, Size: 1460} }

// Talk is a TCP connection from its handshake to its end.
func (s *Scene) Talk(client, server netip.Addr, port uint16, turns ...Turn) {
	s.port++
	k := s.Open(netip.AddrPortFrom(client, s.port), netip.AddrPortFrom(server, port))
	for _, t := range turns {
		size := t.Size
		if size == 0 {
			size = min(1460, (len(t.Data)+1)/2)
		}
		if s.Segment > 0 {
			size = s.Segment
		}
		k.Send(t.From, []byte(t.Data), size)
	}
	k.Close()
}

// Knock is a first segment that is refused.
func (s *Scene) Knock(client, server netip.Addr, port uint16) {
	s.port++
	k := s.TCP(netip.AddrPortFrom(client, s.port), netip.AddrPortFrom(server, port))
	k.Put(forge.Segment{From: flow.ToServer, Seq: -1, Flags: forge.SYN, NoAck: true})
	k.Ack[flow.ToClient] = k.ISN[flow.ToServer] + 1
	k.Next[flow.ToClient] = 0
	k.Reset(flow.ToClient)
}

// Datagram is a UDP datagram from a new port.
func (s *Scene) Datagram(client, server netip.Addr, port uint16, data string) {
	s.port++
	s.UDP(netip.AddrPortFrom(client, s.port), netip.AddrPortFrom(server, port), []byte(data))
}

// talk is a story with one connection to a camera.
func talk(port uint16, turns ...Turn) func(*Scene) {
	return func(s *Scene) { s.Talk(stranger, camera, port, turns...) }
}
