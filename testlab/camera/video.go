package camera

import (
	"bytes"
	_ "embed"
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"
)

// Four seconds of a 720p15 test picture as H.264, one key frame a second, no B frames.
//
//go:embed testdata/city.h264
var clip []byte

const (
	frameRate = 15
	clockRate = 90000 // RFC 6184, 8.2.1
)

// Types of NAL units (ITU-T H.264, table 7-1).
const (
	nalSlice    = 1
	nalKeySlice = 5
	nalSPS      = 7
	nalPPS      = 8
	nalDivider  = 9
)

// video is a clip cut into pictures.
type video struct {
	sps, pps []byte
	pictures [][][]byte // NAL units of each
}

// cut splits an Annex B byte stream into pictures; a picture here is one slice and what stands before it.
func cut(stream []byte) (video, error) {
	var v video
	var picture [][]byte
	for _, unit := range units(stream) {
		switch unit[0] & 0x1f {
		case nalDivider:
		case nalSPS:
			v.sps = unit
			picture = append(picture, unit)
		case nalPPS:
			v.pps = unit
			picture = append(picture, unit)
		case nalSlice, nalKeySlice:
			// first_mb_in_slice is the first field; its ue(v) code of 0 is a single 1 bit.
			if len(unit) > 1 && unit[1]&0x80 == 0 && len(v.pictures) > 0 {
				last := len(v.pictures) - 1
				v.pictures[last] = append(v.pictures[last], unit)
				continue
			}
			v.pictures = append(v.pictures, append(picture, unit))
			picture = nil
		default:
			picture = append(picture, unit)
		}
	}
	if v.sps == nil || v.pps == nil || len(v.pictures) == 0 {
		return video{}, fmt.Errorf("the clip has %d pictures, SPS %v, PPS %v", len(v.pictures), v.sps != nil, v.pps != nil)
	}
	return v, nil
}

// units gives the NAL units between start codes (ITU-T H.264, B.1).
func units(stream []byte) [][]byte {
	var out [][]byte
	for part := range bytes.SplitSeq(stream, []byte{0, 0, 1}) {
		if part = bytes.TrimRight(part, "\x00"); len(part) > 0 {
			out = append(out, part)
		}
	}
	return out
}

// player gives the RTP packets of one picture after the other, for ever, with growing timestamps.
type player struct {
	video   video
	encoder interface {
		Encode(au [][]byte) ([]*rtp.Packet, error)
	}
	next int
}

func newPlayer(v video, f *format.H264) (*player, error) {
	enc, err := f.CreateEncoder()
	if err != nil {
		return nil, fmt.Errorf("make the RTP encoder: %w", err)
	}
	return &player{video: v, encoder: enc}, nil
}

const picturePeriod = time.Second / frameRate

func (p *player) picture() ([]*rtp.Packet, error) {
	packets, err := p.encoder.Encode(p.video.pictures[p.next%len(p.video.pictures)])
	if err != nil {
		return nil, fmt.Errorf("encode picture %d: %w", p.next, err)
	}
	for _, packet := range packets {
		packet.Timestamp = uint32(p.next) * (clockRate / frameRate)
	}
	p.next++
	return packets, nil
}
