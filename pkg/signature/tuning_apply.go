package signature

import (
	"io"
	"path/filepath"
	"strings"
)

// outline is what a tuning looks at in the text of a rule.
type outline struct {
	text  string
	group string // the file's name without folder and ending
	id    ruleID
	pairs []Pair
	read  bool // pairs are
}

// actionWords begin a rule; what else stands behind a # is a comment.
var actionWords = []string{"alert", "pass", "drop", "reject", "rejectsrc", "rejectdst", "rejectboth"}

// Apply gives the text of a rule as the site wants it: enabled is false if the rule is off. line is a line of a rule
// file without line end; what is no rule comes back as it was, and is off. A rule that is commented out can be enabled.
func (t *Tuning) Apply(file, line string) (text string, enabled bool) {
	text, enabled = splitRule(line)
	if text == "" || t == nil {
		return text, enabled
	}
	r := &outline{text: text, group: strings.TrimSuffix(filepath.Base(file), ".rules"), id: outlineID(text)}
	if r.id.sid == 0 {
		return text, enabled
	}
	if matches(t.disable, r) {
		enabled = false
	}
	if matches(t.enable, r) {
		enabled = true
	}
	for i := range t.modify {
		if m := &t.modify[i]; m.selects(r) {
			r.text, r.read = m.from.ReplaceAllString(r.text, m.to), false
		}
	}
	if matches(t.drop, r) {
		r.text = toDrop(r.text)
	}
	return r.text, enabled
}

func matches(list []selector, r *outline) bool {
	for i := range list {
		if list[i].selects(r) {
			return true
		}
	}
	return false
}

// toDrop makes a drop of an alert. A rule that says nothing stays: to drop what sets a bit would drop what it is about.
func toDrop(text string) string {
	rest, ok := strings.CutPrefix(text, "alert")
	if !ok || strings.Contains(strings.ReplaceAll(text, " ", ""), "noalert;") {
		return text
	}
	return "drop" + rest
}

// splitRule takes the comment signs off a rule that is commented out; a comment that is no rule gives nothing.
func splitRule(line string) (text string, enabled bool) {
	line = strings.TrimSpace(line)
	text = strings.TrimLeft(line, "# \t")
	word, _, ok := strings.Cut(text, " ")
	if !ok || !strings.Contains(text, "(") {
		word = ""
	}
	for _, action := range actionWords {
		if word == action {
			return text, line == text
		}
	}
	if line == text {
		return text, text != "" // not a rule that is known, but not a comment either: the reading says what is wrong
	}
	return "", false
}

// outlineID is a rule's number as its text has it.
func outlineID(text string) ruleID {
	id := ruleID{gid: 1, sid: findSID(text)}
	if at := strings.LastIndex(text, "gid:"); at > 0 && strings.IndexByte("; (\t", text[at-1]) >= 0 {
		value, _, _ := strings.Cut(text[at+4:], ";")
		if n, err := parseNumber(value, 1, 1<<32-1); err == nil {
			id.gid = uint32(n)
		}
	}
	return id
}

// metadata are the rule's keys and values in small letters.
func (r *outline) metadata() []Pair {
	if r.read {
		return r.pairs
	}
	r.pairs, r.read = r.pairs[:0], true
	_, options, err := cutHeader(r.text)
	for n := 0; err == nil && options != "" && n < maxOptions; n++ {
		var o option
		if o, options, err = nextOption(options); err != nil || o.name != "metadata" {
			continue
		}
		for part := range strings.SplitSeq(strings.ToLower(o.value), ",") {
			k, v, _ := strings.Cut(strings.TrimSpace(part), " ")
			r.pairs = append(r.pairs, Pair{k, strings.TrimSpace(v)})
		}
	}
	return r.pairs
}

// ReadTuned is ReadRules of a file whose rules a site has changed; a nil Tuning changes nothing.
func ReadTuned(file string, r io.Reader, env *Env, t *Tuning, each func(*Signature, *Refusal)) error {
	if t == nil {
		return ReadRules(file, r, env, each)
	}
	return readRules(file, r, env, func(line string) string {
		if text, on := t.Apply(file, line); on {
			return text
		}
		return ""
	}, each)
}
