// Package document reads one YAML document strictly: text goes in; values that know their place come out, or every error with
// its file, line, key and remedy. Anchors, tags, repeated keys, unknown keys and a second document are errors.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxSize is the longest text that Parse reads, in bytes. A policy of 4,096 devices is below 1 MB.
const MaxSize = 2 << 20

// maxErrors bounds what a file that is something else altogether makes us say.
const maxErrors = 1000

// Document is a file being read. Its errors gather until Err.
type Document struct {
	File string
	// Env gives ${NAME} in a text its value; nil = texts are taken as they are.
	Env  func(name string) (string, bool)
	root *yaml.Node
	errs Errors
}

// Parse reads the text of a file. A file without a value is an error.
func Parse(file string, text []byte) (*Document, error) {
	d := &Document{File: file}
	whole := func(problem, remedy string) (*Document, error) {
		return nil, Errors{{File: file, Problem: problem, Remedy: remedy}}
	}
	if len(text) > MaxSize {
		return whole(fmt.Sprintf("the file has %d bytes", len(text)), fmt.Sprintf("the most is %d", MaxSize))
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	if err := decoder.Decode(&first); errors.Is(err, io.EOF) {
		return whole("the file is empty", "write at least one key")
	} else if err != nil {
		return nil, Errors{d.syntax(err)}
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, Errors{{File: file, Line: second.Line, Column: second.Column, Problem: "a second YAML document begins here", Remedy: "keep one document in the file"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, Errors{d.syntax(err)}
	}
	if first.Kind != yaml.DocumentNode || len(first.Content) != 1 {
		return whole("the file is empty", "write at least one key")
	}
	d.root = first.Content[0]
	if d.root.Kind == yaml.ScalarNode && d.root.ShortTag() == "!!null" {
		return whole("the file is empty", "write at least one key")
	}
	return d, nil
}

// syntax gives an error of the YAML reader its place.
func (d *Document) syntax(err error) Error {
	e := Error{File: d.File, Problem: "not YAML: " + err.Error(), Remedy: "check indents, brackets and quotes"}
	var load *yaml.LoadError
	if errors.As(err, &load) {
		e.Line, e.Column, e.Problem = load.Mark.Line, load.Mark.Column, "not YAML: "+load.Message
	}
	e.Problem = strings.ReplaceAll(e.Problem, "\n", " ")
	return e
}

// Root is the value of the whole document.
func (d *Document) Root() Value { return Value{doc: d, node: d.root} }

// Err gives all errors in the order of the file, nil if there are none.
func (d *Document) Err() error {
	if len(d.errs) == 0 {
		return nil
	}
	d.errs.Sort()
	if len(d.errs) > maxErrors {
		d.errs = append(d.errs[:maxErrors:maxErrors], Error{File: d.File, Problem: fmt.Sprintf("%d more errors are left out", len(d.errs)-maxErrors), Remedy: "correct these first"})
	}
	return d.errs
}

// Value is a value of a document and the path that leads to it.
type Value struct {
	doc  *Document
	node *yaml.Node
	Key  string
}

// Place says where a value stands.
type Place struct {
	Line, Column int
	Key          string
}

// Place is where v stands.
func (v Value) Place() Place { return Place{Line: v.node.Line, Column: v.node.Column, Key: v.Key} }

// Error is an error about p in a file.
func (p Place) Error(file, problem, remedy string) Error {
	return Error{File: file, Line: p.Line, Column: p.Column, Key: p.Key, Problem: problem, Remedy: remedy}
}

// Fail records an error about v.
func (v Value) Fail(problem, remedy string) {
	v.doc.errs = append(v.doc.errs, v.Place().Error(v.doc.File, problem, remedy))
}

// Is reports whether v is the plain or quoted word s.
func (v Value) Is(s string) bool { return v.node.Kind == yaml.ScalarNode && v.node.Value == s }

// plain refuses what a strict file must not have, and reports whether v is of the wanted kind.
func (v Value) plain(kind yaml.Kind, want string) bool {
	n := v.node
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		v.Fail("anchors (&name) and aliases (*name) are not read here", "write the value out")
	}
	if n.Style&yaml.TaggedStyle != 0 {
		v.Fail(fmt.Sprintf("tag %s is not read here", Quote(n.Tag)), "leave the tag out")
	}
	if n.Kind != kind && n.Kind != yaml.AliasNode {
		v.Fail(fmt.Sprintf("this is %s", kindName(n)), "write "+want)
	}
	return n.Kind == kind
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.ShortTag() == "!!null" {
		return "empty"
	}
	return fmt.Sprintf("the text %q", shorten(n.Value))
}

// shorten keeps a foreign text in an error message small.
func shorten(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}

// Quote is a text of the file as an error message shows it.
func Quote(s string) string { return fmt.Sprintf("%q", shorten(s)) }

// Entry is a key with its value, of a map whose keys the user chooses.
type Entry struct {
	Name string
	At   Value // the key itself
	Value
}

// Entries reads a map with keys of the user's choice, in order. A repeated key is an error.
func (v Value) Entries(want string) []Entry {
	if !v.plain(yaml.MappingNode, want) {
		return nil
	}
	var entries []Entry
	seen := make(map[string]int)
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		name := v.node.Content[i]
		key := Value{doc: v.doc, node: name, Key: v.child(shorten(name.Value))}
		if !key.plain(yaml.ScalarNode, "a name") {
			continue
		}
		if line, twice := seen[name.Value]; twice {
			key.Fail(fmt.Sprintf("key %s is here twice, first in line %d", Quote(name.Value), line), "keep one")
			continue
		}
		seen[name.Value] = name.Line
		entries = append(entries, Entry{Name: name.Value, At: key, Value: Value{doc: v.doc, node: v.node.Content[i+1], Key: key.Key}})
	}
	return entries
}

func (v Value) child(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == utf8.RuneError || !unicode.IsPrint(r) }) {
		name = strconv.Quote(name)
	}
	if v.Key == "" {
		return name
	}
	return v.Key + "." + name
}

// Fields are the keys of a map whose keys are fixed.
type Fields struct {
	of Value
	by map[string]Value
}

// Fields reads a map with the given keys. Unknown and repeated keys are errors.
func (v Value) Fields(known ...string) Fields {
	f := Fields{of: v, by: make(map[string]Value)}
	for _, e := range v.Entries("a map with the keys " + strings.Join(known, ", ")) {
		if !slices.Contains(known, e.Name) {
			e.At.Fail("unknown key "+Quote(e.Name), "the keys here are "+strings.Join(known, ", "))
			continue
		}
		f.by[e.Name] = e.Value
	}
	return f
}

// Get gives the value of a key, if it is there.
func (f Fields) Get(name string) (Value, bool) {
	v, ok := f.by[name]
	return v, ok
}

// Need gives the value of a key; that it is missing is an error.
func (f Fields) Need(name, remedy string) (Value, bool) {
	v, ok := f.by[name]
	if !ok && f.of.node.Kind == yaml.MappingNode {
		f.of.Fail("key "+name+" is missing", remedy)
	}
	return v, ok
}

// Items reads a list.
func (v Value) Items(want string) []Value {
	if !v.plain(yaml.SequenceNode, want) {
		return nil
	}
	items := make([]Value, len(v.node.Content))
	for i, n := range v.node.Content {
		items[i] = Value{doc: v.doc, node: n, Key: fmt.Sprintf("%s[%d]", v.Key, i+1)}
	}
	return items
}

// List reads a list, or a single value as a list of one.
func (v Value) List(want string) []Value {
	if v.node.Kind == yaml.ScalarNode && v.node.ShortTag() != "!!null" {
		return []Value{v}
	}
	return v.Items(want)
}

// Len is how many items a list or a map has, 1 for a single value.
func (v Value) Len() int {
	switch v.node.Kind {
	case yaml.SequenceNode:
		return len(v.node.Content)
	case yaml.MappingNode:
		return len(v.node.Content) / 2
	}
	return 1
}

// Empty reports whether the map had no keys at all.
func (f Fields) Empty() bool { return f.of.IsMap() && f.of.Len() == 0 }

// IsMap reports whether v is a map.
func (v Value) IsMap() bool { return v.node.Kind == yaml.MappingNode }

// Known reports whether v stands in a file; the zero Value does not.
func (v Value) Known() bool { return v.node != nil }
