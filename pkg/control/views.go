package control

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"citygate/pkg/control/api"
	"citygate/pkg/policy"
)

// maxEventText is what fits into an event's summary.
const maxEventText = 480

func clip(s string) string {
	s = strings.Trim(s, ";: ")
	if len(s) <= maxEventText {
		return s
	}
	n := maxEventText
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}

// brief is an error in one line: of the errors of a file, the first and how many more there are.
func brief(err error) string {
	var errs policy.Errors
	if errors.As(err, &errs) && len(errs) > 1 {
		return clip(fmt.Sprintf("%v (and %d more)", errs[0], len(errs)-1))
	}
	return clip(strings.ReplaceAll(err.Error(), "\n", "; "))
}

// list makes an empty list of none, so that JSON shows [] and not null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// info describes a policy.
func (c *Control) info(r *running) api.PolicyInfo {
	s := r.saved
	p := api.PolicyInfo{
		Source: s.Source, File: s.File, Generation: r.generation, Applied: s.Applied, By: s.By, Reason: s.Reason,
		Devices: len(r.policy.Devices), Rules: len(r.policy.Rules), Entries: r.compiled.Entries,
	}
	if s.Source != sourceNone {
		p.Hash = s.hash()
	}
	if w := c.pending.Load(); w != nil {
		p.ConfirmBy = w.ConfirmBy.UTC()
		if w.Previous.Source != sourceNone {
			p.PreviousHash = w.Previous.hash()
		}
	}
	return p
}

// diff says what next changes.
func diff(now, next *running) api.PolicyDiff {
	d := api.PolicyDiff{To: next.saved.hash(), Changes: []api.Change{}}
	if now.saved.Source != sourceNone {
		d.From = now.saved.hash()
	}
	var added, removed, changed int
	for _, c := range policy.Diff(now.policy, next.policy) {
		switch c.Op {
		case '+':
			added++
		case '-':
			removed++
		default:
			changed++
		}
		d.Changes = append(d.Changes, api.Change{Op: string(c.Op), Text: c.Text})
	}
	d.Same = len(d.Changes) == 0
	d.Summary = fmt.Sprintf("%d added, %d removed, %d changed", added, removed, changed)
	if d.Same {
		d.Summary = "no difference"
	}
	return d
}

func changesText(changes []api.Change) string {
	var texts []string
	for _, c := range changes {
		texts = append(texts, c.Op+" "+c.Text)
	}
	return strings.Join(texts, "; ")
}

// policyErrors gives the errors of a config or a policy as the API shows them.
func policyErrors(errs policy.Errors) []api.PolicyError {
	out := []api.PolicyError{}
	for _, e := range errs {
		out = append(out, api.PolicyError{File: e.File, Line: e.Line, Column: e.Column, Key: e.Key, Problem: e.Problem, Remedy: e.Remedy})
	}
	return out
}
