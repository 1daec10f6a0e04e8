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
	in := bufio.NewReaderSize(r, MaxRule)
	var rule []byte // the lines so far of a rule that goes on
	number, first, tooLong := 0, 0, false
	for {
		part, err := in.ReadSlice('\n')
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return fmt.Errorf("line %d: %w", number+1, err)
		}
		if len(part) == 0 && err == io.EOF {
			break
		}
		number++
		if number == 1 {
			part = bytes.TrimPrefix(part, []byte("\xef\xbb\xbf"))
		}
		if first == 0 {
			first = number
		}
		full := err == bufio.ErrBufferFull
		part = bytes.TrimRight(part, "\r\n")
		more := !full && bytes.HasSuffix(part, []byte{'\\'}) && !isComment(rule, part)
		if more {
			part = part[:len(part)-1]
		}
		if full {
			tooLong = true
			if err = skipLine(in); err != nil && err != io.EOF {
				return fmt.Errorf("line %d: %w", number, err)
			}
		}
		if len(rule)+len(part) > MaxRule {
			part, tooLong = part[:MaxRule-len(rule)], true
		}
		rule = append(rule, part...)
		if !more {
			each(first, strings.TrimSpace(string(rule)), tooLong)
			rule, first, tooLong = rule[:0], 0, false
		}
		if err == io.EOF {
			break
		}
	}
	if first != 0 {
		each(first, strings.TrimSpace(string(rule)), tooLong)
	}
	return nil
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
