package offline

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"citygate/pkg/detect"
	"citygate/pkg/detect/offline/job"
)

// Do carries out a job on open files: files are those of the job, in its order. Its error is the answer's.
func Do(j *job.Job, capture io.Reader, files []io.ReadWriter) *job.Answer {
	a := new(job.Answer)
	if err := do(j, a, capture, files); err != nil {
		return &job.Answer{Error: err.Error()}
	}
	return a
}

func do(j *job.Job, a *job.Answer, capture io.Reader, files []io.ReadWriter) error {
	s := NewSettings()
	s.CheckNone, s.Engine.Inline, s.AlertsOnly = j.NoChecksums, j.Inline, j.AlertsOnly
	for _, set := range j.Set {
		if err := s.Set(set); err != nil {
			return err
		}
	}
	from, out, err := open(j, files)
	if err != nil {
		return err
	}
	switch j.Verb {
	case job.Replay:
		return s.replay(j, a, from, capture, out)
	case job.Check:
		return s.check(a, from)
	case job.List:
		return s.list(j, a, from)
	case job.Keys:
		a.Keys = AllKeys()
		return nil
	}
	return fmt.Errorf("nothing is known of %q", j.Verb)
}

// open puts a job's files where they belong.
func open(j *job.Job, files []io.ReadWriter) (from Rules, out io.Writer, err error) {
	if len(files) != len(j.Files) {
		return from, nil, fmt.Errorf("%d files of %d were given", len(files), len(j.Files))
	}
	from.Refusals = j.Refusals
	one := map[job.Kind]**File{
		job.Threshold: &from.Threshold, job.Classification: &from.Classification, job.References: &from.References,
		job.Disable: &from.Disable, job.Enable: &from.Enable, job.Drop: &from.Drop, job.Modify: &from.Modify,
	}
	for i, f := range j.Files {
		to := one[f.Kind]
		switch {
		case f.Kind == job.Rules:
			from.Files = append(from.Files, File{f.Name, files[i]})
		case f.Kind == job.Events && out == nil:
			out = files[i]
		case to != nil && *to == nil:
			*to = &File{f.Name, files[i]}
		default:
			return from, nil, fmt.Errorf("%s is a second or unknown %s", f.Name, f.Kind)
		}
	}
	return from, out, nil
}

func (s *Settings) replay(j *job.Job, a *job.Answer, from Rules, capture io.Reader, out io.Writer) error {
	switch {
	case j.Count:
		out = io.Discard
	case out == nil:
		return errors.New("there is no file for events")
	}
	image, load, err := s.Load(from)
	if err != nil {
		return err
	}
	a.Rules = load
	res, err := s.Replay(capture, image, out)
	if err == nil && j.Stats {
		err = res.writeStats(out)
	}
	if err != nil {
		return fmt.Errorf("replay %s: %w", j.Capture, err)
	}
	if res.Broken != nil {
		a.Warnings = append(a.Warnings, fmt.Sprintf("%s: %v; what stands before it is inspected", j.Capture, res.Broken))
	}
	a.Replay = job.Result{Packets: res.Packets, Bytes: res.Bytes, Alerts: res.Counters.Alerts, Dropped: res.Dropped, Flows: res.Flows.Total}
	a.Alerts, a.Counters = res.Alerts, res.Numbers()
	return nil
}

// check compiles and opens the rules too: what is called loaded can be run.
func (s *Settings) check(a *job.Answer, from Rules) error {
	image, load, err := s.Load(from)
	if err == nil {
		_, err = detect.Open(image)
	}
	a.Rules = load
	return err
}

// cut splits a counter's name at the first dot.
func cut(name string) (object, rest string) {
	object, rest, _ = strings.Cut(name, ".")
	return object, rest
}
