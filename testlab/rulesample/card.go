package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// right says whether a rule answered as it must: alone, and with all others loaded.
func (q *question) right() bool {
	return q.refused == nil && q.alone.right() && (q.whole || q.quiet)
}

func (c *card) enough(need float64) bool {
	n := 0
	for _, q := range c.asked {
		if q.right() {
			n++
		}
	}
	return len(c.asked) > 0 && float64(n) >= need*float64(len(c.asked))
}

// print writes the card; captures of wrong answers go into the folder.
func (c *card) print(out io.Writer, o settings) error {
	twins, right, agreePositive, agreeTwins, both := 0, 0, 0, 0, 0
	for _, q := range c.asked {
		twins += len(q.twins)
		if q.right() {
			right++
		} else if err := q.explain(out, o.dir); err != nil {
			return err
		}
		if !c.peer {
			continue
		}
		if q.alone.alert == q.peer.alert {
			agreePositive++
		}
		for i := range q.alone.twins {
			if q.alone.twins[i] == q.peer.twins[i] {
				agreeTwins++
			}
		}
		if q.peer.right() {
			both++
		}
		if q.right() && !q.peer.right() {
			fmt.Fprintf(out, "DIFFERS sid %d: ours is right, Suricata: %s\n", q.rule.sid, q.peer.words(q))
			if err := q.keep(o.dir); err != nil {
				return err
			}
		}
	}
	reasons := map[string]int{}
	for _, l := range c.limits {
		reasons[l.reason]++
		fmt.Fprintf(out, "NOT EXPRESSED sid %d: %s\n", l.rule.sid, l.reason)
	}
	fmt.Fprintf(out, "rules active %d, sampled %d by seed %d\n", c.active, c.sampled, o.seed)
	for _, reason := range slices.Sorted(maps.Keys(c.excluded)) {
		fmt.Fprintf(out, "  excluded: %s (a hash cannot be inverted): %d\n", reason, c.excluded[reason])
	}
	for _, reason := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int { return reasons[b] - reasons[a] }) {
		fmt.Fprintf(out, "  the generator's limit: %s: %d\n", reason, reasons[reason])
	}
	fmt.Fprintf(out, "expressed %d (%.1f %% of those that are not excluded), twins %d\n", len(c.asked),
		100*float64(len(c.asked))/float64(max(1, len(c.asked)+len(c.limits))), twins)
	if c.peer {
		fmt.Fprintf(out, "Suricata: %d right of %d; same answer on %d of %d stories and %d of %d twins\n", both, len(c.asked),
			agreePositive, len(c.asked), agreeTwins, twins)
	}
	fmt.Fprintf(out, "right %d of %d, wrong %d\n", right, len(c.asked), len(c.asked)-right)
	return nil
}

// words say what an engine answered.
func (v verdict) words(q *question) string {
	s := "alert"
	if !v.alert {
		s = "no alert"
	}
	for i, t := range v.twins {
		if t {
			s += ", alert on a twin (" + q.twins[i].what + ")"
		}
	}
	return s
}

// explain writes a wrong answer.
func (q *question) explain(out io.Writer, dir string) error {
	why := q.alone.words(q)
	if q.refused != nil {
		why = q.refused.Error()
	} else if !q.whole && !q.quiet {
		why += ", none with all rules loaded"
	}
	fmt.Fprintf(out, "WRONG sid %d: %s\n", q.rule.sid, why)
	if q.peer.twins != nil {
		fmt.Fprintf(out, "  Suricata: %s\n", q.peer.words(q))
	}
	fmt.Fprintf(out, "  %s\n  %s\n", q.rule.text, filepath.Join(dir, fmt.Sprint(q.rule.sid)))
	return q.keep(dir)
}

// keep writes the rule's captures.
func (q *question) keep(dir string) error {
	dir = filepath.Join(dir, fmt.Sprint(q.rule.sid))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text := ""
	for _, t := range q.texts() {
		text += t + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "rules"), []byte(text), 0o644); err != nil {
		return err
	}
	if err := writeCapture(filepath.Join(dir, "alert.pcap"), q.story); err != nil {
		return err
	}
	for i, t := range q.twins {
		if err := writeCapture(filepath.Join(dir, fmt.Sprintf("twin%d.pcap", i)), t); err != nil {
			return err
		}
	}
	return nil
}

func writeCapture(name string, stories ...*story) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := captureOf(stories...).WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
