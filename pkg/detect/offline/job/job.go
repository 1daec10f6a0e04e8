// Package job is what the citygate command and citygate-inspect tell each other: a Job and open descriptors go in, an Answer
// comes out. It parses nothing but these two records, so that the command links no parser of captures or rules.
package job

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The descriptors of citygate-inspect besides the standard streams: the capture is its input, the answer its output.
const (
	Descriptor = 3 // the job
	FirstFile  = 4 // Job.Files, in their order
)

const (
	// MaxFiles is how many files a job may have: each is a descriptor, and 1,024 is what a process may have by default.
	MaxFiles = 900
	maxJob   = 8 << 20 // names and settings, bytes
	// MaxAnswer bounds what the command reads of a process that hostile bytes may have taken over: a list of a million
	// rules is longer.
	MaxAnswer = 256 << 20
)

// Verb is what to do.
type Verb string

// The verbs.
const (
	Replay Verb = "replay" // inspect the capture
	Check  Verb = "check"  // say which rules load
	List   Verb = "list"   // give the rules, those of SIDs in words too
	Keys   Verb = "keys"   // give the settings
)

// Kind is what a file is.
type Kind string

// The kinds of files.
const (
	Rules          Kind = "rules"
	Threshold      Kind = "threshold.config"
	Classification Kind = "classification.config"
	References     Kind = "reference.config"
	Disable        Kind = "disable.conf"
	Enable         Kind = "enable.conf"
	Drop           Kind = "drop.conf"
	Modify         Kind = "modify.conf"
	Events         Kind = "eve.json" // the one that is written
)

// File is an open file. Its name is a text for messages.
type File struct {
	Name string
	Kind Kind
}

// Job is what citygate-inspect is to do.
type Job struct {
	Verb    Verb
	Person  bool   // not started by root
	Memory  uint64 // bytes it may have
	Capture string // name of the standard input
	Files   []File

	Set         []string // KEY=VALUE
	NoChecksums bool     // -k none
	Inline      bool     // drop rules drop
	AlertsOnly  bool
	Stats       bool // a stats record at the end

	Refusals int  // how many refusals to give, at most
	Count    bool // Replay writes no events: only Answer.Alerts is asked for

	// List: the rules that all of these choose; empty is all.
	SIDs  []uint32
	Grep  string // an expression on the rule's text
	Class string // a name of a class, or a part of its description
	Words bool   // say what they look at
}

// Answer is what came of it. Error is all there is if it is not empty.
type Answer struct {
	Error    string    `json:",omitempty"`
	Warnings []string  `json:",omitempty"`
	Rules    Load      //
	Replay   Result    //
	Alerts   []Alerts  `json:",omitempty"` // by rule, the most frequent first
	Counters []Counter `json:",omitempty"`
	List     []Rule    `json:",omitempty"`
	Keys     []Key     `json:",omitempty"`
}

// Load says what came of rules.
type Load struct {
	Rules    int // that are not commented out
	Loaded   int // are evaluated in full
	Replaced int // of two rules with one sid the one with the higher revision counts
	Skipped  int // ask for something that is not here (requires)
	Refused  int
	Refusals []Refusal `json:",omitempty"` // the first of them
	Keywords []Keyword `json:",omitempty"` // that all of them are refused for, the most frequent first
}

// Refusal is a rule that is not evaluated, and why.
type Refusal struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	SID     uint32 `json:"sid"`
	Keyword string `json:"keyword"`
	Reason  string `json:"reason"`
}

// Keyword counts the rules that are refused for a keyword.
type Keyword struct {
	Name  string `json:"keyword"`
	Rules int    `json:"rules"`
}

// Result is what a replay did.
type Result struct {
	Packets, Bytes, Alerts, Dropped, Flows uint64
}

// Alerts counts the alerts of a rule.
type Alerts struct {
	SID     uint32 `json:"sid"`
	GID     uint32 `json:"gid"`
	Count   uint64 `json:"count"`
	Message string `json:"message"`
}

// Counter is a number with a name.
type Counter struct {
	Name  string
	Value uint64
}

// Key is a key of --set.
type Key struct {
	Name string `json:"key"`
	Doc  string `json:"doc"`
}

// Rule is a rule of a list.
type Rule struct {
	SID      uint32 `json:"sid"`
	GID      uint32 `json:"gid"`
	Rev      uint32 `json:"rev"`
	Action   string `json:"action"`
	Protocol string `json:"protocol"`
	Message  string `json:"message"`
	Class    string `json:"class"`
	Priority uint32 `json:"priority"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	// Text and Words are of rules that are shown.
	Text  string `json:"text,omitempty"`
	Words []Word `json:"words,omitempty"`
}

// Word is something that a rule says, in words.
type Word struct {
	What string `json:"what"`
	Text string `json:"text"`
}

// Append adds the record.
func (j *Job) Append(dst []byte) ([]byte, error) {
	if len(j.Files) > MaxFiles {
		return nil, fmt.Errorf("%d files; at most %d are read", len(j.Files), MaxFiles)
	}
	b, err := json.Marshal(j)
	if err == nil && len(b) > maxJob {
		err = fmt.Errorf("names and settings of more than %d bytes", maxJob)
	}
	return append(dst, b...), err
}

// Read is the inverse of Append.
func Read(r io.Reader) (*Job, error) {
	j := new(Job)
	if err := read(r, maxJob, j); err != nil {
		return nil, fmt.Errorf("read the job: %w", err)
	}
	if len(j.Files) > MaxFiles {
		return nil, fmt.Errorf("read the job: %d files", len(j.Files))
	}
	return j, nil
}

// Write writes the answer.
func (a *Answer) Write(w io.Writer) error {
	b, err := json.Marshal(a)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

// ReadAnswer is the inverse of Write.
func ReadAnswer(b []byte) (*Answer, error) {
	a := new(Answer)
	if err := read(bytes.NewReader(b), MaxAnswer, a); err != nil {
		return nil, fmt.Errorf("read the answer of citygate-inspect: %w", err)
	}
	return a, nil
}

func read(r io.Reader, most int64, to any) error {
	d := json.NewDecoder(io.LimitReader(r, most))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind it")
	}
	return nil
}
