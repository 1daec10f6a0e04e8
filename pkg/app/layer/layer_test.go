package layer

import (
	"encoding/json"
	"testing"
)

func TestTables(t *testing.T) {
	for p := range Protos {
		if p.String() == "" {
			t.Errorf("protocol %d has no name", p)
		}
	}
	seen := map[string]bool{}
	for b := range Buffers {
		i := b.Info()
		if i.Name == "" || i.Doc == "" || i.Way == 0 || seen[i.Name] {
			t.Errorf("buffer %d: name %q (seen before: %v), doc %q, way %d", b, i.Name, seen[i.Name], i.Doc, i.Way)
		}
		seen[i.Name] = true
		if b.Packet() != (len(i.Protos) == 0) {
			t.Errorf("%s: a buffer of transactions has protocols, one of packets has none", i.Name)
		}
	}
	var s BufferSet
	s.Add(Buffers - 1)
	if !s.Has(Buffers-1) || s.Has(0) {
		t.Error("a set does not hold what it was given")
	}
}

func TestPool(t *testing.T) {
	p := NewPool(1024)
	a := p.Get(300)
	if cap(a) != 512 || p.InUse() != 512 {
		t.Fatalf("300 bytes: cap %d, in use %d", cap(a), p.InUse())
	}
	a = append(a, "x"...)
	if p.Get(513) != nil {
		t.Error("over the limit")
	}
	b := p.Get(1)
	if cap(b) != 256 {
		t.Errorf("1 byte: cap %d", cap(b))
	}
	if out, ok := p.Append(b, make([]byte, 600)); ok || len(out) != 0 {
		t.Error("grown beyond the limit")
	}
	p.Put(a)
	out, ok := p.Append(b, make([]byte, 600))
	if ok || cap(out) != 256 { // 1,024 beside 256 is too much
		t.Error("grown beyond the limit")
	}
	if out, ok = p.Append(b, make([]byte, 300)); !ok || len(out) != 300 || p.InUse() != 512 {
		t.Errorf("grown: %v, %d bytes, in use %d", ok, len(out), p.InUse())
	}
	p.Put(out)
	if p.InUse() != 0 {
		t.Errorf("in use %d after all came back", p.InUse())
	}
}

func TestObject(t *testing.T) {
	o := NewObject([]byte("{"))
	o.Text("a", "x\"\\\n\x01é")
	o.Raw("b", []byte{'o', 0xff, 'k'})
	o.Begin("c")
	o.Int("n", -1)
	o.Bool("t", true)
	o.End()
	o.Array("d")
	o.Item("1")
	o.ItemInt(2)
	o.Begin("")
	o.Uint("u", 3)
	o.End()
	o.EndArray()
	got := string(append(o.Bytes(), '}'))
	want := `{"a":"x\"\\\n\u0001é","b":"oÿk","c":{"n":-1,"t":true},"d":["1",2,{"u":3}]}`
	if got != want || !json.Valid([]byte(got)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
