package reassembly

import "citygate/pkg/flow"

// State is where a session stands (RFC 9293, 3.3.2), as seen from the middle.
type State uint8

// The states of a session.
const (
	None        State = iota // nothing was seen yet
	SynSent                  // the client's SYN
	SynReceived              // the server's SYN/ACK
	Established              // data may flow
	FinWait1                 // one side has sent its FIN
	FinWait2                 // and the other has acknowledged it
	CloseWait                // the server, or whoever got it, may still send
	Closing                  // both have sent a FIN before they saw the other's
	LastAck                  // both have sent a FIN; the last acknowledgement is missing
	TimeWait                 // both are acknowledged
	Closed                   // over, or reset
	states
)

var stateNames = [states]string{
	"none", "syn_sent", "syn_recv", "established", "fin_wait1", "fin_wait2", "close_wait",
	"closing", "last_ack", "time_wait", "closed",
}

// String is the name that EVE's flow records have.
func (s State) String() string {
	if s < states {
		return stateNames[s]
	}
	return "unknown"
}

// Session is a TCP connection: its state and both streams. The zero value is a connection of which nothing was seen.
// It belongs to the Assembler that saw its first segment, which must Close it in the end.
type Session struct {
	state   State
	prior   State // before a RST
	flags   sessionFlags
	streams [2]Stream
	offers  *offers // beside the present ones, until the handshake ends
}

type sessionFlags uint16

const (
	midstream     sessionFlags = 1 << iota // picked up without the handshake's first packets
	async                                  // only one side was seen
	fourWay                                // the server answered with a SYN of its own
	fastOpen                               // the SYN asked for TCP fast open
	timestamps                             // both sides use timestamps
	confirmed                              // the server has seen the end of the handshake
	dataIgnored                            // the server did not take the data of the SYN
	zeroProbed                             // a zero window probe waits for its answer
	sawClient                              // the client has sent something
	sawServer                              // the server has; the bit after sawClient
	reset                                  // ended by RST
	resetByServer                          // the server's RST
	finFirst                               // a FIN was seen
	serverFirst                            // and the server's was the first
	signs                                  // its SYN was signed
)

func (f *sessionFlags) set(x sessionFlags)     { *f |= x }
func (f sessionFlags) has(x sessionFlags) bool { return f&x != 0 }

// State is where the session stands.
func (s *Session) State() State { return s.state }

// Established says that the session was established, and perhaps has ended since.
func (s *Session) Established() bool { return s.state >= Established }

// Midstream says that the session was picked up without its handshake.
func (s *Session) Midstream() bool { return s.flags.has(midstream) }

// OneSided says that only one side of the session has been seen.
func (s *Session) OneSided() bool { return s.flags.has(async) }

// Reset says that the session was ended by a RST.
func (s *Session) Reset() bool { return s.flags.has(reset) }

// Swap turns the session round: what was sent to the server was sent to the client. For a session that was picked up in
// its middle, when its bytes tell who is the server.
func (s *Session) Swap() {
	s.streams[0], s.streams[1] = s.streams[1], s.streams[0]
	if sides := s.flags & (sawClient | sawServer); sides == sawClient || sides == sawServer {
		s.flags ^= sawClient | sawServer
	}
	if s.flags.has(finFirst) {
		s.flags ^= serverFirst
	}
	if s.flags.has(reset) {
		s.flags ^= resetByServer
	}
	s.flags &^= confirmed
	s.close()
}

// Stream is the stream that is sent in a direction.
func (s *Session) Stream(d flow.Direction) *Stream { return &s.streams[d&1] }
