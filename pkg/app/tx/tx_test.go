package tx

import (
	"testing"

	"citygate/pkg/app/layer"
)

func TestStore(t *testing.T) {
	p := layer.NewPool(512)
	var s Store
	if (Span{}).Present() || len(s.Bytes(Span{})) != 0 {
		t.Error("the zero Span is there")
	}
	empty, ok := s.Keep(p, nil)
	if !ok || !empty.Present() || empty.Len() != 0 {
		t.Errorf("nothing kept: %v %v", empty, ok)
	}
	a, _ := s.Keep(p, []byte("ab"))
	if a, ok = s.Extend(p, a, []byte("c")); !ok || string(s.Bytes(a)) != "abc" {
		t.Errorf("extended: %q %v", s.Bytes(a), ok)
	}
	if _, ok = s.Extend(p, empty, []byte("x")); ok {
		t.Error("extended what is not last")
	}
	if at, ok := s.Keep(p, make([]byte, 600)); ok || at.Present() {
		t.Error("kept beyond the pool")
	}
	if string(s.Bytes(a)) != "abc" {
		t.Error("lost what was kept before")
	}
	s.Free(p)
	if p.InUse() != 0 || s.Len() != 0 {
		t.Errorf("in use after Free: %d", p.InUse())
	}
}

type fake struct {
	layer.Tx
	inspection layer.Inspection
	name       string
}

func (f *fake) Inspection() *layer.Inspection { return &f.inspection }

func TestList(t *testing.T) {
	var l List[*fake]
	for _, n := range []string{"a", "b", "c"} {
		l.Add(&fake{name: n})
	}
	if got := l.Release(1); got.name != "b" || l.Len() != 2 || l.At(1).name != "c" || l.At(1).Inspection().ID != 2 {
		t.Errorf("released %q, then %d", got.name, l.Len())
	}
	if f, ok := l.Reuse(); !ok || f.name != "b" {
		t.Error("memory of a released transaction was not kept")
	}
	if _, ok := l.Reuse(); ok {
		t.Error("memory out of nothing")
	}
}
