package document

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Text reads a text; want says what should stand there, such as "a bridge port". Empty is an error.
func (v Value) Text(want string) (string, bool) {
	if !v.plain(yaml.ScalarNode, want) {
		return "", false
	}
	if v.node.ShortTag() == "!!null" || v.node.Value == "" {
		v.Fail("this is empty", "write "+want)
		return "", false
	}
	if v.doc.Env == nil {
		return v.node.Value, true
	}
	return v.expand(v.node.Value)
}

// variable is ${NAME}, with a name as POSIX has it.
var variable = regexp.MustCompile(`\$\{[^}]*\}?`)

// expand puts the environment's values for ${NAME}.
func (v Value) expand(s string) (string, bool) {
	good := true
	out := variable.ReplaceAllStringFunc(s, func(m string) string {
		name, closed := strings.CutSuffix(m[2:], "}")
		if !closed || name == "" {
			v.Fail(fmt.Sprintf("%s is no ${NAME}", Quote(m)), "close the brace and name a variable")
			good = false
			return ""
		}
		value, set := v.doc.Env(name)
		if !set {
			v.Fail(fmt.Sprintf("environment variable %s is not set", Quote(name)), "set it, or write the value here")
			good = false
		}
		return value
	})
	if good && out == "" {
		v.Fail("this is empty after ${NAME} was replaced", "give the variable a value")
		good = false
	}
	return out, good
}

// OneOf reads one of some words.
func (v Value) OneOf(words ...string) (string, bool) {
	want := "one of " + strings.Join(words, ", ")
	s, ok := v.Text(want)
	if ok && !slices.Contains(words, s) {
		v.Fail(Quote(s)+" is not known here", "write "+want)
		return "", false
	}
	return s, ok
}

// Bool reads true or false.
func (v Value) Bool() (bool, bool) {
	s, ok := v.OneOf("true", "false")
	return s == "true", ok
}

// Int reads a whole number from lo to hi.
func (v Value) Int(lo, hi int) (int, bool) {
	want := fmt.Sprintf("a whole number from %d to %d", lo, hi)
	s, ok := v.Text(want)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < lo || n > hi {
		v.Fail(Quote(s)+" is not "+want, "write "+want)
		return 0, false
	}
	return n, true
}
