package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
)

// bench is all that a measurement needs.
type bench struct {
	dir      string // absolute
	capture  string
	first    string // its first packet
	rules    string // all rules in one file
	none     string // a file without rules
	from     string // where they are from
	contents contents
	engine   []string
	peer     *peer
}

// defaultRules are outside the tree; without them those that ship are measured.
const defaultRules = "../shared/data/et-open"

func prepare(ctx context.Context, o options, progress io.Writer) (*bench, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	b := &bench{
		dir: dir, capture: filepath.Join(dir, "traffic.pcap"), first: filepath.Join(dir, "first.pcap"),
		rules: filepath.Join(dir, "all.rules"), none: filepath.Join(dir, "no.rules"), from: o.rules, engine: o.engine,
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := b.gather(); err != nil {
		return nil, err
	}
	if err := record(ctx, b.capture, progress); err != nil {
		return nil, err
	}
	if b.contents, err = look(b.capture, b.first); err != nil {
		return nil, err
	}
	if b.contents.Bytes < leastSize {
		return nil, fmt.Errorf("%s has %d bytes, at least %.0f are wanted: delete it", b.capture, b.contents.Bytes, leastSize)
	}
	b.peer, err = newPeer(ctx, dir, progress)
	return b, err
}

// gather writes all rules of the folder into one file, which both engines read.
func (b *bench) gather() error {
	if b.from == "" {
		b.from = defaultRules
		if _, err := os.Stat(b.from); err != nil {
			b.from = "rules"
		}
	}
	var names []string
	err := filepath.WalkDir(b.from, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".rules" {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("no *.rules in %s", b.from)
	}
	sort.Strings(names)
	var all []byte
	for _, n := range names {
		text, err := os.ReadFile(n)
		if err != nil {
			return err
		}
		all = append(append(all, text...), '\n')
	}
	return errors.Join(os.WriteFile(b.rules, all, 0o644), os.WriteFile(b.none, []byte("# none\n"), 0o644))
}

// row is an engine with or without rules.
type row struct {
	key    string
	engine engine
	rules  string
}

// The rows; their keys are part of the results' keys.
const (
	rowOurs, rowHS, rowAC = "ours", "suricata_hs", "suricata_ac"
	rowOursNone, rowNone  = "ours_norules", "suricata_norules"
)

func (b *bench) rows() []row {
	own, hs, ac := ours(b.engine), b.peer.engine("hs"), b.peer.engine("ac")
	return []row{{rowOurs, own, b.rules}, {rowHS, hs, b.rules}, {rowAC, ac, b.rules}, {rowOursNone, own, b.none}, {rowNone, hs, b.none}}
}

// measure takes all rows in turn, in random order within a round.
func (b *bench) measure(ctx context.Context, rounds int, progress io.Writer) (*results, error) {
	r := newResults(b, rounds)
	rows := b.rows()
	for n := range rounds {
		for _, i := range rand.Perm(len(rows)) {
			w := rows[i]
			dir := filepath.Join(b.dir, "out", w.key)
			load, err := w.engine.run(ctx, b.first, w.rules, dir)
			if err != nil {
				return nil, err
			}
			whole, err := w.engine.run(ctx, b.capture, w.rules, dir)
			if err != nil {
				return nil, err
			}
			r.add(loadKey(w.key), load.cpu)
			r.add(wholeKey(w.key), whole.cpu)
			r.add(rssKey(w.key), whole.rss)
			r.add(costKey(w.key), (whole.cpu-whole.due)-(load.cpu-load.due))
			fmt.Fprintf(progress, "round %d of %d: %-16s load %6.2f, whole %6.2f, capture %6.3f CPU-s, %4.0f MiB\n",
				n+1, rounds, w.key, load.cpu, whole.cpu, r.values[costKey(w.key)][n], whole.rss)
		}
	}
	for _, w := range rows {
		if w.rules == b.none {
			continue
		}
		counts, err := alertCounts(filepath.Join(b.dir, "out", w.key, "eve.json"))
		if err != nil {
			return nil, err
		}
		r.alerts[w.key] = counts
	}
	var err error
	if r.allocations, err = b.allocations(); err != nil {
		return nil, errors.Join(errors.New("count allocations"), err)
	}
	return r, nil
}
