package http

// result is what a step of an inflater came to.
type result uint8

const (
	zNext   result = iota // go on
	zInput                // all input was read
	zRoom                 // there is no room for more output
	zDone                 // the stream is complete
	zFailed               // this is no DEFLATE stream
)

// What an inflater reads next.
const (
	zBlock = iota
	zStored
	zStoredData
	zTable
	zTableCodes
	zTableSizes
	zSymbols
	zCopy
	zEnd
)

// inflater undoes DEFLATE (RFC 1951) from input that comes in any pieces. Its window is what it wrote, so that it needs no
// memory besides its tables. (compress/flate cannot be given the next piece later.)
type inflater struct {
	state  uint8
	last   bool
	n      uint // how many bits are in bits
	bits   uint64
	left   int // bytes of a stored block or of a copy
	dist   int
	lits   int
	dists  int
	codes  int
	have   int
	sizes  [320]uint8
	lit    huffman
	offset huffman
}

func (z *inflater) reset() { z.state, z.last, z.n, z.bits = zBlock, false, 0, 0 }

// run appends what in holds to out, whose capacity it does not exceed. It stops for one of the reasons but zNext.
func (z *inflater) run(in, out []byte) (rest, longer []byte, r result) {
	for {
		in = z.fill(in)
		switch z.state {
		case zSymbols:
			in, out, r = z.symbols(in, out)
		case zCopy:
			out, r = z.copy(out)
		case zStoredData:
			in, out, r = z.storedData(in, out)
		case zEnd:
			r = zDone
		default:
			r = z.header()
		}
		if r == zNext || r == zInput && len(in) > 0 {
			continue
		}
		return in, out, r
	}
}

// fill takes bytes into the bits until no step can want more.
func (z *inflater) fill(in []byte) []byte {
	for z.n <= 56 && len(in) > 0 {
		z.bits |= uint64(in[0]) << z.n
		z.n += 8
		in = in[1:]
	}
	return in
}

// take gives k bits if they are there.
func (z *inflater) take(k uint) (v int, ok bool) {
	if z.n < k {
		return 0, false
	}
	v = int(z.bits & (1<<k - 1))
	z.bits >>= k
	z.n -= k
	return v, true
}

// header reads what is in front of a block's data.
func (z *inflater) header() result {
	switch z.state {
	case zBlock:
		return z.block()
	case zStored:
		v, ok := z.take(32)
		if !ok {
			return zInput
		}
		if v>>16 != ^v&0xffff {
			return zFailed
		}
		z.left, z.state = v&0xffff, zStoredData
		return zNext
	case zTable:
		v, ok := z.take(14)
		if !ok {
			return zInput
		}
		z.lits, z.dists, z.codes, z.have = v&31+257, v>>5&31+1, v>>10+4, 0
		if z.lits > 286 || z.dists > 30 {
			return zFailed
		}
		clear(z.sizes[:19])
		z.state = zTableCodes
		return zNext
	case zTableCodes:
		return z.tableCodes()
	}
	return z.tableSizes()
}

// block reads a block's first three bits.
func (z *inflater) block() result {
	if z.last {
		z.state = zEnd
		return zNext
	}
	v, ok := z.take(3)
	if !ok {
		return zInput
	}
	z.last = v&1 != 0
	switch v >> 1 {
	case 0:
		z.take(z.n & 7)
		z.state = zStored
	case 1:
		z.fixed()
		z.state = zSymbols
	case 2:
		z.state = zTable
	default:
		return zFailed
	}
	return zNext
}

// storedData copies a stored block. Up to eight of its bytes are in the bits.
func (z *inflater) storedData(in, out []byte) (rest, longer []byte, r result) {
	for z.left > 0 && z.n >= 8 && len(out) < cap(out) {
		v, _ := z.take(8)
		out = append(out, byte(v))
		z.left--
	}
	if z.n < 8 {
		k := min(z.left, len(in), cap(out)-len(out))
		out = append(out, in[:k]...)
		in = in[k:]
		z.left -= k
	}
	switch {
	case z.left == 0:
		z.state = zBlock
		return in, out, zNext
	case len(out) == cap(out):
		return in, out, zRoom
	}
	return in, out, zInput
}

// Lengths and distances of RFC 1951, 3.2.5.
var (
	lengthBase = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthBits = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase   = [30]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distBits   = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// symbols reads literals and copies of a block. A length and its distance are taken together (at most 48 bits).
func (z *inflater) symbols(in, out []byte) (rest, longer []byte, r result) {
	for {
		in = z.fill(in)
		if len(out) == cap(out) {
			return in, out, zRoom
		}
		sym, used, ok := z.lit.decode(z.bits, z.n)
		switch {
		case sym < 0:
			return in, out, zFailed
		case !ok:
			return in, out, zInput
		case sym < 256:
			out = append(out, byte(sym))
			z.bits >>= used
			z.n -= used
			continue
		case sym == 256:
			z.bits >>= used
			z.n -= used
			z.state = zBlock
			return in, out, zNext
		case sym > 285:
			return in, out, zFailed
		}
		if r = z.match(sym-257, used); r != zNext {
			return in, out, r
		}
		if z.dist > len(out) {
			return in, out, zFailed
		}
		if out, r = z.copy(out); r != zNext {
			return in, out, r
		}
	}
}

// match reads the rest of a copy whose length's symbol has used bits.
func (z *inflater) match(sym int, used uint) result {
	bits, n := z.bits>>used, z.n-used
	if n < uint(lengthBits[sym]) {
		return zInput
	}
	z.left = int(lengthBase[sym]) + int(bits&(1<<lengthBits[sym]-1))
	bits >>= lengthBits[sym]
	n -= uint(lengthBits[sym])
	d, used, ok := z.offset.decode(bits, n)
	if d < 0 || d > 29 {
		return zFailed
	}
	if !ok || n-used < uint(distBits[d]) {
		return zInput
	}
	bits >>= used
	z.dist = int(distBase[d]) + int(bits&(1<<distBits[d]-1))
	z.bits = bits >> distBits[d]
	z.n = n - used - uint(distBits[d])
	return zNext
}

// copy repeats earlier output as far as there is room.
func (z *inflater) copy(out []byte) (longer []byte, r result) {
	k := min(z.left, cap(out)-len(out))
	z.left -= k
	for k > 0 {
		from := len(out) - z.dist
		c := min(k, z.dist)
		out = append(out, out[from:from+c]...)
		k -= c
	}
	if z.left > 0 {
		z.state = zCopy
		return out, zRoom
	}
	z.state = zSymbols
	return out, zNext
}
