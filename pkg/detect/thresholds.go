package detect

import (
	"time"

	"citygate/pkg/signature"
)

// maxThresholds is how many counts are kept. When the table is full the one that is nearest to its end goes; it is
// counted in Counters.Thresholds.
const maxThresholds = 65536

// thresholds counts alerts by signature and by what a threshold tracks.
type thresholds struct {
	byKey map[thresholdKey]*tally
	ring  []thresholdKey // in the order of their making: what to push out
	next  int
}

type thresholdKey struct {
	gid, sid uint32
	which    uint8 // type
	a, b     [16]byte
	flow     uint64
}

// tally is one count.
type tally struct {
	start time.Time // of the window
	count uint32
	until time.Time // a rate filter's new action holds
	next  uint32    // of a backoff: the count of the next alert
	seen  []uint64  // values that were counted, of packets that have to differ
}

func (t *thresholds) init() { t.byKey = map[thresholdKey]*tally{} }

// get is the count of a key; it makes one.
func (t *thresholds) get(k thresholdKey, now time.Time, lost *uint64) *tally {
	if x := t.byKey[k]; x != nil {
		return x
	}
	if len(t.ring) < maxThresholds {
		t.ring = append(t.ring, k)
	} else {
		delete(t.byKey, t.ring[t.next])
		t.ring[t.next] = k
		t.next = (t.next + 1) % maxThresholds
		*lost++
	}
	x := &tally{start: now}
	t.byKey[k] = x
	return x
}

// limit counts a match of a signature. say: it is written as an alert; act: its action counts. A rate filter changes the
// action.
func (e *Engine) limit(sig *record, action *signature.Action) (say, act bool) {
	say = true
	list := e.rules.thresholds[sig.Thresholds.First : sig.Thresholds.First+sig.Thresholds.N]
	for i := range list {
		t := &list[i]
		switch t.Type {
		case signature.Suppress:
			if e.suppressed(t) {
				e.count.Suppressed++
				return false, sig.Action.Blocks()
			}
		case signature.DetectionFilter:
			if !e.tally(sig, t).over(t, e.p.Time, &e.p.Packet) {
				return false, false
			}
		case signature.RateFilter:
			e.tally(sig, t).rate(t, e.p.Time, action)
		default:
			s, a := e.tally(sig, t).window(t, e.p.Time)
			if !s {
				e.count.Suppressed++
			}
			if !a {
				return false, false
			}
			say = say && s
		}
	}
	return say, true
}

// tally is the count that a threshold keeps for the packet in hand.
func (e *Engine) tally(sig *record, t *threshold) *tally {
	k := thresholdKey{gid: sig.GID, sid: sig.SID, which: uint8(t.Type)}
	tuple := &e.p.Headers.Tuple
	switch t.Track {
	case signature.BySrc:
		k.a = tuple.Src.As16()
	case signature.ByDst:
		k.a = tuple.Dst.As16()
	case signature.ByPair:
		k.a, k.b = tuple.Src.As16(), tuple.Dst.As16()
		if string(k.a[:]) > string(k.b[:]) {
			k.a, k.b = k.b, k.a
		}
	case signature.ByFlow:
		if f := e.p.Flow; f != nil {
			k.flow = f.ID
		}
	}
	return e.limits.get(k, e.p.Time, &e.count.Thresholds)
}

func (e *Engine) suppressed(t *threshold) bool {
	if t.AnyIP != 0 {
		return true
	}
	tuple := &e.p.Headers.Tuple
	if !tuple.Src.IsValid() {
		return false
	}
	src, dst := e.rules.hasAddress(t.IPs, tuple.Src), e.rules.hasAddress(t.IPs, tuple.Dst)
	switch t.Track {
	case signature.BySrc:
		return src
	case signature.ByDst:
		return dst
	}
	return src || dst
}

// distinct is the field by which packets have to differ to be counted; ok is false if all count.
func (p *Packet) distinct(field uint8) (value uint16, ok bool) {
	switch field {
	case 1:
		return p.Headers.Tuple.SrcPort, true
	case 2:
		return p.Headers.Tuple.DstPort, true
	}
	return 0, false
}

// roll begins a new window if the last one is over.
func (x *tally) roll(seconds uint32, now time.Time) {
	if now.Sub(x.start) >= time.Duration(seconds)*time.Second {
		*x = tally{start: now, until: x.until}
	}
}

// over is detection_filter: more than Count matches in the window.
func (x *tally) over(t *threshold, now time.Time, p *Packet) bool {
	x.roll(t.Seconds, now)
	if bit, ok := p.distinct(t.Distinct); ok {
		if x.seen == nil {
			x.seen = make([]uint64, 65536/64)
		}
		if x.seen[bit>>6]>>(bit&63)&1 != 0 {
			return x.count > t.Count
		}
		x.seen[bit>>6] |= 1 << (bit & 63)
	}
	x.count++
	return x.count > t.Count
}

// rate is rate_filter: at Count matches in the window another action holds for Timeout.
func (x *tally) rate(t *threshold, now time.Time, action *signature.Action) {
	if now.Before(x.until) {
		*action = t.NewAction
		return
	}
	x.roll(t.Seconds, now)
	x.count++
	if x.count > t.Count {
		*action = t.NewAction
		x.until = now.Add(time.Duration(t.Timeout) * time.Second)
		x.count = 0
	}
}

// window is limit, threshold, both and backoff. say: it is an alert; act: the action counts (what a limit only silences still
// drops).
func (x *tally) window(t *threshold, now time.Time) (say, act bool) {
	if t.Type == signature.Backoff {
		x.count++
		if x.next == 0 {
			x.next = t.Count
		}
		if x.count == x.next {
			x.next *= max(t.Multiplier, 2)
			return true, true
		}
		return false, x.count > t.Count
	}
	x.roll(t.Seconds, now)
	x.count++
	switch t.Type {
	case signature.Limit:
		return x.count <= t.Count, true
	case signature.ThresholdEach:
		if x.count >= t.Count {
			*x = tally{start: now}
			return true, true
		}
		return false, false
	}
	return x.count == t.Count, x.count >= t.Count
}
