package camera

import (
	"encoding/binary"
	"net"
	"sort"
	"sync"

	"citygate/testlab/stream"
)

// meter counts the RTP packets that sockets took, by stream: the truth about what was sent.
type meter struct {
	mu   sync.Mutex
	sent map[stream.ID]*stream.Sent
}

func newMeter() *meter { return &meter{sent: map[stream.ID]*stream.Sent{}} }

// maxStreams bounds the memory of a camera that runs for weeks.
const maxStreams = 4096

func (m *meter) count(id stream.ID, packet []byte) {
	if len(packet) < 4 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sent[id]
	if s == nil {
		if len(m.sent) >= maxStreams {
			return
		}
		s = &stream.Sent{ID: id}
		m.sent[id] = s
	}
	s.Packets++
	s.Bytes += uint64(len(packet))
	s.LastSeq = binary.BigEndian.Uint16(packet[2:])
}

func (m *meter) list() []stream.Sent {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]stream.Sent, 0, len(m.sent))
	for _, s := range m.sent {
		out = append(out, *s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID.String() < out[j].ID.String() })
	return out
}

// listenPacket makes the server's UDP sockets; that of the RTP port counts what it sends.
func (m *meter) listenPacket(network, address string) (net.PacketConn, error) {
	conn, err := net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	udp := conn.(*net.UDPConn)
	if udp.LocalAddr().(*net.UDPAddr).Port != rtpPort {
		return udp, nil
	}
	return &meteredUDP{UDPConn: udp, meter: m}, nil
}

type meteredUDP struct {
	*net.UDPConn
	meter *meter
}

func (c *meteredUDP) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := c.UDPConn.WriteTo(b, to)
	if err == nil {
		c.meter.count(stream.ID{Transport: stream.UDP, Client: stream.AddrPort(to)}, b)
	}
	return n, err
}

// listen makes the server's TCP listener; its connections count the interleaved frames they send.
func (m *meter) listen(network, address string) (net.Listener, error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	return &meteredListener{Listener: l, meter: m}, nil
}

type meteredListener struct {
	net.Listener
	meter *meter
}

func (l *meteredListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &meteredTCP{Conn: c, meter: l.meter}, nil
}

type meteredTCP struct {
	net.Conn
	meter *meter
}

// Write sees one interleaved frame at a time: '$', channel, length (RFC 2326, 10.12). Even channels carry RTP.
func (c *meteredTCP) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err == nil && len(b) > 4 && b[0] == '$' && b[1]&1 == 0 {
		c.meter.count(stream.ID{Transport: stream.TCP, Client: stream.AddrPort(c.RemoteAddr())}, b[4:])
	}
	return n, err
}
