package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// results are the measured values by key, one of each round.
type results struct {
	bench       *bench
	rounds      int
	values      map[string][]float64
	alerts      map[string]map[int]int // by row and signature
	allocations allocations
}

func newResults(b *bench, rounds int) *results {
	return &results{bench: b, rounds: rounds, values: map[string][]float64{}, alerts: map[string]map[int]int{}}
}

func (r *results) add(key string, v float64) { r.values[key] = append(r.values[key], v) }

func loadKey(row string) string  { return "load_cpu_s_" + row }
func wholeKey(row string) string { return "whole_cpu_s_" + row }
func costKey(row string) string  { return "capture_cpu_s_" + row }
func rssKey(row string) string   { return "rss_mib_" + row }

func (r *results) median(key string) float64 {
	s := slices.Sorted(slices.Values(r.values[key]))
	n := len(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return (s[n/2-1] + s[n/2]) / 2
}

// cost is a row's CPU seconds for the capture: the whole run's less those of the run on one packet. To load takes
// Suricata ten times as long as the capture does, and varies by more than that, so what a run had used when it began
// with the capture is taken off on both sides.
func (r *results) cost(row string) float64 { return r.median(costKey(row)) }

// ratio is how many times the peer's CPU seconds ours are: 2 is twice as fast.
func (r *results) ratio(theirs, ours string) float64 { return r.cost(theirs) / r.cost(ours) }

// target is what a value has to reach.
type target struct {
	key   string
	least float64
}

var targets = []target{{"ratio_suricata_hs", 0.5}, {"ratio_suricata_ac", 1}, {"ratio_suricata_norules", 1}}

func (r *results) value(key string) float64 {
	switch key {
	case "ratio_suricata_hs":
		return r.ratio(rowHS, rowOurs)
	case "ratio_suricata_ac":
		return r.ratio(rowAC, rowOurs)
	}
	return r.ratio(rowNone, rowOursNone)
}

// mostAllocations is what rounds to 0.00 per packet.
const mostAllocations = 0.005

// missed names the targets that were not reached.
func (r *results) missed() (out []string) {
	for _, t := range targets {
		if v := r.value(t.key); !(v >= t.least) {
			out = append(out, fmt.Sprintf("%s is %.2f, at least %.1f", t.key, v, t.least))
		}
	}
	if r.allocations.Steady >= mostAllocations {
		out = append(out, fmt.Sprintf("%.3f allocations per packet in the last pass, at most 0.00 are wanted", r.allocations.Steady))
	}
	return out
}

// write makes the file of results.
func (r *results) write(path string) error {
	c := r.bench.contents
	out := map[string]any{
		"compared": "alerts only (EVE), one thread, -k none, EXTERNAL_NET any, CPU seconds of the whole run less a one-packet run, medians",
		"rules":    r.bench.from, "rounds": r.rounds, "capture": c,
		"suricata": r.bench.peer.version, "go": runtime.Version(),
		"mb_per_cpu_s": rounded(float64(c.Bytes) / 1e6 / r.cost(rowOurs)),
		"load_cpu_s":   rounded(r.median(loadKey(rowOurs))), "rss_mib": rounded(r.median(rssKey(rowOurs))),
		"allocs_per_packet": r.allocations, "spread": r.spread(),
	}
	for _, t := range targets {
		out[t.key] = rounded(r.value(t.key))
	}
	for _, w := range []string{rowOurs, rowHS, rowAC, rowOursNone, rowNone} {
		out[costKey(w)] = rounded(r.cost(w))
	}
	alerts := map[string]int{}
	for w, counts := range r.alerts {
		alerts[w] = sum(counts)
	}
	out["alerts"], out["differing_sids"] = alerts, differences(r.alerts[rowOurs], r.alerts[rowHS])
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// spread is the least, the median and the most of every measured value.
func (r *results) spread() map[string][3]float64 {
	out := map[string][3]float64{}
	for key, v := range r.values {
		out[key] = [3]float64{rounded(slices.Min(v)), rounded(r.median(key)), rounded(slices.Max(v))}
	}
	return out
}

func rounded(v float64) float64  { return math.Round(v*1e4) / 1e4 }
func rounded3(v float64) float64 { return math.Round(v*1e3) / 1e3 }

// print shows the medians for people.
func (r *results) print(out io.Writer) {
	c := r.bench.contents
	fmt.Fprintf(out, "%.0f MB in %d packets, %.0f %% video; rules of %s; Suricata %s; median of %d rounds\n\n",
		float64(c.Bytes)/1e6, c.Packets, c.Video, r.bench.from, r.bench.peer.version, r.rounds)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "engine\tload, CPU-s\tcapture, CPU-s\tMB per CPU-s\tRSS, MiB\talerts\t")
	for _, row := range []string{rowOurs, rowHS, rowAC, rowOursNone, rowNone} {
		alerts := "-"
		if a, ok := r.alerts[row]; ok {
			alerts = fmt.Sprint(sum(a))
		}
		fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.0f\t%.0f\t%s\t\n", strings.ReplaceAll(row, "_", ", "), r.median(loadKey(row)), r.cost(row),
			float64(c.Bytes)/1e6/r.cost(row), r.median(rssKey(row)), alerts)
	}
	w.Flush()
	fmt.Fprintf(out, "\nallocations per packet: %.3f in the first pass, %.3f in the last of %d\n", r.allocations.First, r.allocations.Steady, len(r.allocations.Passes))
	if d := differences(r.alerts[rowOurs], r.alerts[rowHS]); len(d) > 0 {
		fmt.Fprintf(out, "%d signatures differ in their number of alerts: see differing_sids\n", len(d))
	}
	for _, t := range targets {
		fmt.Fprintf(out, "%s = %.2f (at least %.1f)\n", t.key, r.value(t.key), t.least)
	}
}
