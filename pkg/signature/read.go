package signature

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ReadRules reads a file of rules line by line and gives each rule to each: a signature, or the refusal of it. A rule
// may go on over lines that end with a backslash; empty lines and comments are left out; line ends may be CRLF. It needs
// the memory of one rule (MaxRule), however long the file is: a longer one is refused and left out. The error is of the
// reader.
func ReadRules(file string, r io.Reader, env *Env, each func(*Signature, *Refusal)) error {
	return readRules(file, r, env, func(line string) string { return line }, each)
}

// readRules reads rules whose text change has the last word on; an empty text is no rule.
func readRules(file string, r io.Reader, env *Env, change func(string) string, each func(*Signature, *Refusal)) error {
	return ReadLines(r, func(line int, text string, tooLong bool) {
		if !tooLong {
			text = change(text)
		}
		switch {
		case tooLong:
			reason := fmt.Sprintf("the rule is longer than %d bytes: split its lists", MaxRule)
			each(nil, &Refusal{File: file, Line: line, SID: findSID(text), Keyword: "syntax", Reason: reason})
		case text == "" || text[0] == '#':
		default:
			s, err := Parse(file, line, text, env)
			var refusal *Refusal
			errors.As(err, &refusal)
			each(s, refusal)
		}
	})
}

// ReadLines gives the lines of a file of rules, continued ones as one, without the spaces around them, comments and empty
// ones too. Of a line that is longer than MaxRule it gives the beginning.
func ReadLines(r io.Reader, each func(line int, text string, tooLong bool)) error {
	in := lineReader{in: bufio.NewReaderSize(r, MaxRule)}
	for {
		err := in.next()
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", in.number, err)
		}
		if in.first != 0 && (!in.more || err == io.EOF) {
			each(in.first, strings.TrimSpace(string(in.rule)), in.tooLong)
			in.rule, in.first, in.tooLong = in.rule[:0], 0, false
		}
		if err == io.EOF {
			return nil
		}
	}
}

// lineReader joins lines to rules.
type lineReader struct {
	in            *bufio.Reader
	rule          []byte // the lines so far of a rule that goes on
	number, first int    // of the last line, and of the rule's first one
	more          bool   // the last line ended with a backslash
	tooLong       bool
}

// next adds a line to the rule.
func (l *lineReader) next() error {
	part, err := l.in.ReadSlice('\n')
	full := err == bufio.ErrBufferFull
	if len(part) == 0 || err != nil && err != io.EOF && !full {
		return err
	}
	if l.number++; l.number == 1 {
		part = bytes.TrimPrefix(part, []byte("\xef\xbb\xbf"))
	}
	if l.first == 0 {
		l.first = l.number
	}
	part = bytes.TrimRight(part, "\r\n")
	if l.more = !full && bytes.HasSuffix(part, []byte{'\\'}) && !isComment(l.rule, part); l.more {
		part = part[:len(part)-1]
	}
	if len(l.rule)+len(part) > MaxRule {
		part, l.tooLong = part[:MaxRule-len(l.rule)], true
	}
	l.rule = append(l.rule, part...)
	if full {
		l.tooLong = true
		err = skipLine(l.in)
	}
	return err
}

// isComment says whether a line is a comment: a backslash at its end joins no other line to it.
func isComment(before, line []byte) bool {
	line = bytes.TrimLeft(line, " \t")
	return len(before) == 0 && len(line) > 0 && line[0] == '#'
}

// skipLine reads to the end of a line.
func skipLine(in *bufio.Reader) error {
	for {
		if _, err := in.ReadSlice('\n'); err != bufio.ErrBufferFull {
			return err
		}
	}
}
