package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// good are results that reach every target exactly.
func good() *results {
	r := newResults("6.18", 5)
	for _, size := range frameSizes {
		r.addRound(size, costs{full: 300, plain: 1000, nftset: 1200, floor: 100, gone: 150})
	}
	for _, p := range policySizes {
		for _, k := range kinds {
			r.add(nsKey(k.name, p.entries), 800)
		}
		r.values[nsKey("hot_flow", p.entries)] = []float64{100}
	}
	for _, key := range []string{lostKey, loopKey, rotationKey} {
		r.add(key, 0)
	}
	return r
}

func TestTargets(t *testing.T) {
	if missed := good().missed(); missed != nil {
		t.Errorf("at the limits: missed %q", missed)
	}
	for _, c := range []struct {
		key   string
		value float64
		want  []string
	}{
		{"ratio_bridge_64", 0.31, []string{"ratio_bridge_64"}},
		{"ratio_bridge_1400", 0.31, []string{"ratio_bridge_1400"}},
		{"ratio_bridge_64", math.NaN(), []string{"ratio_bridge_64"}},
		{"hot_flow_ns_65536", 116, []string{"hot_flow_ns_65536 / hot_flow_ns_10"}},
		{"miss_ns_1000", 801, []string{"miss_ns_1000 / hot_flow_ns_1000"}},
		{"new_flow_ns_65536", 9999, nil},
	} {
		r := good()
		r.values[c.key] = []float64{c.value}
		missed := r.missed()
		if len(missed) != len(c.want) {
			t.Errorf("%s = %v: missed %q, want %q", c.key, c.value, missed, c.want)
			continue
		}
		for i, want := range c.want {
			if !strings.HasPrefix(missed[i], want+" is ") {
				t.Errorf("%s = %v: %q does not name %s", c.key, c.value, missed[i], want)
			}
		}
	}
}

// The keys that are promised, with medians as values.
func TestWrite(t *testing.T) {
	r := good()
	r.values["ratio_bridge_64"] = []float64{0.3, 0.1, 0.22222222}
	path := filepath.Join(t.TempDir(), "bench", "bridge.json")
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]float64{
		"ratio_bridge_64": 0.2222, "ratio_bridge_1400": 0.3, "ratio_nftset_64": 0.25, "hot_flow_ns_10": 100, "hot_flow_ns_65536": 100,
		"miss_ns_10": 800, "miss_ns_65536": 800, "deny_ns_10": 800, "deny_ns_65536": 800, "rounds": 5,
	} {
		if got[key] != want {
			t.Errorf("%s = %v, want %v", key, got[key], want)
		}
	}
	spread := got["spread"].(map[string]any)["ratio_bridge_64"].([]any)
	if spread[0] != 0.1 || spread[1] != 0.3 {
		t.Errorf("spread of ratio_bridge_64 = %v", spread)
	}
}

func TestPrint(t *testing.T) {
	var b strings.Builder
	good().print(&b)
	for _, want := range []string{"Linux bridge + nftables set", "0.300", "miss (one flow, judged each time)", "65536"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{[]float64{7}, 7}, {[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		in := slices.Clone(c.in)
		if got := median(in); got != c.want || !slices.Equal(in, c.in) {
			t.Errorf("median(%v) = %v, want %v; left %v", c.in, got, c.want, in)
		}
	}
}

func TestPerFrame(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	c, lost, err := perFrame(map[string]sample{gone: {1000, 0, ms(1)}, full: {1000, 800, ms(3)}, plain: {1000, 1000, ms(11)}})
	if err != nil {
		t.Fatal(err)
	}
	if c[gone] != 1000 || c[full] != 2500 || c[plain] != 10_000 || math.Abs(lost-0.2) > 1e-9 {
		t.Errorf("costs %v, lost %v", c, lost)
	}
	if _, _, err := perFrame(map[string]sample{gone: {1000, 0, ms(1)}, plain: {1000, 400, ms(9)}}); err == nil {
		t.Error("a row that loses most frames has a cost")
	}
}
