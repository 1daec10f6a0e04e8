package signature

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// requires names what an engine must have for the rule. It is read before all others (requirements): what does not apply
// here may hold anything.
var requires = Keyword{
	Name: "requires", Where: Meta,
	Doc:   "what the engine must have: feature F, keyword K, version >= 7.0.3 < 8 | >= 9; a rule that asks for more is skipped",
	Parse: func(*Builder, string) error { return nil },
}

// version is the Suricata version whose language this is.
var version = [3]int{8, 0, 0}

// features are Suricata's names for what is here.
var features = map[string]bool{
	"ja3": true, "ja4": true,
}

// requirements skips a rule that asks for what is not here.
func (b *Builder) requirements(options string) error {
	for n := 0; options != "" && n < maxOptions; n++ {
		o, rest, err := nextOption(options)
		if err != nil {
			return nil // the reading proper says so
		}
		options = rest
		if !strings.EqualFold(o.name, "requires") {
			continue
		}
		if err := b.require(o.value); err != nil {
			return blame("requires", err)
		}
	}
	return nil
}

func (b *Builder) require(value string) error {
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		end := strings.IndexAny(part, " <>=")
		if end < 0 {
			end = len(part)
		}
		what, arg := part[:end], strings.TrimSpace(part[end:])
		if arg == "" {
			return fmt.Errorf("%q is none of feature, keyword, version with a value", shorten(part))
		}
		met := true
		switch what {
		case "feature":
			met = features[arg]
		case "keyword":
			met = known(arg)
		case "version":
			var err error
			if met, err = versionMet(arg); err != nil {
				return err
			}
		default:
			met = false
		}
		if !met {
			return &fault{keyword: "requires", skipped: true, err: fmt.Errorf("the rule asks for %s %s", what, shorten(arg))}
		}
	}
	return nil
}

// versionMet judges alternatives separated by |, each of comparisons that must all hold.
func versionMet(text string) (bool, error) {
	met := false
	for alternative := range strings.SplitSeq(text, "|") {
		words := strings.Fields(spaced(alternative))
		if len(words) == 0 || len(words)%2 != 0 {
			return false, errors.New("a version is compared as in >= 7.0.3 < 8 | >= 9")
		}
		all := true
		for i := 0; i < len(words); i += 2 {
			ok, err := versionIs(words[i], words[i+1])
			if err != nil {
				return false, err
			}
			all = all && ok
		}
		met = met || all
	}
	return met, nil
}

// spaced puts spaces around single comparison signs.
func spaced(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '<' || c == '>' {
			out.WriteByte(' ')
			out.WriteByte(c)
			if i+1 < len(s) && s[i+1] == '=' {
				i++
				out.WriteByte('=')
			}
			out.WriteByte(' ')
			continue
		}
		out.WriteByte(c)
	}
	return out.String()
}

func versionIs(op, text string) (bool, error) {
	var v [3]int
	parts := strings.Split(text, ".")
	if len(parts) > 3 {
		return false, fmt.Errorf("%q is no version", shorten(text))
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 {
			return false, fmt.Errorf("%q is no version", shorten(text))
		}
		v[i] = n
	}
	c := 0
	for i := range v {
		if c == 0 {
			c = version[i] - v[i]
		}
	}
	switch op {
	case ">=":
		return c >= 0, nil
	case ">":
		return c > 0, nil
	case "<=":
		return c <= 0, nil
	case "<":
		return c < 0, nil
	}
	return false, fmt.Errorf("%q is none of >=, >, <=, <", shorten(op))
}
