package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// rule is a rule's text, cut up. Nothing of it comes from the engine's own reading.
type rule struct {
	text             string
	file             string
	line             int
	sid              int
	action, proto    string
	src, sport       string
	dst, dport       string
	both             bool // <>
	options          []option
	sections         []*section
	flow             map[string]bool
	bits             []string // "set,name" and the like
	xbits            []string
	repeat           int // how often it must happen before there is an alert
	noalert          bool
	flags            string
	itype, icode     int
	ipProto          int
	streamLow        map[string][2]int // of stream_size, by side
	unknown          string            // what the generator cannot express
	needsEstablished bool
}

// option is a keyword and its value, as written.
type option struct{ name, value string }

// readRules are the active rules of a folder, in the order of files and lines.
func readRules(dir string) (out []*rule, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.rules"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		in := bufio.NewScanner(f)
		in.Buffer(nil, 1<<20)
		for n := 1; in.Scan(); n++ {
			text := strings.TrimSpace(in.Text())
			if text == "" || text[0] == '#' {
				continue
			}
			r, err := cut(text)
			if err != nil {
				f.Close()
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
			r.file, r.line = filepath.Base(name), n
			out = append(out, r)
		}
		f.Close()
		if err := in.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return out, nil
}

// cut splits a rule into its head and its options.
func cut(text string) (*rule, error) {
	open := strings.IndexByte(text, '(')
	end := strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return nil, fmt.Errorf("no options")
	}
	head := fields(text[:open])
	if len(head) != 7 {
		return nil, fmt.Errorf("%d words before the options", len(head))
	}
	r := &rule{
		text: text, action: head[0], proto: head[1], src: head[2], sport: head[3], both: head[4] == "<>", dst: head[5], dport: head[6],
		itype: -1, icode: -1, ipProto: -1, repeat: 1, flow: map[string]bool{}, streamLow: map[string][2]int{},
	}
	r.options = cutOptions(text[open+1 : end])
	for _, o := range r.options {
		if o.name == "sid" {
			r.sid, _ = strconv.Atoi(o.value)
		}
	}
	return r, nil
}

// fields splits at blanks that are in no brackets.
func fields(s string) (out []string) {
	depth, word := 0, ""
	for _, c := range s {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case (c == ' ' || c == '\t') && depth == 0:
			if word != "" {
				out = append(out, word)
			}
			word = ""
			continue
		}
		if c != ' ' && c != '\t' {
			word += string(c)
		}
	}
	if word != "" {
		out = append(out, word)
	}
	return out
}

func cutOptions(s string) (out []option) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		quoted, i := false, 0
		for ; i < len(s); i++ {
			switch {
			case s[i] == '\\':
				i++
				continue
			case s[i] == '"':
				quoted = !quoted
			}
			if s[i] == ';' && !quoted {
				break
			}
		}
		i = min(i, len(s))
		name, value, _ := strings.Cut(s[:i], ":")
		out = append(out, option{strings.TrimSpace(name), strings.TrimSpace(value)})
		s = s[min(i+1, len(s)):]
	}
	return out
}

// unquote takes the negation and the quotes off a value.
func unquote(v string) (negated bool, text string) {
	v = strings.TrimSpace(v)
	if rest, ok := strings.CutPrefix(v, "!"); ok {
		negated, v = true, strings.TrimSpace(rest)
	}
	return negated, strings.TrimSuffix(strings.TrimPrefix(v, `"`), `"`)
}

// contentBytes reads a content's text: |hex| and backslashes.
func contentBytes(s string) ([]byte, error) {
	var out []byte
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
			if i == len(s) {
				return nil, fmt.Errorf("a backslash at the end")
			}
			out = append(out, s[i])
		case '|':
			end := strings.IndexByte(s[i+1:], '|')
			if end < 0 {
				return nil, fmt.Errorf("an odd number of |")
			}
			hex := strings.ReplaceAll(s[i+1:i+1+end], " ", "")
			for j := 0; j+1 < len(hex); j += 2 {
				b, err := strconv.ParseUint(hex[j:j+2], 16, 8)
				if err != nil {
					return nil, err
				}
				out = append(out, byte(b))
			}
			i += end + 1
		default:
			out = append(out, s[i])
		}
	}
	return out, nil
}
