package main

import "bytes"

// holds says whether a rule's sections all hold on the buffers of a story.
func (r *rule) holds(have map[string][][]byte) bool {
	for _, s := range r.sections {
		ok := false
		for _, b := range have[s.buffer] {
			if s.holds(transform(b, s.how)) {
				ok = true
				break
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

func transform(b []byte, how []string) []byte {
	for _, h := range how {
		switch h {
		case "dotprefix":
			b = append([]byte{'.'}, b...)
		case "to_lowercase", "header_lowercase":
			b = bytes.ToLower(b)
		case "strip_whitespace":
			b = bytes.Join(bytes.Fields(b), nil)
		case "compress_whitespace":
			var out []byte
			for i, c := range b {
				if space(c) && i > 0 && space(b[i-1]) {
					continue
				}
				out = append(out, c)
			}
			b = out
		}
	}
	return b
}

func space(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// maxJudged bounds the places that one judgement tries.
const maxJudged = 200_000

type judge struct {
	tests []*test
	b     []byte
	steps int
}

func (s *section) holds(b []byte) bool {
	j := judge{tests: s.tests, b: b}
	return j.from(0, 0, nil)
}

func with(names map[string]int, name string, v int) map[string]int {
	out := map[string]int{name: v}
	for k, old := range names {
		if k != name {
			out[k] = old
		}
	}
	return out
}

// from judges the tests from i on; last is where the last match ended.
func (j *judge) from(i, last int, names map[string]int) bool {
	if i == len(j.tests) {
		return true
	}
	if j.steps++; j.steps > maxJudged {
		return false
	}
	t := j.tests[i]
	switch t.kind {
	case content:
		return j.content(t, i, last, names)
	case pcre:
		return j.pcre(t, i, last, names)
	case dataAt:
		n := t.number.value(names)
		ok := n < len(j.b)
		if t.relative {
			ok = last+n <= len(j.b)
		}
		return ok != t.negated && j.from(i+1, last, names)
	case size:
		return len(j.b) >= t.low && len(j.b) <= t.high && j.from(i+1, last, names)
	}
	f := &t.bytesOf
	at := f.offset.value(names)
	if t.relative {
		at += last
	}
	v, taken, ok := f.read(j.b, at)
	if !ok {
		return false
	}
	switch t.kind {
	case byteTest:
		return t.holds(v, names) && j.from(i+1, last, names)
	case byteJump:
		to := f.jump(v, at+taken)
		return to >= 0 && to < len(j.b) && j.from(i+1, to, names)
	}
	return j.from(i+1, at+taken, with(names, f.name, int(v)*max(f.times, 1)))
}

// jump is where a jump lands.
func (f *field) jump(v uint64, behind int) int {
	n := int(v) * f.times
	if f.align > 0 && n%f.align != 0 {
		n += f.align - n%f.align
	}
	if f.fromBeginning {
		return n + f.post
	}
	return behind + n + f.post
}

func (j *judge) content(t *test, i, last int, names map[string]int) bool {
	low, high := t.place(last, len(j.b), names)
	for at := low; at+len(t.bytes) <= high; at++ {
		if t.ends && at+len(t.bytes) != len(j.b) || !t.equal(j.b[at:at+len(t.bytes)]) {
			continue
		}
		if t.negated {
			return false
		}
		if j.from(i+1, at+len(t.bytes), names) {
			return true
		}
	}
	return t.negated && j.from(i+1, last, names)
}

func (t *test) equal(b []byte) bool {
	if t.nocase {
		return bytes.EqualFold(b, t.bytes)
	}
	return bytes.Equal(b, t.bytes)
}

// place is where a content may begin at least, and end at most.
func (t *test) place(last, n int, names map[string]int) (low, high int) {
	high = n
	if t.distance != nil || t.within != nil {
		low = last + t.distance.value(names)
		if t.within != nil {
			high = min(high, low+t.within.value(names))
		}
		if t.depth != nil {
			high = min(high, last+t.depth.value(names))
		}
		low = max(low, t.offset.value(names))
	} else {
		low = t.offset.value(names)
		if t.depth != nil {
			high = min(high, low+t.depth.value(names))
		}
		if t.starts {
			high = min(high, len(t.bytes))
		}
	}
	return max(low, 0), high
}

func (j *judge) pcre(t *test, i, last int, names map[string]int) bool {
	text, base := j.b, 0
	if t.relative {
		if last > len(j.b) {
			return false
		}
		text, base = j.b[last:], last
	}
	for from := 0; from <= len(text); {
		begin, end, ok := t.pattern.Find(text, from)
		if !ok {
			break
		}
		if t.negated {
			return false
		}
		if j.from(i+1, base+end, names) {
			return true
		}
		from = begin + 1
	}
	return t.negated && j.from(i+1, last, names)
}
