package layer

import "math/bits"

// Pool lends byte slices to the parsers of one engine and takes them back. It is not safe for concurrent use.
type Pool struct {
	free  [poolClasses][][]byte
	inUse int64
	limit int64
}

const (
	poolMin     = 8       // 256 bytes
	poolClasses = 13      // up to 1 MiB
	poolKeep    = 4 << 20 // bytes kept per size
)

// NewPool makes a pool that lends at most limit bytes at a time.
func NewPool(limit int64) *Pool { return &Pool{limit: limit} }

// Get lends an empty slice with room for at least n bytes; nil if the pool's limit is reached or n is over 1 MiB. A caller that
// gets nil goes on without the memory, counts it and raises its event.
func (p *Pool) Get(n int) []byte {
	class := max(bits.Len(uint(max(n, 1)-1)), poolMin) - poolMin
	if class >= poolClasses || p.inUse+1<<(class+poolMin) > p.limit {
		return nil
	}
	p.inUse += 1 << (class + poolMin)
	if f := p.free[class]; len(f) > 0 {
		b := f[len(f)-1]
		p.free[class] = f[:len(f)-1]
		return b
	}
	return make([]byte, 0, 1<<(class+poolMin))
}

// Put takes back what Get lent. The caller must not use it again.
func (p *Pool) Put(b []byte) {
	if cap(b) == 0 {
		return
	}
	class := bits.Len(uint(cap(b)-1)) - poolMin
	p.inUse -= int64(cap(b))
	if len(p.free[class]) < poolKeep>>(class+poolMin) {
		p.free[class] = append(p.free[class], b[:0])
	}
}

// Append adds data to a slice of the pool, which moves when it grows. ok is false, and the slice as it was, when the
// pool has no memory left.
func (p *Pool) Append(b, data []byte) (out []byte, ok bool) {
	if len(b)+len(data) <= cap(b) {
		return append(b, data...), true
	}
	grown := p.Get(max(len(b)+len(data), 2*cap(b)))
	if grown == nil {
		return b, false
	}
	grown = append(append(grown, b...), data...)
	p.Put(b)
	return grown, true
}

// InUse is how many bytes are lent.
func (p *Pool) InUse() int64 { return p.inUse }
