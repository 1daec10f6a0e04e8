package signature

import (
	"errors"
	"fmt"

	"citygate/pkg/app/layer"
)

// absent holds if the sticky buffer has no value: absent. With absent:or_else what follows on the buffer must hold if it has one.
// Match: Arg[0] is 1 for or_else. It stands first in its list; where there is no value, Context.Absent answers.
var absent = Keyword{
	Name: "absent", Where: InBuffer,
	Doc: "the buffer is not there; with or_else: not there, or what follows on it holds",
	Parse: func(b *Builder, value string) error {
		var m Match
		switch value {
		case "":
		case "or_else":
			m.Arg[0] = 1
		default:
			return fmt.Errorf("%q is not or_else", value)
		}
		if b.Buffer == layer.Payload {
			return errors.New("it is about a sticky buffer, and none is in force")
		}
		b.Add(m)
		return nil
	},
	Eval: func(_ *Context, m *Match) bool { return m.Arg[0] == 1 },
}

var (
	errAbsentFirst = errors.New("it must stand before all that is matched on its buffer")
	errAbsentAlone = errors.New("what follows on the buffer can never hold: write or_else")
	errAbsentElse  = errors.New("or_else, and nothing else is matched on the buffer")
)

// checkAbsent checks the place of absent in a list.
func checkAbsent(l *List) error {
	for i := range l.Matches {
		if keywords[l.Matches[i].Kind] != &absent {
			continue
		}
		alone, orElse := len(l.Matches) == 1, l.Matches[i].Arg[0] == 1
		switch {
		case i > 0:
			return blame("absent", errAbsentFirst)
		case !alone && !orElse:
			return blame("absent", errAbsentAlone)
		case alone && orElse:
			return blame("absent", errAbsentElse)
		}
	}
	return nil
}
