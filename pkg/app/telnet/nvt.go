package telnet

// Commands of the protocol (RFC 854).
const (
	iac      = 255
	dont     = 254
	will     = 251
	sub      = 250
	subEnd   = 240
	commands = 236 // the lowest (RFC 1184)
)

type nvtState uint8

const (
	plain nvtState = iota
	command
	option
	within    // a subnegotiation
	withinIAC // and an IAC in it
)

// nvt takes commands out of a direction's bytes.
type nvt struct {
	state nvtState
	n     int // bytes of the subnegotiation
	long  bool
}

// take reads a byte; is tells that c is text.
func (v *nvt) take(b byte) (c byte, is bool) {
	switch v.state {
	case plain:
		if b != iac {
			return b, b != 0 // NUL follows a CR, or fills
		}
		v.state = command
	case command:
		switch {
		case b == iac:
			v.state = plain
			return b, true
		case b == sub:
			v.state, v.n = within, 0
		case b >= will && b <= dont:
			v.state = option
		default:
			v.state = plain
		}
	case option:
		v.state = plain
	case within:
		if b == iac {
			v.state = withinIAC
		}
		v.count()
	case withinIAC:
		v.state = within
		if b == subEnd {
			v.state = plain
		}
		v.count()
	}
	return 0, false
}

// count ends a subnegotiation without end.
func (v *nvt) count() {
	if v.n++; v.n > maxSub && v.state != plain {
		v.state, v.long = plain, true
	}
}

// text is a line that is being put together.
type text struct {
	b   [maxLine]byte
	n   int
	cut bool
}

func (t *text) line() []byte { return t.b[:t.n] }

func (t *text) reset() { t.n, t.cut = 0, false }

// add appends a character. Of a line that is too long the end stays: prompts are at the end.
func (t *text) add(c byte) {
	if t.n == maxLine {
		copy(t.b[:], t.b[maxLine/2:])
		t.n = maxLine / 2
		t.cut = true
	}
	t.b[t.n] = c
	t.n++
}

// edit applies a typed character. Of a line that is too long the start stays.
func (t *text) edit(c byte) {
	switch {
	case c == 8 || c == 0x7f:
		t.n = max(t.n-1, 0)
	case c == 0x15: // kill the line
		t.n = 0
	case t.n == maxLine:
		t.cut = true
	default:
		t.b[t.n] = c
		t.n++
	}
}
