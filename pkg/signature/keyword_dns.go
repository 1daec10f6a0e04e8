package signature

import (
	"fmt"

	"citygate/pkg/app/dns"
	"citygate/pkg/app/layer"
)

// ofTx makes the rule one of a protocol whose transactions the keyword in hand reads.
func (b *Builder) ofTx(p layer.Proto) error {
	if b.App != layer.Unknown && b.App != p {
		return fmt.Errorf("it is of %s, the rule is of %s", p, b.App)
	}
	b.App = p
	b.Flags |= AppEvent
	return nil
}

// dnsNumber compares a number of a DNS message.
func dnsNumber(name string, high int64, doc string, of func(t *dns.Tx, m *Match) bool) Keyword {
	return Keyword{
		Name: name, Where: OnHeader, Doc: doc,
		Parse: func(b *Builder, value string) error {
			if err := b.ofTx(layer.DNS); err != nil {
				return err
			}
			return b.compare(value, 0, high)
		},
		Eval: func(c *Context, m *Match) bool {
			t, ok := c.Tx.(*dns.Tx)
			return ok && t.Direction == c.Direction && of(t, m)
		},
	}
}

var (
	dnsOpcode = dnsNumber("dns.opcode", 15, "the operation code of the DNS message",
		func(t *dns.Tx, m *Match) bool { return m.inRange(int64(t.Opcode)) })
	dnsRCode = dnsNumber("dns.rcode", 65535, "the response code of the DNS message",
		func(t *dns.Tx, m *Match) bool { return m.inRange(int64(t.RCode)) })
	dnsRRType = dnsNumber("dns.rrtype", 65535, "the type, as a number, of a question or an answer of the DNS message; one of them will do",
		func(t *dns.Tx, m *Match) bool {
			for _, rr := range t.RRTypes {
				if m.inRange(int64(rr)) {
					return true
				}
			}
			return false
		})
)
