package offline

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
)

// gauges are numbers of the moment, which mean nothing at the end of a capture.
var gauges = []string{"ParserMemory", "Memory", "Idle", "Datagrams"}

// fill gives each counter a value of its own, from 1000 on.
func fill(v reflect.Value, next *uint64, left map[uint64]string) {
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if f.Kind() == reflect.Struct {
			fill(f, next, left)
			continue
		}
		if slices.Contains(gauges, name) {
			continue
		}
		if f.CanUint() {
			f.SetUint(*next)
		} else {
			f.SetInt(int64(*next))
		}
		left[*next] = v.Type().Name() + "." + name
		*next++
	}
}

// Every counter of the engine is shown, once: the next one needs a line in numbers.
func TestNumbers(t *testing.T) {
	var r Result
	next, left := uint64(1000), map[uint64]string{}
	fill(reflect.ValueOf(&r.Counters).Elem(), &next, left)
	var out bytes.Buffer
	if err := r.writeStats(&out); err != nil {
		t.Fatal(err)
	}
	var record map[string]any
	if err := json.Unmarshal(out.Bytes(), &record); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	names := map[string]bool{}
	for _, c := range r.Numbers() {
		if left[c.Value] == "" || names[c.Name] {
			t.Errorf("%s is shown twice, or is no counter", c.Name)
		}
		delete(left, c.Value)
		names[c.Name] = true
		if !bytes.Contains(out.Bytes(), []byte(`":`+jsonNumber(c.Value))) {
			t.Errorf("%s is not in %s", c.Name, &out)
		}
	}
	for _, name := range left {
		t.Errorf("%s is not shown: add a line to numbers", name)
	}
}

func jsonNumber(n uint64) string {
	b, _ := json.Marshal(n)
	return string(b)
}
