package traffic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"
	"golang.org/x/sync/errgroup"
)

// A camera's picture: 1080p25 at about 3 Mbit/s, a key frame a second.
const (
	frameRate    = 25
	clockRate    = 90000 // RFC 6184, 8.2.1
	keyFrameSize = 70_000
	frameSize    = 12_300
	payloadSize  = 1380 // of RTP: a packet fits into a segment, and into IPv6
	streamPath   = "/Streaming/Channels/101"
	user         = "viewer"
	password     = "city-lab-1"
)

// overTCP says which cameras are pulled interleaved: nine of twenty.
func overTCP(i int) bool { return i%2 == 1 && i != 19 }

// camera is one RTSP server.
type camera struct {
	server *gortsplib.Server
	stream *gortsplib.ServerStream
	media  *description.Media
}

func serveCameras(ctx context.Context) error {
	for i := range cameraCount {
		c, err := newCamera(i)
		if err != nil {
			return fmt.Errorf("camera %d: %w", i, err)
		}
		go c.run(ctx, dice(fmt.Sprint("camera ", i)))
	}
	return nil
}

func newCamera(i int) (*camera, error) {
	a := cameraAddr(i)
	// SPS and PPS of 1080p, main profile.
	h264 := &format.H264{
		PayloadTyp: 96, PacketizationMode: 1,
		SPS: []byte{0x67, 0x4d, 0x00, 0x28, 0xab, 0x40, 0x3c, 0x01, 0x13, 0xf2, 0xe0, 0x22, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x00, 0x03, 0x00, 0x65, 0x1e, 0x30, 0x63, 0x24},
		PPS: []byte{0x68, 0xee, 0x3c, 0x80},
	}
	c := &camera{media: &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{h264}}}
	c.server = &gortsplib.Server{
		Handler: c, RTSPAddress: at(a, 554), UDPRTPAddress: at(a, 8000), UDPRTCPAddress: at(a, 8001),
		AuthMethods: []auth.VerifyMethod{auth.VerifyMethodDigestMD5}, WriteQueueSize: 1024,
	}
	if err := c.server.Start(); err != nil {
		return nil, err
	}
	c.stream = &gortsplib.ServerStream{Server: c.server, Desc: &description.Session{Medias: []*description.Media{c.media}}}
	return c, c.stream.Initialize()
}

// run sends pictures of random bytes, which is what an entropy coder gives.
func (c *camera) run(ctx context.Context, d *rand.Rand) {
	encoder, err := c.media.Formats[0].(*format.H264).CreateEncoder()
	if err != nil {
		return // the recording will lack the stream, and its viewer says so
	}
	encoder.PayloadMaxSize = payloadSize
	tick := time.NewTicker(time.Second / frameRate)
	defer tick.Stop()
	for n := d.IntN(frameRate); ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		packets, err := encoder.Encode([][]byte{picture(n, d)})
		if err != nil {
			return
		}
		for _, p := range packets {
			p.Timestamp = uint32(n) * (clockRate / frameRate)
			if c.stream.WritePacketRTP(c.media, p) != nil {
				return
			}
		}
	}
}

// picture is one slice (ITU-T H.264, table 7-1).
func picture(n int, d *rand.Rand) []byte {
	size, head := frameSize/2+d.IntN(frameSize), byte(0x41)
	if n%frameRate == 0 {
		size, head = keyFrameSize/2+d.IntN(keyFrameSize), 0x65
	}
	return append([]byte{head, 0x9a}, randomBytes(d, size)...)
}

func randomBytes(d *rand.Rand, n int) []byte {
	b := make([]byte, n+8)
	for i := 0; i < n; i += 8 {
		v := d.Uint64()
		for j := range 8 {
			b[i+j] = byte(v >> (8 * j))
		}
	}
	return b[:n]
}

// OnDescribe answers DESCRIBE.
func (c *camera) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return c.admit(ctx.Conn, ctx.Request)
}

// OnSetup answers SETUP.
func (c *camera) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return c.admit(ctx.Conn, ctx.Request)
}

// OnPlay answers PLAY.
func (c *camera) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (c *camera) admit(conn *gortsplib.ServerConn, req *base.Request) (*base.Response, *gortsplib.ServerStream, error) {
	if !conn.VerifyCredentials(req, user, password) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}

// watchCameras pulls every camera's stream.
func watchCameras(ctx context.Context, g *errgroup.Group) {
	for i := range cameraCount {
		g.Go(func() error {
			pause(ctx, time.Duration(i)*30*time.Millisecond)
			if err := watch(ctx, i); err != nil && ctx.Err() == nil {
				return fmt.Errorf("watch camera %d: %w", i, err)
			}
			return nil
		})
	}
}

func watch(ctx context.Context, i int) error {
	protocol, local := gortsplib.ProtocolUDP, vms
	if overTCP(i) {
		protocol = gortsplib.ProtocolTCP
	}
	if cameraAddr(i).Is6() {
		local = vms6
	}
	u, err := base.ParseURL("rtsp://" + user + ":" + password + "@" + at(cameraAddr(i), 554) + streamPath)
	if err != nil {
		return err
	}
	client := &gortsplib.Client{
		Scheme: u.Scheme, Host: u.Host, Protocol: &protocol, UDPSourcePortRange: [2]uint16{40000, 49999},
		DialContext:   func(ctx context.Context, n, a string) (net.Conn, error) { return from(local).DialContext(ctx, n, a) },
		ReadTimeout:   5 * time.Second,
		OnDecodeError: func(error) {}, OnPacketsLost: func(uint64) {},
	}
	if err := client.Start(); err != nil {
		return err
	}
	defer client.Close()
	desc, _, err := client.Describe(u)
	if err != nil {
		return err
	}
	if err := client.SetupAll(desc.BaseURL, desc.Medias); err != nil {
		return err
	}
	got := make(chan struct{}, 1)
	client.OnPacketRTPAny(func(*description.Media, format.Format, *rtp.Packet) {
		select {
		case got <- struct{}{}:
		default:
		}
	})
	if _, err := client.Play(nil); err != nil {
		return err
	}
	// A pull that stops is an error, one that ctx ends is not.
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-got:
		case <-time.After(3 * time.Second):
			return errors.New("no packet for seconds")
		}
	}
}
