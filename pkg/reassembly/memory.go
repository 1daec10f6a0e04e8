package reassembly

import "math/bits"

// Sizes of the buffers.
const (
	minBlockShift = 11 // 2 KiB: a request and a segment of Ethernet's size fit
	maxBlockShift = 26 // 64 MiB: more than any stream may hold
	pageSize      = 4096
	pageWords     = pageSize / 64
	pageMemory    = pageSize + 2*pageSize/8 + 32
)

// block is the flat memory of one stream's bytes in order. A bit of starts says that a segment began at that byte; the
// overlap policies ask for it.
type block struct {
	data   []byte
	starts []uint64
	shift  uint8
	// urgents raw offsets of bytes that were taken out, in their order.
	urgents uint8
	urgent  [maxUrgent]uint64
	next    *block // in the free list
}

func blockMemory(shift uint8) int64 { return 1<<shift + 1<<shift/8 + 160 }

// blockShift is the size of a block of at least n bytes, as a power of two.
func blockShift(n int) uint8 { return max(uint8(bits.Len(uint(n-1))), minBlockShift) }

// page is the memory of bytes out of order: 4 KiB of the stream's raw offsets from a multiple of 4 KiB on. Whatever is
// sent in whatever order takes at most one page per 4 KiB, so the number of segments needs no limit.
type page struct {
	number uint64
	have   [pageWords]uint64 // the byte is there
	starts [pageWords]uint64 // a segment began at it
	data   [pageSize]byte
	next   *page // in the free list
}

// memory is what an Assembler gives to its streams and gets back: free lists under one cap.
type memory struct {
	limit  int64
	used   int64 // in streams
	idle   int64 // in the free lists
	blocks [maxBlockShift + 1]*block
	pages  *page
	queues []*queue
}

// room says whether n more bytes may be used, and gives up idle buffers that are in the way of the cap.
func (m *memory) room(n int64) bool {
	if m.used+n > m.limit {
		return false
	}
	if m.used+m.idle+n > m.limit {
		clear(m.blocks[:])
		m.pages, m.idle = nil, 0
	}
	return true
}

// block gives a block of at least n bytes, or nil at the cap. The data are not cleared, the starts are.
func (m *memory) block(n int) *block {
	shift := blockShift(n)
	if shift > maxBlockShift {
		return nil
	}
	size := blockMemory(shift)
	b := m.blocks[shift]
	if b != nil {
		if m.used+size > m.limit {
			return nil
		}
		m.blocks[shift], b.next = b.next, nil
		m.idle -= size
		m.used += size
		return b
	}
	if !m.room(size) {
		return nil
	}
	m.used += size
	return &block{data: make([]byte, 1<<shift), starts: make([]uint64, 1<<shift/64), shift: shift}
}

// grow gives a stream a block of at least n bytes in the place of its present one, or nil at the caps.
func (m *memory) grow(st *Stream, n int) *block {
	size := blockMemory(blockShift(n))
	if st.blk != nil {
		size -= blockMemory(st.blk.shift)
	}
	if st.a.full(st, size) {
		return nil
	}
	b := m.block(n)
	if b != nil {
		st.mem += uint32(blockMemory(b.shift))
	}
	return b
}

// freeBlock takes a block back whose first n bytes were in use.
func (m *memory) freeBlock(b *block, n int) {
	clear(b.starts[:min((n+63)/64, len(b.starts))])
	size := blockMemory(b.shift)
	m.used -= size
	m.idle += size
	b.next, m.blocks[b.shift] = m.blocks[b.shift], b
}

// page gives a page without bytes, or nil at the cap.
func (m *memory) page(number uint64) *page {
	p := m.pages
	if p != nil {
		if m.used+pageMemory > m.limit {
			return nil
		}
		m.pages, p.next = p.next, nil
		m.idle -= pageMemory
		clear(p.have[:])
		clear(p.starts[:])
	} else {
		if !m.room(pageMemory) {
			return nil
		}
		p = new(page)
	}
	m.used += pageMemory
	p.number = number
	return p
}

func (m *memory) freePage(p *page) {
	m.used -= pageMemory
	m.idle += pageMemory
	p.next, m.pages = m.pages, p
}

// queue gives the list of a stream's pages.
func (m *memory) queue() *queue {
	if n := len(m.queues); n > 0 {
		q := m.queues[n-1]
		m.queues = m.queues[:n-1]
		return q
	}
	return new(queue)
}

// maxIdleQueues bounds the lists of pages that wait for their next use; each is small.
const maxIdleQueues = 1024

func (m *memory) freeQueue(q *queue) {
	if len(m.queues) < maxIdleQueues {
		q.pages = q.pages[:0]
		m.queues = append(m.queues, q)
	}
}
