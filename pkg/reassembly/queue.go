package reassembly

import (
	"bytes"
	"slices"
)

// queue holds the bytes of a stream that came before those in front of them: pages in the order of their numbers, by
// raw offset.
type queue struct {
	pages []*page
}

// find gives the place of a page's number and whether the page is there.
func (q *queue) find(number uint64) (int, bool) {
	if n := len(q.pages); n > 0 && q.pages[n-1].number < number { // the usual case: behind all others
		return n, false
	}
	return slices.BinarySearchFunc(q.pages, number, func(p *page, n uint64) int {
		switch {
		case p.number < n:
			return -1
		case p.number > n:
			return 1
		}
		return 0
	})
}

// first is the raw offset of the first byte at or after from.
func (q *queue) first(from uint64) (uint64, bool) {
	i, _ := q.find(from / pageSize)
	for ; i < len(q.pages); i++ {
		p, at := q.pages[i], 0
		if p.number == from/pageSize {
			at = int(from % pageSize)
		}
		if k := bitset(p.have[:]).nextSet(at, pageSize); k < pageSize {
			return p.number*pageSize + uint64(k), true
		}
	}
	return 0, false
}

// differs says whether a byte of data, which lies at a raw offset, is there with another value.
func (q *queue) differs(raw uint64, data []byte) bool {
	i, _ := q.find(raw / pageSize)
	for ; i < len(q.pages); i++ {
		p := q.pages[i]
		from, to, ok := p.overlap(raw, len(data))
		if !ok {
			return false
		}
		have := bitset(p.have[:])
		for from < to {
			from = have.nextSet(from, to)
			end := have.nextClear(from, to)
			at := p.number*pageSize + uint64(from) - raw
			if !bytes.Equal(p.data[from:end], data[at:at+uint64(end-from)]) {
				return true
			}
			from = end
		}
	}
	return false
}

// overlap gives the part of n bytes at a raw offset that falls on the page, as positions in it; ok is false if the page
// lies behind them.
func (p *page) overlap(raw uint64, n int) (from, to int, ok bool) {
	start := p.number * pageSize
	end := raw + uint64(n)
	if start >= end {
		return 0, 0, false
	}
	if raw > start {
		from = int(raw - start)
	}
	return from, int(min(end-start, pageSize)), true
}

// drop gives back the pages whose bytes all lie before a raw offset.
func (q *queue) drop(m *memory, before uint64) (freed int) {
	for freed < len(q.pages) && (q.pages[freed].number+1)*pageSize <= before {
		m.freePage(q.pages[freed])
		freed++
	}
	if freed > 0 {
		n := copy(q.pages, q.pages[freed:])
		clear(q.pages[n:])
		q.pages = q.pages[:n]
	}
	return freed
}
