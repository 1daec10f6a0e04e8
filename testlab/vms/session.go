package vms

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"
	"golang.org/x/sys/unix"

	"citygate/testlab/camera"
	"citygate/testlab/stream"
)

// receiveBuffer is large enough for seconds of video: what is lost in a socket is not lost on the way.
const receiveBuffer = 8 << 20

// rtpPorts is where a server receives RTP; the flood generator stays out of it.
var rtpPorts = [2]uint16{40000, 49999}

// session is one try to play one stream.
type session struct {
	pull   Pull
	server netip.Addr

	mu      sync.Mutex
	id      stream.ID
	counter stream.Counter
	open    bool
	err     error
	rtp     *net.UDPConn
	dropped uint64
}

func newSession(p Pull, server netip.Addr) *session {
	return &session{pull: p, server: server, id: stream.ID{Transport: p.Transport}}
}

// play opens the stream and counts its packets until it breaks or ctx ends.
func (s *session) play(ctx context.Context) error {
	protocol := gortsplib.ProtocolUDP
	if s.pull.Transport == stream.TCP {
		protocol = gortsplib.ProtocolTCP
	}
	u, err := base.ParseURL(s.url())
	if err != nil {
		return fmt.Errorf("parse the URL of %s: %w", s.pull.Camera, err)
	}
	client := &gortsplib.Client{
		Scheme: u.Scheme, Host: u.Host, Protocol: &protocol,
		UDPSourcePortRange: rtpPorts, ListenPacket: s.listenPacket, DialContext: s.dial,
		ReadTimeout: 5 * time.Second, OnDecodeError: func(error) {}, OnPacketsLost: func(uint64) {},
	}
	if err := client.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, client.Close)
	defer stop()
	defer client.Close()
	desc, _, err := client.Describe(u)
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	if err := client.SetupAll(desc.BaseURL, desc.Medias); err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	client.OnPacketRTPAny(s.interleaved)
	if _, err := client.Play(nil); err != nil {
		return fmt.Errorf("play: %w", err)
	}
	s.mu.Lock()
	s.open = true
	s.mu.Unlock()
	return client.Wait()
}

func (s *session) url() string {
	return "rtsp://" + camera.User + ":" + camera.Password + "@" + netip.AddrPortFrom(s.server, 554).String() + camera.StreamPath
}

// dial opens the RTSP connection, and takes the client's name in the stream from it.
func (s *session) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	local := stream.AddrPort(conn.LocalAddr())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pull.Transport == stream.TCP {
		s.id.Client = local
	} else {
		s.id.Client = netip.AddrPortFrom(local.Addr(), s.id.Client.Port())
	}
	return conn, nil
}

// listenPacket opens the RTP (even) and RTCP sockets (RFC 3550, 11); the first counts what it reads.
func (s *session) listenPacket(network, address string) (net.PacketConn, error) {
	conn, err := net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	udp := conn.(*net.UDPConn)
	port := udp.LocalAddr().(*net.UDPAddr).Port
	if port%2 != 0 {
		return udp, nil
	}
	if err := enlarge(udp); err != nil {
		udp.Close()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id.Client = netip.AddrPortFrom(s.id.Client.Addr(), uint16(port))
	s.rtp = udp
	return &countedUDP{UDPConn: udp, session: s}, nil
}

func enlarge(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	if err := raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer)
	}); err != nil {
		return err
	}
	return set
}

type countedUDP struct {
	*net.UDPConn
	session *session
}

func (c *countedUDP) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.UDPConn.ReadFrom(b)
	if err == nil && n >= 12 { // RFC 3550, 5.1: the fixed header
		c.session.count(uint16(b[2])<<8|uint16(b[3]), n)
	}
	return n, from, err
}

func (c *countedUDP) Close() error {
	c.session.dropCount()
	return c.UDPConn.Close()
}

// interleaved counts a packet of a TCP session; those of UDP were counted at the socket.
func (s *session) interleaved(_ *description.Media, _ format.Format, p *rtp.Packet) {
	if s.pull.Transport == stream.TCP {
		s.count(p.SequenceNumber, p.MarshalSize())
	}
}

func (s *session) count(seq uint16, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counter.Add(seq, size, time.Now())
}

// dropCount reads how many datagrams the kernel had no room for (sock_diag's SK_MEMINFO_DROPS).
func (s *session) dropCount() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rtp == nil {
		return
	}
	raw, err := s.rtp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // a closed socket keeps its last count
		if n, err := socketDrops(int(fd)); err == nil {
			s.dropped = uint64(n)
		}
	})
}

func (s *session) closed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = false
	if err == nil {
		err = errors.New("the camera ended the session")
	}
	s.err = err
}

func (s *session) worth() bool {
	r := s.stats(time.Now())
	return r.Open || r.Packets > 0
}

func (s *session) stats(now time.Time) stream.Received {
	s.dropCount()
	s.mu.Lock()
	defer s.mu.Unlock()
	r := stream.Received{ID: s.id, Camera: s.pull.Camera, Open: s.open, SocketDrop: s.dropped}
	if s.err != nil {
		r.Error = s.err.Error()
	}
	s.counter.Fill(&r, now)
	return r
}
