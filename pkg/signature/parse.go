package signature

import (
	"errors"
	"fmt"
	"strings"

	"citygate/pkg/app/layer"
)

const (
	// MaxRule is how long a rule may be, continued lines together: Suricata's limit is 8 KiB, the longest public rules
	// (lists of addresses) have 4 KiB.
	MaxRule = 64 << 10
	// maxOptions is how many options a rule may have. The longest public rules have about 90.
	maxOptions = 1024
)

// Parse reads one rule. The error is a *Refusal; then there is no signature.
func Parse(file string, line int, text string, env *Env) (*Signature, error) {
	b := &Builder{Signature: &Signature{File: file, Line: line, Text: strings.TrimSpace(text), GID: 1, Priority: 3}, Env: env}
	err := b.rule(b.Text)
	if err == nil {
		return b.Signature, nil
	}
	r := &Refusal{File: file, Line: line, SID: b.SID, Keyword: "syntax", Reason: err.Error()}
	if r.SID == 0 {
		r.SID = findSID(b.Text)
	}
	var f *fault
	if errors.As(err, &f) {
		r.Keyword, r.Skipped = f.keyword, f.skipped
		r.Reason = strings.TrimPrefix(r.Reason, r.Keyword+": ")
	}
	return nil, r
}

func (b *Builder) rule(text string) error {
	if len(text) > MaxRule {
		return fmt.Errorf("the rule is longer than %d bytes: split its lists", MaxRule)
	}
	if strings.IndexByte(text, 0) >= 0 {
		return errors.New("the rule holds a zero byte")
	}
	h, options, err := cutHeader(text)
	if err != nil {
		return err
	}
	if strings.Contains(options, "requires") {
		if err := b.requirements(options); err != nil {
			return err
		}
	}
	if err := b.header(h); err != nil {
		return err
	}
	for options != "" {
		var o option
		if o, options, err = nextOption(options); err != nil {
			return err
		}
		if b.count++; b.count > maxOptions {
			return fmt.Errorf("the rule has more than %d options", maxOptions)
		}
		if err := b.option(o); err != nil {
			return blame(o.name, err)
		}
	}
	return b.finish()
}

// option hands an option to its keyword.
func (b *Builder) option(o option) error {
	b.Quoted = o.quoted
	kind, ok := keywordNumber(o.name)
	if !ok {
		known, err := b.legacy(o.name, o.value)
		if !known {
			known, err = b.buffer(o.name, o.value)
		}
		if err == nil && !known {
			err = errUnknownKeyword
		}
		return err
	}
	k := keywords[kind]
	b.keyword, b.kind = k, kind
	if k.NeedsPacket {
		b.needsPacket = k.Name
	}
	lists := len(b.Lists)
	if err := k.Parse(b, o.value); err != nil {
		return err
	}
	if len(b.Lists) > lists && b.way != 0 && b.Lists[lists].Buffer == b.Buffer {
		b.Lists[lists].Way = b.way
	}
	b.names = append(b.names, k.Name)
	return nil
}

// buffer names a buffer. In a rule with => it may say of which direction: http.connection:to_client.
func (b *Builder) buffer(name, value string) (known bool, err error) {
	b.way = 0
	if b.Flags&TransactionTwo == 0 {
		return b.NameBuffer(name, value)
	}
	var way layer.Way
	switch value {
	case "to_server":
		way, value = layer.Request, ""
	case "to_client":
		way, value = layer.Response, ""
	}
	if known, err = b.NameBuffer(name, value); !known || err != nil {
		return known, err
	}
	if way != 0 && b.Buffer.Info().Way&way == 0 {
		return true, fmt.Errorf("%s has no values in that direction", name)
	}
	b.way, b.fresh = way, true
	return true, nil
}

var errUnknownKeyword = errors.New("unknown keyword: this engine cannot evaluate the rule")

// names of the keywords in small letters, their aliases too.
var keywordNumbers = func() map[string]uint16 {
	m := make(map[string]uint16, 2*len(keywords))
	for i, k := range keywords {
		m[k.Name] = uint16(i)
		for _, a := range k.Aliases {
			m[a] = uint16(i)
		}
	}
	return m
}()

// keywordNumber finds a keyword by name; capitals do not count.
func keywordNumber(name string) (uint16, bool) {
	n, ok := keywordNumbers[name]
	if !ok {
		n, ok = keywordNumbers[strings.ToLower(name)]
	}
	return n, ok
}

// known says whether a name is of a keyword that is evaluated, or of a buffer.
func known(name string) bool {
	if n, ok := keywordNumber(name); ok {
		return !keywords[n].refuses()
	}
	_, old := legacy[name]
	_, sticky := stickyNames[name]
	_, modifier := modifierNames[name]
	return old || sticky || modifier
}

// findSID is for rules that are refused before their sid is read: their text may be anything.
func findSID(text string) uint32 {
	for rest := text; ; {
		i := strings.Index(rest, "sid")
		if i < 0 {
			return 0
		}
		if i > 0 && strings.IndexByte("; (\t", rest[i-1]) < 0 {
			rest = rest[i+3:]
			continue
		}
		rest = strings.TrimLeft(rest[i+3:], " \t")
		value, ok := strings.CutPrefix(rest, ":")
		if !ok {
			continue
		}
		value, _, _ = strings.Cut(value, ";")
		if sid, err := parseNumber(value, 1, 1<<32-1); err == nil {
			return uint32(sid)
		}
	}
}
