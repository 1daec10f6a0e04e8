package signature

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/tls"
)

var tlsVersions = map[string]int64{
	"sslv2": tls.SSL2, "sslv3": tls.SSL3, "tls1.0": tls.TLS10, "tls1.1": tls.TLS11, "tls1.2": tls.TLS12, "tls1.3": tls.TLS13,
	"1.0": tls.TLS10, "1.1": tls.TLS11, "1.2": tls.TLS12, "1.3": tls.TLS13,
}

// tlsVersion compares the version: of the client what it offers at most, of the server what it chose.
var tlsVersion = Keyword{
	Name: "tls.version", Where: OnHeader,
	Doc: "the TLS version: 1.0, 1.1, 1.2, 1.3 or hexadecimal such as 0x0304; of the client what it offers at most, of the server what it chose",
	Parse: func(b *Builder, value string) error {
		v, ok := tlsVersions[strings.TrimSpace(value)]
		if !ok {
			n, err := parseInt(strings.TrimSpace(value))
			if err != nil || n <= 0xff || n > 0xffff {
				return fmt.Errorf("%q is none of 1.0, 1.1, 1.2, 1.3, or a number such as 0x0301", shorten(value))
			}
			v = n
		}
		b.Add(Match{Arg: [6]int64{v}})
		return b.ofTx(layer.TLS)
	},
	Eval: func(c *Context, m *Match) bool {
		t, ok := c.Tx.(*tls.Tx)
		return ok && int64(t.Versions[c.Direction&1]) == m.Arg[0]
	},
}

// sslVersion is a list of versions. Match: Arg[0] to Arg[4] the versions.
var sslVersion = Keyword{
	Name: "ssl_version", Where: OnHeader,
	Doc: "the TLS version is one of a list: sslv2, sslv3, tls1.0, tls1.1, tls1.2, tls1.3; with ! before each, none of the list",
	Parse: func(b *Builder, value string) error {
		var m Match
		words := strings.Split(value, ",")
		if len(words) > len(m.Arg) {
			return errors.New("the list is longer than there are versions")
		}
		for i, word := range words {
			name, not := strings.CutPrefix(strings.ToLower(strings.TrimSpace(word)), "!")
			v, ok := tlsVersions[strings.TrimSpace(name)]
			if !ok {
				return fmt.Errorf("%q is none of sslv2, sslv3, tls1.0, tls1.1, tls1.2, tls1.3", shorten(word))
			}
			if i > 0 && not != (m.Flags&MatchNot != 0) {
				return errors.New("either all versions are negated or none")
			}
			if not {
				m.Flags = MatchNot
			}
			m.Arg[i] = v
		}
		b.Add(m)
		return b.ofTx(layer.TLS)
	},
	Eval: func(c *Context, m *Match) bool {
		t, ok := c.Tx.(*tls.Tx)
		if !ok || t.Versions[c.Direction&1] == 0 {
			return false
		}
		return slices.Contains(m.Arg[:], int64(t.Versions[c.Direction&1])) != (m.Flags&MatchNot != 0)
	},
}

var tlsStates = map[string]tls.Messages{
	"client_hello": tls.ClientHello, "server_hello": tls.ServerHello, "client_keyx": tls.ClientKeyExchange, "server_keyx": tls.ServerKeyExchange,
}

// sslState asks which messages of the handshake were seen. Match: Arg[0] the messages, of which one will do.
var sslState = Keyword{
	Name: "ssl_state", Where: OnHeader,
	Doc: "a message of the TLS handshake was seen: client_hello, server_hello, client_keyx, server_keyx (one of several, separated by commas); ! for none",
	Parse: func(b *Builder, value string) error {
		list, not := strings.CutPrefix(strings.TrimSpace(value), "!")
		var m Match
		if not {
			m.Flags = MatchNot
		}
		for _, word := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == '|' || r == ' ' }) {
			state, ok := tlsStates[word]
			if !ok {
				return fmt.Errorf("%q is none of client_hello, server_hello, client_keyx, server_keyx", shorten(word))
			}
			m.Arg[0] |= int64(state)
		}
		if m.Arg[0] == 0 {
			return errors.New("a state is missing")
		}
		b.Add(m)
		return b.ofTx(layer.TLS)
	},
	Eval: func(c *Context, m *Match) bool {
		t, ok := c.Tx.(*tls.Tx)
		return ok && (int64(t.Seen)&m.Arg[0] != 0) != (m.Flags&MatchNot != 0)
	},
}
