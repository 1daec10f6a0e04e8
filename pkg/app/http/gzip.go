package http

// gzipHeader is the place within a header (RFC 1952, 2.3).
type gzipHeader struct {
	n     int // bytes read
	flags byte
	extra int // bytes of the extra field that are left; -1 once it is over
	step  uint8
}

// Steps behind the ten fixed bytes.
const (
	gExtraLow = iota
	gExtraHigh
	gExtra
	gName
	gComment
	gCheck
	gCheck2
	gEnd
)

const gzipReserved = 0xe0 // flags that must be 0

const maxGzipName = 400 // a name that is longer is none: the flag lies

// read takes header bytes. done is true behind the last.
func (h *gzipHeader) read(f format, in []byte) (rest []byte, done, ok bool) {
	fixed := [...]int{fGzip: 10, fBare: 10, fZlib: 2, fRaw: 0}[f]
	for h.n < fixed && len(in) > 0 {
		if h.n == 3 {
			h.flags = in[0]
		}
		in = in[1:]
		h.n++
	}
	if f != fGzip {
		return in, h.n >= fixed, true
	}
	for h.n >= fixed {
		h.skip()
		if h.step == gEnd {
			return in, true, true
		}
		if len(in) == 0 {
			break
		}
		c := in[0]
		in = in[1:]
		h.n++
		h.optional(c)
		if h.n > maxGzipName && h.step < gCheck && h.step > gExtra {
			return in, false, false
		}
	}
	return in, false, true
}

// skip passes over the fields that the flags say are not there.
func (h *gzipHeader) skip() {
	if h.step == gExtraLow && h.flags&4 == 0 {
		h.step = gName
	}
	if h.step == gExtra && h.extra == 0 {
		h.step = gName
	}
	if h.step == gName && h.flags&8 == 0 {
		h.step = gComment
	}
	if h.step == gComment && h.flags&16 == 0 {
		h.step = gCheck
	}
	if h.step == gCheck && h.flags&2 == 0 {
		h.step = gEnd
	}
}

// optional takes a byte of the field at step.
func (h *gzipHeader) optional(c byte) {
	switch h.step {
	case gExtraLow:
		h.extra = int(c)
		h.step++
	case gExtraHigh:
		h.extra |= int(c) << 8
		h.step++
	case gExtra:
		h.extra--
	case gName, gComment:
		if c == 0 {
			h.step++
		}
	case gCheck, gCheck2:
		h.step++
	}
}
