package signature

import (
	"errors"
	"fmt"
	"strings"
)

// Operations on a number: Arg[0] of flowint.
const (
	intSet int64 = iota
	intAdd
	intSub
	intChanges // those before change it, those from here on ask
	intEqual
	intNotEqual
	intLess
	intLessEqual
	intMore
	intMoreEqual
	intIsSet
	intIsNotSet
)

var intOperations = map[string]int64{
	"=": intSet, "+": intAdd, "-": intSub, "==": intEqual, "!=": intNotEqual, "<": intLess, "<=": intLessEqual, ">": intMore,
	">=": intMoreEqual, "isset": intIsSet, "notset": intIsNotSet, "isnotset": intIsNotSet,
}

// intVariable in Flags says that Arg[2] is the number of another flowint.
const intVariable uint16 = 1

// flowint counts in the flow. Match: Arg[0] the operation, Arg[1] the number of the name, Arg[2] the operand.
var flowint = Keyword{
	Name: "flowint", Where: OnHeader,
	Doc: "numbers that rules keep in the flow: flowint:name,OP,value with = + - == != < <= > >=, and flowint:name,isset|isnotset; " +
		"the value may be another name",
	Parse: func(b *Builder, value string) error {
		parts := strings.Split(value, ",")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		if len(parts) < 2 || parts[0] == "" {
			return errors.New("write name,operation,value, such as tries,+,1")
		}
		op, ok := intOperations[parts[1]]
		if !ok {
			return fmt.Errorf("%q is none of = + - == != < <= > >= isset isnotset", shorten(parts[1]))
		}
		m := Match{Arg: [6]int64{op, int64(b.Env.Symbols.Flowints.ID(parts[0]))}}
		asks := op == intIsSet || op == intIsNotSet
		if asks != (len(parts) == 2) || len(parts) > 3 {
			return errors.New("write name,operation,value, or name,isset")
		}
		if !asks {
			if err := m.operand(parts[2], b.Env.Symbols); err != nil {
				return err
			}
		}
		m.Kind = b.kind
		if op < intChanges {
			b.Post = append(b.Post, m)
		} else {
			b.Packet = append(b.Packet, m)
		}
		return nil
	},
	Eval: func(c *Context, m *Match) bool { return c.Flow != nil && c.Flow.flowint(m) },
}

func (m *Match) operand(text string, s *Symbols) error {
	if text == "" {
		return errors.New("the value is missing")
	}
	if text[0] < '0' || text[0] > '9' {
		m.Flags, m.Arg[2] = intVariable, int64(s.Flowints.ID(text))
		return nil
	}
	n, err := parseNumber(text, 0, 1<<32-1)
	m.Arg[2] = int64(n)
	return err
}

// flowint does an operation. Numbers have 32 bits and wrap around; to add to one that is not set sets it.
func (s *State) flowint(m *Match) bool {
	have, set := s.number(m.Arg[1])
	switch m.Arg[0] {
	case intIsSet:
		return set
	case intIsNotSet:
		return !set
	}
	with := uint32(m.Arg[2])
	if m.Flags&intVariable != 0 {
		var ok bool
		if with, ok = s.number(m.Arg[2]); !ok {
			return false
		}
	}
	switch {
	case m.Arg[0] == intSet, m.Arg[0] == intAdd && !set:
		return s.setNumber(m.Arg[1], with)
	case !set:
		return false
	case m.Arg[0] == intAdd:
		return s.setNumber(m.Arg[1], have+with)
	case m.Arg[0] == intSub:
		return s.setNumber(m.Arg[1], have-with)
	}
	return compareNumbers(m.Arg[0], have, with)
}

func compareNumbers(op int64, a, b uint32) bool {
	switch op {
	case intEqual:
		return a == b
	case intNotEqual:
		return a != b
	case intLess:
		return a < b
	case intLessEqual:
		return a <= b
	case intMore:
		return a > b
	case intMoreEqual:
		return a >= b
	}
	return false
}

func (s *State) number(i int64) (n uint32, set bool) {
	if i >= int64(len(s.Ints)) || i>>6 >= int64(len(s.IntsSet)) || s.IntsSet[i>>6]>>(i&63)&1 == 0 {
		return 0, false
	}
	return s.Ints[i], true
}

func (s *State) setNumber(i int64, n uint32) bool {
	if i >= int64(len(s.Ints)) || i>>6 >= int64(len(s.IntsSet)) {
		return false
	}
	s.Ints[i] = n
	s.IntsSet[i>>6] |= 1 << (i & 63)
	return true
}
