package main

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// measured is a result whose rows took these CPU seconds for the capture.
func measured(costs map[string]float64) *results {
	r := newResults(&bench{contents: contents{Bytes: 100e6, Packets: 1000}, peer: &peer{}}, 3)
	for row, c := range costs {
		for _, noise := range []float64{-0.1, 0, 0.3} {
			r.add(costKey(row), c+noise)
			r.add(loadKey(row), 1)
			r.add(wholeKey(row), 1+c)
			r.add(rssKey(row), 100)
		}
	}
	return r
}

func TestRatios(t *testing.T) {
	r := measured(map[string]float64{rowOurs: 2, rowHS: 1, rowAC: 4, rowOursNone: 1, rowNone: 2})
	for key, want := range map[string]float64{"ratio_suricata_hs": 0.5, "ratio_suricata_ac": 2, "ratio_suricata_norules": 2} {
		if got := r.value(key); got != want {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
	if m := r.missed(); len(m) != 0 {
		t.Errorf("missed %q", m)
	}
}

func TestMissed(t *testing.T) {
	tests := []struct {
		name   string
		costs  map[string]float64
		steady float64
		want   []string
	}{
		{"slower than hyperscan allows", map[string]float64{rowOurs: 2.1, rowHS: 1, rowAC: 4, rowOursNone: 1, rowNone: 2}, 0, []string{"ratio_suricata_hs"}},
		{"slower than ac and without rules", map[string]float64{rowOurs: 2, rowHS: 1, rowAC: 1.9, rowOursNone: 1, rowNone: 0.9}, 0, []string{"ratio_suricata_ac", "ratio_suricata_norules"}},
		{"allocates", map[string]float64{rowOurs: 2, rowHS: 1, rowAC: 4, rowOursNone: 1, rowNone: 2}, 0.005, []string{"0.005 allocations"}},
	}
	for _, tt := range tests {
		r := measured(tt.costs)
		r.allocations.Steady = tt.steady
		got := r.missed()
		if len(got) != len(tt.want) {
			t.Errorf("%s: %q", tt.name, got)
			continue
		}
		for i, w := range tt.want {
			if !strings.HasPrefix(got[i], w) {
				t.Errorf("%s: %q, want %s", tt.name, got[i], w)
			}
		}
	}
}

func TestDifferences(t *testing.T) {
	got := differences(map[int]int{1: 1, 2: 5, 3: 1}, map[int]int{1: 1, 2: 4, 4: 2})
	want := []difference{{2, 5, 4}, {3, 1, 0}, {4, 0, 2}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWithSection(t *testing.T) {
	const before, old, after = "a: 1\n# about b\n", "b:\n  - x\n\n  # more\n  - y\n", "# about c\nc: 2\n"
	got, err := withSection(before+old+after, "b", "b: none\n")
	if err != nil || got != before+"b: none\nc: 2\n" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := withSection(before, "b", ""); err == nil {
		t.Error("a section that is missing is no error")
	}
}

func TestTranscriptMark(t *testing.T) {
	m := &transcript{mark: "begins"}
	m.pid.Store(int64(os.Getpid()))
	for _, said := range []string{"loading\n", "engine begins\n"} {
		if _, err := m.Write([]byte(said)); err != nil {
			t.Fatal(err)
		}
		if loaded := said != "loading\n"; (m.due > 0) != loaded {
			t.Errorf("after %q the time is %v", said, m.due)
		}
	}
}
