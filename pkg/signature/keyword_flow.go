package signature

import (
	"errors"
	"fmt"
	"strings"
)

// flowState names the direction and the state of the flow. It has no match of its own: the engine reads the flags.
var flowState = Keyword{
	Name: "flow", Where: Meta,
	Doc: "the flow's direction and state: to_server, to_client (from_client, from_server), established, not_established, " +
		"stateless, only_stream, no_stream, only_frag, no_frag",
	Parse: func(b *Builder, value string) error {
		if b.has("flow") {
			return errOnce
		}
		if value == "" {
			return errors.New("write what the flow must be, such as established,to_server")
		}
		for word := range strings.SplitSeq(value, ",") {
			if err := b.flowWord(strings.ToLower(strings.TrimSpace(word))); err != nil {
				return err
			}
		}
		return nil
	},
}

var flowFlags = map[string]Flags{
	"to_server": ToServer, "from_client": ToServer, "to_client": ToClient, "from_server": ToClient,
	"established": Established, "not_established": NotEstablished, "stateless": Stateless,
	"only_stream": OnlyStream, "no_stream": NoStream, "only_frag": OnlyFrag, "no_frag": NoFrag,
}

// flowWords that exclude each other.
var flowSides = []Flags{ToServer | ToClient, Established | NotEstablished | Stateless, OnlyStream | NoStream, OnlyFrag | NoFrag}

func (b *Builder) flowWord(word string) error {
	f, ok := flowFlags[word]
	if !ok {
		return fmt.Errorf("%q is no state of a flow", shorten(word))
	}
	for _, side := range flowSides {
		if f&side != 0 && b.Flags&side&^f != 0 {
			return fmt.Errorf("%s contradicts what the rule says before it", word)
		}
	}
	b.Flags |= f
	return nil
}
