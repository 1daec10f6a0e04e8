package http

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// decoder undoes the content encodings of a body, the last one first.
type decoder struct {
	layers []codec
	n      int
	seen   int // encoded bytes
}

// A body of several layers is a bomb if it reaches its limit from so many times fewer bytes, counted in steps so that
// the way the stream is split makes no difference. One layer cannot do more than 1032 to 1, and stops at the limit.
const (
	bombRatio = 512
	bombStep  = 64
)

// encodings prepares for the Content-Encoding of a message. Clients find a known word in much that is no list of them.
func (p *parser) encodings(t *transaction, d flow.Direction) {
	m := &t.msg[d]
	list, ok := m.get(kContentEncoding)
	if !ok {
		return
	}
	n, items := 0, 0
	for len(list) > 0 {
		i := bytes.IndexAny(list, ", ")
		item := list
		if i >= 0 {
			item, list = list[:i], list[i+1:]
		} else {
			list = nil
		}
		if item = bytes.TrimRight(item, "\x00"); len(item) == 0 {
			continue
		}
		if items++; items > p.cfg.Layers {
			t.raise(d, evLayers)
			break
		}
		coding, plain := codingOf(item)
		if coding {
			n++
		}
		if !plain {
			t.raise(d, evAbnormalCE)
		}
	}
	if n > 0 {
		m.body.codec = p.decoder(n)
	}
}

// codingOf says whether an item of Content-Encoding asks for decoding, and whether it is written as it should be.
func codingOf(item []byte) (coding, plain bool) {
	for _, word := range [...]string{"gzip", "x-gzip", "deflate", "x-deflate"} {
		if len(item) == len(word) && prefix(item, word) == layer.Yes {
			return true, true
		}
	}
	for _, word := range [...]string{"gzip", "deflate"} {
		if containsWord(item, word) {
			return true, bytes.IndexByte(item, 0) >= 0
		}
	}
	return false, hasToken(item, "none") || hasToken(item, "inflate")
}

// decoder takes a chain of n layers that was used before, or makes one.
func (p *parser) decoder(n int) *decoder {
	var c *decoder
	if k := len(p.spare); k > 0 {
		c, p.spare = p.spare[k-1], p.spare[:k-1]
	} else {
		c = new(decoder)
	}
	if len(c.layers) < n {
		c.layers = make([]codec, n) // rarely more than one
	}
	c.n, c.seen = n, 0
	for i := range n {
		c.layers[i].reset()
	}
	return c
}

const spareDecoders = 1 // a flow rarely has more bodies at work, and a decoder is some kilobytes

func (p *parser) putDecoder(b *body) {
	c := b.codec
	b.codec = nil
	for i := range c.n - 1 {
		p.pool.Put(c.layers[i].out)
		c.layers[i].out = nil
	}
	if len(p.spare) < spareDecoders {
		p.spare = append(p.spare, c)
	}
}

// steady says that what was decoded so far stays: no layer may start over.
func (c *decoder) steady() bool {
	for i := range c.n {
		if !c.layers[i].steady() {
			return false
		}
	}
	return true
}

// decode puts a piece of an encoded body through the layers.
func (p *parser) decode(t *transaction, d flow.Direction, data []byte) {
	b := &t.msg[d].body
	c := b.codec
	for len(data) > 0 && !b.full {
		k := len(data)
		if c.n > 1 {
			k = min(k, bombStep-c.seen%bombStep)
		}
		p.through(t, d, 0, data[:k], false)
		c.seen += k
		data = data[k:]
		for i := range c.n {
			b.full = b.full || c.layers[i].full
		}
	}
	steps := (c.seen + bombStep - 1) / bombStep
	if b.full && c.n > 1 && len(b.kept) > bombRatio*bombStep*steps {
		t.raise(d, evBomb)
	}
}

// decodeEnd gives out what a layer held back to judge it.
func (p *parser) decodeEnd(t *transaction, d flow.Direction) {
	p.through(t, d, 0, nil, true)
}

// through gives data to a layer, and what comes out of it to the next.
func (p *parser) through(t *transaction, d flow.Direction, i int, data []byte, end bool) {
	b := &t.msg[d].body
	c := &b.codec.layers[i]
	out, limit := &c.out, b.limit+b.limit/8
	if i == b.codec.n-1 {
		out, limit = &b.kept, b.limit
	}
	before := c.restarts
	c.feed(p.pool, out, limit, data, end)
	if c.failed {
		t.raise(d, evGzipFailed)
	}
	if c.starved {
		t.raise(d, evMemory)
	}
	if i == b.codec.n-1 {
		return
	}
	if c.restarts != before {
		for j := i + 1; j < b.codec.n; j++ {
			b.codec.layers[j].reset()
			b.codec.layers[j].out = b.codec.layers[j].out[:0]
		}
		b.kept = b.kept[:0]
		c.given = 0
	}
	fresh := c.out[c.given:]
	c.given = len(c.out)
	p.through(t, d, i+1, fresh, end)
}

// reclaim takes back what an unfinished transaction holds besides its memory of the pool.
func (p *parser) reclaim(t *transaction) {
	for d := range t.msg {
		if b := &t.msg[d].body; b.codec != nil {
			p.putDecoder(b)
		}
	}
}
