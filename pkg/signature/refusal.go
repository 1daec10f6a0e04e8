package signature

import (
	"errors"
	"fmt"
)

// Refusal says why a rule was not taken: where it stands, which keyword is to blame ("protocol", "address", "port",
// "action" and "syntax" are of what is no keyword) and what to do about it.
type Refusal struct {
	File    string
	Line    int
	SID     uint32 // 0 if the rule's sid could not be read
	Keyword string
	Reason  string
	// Skipped says that the rule itself asks not to be taken here (requires): nobody has to do anything.
	Skipped bool
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s:%d: sid %d: %s: %s", r.File, r.Line, r.SID, r.Keyword, r.Reason)
}

// fault is an error that blames a part of a rule.
type fault struct {
	keyword string
	skipped bool
	err     error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// blame says which part of a rule an error belongs to, unless the error knows better.
func blame(keyword string, err error) error {
	var f *fault
	if err == nil || errors.As(err, &f) {
		return err
	}
	return &fault{keyword: keyword, err: err}
}

func faultf(keyword, format string, args ...any) error {
	return &fault{keyword: keyword, err: fmt.Errorf(format, args...)}
}
