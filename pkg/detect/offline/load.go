package offline

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"citygate/pkg/detect"
	"citygate/pkg/detect/offline/job"
	"citygate/pkg/signature"
)

// File is an open file with the name that people know it by.
type File struct {
	Name string
	io.Reader
}

// Rules are open files of rules and what belongs to them; nil is a file that there is not.
type Rules struct {
	Files                         []File
	Threshold                     *File // threshold.config
	Classification                *File
	References                    *File
	Disable, Enable, Drop, Modify *File
	// Refusals is how many refusals the report holds, at most: a hostile file could have millions.
	Refusals int
}

// Load reads rules in their order and compiles them.
func (s *Settings) Load(from Rules) (image []byte, rep job.Load, err error) {
	set, rep, err := s.read(from)
	if err != nil {
		return nil, rep, err
	}
	var limits []signature.ThresholdRule
	if f := from.Threshold; f != nil {
		if limits, err = signature.ReadThresholds(f.Name, f, &set.Env.Vars); err != nil {
			return nil, rep, err
		}
	}
	signature.Sort(set.Signatures)
	return detect.Compile(detect.Set{Signatures: set.Signatures, Symbols: set.Env.Symbols, Thresholds: limits}), rep, nil
}

// read reads rules and gives them in the order in which they came.
func (s *Settings) read(from Rules) (*signature.Rules, job.Load, error) {
	set := &signature.Rules{}
	var err error
	if set.Env, err = s.environment(from); err != nil {
		return nil, job.Load{}, err
	}
	if set.Tuning, err = tuning(from); err != nil {
		return nil, job.Load{}, err
	}
	r := report{most: from.Refusals, keywords: map[string]int{}}
	for _, f := range from.Files {
		err := signature.ReadTuned(f.Name, f, set.Env, set.Tuning, func(sig *signature.Signature, refusal *signature.Refusal) {
			if sig != nil {
				refusal = set.Add(sig)
			}
			r.add(refusal)
		})
		if err != nil {
			return nil, job.Load{}, fmt.Errorf("read %s: %w", f.Name, err)
		}
	}
	r.Loaded, r.Replaced = len(set.Signatures), set.Replaced
	r.Rules = r.Loaded + r.Skipped + r.Refused + r.Replaced
	r.Keywords = r.counted()
	return set, r.Load, nil
}

func (s *Settings) environment(from Rules) (*signature.Env, error) {
	env := signature.NewEnv()
	env.Vars = s.Vars
	if f := from.Classification; f != nil {
		if err := env.Classes.ReadClasses(f.Name, f); err != nil {
			return nil, err
		}
	}
	if f := from.References; f != nil {
		if err := signature.ReadReferences(f.Name, f, env.References); err != nil {
			return nil, err
		}
	}
	return env, nil
}

// tuning reads the files of suricata-update; nil if there are none, which leaves commented rules alone without a look.
func tuning(from Rules) (*signature.Tuning, error) {
	var in [4]io.Reader
	any := false
	for i, f := range []*File{from.Disable, from.Enable, from.Drop, from.Modify} {
		if f != nil {
			in[i], any = f, true
		}
	}
	if !any {
		return nil, nil
	}
	return signature.ReadTuning(in[0], in[1], in[2], in[3])
}

// report gathers refusals.
type report struct {
	job.Load
	most     int
	keywords map[string]int
}

func (r *report) add(x *signature.Refusal) {
	switch {
	case x == nil:
		return
	case x.Skipped:
		r.Skipped++
		return
	}
	r.Refused++
	if len(r.keywords) < maxKeywords || r.keywords[x.Keyword] > 0 {
		r.keywords[x.Keyword]++
	}
	if len(r.Refusals) < r.most {
		r.Refusals = append(r.Refusals, job.Refusal{File: x.File, Line: x.Line, SID: x.SID, Keyword: x.Keyword, Reason: x.Reason})
	}
}

// maxKeywords bounds the keywords that are counted: each line of a hostile file could name another.
const maxKeywords = 1000

func (r *report) counted() (out []job.Keyword) {
	for _, name := range slices.Sorted(maps.Keys(r.keywords)) {
		out = append(out, job.Keyword{Name: name, Rules: r.keywords[name]})
	}
	slices.SortStableFunc(out, func(a, b job.Keyword) int { return cmp.Compare(b.Rules, a.Rules) })
	return out
}
