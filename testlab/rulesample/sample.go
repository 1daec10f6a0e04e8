package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"citygate/testlab/forge"
)

// card is the sample and what was answered.
type card struct {
	active   int
	sampled  int
	excluded map[string]int // rules that cannot have traffic made for them, by reason
	limits   []limit        // rules that the generator cannot express
	asked    []*question
	peer     bool
}

type limit struct {
	rule   *rule
	reason string
}

// question is a rule, its story and its twins, and what was answered.
type question struct {
	rule    *rule
	plan    *plan
	story   *story
	twins   []*story
	alone   verdict
	whole   bool // with all rules loaded its alert was there
	peer    verdict
	quiet   bool // no alert is due with all rules loaded: the rule only sets bits
	refused error
}

// verdict is what an engine answered: an alert on the story, and on which twins.
type verdict struct {
	alert bool
	twins []bool
}

func (v verdict) right() bool {
	for _, t := range v.twins {
		if t {
			return false
		}
	}
	return v.alert
}

// draw takes rules in an order that the seed gives, until there are enough that traffic can be made for.
func (l *library) draw(o settings, progress io.Writer) *card {
	c := &card{active: len(l.rules), excluded: map[string]int{}}
	order := rand.New(rand.NewPCG(o.seed, 0)).Perm(len(l.rules))
	for _, i := range order {
		r := l.rules[i]
		if len(c.asked) == o.count || o.sid != 0 && r.sid != o.sid {
			continue
		}
		c.sampled++
		if reason := r.excluded(); reason != "" {
			c.excluded[reason]++
			continue
		}
		q, err := l.question(r, len(c.asked)+1, o.seed)
		if err != nil {
			c.limits = append(c.limits, limit{r, err.Error()})
			continue
		}
		c.asked = append(c.asked, q)
	}
	fmt.Fprintf(progress, "%d rules of %d expressed\n", len(c.asked), c.sampled)
	return c
}

// excluded says why no traffic can be made for a rule by anyone: a hash cannot be inverted.
func (r *rule) excluded() string {
	for _, b := range []string{"ja3.hash", "ja3s.hash", "ja3.string", "tls.cert_fingerprint"} {
		if s := r.find(b); s != nil && s.asks() {
			return b
		}
	}
	return ""
}

// maxPlans is how often a rule's traffic is tried anew.
const maxPlans = 4

func (l *library) question(r *rule, number int, seed uint64) (*question, error) {
	var err error
	for try := range uint64(maxPlans) {
		var p *plan
		var s *story
		if p, s, err = l.plan(r, number, seed+try*1000, nil, 0); err != nil {
			continue
		}
		q := &question{rule: r, plan: p, story: s, twins: p.twins(s), quiet: r.noalert}
		if len(q.twins) == 0 {
			err = errors.New("no twin found")
			continue
		}
		return q, nil
	}
	return nil, err
}

// texts are the rules that a question needs loaded.
func (q *question) texts() []string {
	out := []string{q.rule.audible()}
	for _, r := range q.plan.setterRules() {
		if r != q.rule && !strings.Contains(strings.Join(out, "\n"), r.text) {
			out = append(out, r.text)
		}
	}
	return out
}

// ask asks the engine about each rule alone.
func (c *card) ask(progress io.Writer) error {
	for _, q := range c.asked {
		rules, err := load(q.texts())
		if err != nil {
			q.refused = err
			continue
		}
		q.alone.alert = inspect(rules, captureOf(q.story)).of(q.story) > 0
		for _, t := range q.twins {
			q.alone.twins = append(q.alone.twins, inspect(rules, captureOf(t)).of(t) > 0)
		}
	}
	fmt.Fprintln(progress, "each rule alone: asked")
	return nil
}

func captureOf(stories ...*story) *forge.Capture {
	c := forge.New()
	for _, s := range stories {
		s.play(c)
	}
	return c
}

// whole asks the engine with all rules loaded.
func (c *card) whole(dir string, progress io.Writer) error {
	rules, err := readRules(dir)
	if err != nil {
		return err
	}
	var texts []string
	for _, r := range rules {
		texts = append(texts, r.text)
	}
	for len(texts) < 100 {
		texts = append(texts, "#")
	}
	all, err := load(texts)
	if err != nil {
		return err
	}
	var stories []*story
	for _, q := range c.asked {
		stories = append(stories, q.story)
	}
	got := inspect(all, captureOf(stories...))
	for _, q := range c.asked {
		q.whole = got.of(q.story) > 0
	}
	fmt.Fprintln(progress, "all rules together: asked")
	return nil
}
