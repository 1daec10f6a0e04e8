package http

const quick = 9 // bits that are decoded by one look-up

// huffman is a canonical code (RFC 1951, 3.2.2).
type huffman struct {
	count  [16]uint16
	symbol [288]uint16
	fast   [1 << quick]uint16 // symbol and length of short codes, else 0
}

// build makes the code from its symbols' lengths. A code that leaves bit patterns unused is refused, unless it has one
// symbol of one bit or none, as is one that has too many.
func (h *huffman) build(sizes []uint8) (ok bool) {
	clear(h.count[:])
	clear(h.fast[:])
	for _, s := range sizes {
		h.count[s]++
	}
	used := len(sizes) - int(h.count[0])
	h.count[0] = 0
	left := 1
	var offset, code [17]uint16
	for l := 1; l <= 15; l++ {
		left = left<<1 - int(h.count[l])
		if left < 0 {
			return false
		}
		offset[l+1] = offset[l] + h.count[l]
		code[l+1] = (code[l] + h.count[l]) << 1
	}
	for sym, s := range sizes {
		if s == 0 {
			continue
		}
		h.symbol[offset[s]] = uint16(sym)
		offset[s]++
		if s <= quick {
			h.spread(code[s], s, uint16(sym))
		}
		code[s]++
	}
	return left == 0 || used == 0 || used == 1 && h.count[1] == 1
}

// spread enters a short code for all bits that may follow it. Codes come with their first bit lowest.
func (h *huffman) spread(code uint16, size uint8, sym uint16) {
	r := 0
	for range size {
		r = r<<1 | int(code&1)
		code >>= 1
	}
	for i := r; i < 1<<quick; i += 1 << size {
		h.fast[i] = sym<<4 | uint16(size)
	}
}

// decode reads a symbol from the n lowest bits. ok is false if they do not suffice; sym is -1 if they are no code.
func (h *huffman) decode(bits uint64, n uint) (sym int, used uint, ok bool) {
	if e := h.fast[bits&(1<<quick-1)]; e != 0 {
		used = uint(e & 15)
		return int(e >> 4), used, used <= n
	}
	code, first, index := 0, 0, 0
	for l := uint(1); l <= 15; l++ {
		if l > n {
			return 0, 0, false
		}
		code |= int(bits & 1)
		bits >>= 1
		count := int(h.count[l])
		if code-first < count {
			return int(h.symbol[index+code-first]), l, true
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	return -1, 0, false
}

// order is that of the code lengths' code lengths (RFC 1951, 3.2.7).
var order = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// tableCodes reads the code in which the block's codes are written.
func (z *inflater) tableCodes() result {
	for z.have < z.codes {
		v, ok := z.take(3)
		if !ok {
			return zInput
		}
		z.sizes[order[z.have]] = uint8(v)
		z.have++
	}
	if !z.lit.build(z.sizes[:19]) {
		return zFailed
	}
	z.have, z.state = 0, zTableSizes
	return zNext
}

// tableSizes reads the lengths of the block's codes.
func (z *inflater) tableSizes() result {
	for total := z.lits + z.dists; z.have < total; {
		sym, used, ok := z.lit.decode(z.bits, z.n)
		if sym < 0 {
			return zFailed
		}
		if !ok {
			return zInput
		}
		repeat, size, extra := 1, uint8(sym), uint(0)
		switch sym {
		case 16:
			if z.have == 0 {
				return zFailed
			}
			repeat, size, extra = 3, z.sizes[z.have-1], 2
		case 17:
			repeat, size, extra = 3, 0, 3
		case 18:
			repeat, size, extra = 11, 0, 7
		}
		if z.n < used+extra {
			return zInput
		}
		z.take(used)
		v, _ := z.take(extra)
		if repeat += v; z.have+repeat > total {
			return zFailed
		}
		for range repeat {
			z.sizes[z.have] = size
			z.have++
		}
	}
	if z.sizes[256] == 0 || !z.offset.build(z.sizes[z.lits:z.lits+z.dists]) || !z.lit.build(z.sizes[:z.lits]) {
		return zFailed
	}
	z.state = zSymbols
	return zNext
}

// fixed sets the codes of RFC 1951, 3.2.6.
func (z *inflater) fixed() {
	for i := range 288 {
		switch {
		case i < 144 || i >= 280:
			z.sizes[i] = 8
		case i < 256:
			z.sizes[i] = 9
		default:
			z.sizes[i] = 7
		}
	}
	z.lit.build(z.sizes[:288])
	for i := range 30 {
		z.sizes[i] = 5
	}
	z.offset.build(z.sizes[:30])
}
