package signature

import (
	"fmt"
	"io"
)

// Rules collects the signatures of several files. Of two rules with one gid and sid the higher revision stays.
type Rules struct {
	Env        *Env
	Tuning     *Tuning      // what the site changes; may be nil
	Signatures []*Signature // in the order in which they came
	Refused    []*Refusal
	// Skipped counts rules that ask for something that is not here (requires).
	Skipped int
	// Replaced counts rules whose place a higher revision took.
	Replaced int

	places map[ruleID]int
}

type ruleID struct{ gid, sid uint32 }

// Read adds the rules of a file. The error is of the reader.
func (s *Rules) Read(file string, r io.Reader) error {
	if s.Env == nil {
		s.Env = NewEnv()
	}
	return ReadTuned(file, r, s.Env, s.Tuning, func(sig *Signature, refusal *Refusal) {
		if sig != nil {
			refusal = s.Add(sig)
		}
		s.refuse(refusal)
	})
}

func (s *Rules) refuse(r *Refusal) {
	switch {
	case r == nil:
	case r.Skipped:
		s.Skipped++
	default:
		s.Refused = append(s.Refused, r)
	}
}

// Add adds a signature, unless there is one of its sid already whose revision is not lower.
func (s *Rules) Add(sig *Signature) *Refusal {
	if s.places == nil {
		s.places = map[ruleID]int{}
	}
	id := ruleID{sig.GID, sig.SID}
	i, ok := s.places[id]
	switch {
	case !ok:
		s.places[id] = len(s.Signatures)
		s.Signatures = append(s.Signatures, sig)
	case s.Signatures[i].Rev < sig.Rev:
		s.Signatures[i] = sig
		s.Replaced++
	default:
		old := s.Signatures[i]
		return &Refusal{
			File: sig.File, Line: sig.Line, SID: sig.SID, Keyword: "sid",
			Reason: fmt.Sprintf("the sid is taken by %s:%d with rev %d, this is rev %d: raise rev to replace it, or take another sid",
				old.File, old.Line, old.Rev, sig.Rev),
		}
	}
	return nil
}
