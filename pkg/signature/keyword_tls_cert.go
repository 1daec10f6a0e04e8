package signature

import (
	"fmt"
	"strings"
	"time"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/tls"
)

// certDate compares a date of a certificate: tls_cert_notafter:<2026-01-01.
func certDate(name, doc string, of func(*tls.Certificate) int64) Keyword {
	return Keyword{
		Name: name, Where: OnHeader, Doc: doc + ": [<|>]YYYY[-MM[-DD[THH[:MM[:SS]]]]], or from<>to (both ends out), in UTC",
		Parse: func(b *Builder, value string) error {
			r, err := parseDates(value)
			if err != nil {
				return err
			}
			b.Add(r.match())
			return b.ofTx(layer.TLS)
		},
		Eval: func(c *Context, m *Match) bool {
			cert := c.certificate()
			return cert != nil && cert.Dated && m.inRange(of(cert))
		},
	}
}

// certificate is the first certificate of the packet's direction, nil if there is none.
func (c *Context) certificate() *tls.Certificate {
	t, ok := c.Tx.(*tls.Tx)
	if !ok || t.Certs[c.Direction&1].Count == 0 {
		return nil
	}
	return &t.Certs[c.Direction&1]
}

func parseDates(value string) (r interval, err error) {
	value = strings.TrimSpace(value)
	r = interval{lo: -1 << 62, hi: 1 << 62}
	switch {
	case strings.Contains(value, "<>"):
		from, to, _ := strings.Cut(value, "<>")
		if r.lo, err = parseDate(from); err == nil {
			r.hi, err = parseDate(to)
		}
		r.lo, r.hi = r.lo+1, r.hi-1
		if err == nil && r.lo > r.hi {
			err = fmt.Errorf("%q holds no time", shorten(value))
		}
	case strings.HasPrefix(value, "<"):
		r.hi, err = parseDate(value[1:])
		r.hi--
	case strings.HasPrefix(value, ">"):
		r.lo, err = parseDate(value[1:])
		r.lo++
	default:
		r.lo, err = parseDate(value)
		r.hi = r.lo
	}
	return r, err
}

func parseDate(s string) (int64, error) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{"2006", "2006-01", "2006-01-02", "2006-01-02T15", "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if len(s) != len(layout) {
			continue
		}
		if t, err := time.Parse(layout, s); err == nil {
			return t.Unix(), nil
		}
	}
	return 0, fmt.Errorf("%q is no date such as 2026, 2026-01-31 or 2026-01-31T12:00:00", shorten(s))
}

var (
	certNotBefore = certDate("tls_cert_notbefore", "when the certificate begins to be valid", func(c *tls.Certificate) int64 { return c.NotBefore })
	certNotAfter  = certDate("tls_cert_notafter", "when the certificate ends to be valid", func(c *tls.Certificate) int64 { return c.NotAfter })
	certExpired   = certNow("tls_cert_expired", "the certificate has expired at the packet's time",
		func(c *tls.Certificate, now int64) bool { return c.NotAfter < now })
	certValid = certNow("tls_cert_valid", "the certificate is valid at the packet's time",
		func(c *tls.Certificate, now int64) bool { return c.NotBefore <= now && now <= c.NotAfter })
)

// certNow judges a certificate's dates at the packet's time.
func certNow(name, doc string, holds func(c *tls.Certificate, now int64) bool) Keyword {
	return Keyword{
		Name: name, Where: OnHeader, Doc: doc,
		Parse: func(b *Builder, value string) error {
			b.Add(Match{})
			if err := noValue(value); err != nil {
				return err
			}
			return b.ofTx(layer.TLS)
		},
		Eval: func(c *Context, _ *Match) bool {
			cert := c.certificate()
			return cert != nil && cert.Dated && holds(cert, c.Now/1e9)
		},
	}
}

// certChain compares how many certificates came.
var certChain = Keyword{
	Name: "tls.cert_chain_len", Where: OnHeader,
	Doc: "how many certificates a side has sent",
	Parse: func(b *Builder, value string) error {
		if err := b.ofTx(layer.TLS); err != nil {
			return err
		}
		return b.compare(value, 0, 1<<32-1)
	},
	Eval: func(c *Context, m *Match) bool {
		cert := c.certificate()
		return cert != nil && m.inRange(int64(cert.Count))
	},
}
