package signature

import (
	"errors"
	"fmt"
	"strings"
)

// option is one of a rule's options: name; or name:value;
type option struct {
	name  string
	value string
	given bool // there is a colon
	// quoted says that the value stood in double quotes, which are taken off. The escapes are still there, and a negated
	// value stays as it was: !"x".
	quoted bool
}

// nextOption cuts the first option off. A semicolon that belongs to a value has a backslash before it.
func nextOption(s string) (o option, rest string, err error) {
	end := 0
	for {
		i := strings.IndexByte(s[end:], ';')
		if i < 0 {
			return o, "", fmt.Errorf("the option %q does not end with a semicolon", shorten(s))
		}
		end += i
		if end == 0 || s[end-1] != '\\' {
			break
		}
		end++
	}
	text := s[:end]
	o.name, o.value, o.given = strings.Cut(text, ":")
	o.name = strings.TrimSpace(o.name)
	o.value = strings.TrimSpace(o.value)
	switch {
	case o.name == "":
		return o, "", errors.New("an option has no name")
	case strings.ContainsAny(o.name, " \t\"()"):
		return o, "", fmt.Errorf("%q is no name of an option", shorten(o.name))
	}
	return o, trimLeft(s[end+1:]), o.unquote()
}

func (o *option) unquote() error {
	bare, negated := strings.CutPrefix(o.value, "!")
	bare = strings.TrimLeft(bare, " \t")
	if bare == "" || bare[0] != '"' {
		return nil
	}
	if len(bare) < 2 || bare[len(bare)-1] != '"' {
		return faultf(o.name, "the value has no closing quote")
	}
	if !negated {
		o.value, o.quoted = bare[1:len(bare)-1], true
	}
	return nil
}

// unescape takes the backslash off what has one.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		out = append(out, s[i])
	}
	return string(out)
}

func trimLeft(s string) string { return strings.TrimLeft(s, " \t\r\n\v\f") }
