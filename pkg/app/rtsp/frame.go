package rtsp

import (
	"bytes"

	"citygate/pkg/flow"
)

// A frame is '$', a channel, a length of two bytes, and RTP or RTCP (RFC 2326, 10.12; RFC 7826, 14).
const (
	frameHead = 4
	// trusted frames in a row tell that a channel is in use whose SETUP was not seen: the bytes behind one frame's
	// length are the next frame's first, by chance in one of 256.
	trusted = 4
	minRTCP = 8 // bytes of the shortest RTCP packet (RFC 3550, 6.4.2); RTP has 12
)

// frame reads a frame's head. What it carries is passed over if nothing can hide there, else searched.
func (p *Parser) frame(d flow.Direction, s *side, data []byte, end bool) (n int, again bool) {
	if len(data) < frameHead+1 && !end {
		if len(data) < frameHead || data[2] != 0 || data[3] != 0 {
			return 0, false
		}
	}
	if len(data) < frameHead {
		return len(data), true // the stream ends here
	}
	length := int(data[2])<<8 | int(data[3])
	media := length == 0 || len(data) > frameHead && data[frameHead]>>6 == 2 // version 2 of RTP (RFC 3550, 5.1)
	known := p.channels[data[1]>>6]>>(data[1]&63)&1 != 0
	if media {
		s.aligned++
	} else {
		s.aligned = 0
	}
	if !known && s.aligned < trusted && !s.warned {
		s.warned = true
		p.carry(d, eventFrame)
	}
	s.framed = true
	if media && (known && !s.lied || s.aligned > trusted) && (d == flow.ToClient || p.recording) {
		return frameHead + length, true
	}
	s.state, s.left, s.seen = inFrame, length, 0
	if length == 0 {
		s.state = between
	}
	return frameHead, true
}

// searchFrame looks for a message inside a frame.
func (p *Parser) searchFrame(d flow.Direction, s *side, data []byte, end bool) (n int, again bool) {
	all := len(data) >= s.left || end
	n, found := s.search(data[:min(len(data), s.left)], all)
	s.left -= n
	if found {
		s.pending.Add(eventFrameLie)
		s.aligned, s.lied = 0, true
	}
	if found || s.left == 0 {
		s.state, s.seen = between, 0
		return n, true
	}
	return n, false
}

// frameIn looks for a frame that looks like RTP, behind what was looked at before: a channel below 64, a plausible length,
// version 2. If it is not sure of one, a frame may begin at the place where it stopped.
func frameIn(data []byte, from int, end bool) (at int, sure bool) {
	for {
		i := bytes.IndexByte(data[from:], '$')
		if i < 0 {
			return len(data), false
		}
		i += from
		from = i + 1
		if len(data)-i < frameHead+1 {
			if end {
				return len(data), false
			}
			return i, false
		}
		if length := int(data[i+2])<<8 | int(data[i+3]); data[i+1] < 64 && length >= minRTCP && data[i+frameHead]>>6 == 2 {
			return i, true
		}
	}
}
