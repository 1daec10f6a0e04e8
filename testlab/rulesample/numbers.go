package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var errNumber = errors.New("a notation that is not known here")

func (d *reader) byteTest(v string) error {
	words := split(v)
	if len(words) < 4 {
		return errNumber
	}
	t := &test{kind: byteTest, text: "byte_test:" + v, bytesOf: field{base: 10}}
	f := &t.bytesOf
	var err error
	if f.count, err = strconv.Atoi(words[0]); err != nil {
		return errNumber
	}
	f.op = words[1]
	if rest, ok := strings.CutPrefix(f.op, "!"); ok && rest != "" && rest != "=" {
		t.negated, f.op = true, rest
	}
	if f.value, err = anyNumber(words[2]); err != nil {
		return err
	}
	f.offset = *num(words[3])
	if err := t.words(words[4:]); err != nil {
		return err
	}
	return d.finish(t)
}

func (d *reader) finish(t *test) error { d.add(t); return nil }

func (d *reader) byteJump(v string) error {
	words := split(v)
	if len(words) < 2 {
		return errNumber
	}
	t := &test{kind: byteJump, text: "byte_jump:" + v, bytesOf: field{base: 10, times: 1}}
	var err error
	if t.bytesOf.count, err = strconv.Atoi(words[0]); err != nil {
		return errNumber
	}
	t.bytesOf.offset = *num(words[1])
	if err := t.words(words[2:]); err != nil {
		return err
	}
	return d.finish(t)
}

func (d *reader) byteExtract(v string) error {
	words := split(v)
	if len(words) < 3 {
		return errNumber
	}
	t := &test{kind: byteExtract, text: "byte_extract:" + v, bytesOf: field{base: 10, times: 1}}
	var err error
	if t.bytesOf.count, err = strconv.Atoi(words[0]); err != nil {
		return errNumber
	}
	t.bytesOf.offset, t.bytesOf.name = *num(words[1]), words[2]
	if err := t.words(words[3:]); err != nil {
		return err
	}
	return d.finish(t)
}

func split(v string) []string {
	words := strings.Split(v, ",")
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	return words
}

// anyNumber is decimal, 0x hexadecimal, or a name.
func anyNumber(s string) (number, error) {
	if n, err := strconv.ParseInt(s, 0, 64); err == nil {
		return number{n: int(n)}, nil
	}
	if n, err := strconv.ParseInt(strings.TrimLeft(s, "0"), 10, 64); err == nil {
		return number{n: int(n)}, nil
	}
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return number{}, fmt.Errorf("%w: %q", errNumber, s)
	}
	return number{name: s}, nil
}

// words reads the words behind the numbers.
func (t *test) words(words []string) error {
	f := &t.bytesOf
	for _, w := range words {
		name, value, _ := strings.Cut(w, " ")
		n, _ := strconv.ParseInt(strings.TrimSpace(value), 0, 64)
		switch name {
		case "relative":
			t.relative = true
		case "little":
			f.little = true
		case "big", "":
		case "string":
			f.text = true
		case "dec":
			f.base = 10
		case "hex":
			f.base = 16
		case "oct":
			f.base = 8
		case "bitmask":
			m, err := strconv.ParseUint(strings.TrimSpace(value), 0, 64)
			if err != nil {
				return errNumber
			}
			f.mask = m
		case "from_beginning":
			f.fromBeginning = true
		case "align":
			f.align = 4
			if n > 0 {
				f.align = int(n)
			}
		case "post_offset":
			f.post = int(n)
		case "multiplier":
			f.times = int(n)
		default:
			return fmt.Errorf("%w: %q", errNumber, w)
		}
	}
	return nil
}

// read is the number at a place of a buffer, and how many bytes it takes.
func (f *field) read(b []byte, at int) (v uint64, taken int, ok bool) {
	if at < 0 || at+f.count > len(b) {
		return 0, 0, false
	}
	b = b[at : at+f.count]
	if f.text {
		i := 0
		for i < len(b) && b[i] == ' ' {
			i++
		}
		j := i
		for j < len(b) && digit(b[j]) < f.base {
			v = v*uint64(f.base) + uint64(digit(b[j]))
			j++
		}
		return f.masked(v), j, j > i
	}
	for i := range b {
		if f.little {
			v |= uint64(b[i]) << (8 * i)
		} else {
			v = v<<8 | uint64(b[i])
		}
	}
	return f.masked(v), f.count, true
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return 99
}

func (f *field) masked(v uint64) uint64 {
	if f.mask == 0 {
		return v
	}
	v &= f.mask
	for m := f.mask; m&1 == 0; m >>= 1 {
		v >>= 1
	}
	return v
}

// write is the bytes of a number.
func (f *field) write(v uint64) ([]byte, bool) {
	if f.text {
		s := strconv.FormatUint(v, f.base)
		if len(s) > f.count {
			return nil, false
		}
		return []byte(strings.Repeat("0", f.count-len(s)) + s), true
	}
	if f.mask != 0 {
		for m := f.mask; m&1 == 0; m >>= 1 {
			v <<= 1
		}
	}
	if f.count < 8 && v>>(8*f.count) != 0 {
		return nil, false
	}
	out := make([]byte, f.count)
	for i := range out {
		if f.little {
			out[i] = byte(v >> (8 * i))
		} else {
			out[f.count-1-i] = byte(v >> (8 * i))
		}
	}
	return out, true
}

// holds compares.
func (t *test) holds(v uint64, names map[string]int) bool {
	want := uint64(t.bytesOf.value.value(names))
	var ok bool
	switch t.bytesOf.op {
	case "<":
		ok = v < want
	case ">":
		ok = v > want
	case "<=":
		ok = v <= want
	case ">=":
		ok = v >= want
	case "=":
		ok = v == want
	case "!", "!=":
		ok = v != want
	case "&":
		ok = v&want != 0
	case "^":
		ok = v^want != 0
	}
	return ok != t.negated
}
