package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
)

// results are the measured values by key, one of each round.
type results struct {
	kernel string
	rounds int
	values map[string][]float64
}

func newResults(kernel string, rounds int) *results {
	return &results{kernel: kernel, rounds: rounds, values: map[string][]float64{}}
}

func (r *results) add(key string, v float64) { r.values[key] = append(r.values[key], v) }

// median is that of all rounds; spread the least and the most.
func (r *results) median(key string) float64 { return median(r.values[key]) }

func (r *results) spread(key string) [2]float64 {
	return [2]float64{slices.Min(r.values[key]), slices.Max(r.values[key])}
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return (s[n/2-1] + s[n/2]) / 2
}

// The keys of the results. A ratio is of costs of the same round.
func ratioKey(against string, size int) string { return fmt.Sprintf("ratio_%s_%d", against, size) }
func costKey(row string, size int) string      { return fmt.Sprintf("cost_ns_%s_%d", row, size) }
func nsKey(kind string, entries int) string    { return fmt.Sprintf("%s_ns_%d", kind, entries) }

const (
	lostKey     = "lost_share"  // the most of a row's frames in a round
	loopKey     = "loop_ns"     // part of all test runs: the kernel's loop around an empty program
	rotationKey = "rotation_ns" // that, with the wrapper that changes the frame: part of all but hot_flow
)

// shortNames of rows in keys.
var shortNames = map[string]string{full: "full", plain: "bridge", nftset: "nftset", floor: "floor", gone: "generator"}

// addRound takes the costs of one round: ratios to the Linux bridge, but ratio_nftset_N, which is ours to the set's.
func (r *results) addRound(size int, c costs) {
	for name, ns := range c {
		r.add(costKey(shortNames[name], size), ns)
	}
	r.add(ratioKey("bridge", size), c[full]/c[plain])
	r.add(ratioKey("nftset", size), c[full]/c[nftset])
	r.add(ratioKey("floor_to_bridge", size), c[floor]/c[plain])
	r.add(ratioKey("nftset_to_bridge", size), c[nftset]/c[plain])
}

// target is what a value, or a value over another, may be at most.
type target struct {
	key, over string
	most      float64
}

func targets() []target {
	var t []target
	for _, size := range frameSizes {
		t = append(t, target{key: ratioKey("bridge", size), most: 0.30})
	}
	smallest, largest := policySizes[0].entries, policySizes[len(policySizes)-1].entries
	t = append(t, target{nsKey("hot_flow", largest), nsKey("hot_flow", smallest), 1.15})
	for _, p := range policySizes {
		t = append(t, target{nsKey("miss", p.entries), nsKey("hot_flow", p.entries), 8})
	}
	return t
}

func (t target) String() string {
	if t.over == "" {
		return t.key
	}
	return t.key + " / " + t.over
}

func (r *results) value(t target) float64 {
	if t.over == "" {
		return r.median(t.key)
	}
	return r.median(t.key) / r.median(t.over)
}

// missed names the targets that were not reached.
func (r *results) missed() []string {
	var out []string
	for _, t := range targets() {
		if v := r.value(t); !(v <= t.most) {
			out = append(out, fmt.Sprintf("%v is %.3f, at most %.2f", t, v, t.most))
		}
	}
	return out
}

// write makes the file of results: the medians by key, and the spread of each.
func (r *results) write(path string) error {
	out := map[string]any{"kernel": r.kernel, "rounds": r.rounds}
	spread := map[string][2]float64{}
	for key := range r.values {
		out[key] = rounded(r.median(key))
		s := r.spread(key)
		spread[key] = [2]float64{rounded(s[0]), rounded(s[1])}
	}
	out["spread"] = spread
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the folder of the results: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	return nil
}

func rounded(v float64) float64 {
	const places = 10_000
	if v < 0 {
		return -rounded(-v)
	}
	return float64(int64(v*places+0.5)) / places
}

// print shows the medians for people.
func (r *results) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "kernel %s, median of %d rounds\n\n", r.kernel, r.rounds)
	fmt.Fprint(w, "CPU per delivered frame\t")
	for _, size := range frameSizes {
		fmt.Fprintf(w, "%d B\t/ bridge\t(least, most)\t", size)
	}
	fmt.Fprintln(w)
	for _, row := range []struct{ name, ratio string }{
		{full, "bridge"}, {plain, ""}, {nftset, "nftset_to_bridge"}, {floor, "floor_to_bridge"},
	} {
		fmt.Fprintf(w, "%s\t", row.name)
		for _, size := range frameSizes {
			fmt.Fprintf(w, "%.0f ns\t", r.median(costKey(shortNames[row.name], size)))
			if row.ratio == "" {
				fmt.Fprint(w, "1\t\t")
				continue
			}
			key := ratioKey(row.ratio, size)
			fmt.Fprintf(w, "%.3f\t(%.3f, %.3f)\t", r.median(key), r.spread(key)[0], r.spread(key)[1])
		}
		fmt.Fprintln(w)
	}
	fmt.Fprint(w, "\nns per test run, by entries\t")
	for _, p := range policySizes {
		fmt.Fprintf(w, "%d\t", p.entries)
	}
	fmt.Fprintln(w)
	for _, k := range kinds {
		fmt.Fprintf(w, "%s (%s)\t", k.name, k.about)
		for _, p := range policySizes {
			fmt.Fprintf(w, "%.0f\t", r.median(nsKey(k.name, p.entries)))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	fmt.Fprintf(out, "\nof that the test run itself: hot_flow %.0f ns, the others %.0f ns; most frames lost in a round: %.2f %%\n\n",
		r.median(loopKey), r.median(rotationKey), 100*slices.Max(r.values[lostKey]))
	for _, t := range targets() {
		fmt.Fprintf(out, "%v = %.3f (at most %.2f)\n", t, r.value(t), t.most)
	}
}
