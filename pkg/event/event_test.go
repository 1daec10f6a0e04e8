package event

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestRoundTrip(t *testing.T) {
	seen := map[Type]bool{}
	for _, e := range samples {
		seen[e.EventType()] = true
		typ, b := Encode(e)
		back, err := Decode(typ, b)
		if err != nil || !reflect.DeepEqual(e, back) {
			t.Errorf("%v: %v\n sent %+v\n got  %+v", e.EventType(), err, e, back)
		}
		for n := range b {
			if got, err := Decode(typ, b[:n]); err == nil || got != nil {
				t.Errorf("%v: the first %d of %d bytes decode to %+v", e.EventType(), n, len(b), got)
			}
		}
		if _, err := Decode(typ, append(b, 0)); err == nil {
			t.Errorf("%v: a byte too many is accepted", e.EventType())
		}
	}
	for _, typ := range Types() {
		if !seen[typ] {
			t.Errorf("no sample of %v", typ)
		}
	}
}

// TestTable checks that a row's number, maker and name belong together.
func TestTable(t *testing.T) {
	for i, row := range types {
		if row.typ != Type(i+1) || row.make().EventType() != row.typ || row.typ.String() != row.name || row.class >= Classes {
			t.Errorf("row %d: %d %q makes %v", i, row.typ, row.name, row.make().EventType())
		}
	}
	if _, err := Decode(0, nil); err == nil {
		t.Error("type 0 decodes")
	}
}

// fill sets every text to one that is too long and not UTF-8, every list to too many elements, every number to its maximum.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				fill(f)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1000, 1000))
	case reflect.String:
		v.SetString("\xff" + strings.Repeat("я", 5000))
	case reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8:
		v.SetUint(1<<(8*v.Type().Size()) - 1)
	}
}

func TestBounded(t *testing.T) {
	for _, row := range types {
		e := row.make()
		fill(reflect.ValueOf(e))
		typ, b := Encode(e)
		if len(b) > MaxPayload {
			t.Errorf("%v: %d bytes", row.name, len(b))
		}
		back, err := Decode(typ, b)
		if err != nil {
			t.Errorf("%v: %v", row.name, err)
			continue
		}
		if s := back.Head().Bridge; len(s) > maxName || !utf8.ValidString(s) || !strings.HasPrefix(s, "\uFFFDя") {
			t.Errorf("%v: bridge %q", row.name, s)
		}
	}
	if _, err := Decode(uint16(TypeDrop), make([]byte, MaxPayload+1)); err == nil {
		t.Error("a payload above the limit is accepted")
	}
}

func TestZeroTime(t *testing.T) {
	typ, b := Encode(&Anomaly{Event: "x"})
	back, err := Decode(typ, b)
	if err != nil || !back.Head().Wall.Equal(time.Time{}) {
		t.Errorf("%v, %v", back, err)
	}
}

// FuzzDecode: exactly one of event and error; what decodes encodes to the same bytes and renders as one line of JSON.
func FuzzDecode(f *testing.F) {
	for _, e := range samples {
		typ, b := Encode(e)
		f.Add(typ, b)
	}
	f.Fuzz(func(t *testing.T, typ uint16, b []byte) {
		e, err := Decode(typ, b)
		if (e == nil) == (err == nil) {
			t.Fatalf("event %v and error %v", e, err)
		}
		if err != nil {
			return
		}
		if back, again := Encode(e); back != typ || !bytes.Equal(again, b) {
			t.Fatalf("not canonical:\n % x\n % x", b, again)
		}
		l := EVE(e, "school-14")
		if !json.Valid(l) || bytes.ContainsAny(l, "\n\r") {
			t.Fatalf("not one line of JSON: %q", l)
		}
	})
}
