package camera

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
)

// Where a camera serves its stream, and to whom.
const (
	StreamPath = "/stream"
	User       = "viewer"
	Password   = "city-lab-1"

	rtspPort = 554
	rtpPort  = 8000
)

// rtsp is the camera's RTSP server (RFC 2326) with digest authentication, over UDP and interleaved TCP.
type rtsp struct {
	server *gortsplib.Server
	stream *gortsplib.ServerStream
	media  *description.Media
	player *player
	held   atomic.Bool // no picture is sent
}

func newRTSP(m *meter) (*rtsp, error) {
	v, err := cut(clip)
	if err != nil {
		return nil, err
	}
	h264 := &format.H264{PayloadTyp: 96, PacketizationMode: 1, SPS: v.sps, PPS: v.pps}
	p, err := newPlayer(v, h264)
	if err != nil {
		return nil, err
	}
	r := &rtsp{
		player: p,
		media:  &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{h264}},
	}
	r.server = &gortsplib.Server{
		Handler:        r,
		RTSPAddress:    fmt.Sprintf(":%d", rtspPort),
		UDPRTPAddress:  fmt.Sprintf(":%d", rtpPort),
		UDPRTCPAddress: fmt.Sprintf(":%d", rtpPort+1),
		AuthMethods:    []auth.VerifyMethod{auth.VerifyMethodDigestMD5},
		Listen:         m.listen,
		ListenPacket:   m.listenPacket,
		WriteQueueSize: 1024,
	}
	if err := r.server.Start(); err != nil {
		return nil, fmt.Errorf("start the RTSP server: %w", err)
	}
	r.stream = &gortsplib.ServerStream{Server: r.server, Desc: &description.Session{Medias: []*description.Media{r.media}}}
	if err := r.stream.Initialize(); err != nil {
		r.server.Close()
		return nil, fmt.Errorf("make the stream: %w", err)
	}
	return r, nil
}

// run sends pictures at their times until ctx ends.
func (r *rtsp) run(ctx context.Context) error {
	defer r.server.Close()
	defer r.stream.Close()
	tick := time.NewTicker(picturePeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if r.held.Load() {
				continue
			}
			packets, err := r.player.picture()
			if err != nil {
				return err
			}
			for _, p := range packets {
				if err := r.stream.WritePacketRTP(r.media, p); err != nil {
					return fmt.Errorf("send a picture: %w", err)
				}
			}
		}
	}
}

// OnDescribe answers DESCRIBE.
func (r *rtsp) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return r.admit(ctx.Conn, ctx.Request)
}

// OnSetup answers SETUP.
func (r *rtsp) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return r.admit(ctx.Conn, ctx.Request)
}

// OnPlay answers PLAY.
func (r *rtsp) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (r *rtsp) admit(conn *gortsplib.ServerConn, req *base.Request) (*base.Response, *gortsplib.ServerStream, error) {
	if !conn.VerifyCredentials(req, User, Password) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	return &base.Response{StatusCode: base.StatusOK}, r.stream, nil
}
