package offline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"citygate/pkg/detect/offline/job"
	"citygate/pkg/signature"
)

// list gives the rules that a job chooses, in the order in which they came.
func (s *Settings) list(j *job.Job, a *job.Answer, from Rules) error {
	grep, err := regexp.Compile("(?i)" + j.Grep)
	if err != nil {
		return fmt.Errorf("--grep: %w", err)
	}
	set, load, err := s.read(from)
	if err != nil {
		return err
	}
	a.Rules = load
	class := classOf(set.Env, j.Class)
	for _, sig := range set.Signatures {
		if len(j.SIDs) > 0 && !slices.Contains(j.SIDs, sig.SID) || !grep.MatchString(sig.Text) ||
			!strings.Contains(strings.ToLower(sig.Classtype), class) {
			continue
		}
		rule := line(sig)
		if j.Words {
			rule.Text, rule.Words = sig.Text, words(sig)
		}
		a.List = append(a.List, rule)
	}
	return nil
}

// classOf is what to look for in the descriptions of classes.
func classOf(env *signature.Env, name string) string {
	name = strings.ToLower(name)
	if c, ok := env.Classes[name]; ok {
		name = strings.ToLower(c.Description)
	}
	return name
}

func line(sig *signature.Signature) job.Rule {
	return job.Rule{
		SID: sig.SID, GID: sig.GID, Rev: sig.Rev, Action: sig.Action.String(), Message: sig.Msg, Class: sig.Classtype,
		Priority: sig.Priority, File: sig.File, Line: sig.Line, Protocol: protocol(sig.Text),
	}
}

// protocol is the second word of a rule, as its author wrote it.
func protocol(text string) string {
	words := strings.Fields(text)
	if len(words) < 2 {
		return ""
	}
	return words[1]
}
