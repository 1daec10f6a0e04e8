package signature

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Tuning are a site's changes to rules of others, in the files that suricata-update knows. They are about the text of rules,
// before it is read:
//
//   - disable.conf, enable.conf, drop.conf: a line is sid, gid:sid (several, separated by commas), group:NAME (the rules
//     of a file), re:EXPRESSION (of the whole rule), or metadata: KEY VALUE;
//   - modify.conf: such a selection and then "from" "to": an expression and what takes the place of what it finds
//     (\1 is its first group).
type Tuning struct {
	disable, enable, drop []selector
	modify                []modification
}

// maxTuningLines is how many lines a file may have: each is tried on each rule.
const maxTuningLines = 10000

// selector says which rules a line is about.
type selector struct {
	ids        []ruleID
	group      string // name of a file, or a pattern of names
	expression *regexp.Regexp
	key, value string // of metadata, in small letters
}

type modification struct {
	selector
	from *regexp.Regexp
	to   string
}

// ReadTuning reads the four files; nil is an empty one. The error names the file and the line.
func ReadTuning(disable, enable, drop, modify io.Reader) (*Tuning, error) {
	t := &Tuning{}
	for _, f := range []struct {
		name string
		r    io.Reader
		to   *[]selector
	}{{"disable.conf", disable, &t.disable}, {"enable.conf", enable, &t.enable}, {"drop.conf", drop, &t.drop}} {
		if f.r == nil {
			continue
		}
		err := eachConfigLine(f.name, f.r, func(line string) error {
			s, err := parseSelector(line)
			if err == nil && len(*f.to) >= maxTuningLines {
				err = fmt.Errorf("more than %d lines", maxTuningLines)
			}
			*f.to = append(*f.to, s)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if modify == nil {
		return t, nil
	}
	err := eachConfigLine("modify.conf", modify, func(line string) error {
		m, err := parseModification(line)
		if err == nil && len(t.modify) >= maxTuningLines {
			err = fmt.Errorf("more than %d lines", maxTuningLines)
		}
		t.modify = append(t.modify, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

func parseSelector(line string) (s selector, err error) {
	kind, rest, _ := strings.Cut(line, ":")
	rest = strings.TrimSpace(rest)
	switch strings.TrimSpace(kind) {
	case "re":
		if rest == "" {
			return s, errors.New("re: has no expression")
		}
		// suricata-update looks for the expression in any case.
		s.expression, err = translateRegexp("(?i)", rest)
		return s, err
	case "group":
		if rest == "" {
			return s, errors.New("group: has no name")
		}
		_, err = filepath.Match(rest, "")
		s.group = rest
		return s, err
	case "filename":
		return s, errors.New("filename: is unknown: write group:NAME")
	case "metadata":
		var ok bool
		s.key, s.value, ok = strings.Cut(strings.ToLower(rest), " ")
		if s.value = strings.TrimSpace(s.value); !ok || s.value == "" {
			return s, errors.New("metadata: has no key and value, such as metadata: affected_product Camera")
		}
		return s, nil
	}
	for part := range strings.SplitSeq(line, ",") {
		id, err := parseRuleID(part)
		if err != nil {
			return s, err
		}
		s.ids = append(s.ids, id)
	}
	return s, nil
}

func parseRuleID(text string) (id ruleID, err error) {
	gid, sid, two := strings.Cut(strings.TrimSpace(text), ":")
	g := uint64(1)
	if !two {
		sid = gid
	} else if g, err = parseNumber(gid, 1, 1<<32-1); err != nil {
		return id, fmt.Errorf("gid: %w", err)
	}
	n, err := parseNumber(sid, 1, 1<<32-1)
	if err != nil {
		return id, fmt.Errorf("%q is no sid, gid:sid, group:NAME, re:EXPRESSION or metadata: KEY VALUE", shorten(text))
	}
	return ruleID{uint32(g), uint32(n)}, nil
}

// parseModification reads SELECTION "from" "to"; the words modifysid and the like of Oinkmaster before it are left out.
func parseModification(line string) (m modification, err error) {
	line = strings.TrimSpace(strings.TrimPrefix(line, "modifysid "))
	head, to, ok1 := cutLastQuoted(line)
	head, from, ok2 := cutLastQuoted(strings.TrimSuffix(strings.TrimSpace(head), "|"))
	if !ok1 || !ok2 {
		return m, errors.New(`a modification is SELECTION "from" "to"`)
	}
	if m.selector, err = parseSelector(strings.TrimSpace(head)); err != nil {
		return m, err
	}
	if m.from, err = translateRegexp("", from); err != nil {
		return m, err
	}
	m.to, err = translateReplacement(to, m.from.NumSubexp())
	return m, err
}

// cutLastQuoted cuts the text in quotes off that a line ends with. \" is a quote in the text.
func cutLastQuoted(line string) (head, text string, ok bool) {
	line = strings.TrimSpace(line)
	if len(line) < 2 || line[len(line)-1] != '"' {
		return "", "", false
	}
	for i := len(line) - 2; i >= 0; i-- {
		if line[i] == '"' && (i == 0 || line[i-1] != '\\') {
			return line[:i], strings.ReplaceAll(line[i+1:len(line)-1], `\"`, `"`), true
		}
	}
	return "", "", false
}

// translateRegexp makes a Go expression of a Python one. What Go does not know (looking ahead and back, back references) is
// refused by what it is.
func translateRegexp(flags, text string) (*regexp.Regexp, error) {
	for _, what := range []struct{ sign, name string }{
		{"(?=", "a look ahead"}, {"(?!", "a look ahead"}, {"(?<=", "a look back"}, {"(?<!", "a look back"}, {"(?P=", "a back reference"},
		{"(?(", "a condition"}, {"(?#", "a comment"},
	} {
		if strings.Contains(strings.ReplaceAll(text, `\(`, ""), what.sign) {
			return nil, fmt.Errorf("the expression has %s (%s), which is not known here: write it without", what.name, what.sign)
		}
	}
	text = strings.ReplaceAll(text, `\Z`, `\z`)
	re, err := regexp.Compile(flags + text)
	if err != nil {
		return nil, fmt.Errorf("the expression does not translate: %w", err)
	}
	return re, nil
}

// translateReplacement makes Go's ${1} of Python's \1 and \g<1>.
func translateReplacement(text string, groups int) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '$':
			out.WriteString("$$")
		case c == '\\' && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9':
			i++
			if int(text[i]-'0') > groups {
				return "", fmt.Errorf(`the expression has no group \%c`, text[i])
			}
			fmt.Fprintf(&out, "${%c}", text[i])
		case strings.HasPrefix(text[i:], `\g<`):
			name, _, ok := strings.Cut(text[i+3:], ">")
			if !ok || !isName(name) {
				return "", errors.New(`\g< has no end`)
			}
			fmt.Fprintf(&out, "${%s}", name)
			i += 3 + len(name)
		case c == '\\' && i+1 < len(text) && text[i+1] == '\\':
			i++
			out.WriteByte('\\')
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), nil
}

// selects says whether a line is about a rule. group is the rule's file without folder and ending.
func (s *selector) selects(r *outline) bool {
	switch {
	case s.group != "":
		ok, _ := filepath.Match(strings.TrimSuffix(s.group, ".rules"), r.group)
		return ok
	case s.expression != nil:
		return s.expression.MatchString(r.text)
	case s.key != "":
		return slices.Contains(r.metadata(), Pair{s.key, s.value})
	}
	return slices.Contains(s.ids, r.id)
}
