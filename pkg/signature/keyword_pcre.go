package signature

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"citygate/pkg/app/layer"
)

// pcre looks for a regular expression: pcre:"/expression/flags". Match: Arg[0] its number in Regexes; flagRelative is the flag R.
var pcre = Keyword{
	Name: "pcre", Where: InBuffer, Moves: true,
	Doc:   "a regular expression that the buffer must have (pcre:!\"/.../\": must not have)",
	Parse: parsePCRE,
	Find:  findPCRE,
}

// pcreBuffers are the flags that stand for a buffer.
var pcreBuffers = map[rune]layer.Buffer{
	'U': layer.HTTPURI, 'I': layer.HTTPURIRaw, 'P': layer.HTTPRequestBody, 'Q': layer.HTTPResponseBody, 'H': layer.HTTPHeader,
	'D': layer.HTTPHeaderRaw, 'M': layer.HTTPMethod, 'C': layer.HTTPCookie, 'S': layer.HTTPStatCode, 'Y': layer.HTTPStatMsg,
	'V': layer.HTTPUserAgent, 'W': layer.HTTPHost, 'Z': layer.HTTPHostRaw,
}

// regexFlags are the flags that change what an expression means.
const regexFlags = "imsxAEG"

var (
	errSlashes  = errors.New("the expression does not stand between slashes")
	errCapture  = errors.New("what an expression captures is not kept: leave the variables out")
	errBuffers2 = errors.New("two flags that name buffers")

	namedReference = regexp.MustCompile(`\(\?P=(\w+)\)`)
	namedCapture   = regexp.MustCompile(`\(\?P?<(flow|pkt|alert)_\w+>`)
)

func parsePCRE(b *Builder, value string) error {
	text, not, _ := b.negation(value)
	end := strings.LastIndexByte(text, '/')
	if len(text) < 2 || text[0] != '/' || end == 0 {
		return errSlashes
	}
	expr, tail := text[1:end], text[end+1:]
	if namedCapture.MatchString(expr) || strings.Contains(tail, ",") {
		return errCapture
	}
	p, err := readPCREFlags(tail)
	if err != nil {
		return err
	}
	key := regexKey(p.regex, expr)
	if !b.Env.Symbols.Regexes.has(key) {
		if err := checkRegex(key); err != nil {
			return err
		}
	}
	m := Match{Flags: p.match, Arg: [6]int64{int64(b.Env.Symbols.Regexes.ID(key))}}
	if not {
		m.Flags |= MatchNot
	}
	return b.addPCRE(m, p.buffer)
}

// addPCRE puts an expression into the list of the buffer that its flags name, else of the sticky buffer in force.
func (b *Builder) addPCRE(m Match, buffer layer.Buffer) error {
	m.Kind = b.kind
	body := buffer == layer.HTTPResponseBody && b.Buffer == layer.FileData // Suricata's Q is either
	switch {
	case buffer == layer.Payload || buffer == b.Buffer || body:
		b.addTo(b.list(), m)
	case b.Buffer != layer.Payload:
		return errMixed
	default:
		b.addTo(b.listOf(buffer), m)
	}
	return nil
}

type pcreFlags struct {
	regex  string
	match  uint16
	buffer layer.Buffer
}

func readPCREFlags(tail string) (p pcreFlags, err error) {
	var of []byte
	for _, f := range strings.TrimSpace(tail) {
		buffer, names := pcreBuffers[f]
		switch {
		case strings.ContainsRune(regexFlags, f):
			of = append(of, byte(f))
		case f == 'R':
			p.match |= flagRelative
		case f == 'O' || f == 'B': // limits are the same for all here; bytes are raw
		case !names:
			return p, fmt.Errorf("unknown flag %q", f)
		case p.buffer != layer.Payload && p.buffer != buffer:
			return p, errBuffers2
		default:
			p.buffer = buffer
		}
	}
	slices.Sort(of)
	p.regex = string(slices.Compact(of))
	return p, nil
}

// has says whether a name has a number.
func (n *Names) has(name string) bool {
	_, ok := n.index[name]
	return ok
}

// findPCRE is the first place of an expression at or behind from. With R its text begins where the last match ended.
func findPCRE(c *Context, m *Match, from int) (start, end int, ok bool) {
	re := c.Regexes.get(m.Arg[0])
	if re == nil {
		return 0, 0, false
	}
	base := 0
	if m.Flags&flagRelative != 0 {
		base = max(c.In.Cursor, 0)
	}
	if base > len(c.In.Data) {
		return 0, 0, false
	}
	s := subject{data: c.In.Data[base:], open: !c.In.End, cut: base == 0 && c.In.Start > 0 && !c.In.Begin}
	c.Regexes.machine.used = 0
	start, end, ok = c.Regexes.find(re, s, max(from-base, 0), &c.Counters)
	c.steps -= c.Regexes.machine.used / stepInstructions
	return start + base, end + base, ok
}
