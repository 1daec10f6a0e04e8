// Package tx keeps what parsers hold of their transactions: the list of open ones, and the bytes that each remembers.
package tx

import "citygate/pkg/app/layer"

// Span is a place in a Store. The zero Span is absent.
type Span struct{ from, to int32 }

// Present says that the Span was kept, be it empty.
func (s Span) Present() bool { return s.from > 0 }

// Len is how many bytes it has.
func (s Span) Len() int { return int(s.to - s.from) }

// Store is what a transaction remembers of the bytes it was made from, in memory that the engine's pool lends.
type Store struct{ b []byte }

// Keep copies data. ok is false when the pool has no memory left: the Span is absent then.
func (s *Store) Keep(p *layer.Pool, data []byte) (at Span, ok bool) {
	if len(s.b) == 0 {
		if s.b, ok = p.Append(s.b, []byte{0}); !ok { // so that no Span begins at 0
			return Span{}, false
		}
	}
	from := len(s.b)
	if s.b, ok = p.Append(s.b, data); !ok {
		return Span{}, false
	}
	return Span{int32(from), int32(len(s.b))}, true
}

// Extend makes a Span longer, which must be the last that was kept.
func (s *Store) Extend(p *layer.Pool, at Span, data []byte) (longer Span, ok bool) {
	if !at.Present() || int(at.to) != len(s.b) {
		return at, false
	}
	if s.b, ok = p.Append(s.b, data); !ok {
		return at, false
	}
	at.to = int32(len(s.b))
	return at, true
}

// Bytes is what a Span covers.
func (s *Store) Bytes(at Span) []byte { return s.b[at.from:at.to:at.to] }

// Len is how many bytes are kept.
func (s *Store) Len() int { return len(s.b) }

// Free gives the memory back.
func (s *Store) Free(p *layer.Pool) {
	p.Put(s.b)
	s.b = nil
}

// List is a parser's open transactions, oldest first, and the memory of released ones.
type List[T layer.Tx] struct {
	open []layer.Tx
	free []T
	next uint64
}

const keep = 4 // released transactions whose memory a flow keeps: a client rarely has more open

// Txs is for the engine: the open transactions.
func (l *List[T]) Txs() []layer.Tx { return l.open }

// Len is how many are open.
func (l *List[T]) Len() int { return len(l.open) }

// At is the i-th open transaction.
func (l *List[T]) At(i int) T { return l.open[i].(T) }

// Reuse is the memory of a released transaction, if there is any.
func (l *List[T]) Reuse() (t T, ok bool) {
	if n := len(l.free); n > 0 {
		t = l.free[n-1]
		l.free = l.free[:n-1]
		return t, true
	}
	return t, false
}

// Spare keeps the memory of a transaction that was never added.
func (l *List[T]) Spare(t T) {
	if len(l.free) < keep {
		l.free = append(l.free, t)
	}
}

// Add opens a transaction and numbers it.
func (l *List[T]) Add(t T) {
	t.Inspection().Reset(l.next)
	l.next++
	l.open = append(l.open, t)
}

// Restart numbers from 0 again, for another flow.
func (l *List[T]) Restart() { l.next = 0 }

// Release takes the i-th out of the list. The caller clears it.
func (l *List[T]) Release(i int) T {
	t := l.open[i].(T)
	copy(l.open[i:], l.open[i+1:])
	l.open[len(l.open)-1] = nil
	l.open = l.open[:len(l.open)-1]
	l.Spare(t)
	return t
}
