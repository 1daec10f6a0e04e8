package signature

// inspectionLimit bounds the steps of one inspection of a list, Suricata's inspection-recursion-limit: a list and data
// that are made for each other could otherwise keep an inspector busy. Beyond it the answer is no, and it is counted.
const inspectionLimit = 3000

// stepBytes is how many bytes that are looked through again cost a step, so that the limit holds for large buffers too.
const stepBytes = 1024

// stepInstructions is how many instructions of expressions cost a step: one search may take its own limit, several together not
// more than about that.
const stepInstructions = 8192

// Counters count where limits of keywords decided.
type Counters struct {
	Steps      uint64 // inspections ended by inspectionLimit
	Regex      uint64 // expressions ended by their limit of time or steps
	Inflate    uint64 // decompressions ended by their limit of size
	Transforms uint64 // transformed values cut off at maxTransformed
}

// Inspect says whether the matches of a list hold for c.In, in their order. If a match fails that counts from another one, the
// other one is tried again further behind.
//
// A value that is not at its end yet (Input.End) gives yes only to what no more data can change: that something is absent or is
// the end is then only true where the bounds of the content say so. The caller asks again when there is more.
func (c *Context) Inspect(list []Match) bool {
	c.In.Cursor = int(-c.start())
	c.steps, c.again = inspectionLimit, false
	ok, _ := c.inspect(list)
	if c.steps <= 0 {
		c.Counters.Steps++
	}
	return ok
}

// inspect judges the rest of a list. fatal says that nothing that came before could change a no.
func (c *Context) inspect(list []Match) (ok, fatal bool) {
	for i := range list {
		m := &list[i]
		if c.steps--; c.steps <= 0 {
			return false, true
		}
		k := c.keyword(m)
		if k.Find == nil {
			if k.Eval == nil || !k.Eval(c, m) {
				return false, m.Flags&(flagRelative|flagVariable) == 0
			}
			continue
		}
		if m.Flags&MatchNot != 0 {
			if !c.missing(k, m) {
				return false, m.Flags&(flagRelative|flagVariable) == 0
			}
			continue
		}
		if m.Flags&flagBase != 0 {
			return c.inspectFrom(k, m, list[i+1:])
		}
		_, end, found := c.find(k, m, 0)
		if !found {
			return false, m.Flags&(flagRelative|flagVariable) == 0
		}
		c.In.Cursor = end
	}
	return true, false
}

// inspectFrom tries the places of m in turn until the rest of the list holds.
func (c *Context) inspectFrom(k *Keyword, m *Match, rest []Match) (ok, fatal bool) {
	cursor := c.In.Cursor
	own := m.Flags&(flagRelative|flagVariable) == 0
	for from := 0; ; {
		c.In.Cursor = cursor
		start, end, found := c.find(k, m, from)
		if !found {
			return false, own
		}
		c.In.Cursor = end
		if ok, fatal = c.inspect(rest); ok || fatal {
			return ok, fatal
		}
		if c.steps--; c.steps <= 0 {
			return false, true
		}
		c.again = true
		from = start + 1
	}
}

// find looks for m and, once something was tried again, charges what a content looked through; expressions charge what they do.
func (c *Context) find(k *Keyword, m *Match, from int) (start, end int, ok bool) {
	if m.Kind != kindContent {
		return k.Find(c, m, from)
	}
	start, end, ok = findContent(c, m, from)
	if c.again {
		to := len(c.In.Data)
		if ok {
			to = end
		}
		c.steps -= max(0, to-max(from, c.In.Cursor)) / stepBytes
	}
	return start, end, ok
}

// missing says whether a negated match holds: it is not there and will not come.
func (c *Context) missing(k *Keyword, m *Match) bool {
	if _, _, found := c.find(k, m, 0); found {
		return false
	}
	if m.Kind == kindContent {
		return c.absent(m, int(m.Data.Len))
	}
	return c.In.End
}

// keyword is a match's line in the table.
func (c *Context) keyword(m *Match) *Keyword { return keywords[m.Kind] }
