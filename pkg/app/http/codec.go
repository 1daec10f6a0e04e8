package http

import "citygate/pkg/app/layer"

// format is what a layer's bytes are taken for.
type format uint8

const (
	fUnknown format = iota
	fGzip           // RFC 1952
	fBare           // DEFLATE behind ten bytes of a gzip header whose flags lie
	fZlib           // RFC 1950
	fRaw            // DEFLATE
	fPlain          // not encoded, whatever the server says
)

// What a codec reads next.
const (
	cHeader = iota
	cData
	cTrailer
	cOver
)

const (
	trial   = 512 // bytes that are kept to start over in another format
	trailer = 8   // bytes behind gzip's data
)

// codec undoes one content encoding. It goes by what the bytes are, not by what the server says; if the first ones fail
// in one format it tries the next, and in the end takes them as they are, as clients do.
type codec struct {
	z        inflater
	out      []byte // of all layers but the last
	given    int    // bytes of out that the next layer had
	format   format
	state    uint8
	header   gzipHeader
	behind   int // bytes of the trailer
	pre      [trial]byte
	npre     int
	wrote    bool // something came out
	settled  bool // it is too late to start over
	failed   bool // the bytes were not what they said to be
	full     bool // the limit is reached
	starved  bool // the pool is empty
	restarts int
}

func (c *codec) reset() {
	c.z.reset()
	c.given, c.format, c.state, c.header, c.behind, c.npre = 0, fUnknown, cHeader, gzipHeader{}, 0, 0
	c.wrote, c.settled, c.failed, c.full, c.starved, c.restarts = false, false, false, false, false, 0
}

// feed puts bytes through.
func (c *codec) feed(p *layer.Pool, out *[]byte, limit int, in []byte, end bool) {
	for len(in) > 0 && !c.settled && !c.full {
		k := copy(c.pre[c.npre:], in)
		piece := in[:k]
		in = in[k:]
		c.npre += k
		c.attempt(p, out, limit, piece)
		c.settled = c.npre == trial
	}
	if len(in) > 0 && !c.full {
		c.run(p, out, limit, in)
	}
	if end && c.format == fUnknown && c.npre > 0 {
		c.format = fPlain
		c.run(p, out, limit, c.pre[:c.npre])
	}
}

// attempt runs while nothing is settled.
func (c *codec) attempt(p *layer.Pool, out *[]byte, limit int, piece []byte) {
	if c.format == fUnknown {
		if c.npre < 2 {
			return
		}
		c.format = sniff(c.pre[:c.npre])
		piece = c.pre[:c.npre]
	}
	for !c.run(p, out, limit, piece) {
		switch c.format {
		case fGzip:
			c.format = fBare
		case fZlib, fBare:
			c.format = fRaw
		default:
			c.format = fPlain
		}
		c.failed = true
		c.z.reset()
		c.state, c.header = cHeader, gzipHeader{}
		c.restarts++
		*out, c.wrote = (*out)[:0], false
		piece = c.pre[:c.npre]
	}
}

func sniff(b []byte) format {
	switch {
	case b[0] == 0x1f && b[1] == 0x8b:
		return fGzip
	case b[0]&15 == 8 && (int(b[0])<<8|int(b[1]))%31 == 0 && b[1]&0x20 == 0:
		return fZlib
	}
	return fRaw
}

// run reads in its format. ok is false if it failed and may start over.
func (c *codec) run(p *layer.Pool, out *[]byte, limit int, in []byte) (ok bool) {
	for len(in) > 0 && !c.full {
		switch {
		case c.format == fPlain:
			c.plain(p, out, limit, in)
			return true
		case c.state == cHeader:
			var done bool
			if in, done, ok = c.header.read(c.format, in); !ok {
				return c.fail(p, out, limit, in)
			}
			if done {
				c.state = cData
				c.failed = c.failed || c.header.flags&gzipReserved != 0
			}
		case c.state == cData:
			if in, ok = c.inflate(p, out, limit, in); !ok {
				return c.fail(p, out, limit, in)
			}
			if c.state == cTrailer && c.format == fRaw && c.z.n >= 8 {
				c.passOn(p, out, limit, in)
				return true
			}
		case c.format == fRaw: // what is behind it may be plain text that only looked like DEFLATE
			c.passOn(p, out, limit, in)
			return true
		default:
			in = c.ending(in)
		}
	}
	return true
}

// fail ends decoding. What went well in gzip or zlib stays, and what follows is passed on; else another format is tried.
func (c *codec) fail(p *layer.Pool, out *[]byte, limit int, rest []byte) (ok bool) {
	if !c.sure() && !c.settled {
		return false
	}
	c.passOn(p, out, limit, rest)
	return true
}

// passOn gives up decoding for the rest of the body.
func (c *codec) passOn(p *layer.Pool, out *[]byte, limit int, rest []byte) {
	c.format, c.failed = fPlain, true
	var ahead [8]byte // bytes that the inflater took but did not use
	n := 0
	c.z.take(c.z.n & 7)
	for v, ok := c.z.take(8); ok; v, ok = c.z.take(8) {
		ahead[n] = byte(v)
		n++
	}
	c.plain(p, out, limit, ahead[:n])
	c.plain(p, out, limit, rest)
}

// sure says that the format proved right.
func (c *codec) sure() bool { return (c.format == fGzip || c.format == fZlib) && c.wrote }

// steady says that it will not start over.
func (c *codec) steady() bool {
	return c.settled || c.full || c.format == fPlain || c.state >= cTrailer || c.sure()
}

// plain passes bytes on.
func (c *codec) plain(p *layer.Pool, out *[]byte, limit int, in []byte) {
	if c.full || len(in) == 0 {
		return
	}
	if room := limit - len(*out); len(in) >= room {
		in, c.full = in[:max(room, 0)], true
	}
	var ok bool
	if *out, ok = p.Append(*out, in); !ok {
		c.full, c.starved = true, true
	}
}

// inflate decompresses. ok is false if it cannot.
func (c *codec) inflate(p *layer.Pool, out *[]byte, limit int, in []byte) (rest []byte, ok bool) {
	for {
		b := *out
		var r result
		in, b, r = c.z.run(in, b[:len(b):min(cap(b), limit)])
		*out = (*out)[:len(b)]
		c.wrote = c.wrote || len(b) > 0
		switch r {
		case zFailed:
			return in, false
		case zDone:
			c.state, c.behind = cTrailer, 0
			return in, true
		case zInput:
			return in, true
		}
		if len(b) >= limit {
			c.full = true
			return nil, true
		}
		if !c.grow(p, out) {
			return nil, true
		}
	}
}

const firstOutput = 4 << 10 // room for the first decompressed bytes

// grow makes room behind out.
func (c *codec) grow(p *layer.Pool, out *[]byte) bool {
	b := p.Get(max(firstOutput, 2*cap(*out)))
	if b == nil {
		c.full, c.starved = true, true
		return false
	}
	b = append(b, *out...)
	p.Put(*out)
	*out = b
	return true
}

// ending skips what is behind the compressed data, up to another gzip member.
func (c *codec) ending(in []byte) (rest []byte) {
	for c.state == cTrailer {
		v, ok := c.z.take(8)
		switch {
		case ok:
		case len(in) > 0:
			v, in = int(in[0]), in[1:]
		default:
			return in
		}
		c.behind++
		if c.format != fGzip && c.format != fBare || c.behind <= trailer {
			continue
		}
		if c.behind > trailer+1 || v != 0x1f {
			c.state = cOver
			break
		}
		c.z.reset()
		c.state, c.header, c.format = cHeader, gzipHeader{n: 1}, fGzip
		return in
	}
	return nil
}
