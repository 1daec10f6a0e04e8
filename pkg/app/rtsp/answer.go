package rtsp

import (
	"citygate/pkg/app/line"
	"citygate/pkg/flow"
)

// publish puts the message that is read into the list: as a transaction of its own, or an answer into its request's.
func (p *Parser) publish(d flow.Direction, s *side) {
	t := s.tx
	s.listed = true
	p.understand(t, d)
	t.headed[d] = true
	if t.Request == d {
		p.list.Add(t)
		return
	}
	if o := p.asked(t, d); o != nil {
		p.join(o, t, d)
		if s.tx = o; informs(t.Status) {
			s.tx = nil
		}
		p.spare(t)
		return
	}
	if !informs(t.Status) {
		t.events[d].Add(eventUnmatched)
	}
	t.judge()
	t.headed[t.Request], t.complete[t.Request] = true, true
	p.list.Add(t)
}

func informs(status int) bool { return status >= 100 && status < 200 }

// understand reads what the headers say.
func (p *Parser) understand(t *Tx, d flow.Direction) {
	t.CSeq = -1
	if v, ok := t.header(d, cseq); ok {
		if t.CSeq, ok = line.Number(v, maxCSeq); !ok {
			t.CSeq = -1
			t.events[d].Add(eventCSeq)
		}
	}
	if v, ok := t.header(d, transport); ok {
		part := &t.parts[d]
		part.transports = parseTransports(part.transports[:0], v)
		for i := range part.transports {
			p.announce(part.transports[i].Interleaved)
		}
	}
	if t.Request == d {
		t.judge()
	}
}

// announce notes the channels of a SETUP.
func (p *Parser) announce(channels [2]int16) {
	if channels[0] < 0 {
		return
	}
	for _, c := range channels {
		p.channels[c>>6] |= 1 << (c & 63)
	}
}

// asked is the request that an answer belongs to: the oldest that waits with its CSeq, or if it has none the oldest.
func (p *Parser) asked(t *Tx, d flow.Direction) *Tx {
	for i := range p.list.Len() {
		o := p.list.At(i)
		if o.waits(d.Reverse()) && (t.CSeq < 0 || o.CSeq == t.CSeq) {
			return o
		}
	}
	return nil
}

// join gives an answer to its request. One that only informs (1xx) is forgotten: the final one is still to come.
func (p *Parser) join(o, t *Tx, d flow.Direction) {
	o.events[d] |= t.events[d]
	if !informs(t.Status) {
		o.parts[d], t.parts[d] = t.parts[d], o.parts[d]
		o.Status, o.headed[d] = t.Status, true
		o.judge()
		if string(o.Method()) == "RECORD" && o.Status/100 == 2 && d == flow.ToClient {
			p.recording = true
		}
	}
}

func (p *Parser) spare(t *Tx) {
	t.clear(p.pool)
	p.list.Spare(t)
}
