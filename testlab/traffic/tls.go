package traffic

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	sessions    = 28 // of an office
	sessionSize = 45 << 10
)

// serveTLS opens the sites' other port: it answers a line that says how much with that much.
func serveTLS(ctx context.Context) error {
	for i := range siteCount {
		cert, err := certificate(siteName(i))
		if err != nil {
			return err
		}
		cfg := &tls.Config{Certificates: []tls.Certificate{cert}}
		if i%3 == 0 {
			cfg.MaxVersion = tls.VersionTLS12 // its certificates are visible
		}
		l, err := tls.Listen("tcp", at(siteAddr(i), 443), cfg)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { l.Close() })
		body := jsonText(dice(fmt.Sprint("tls ", i)), 2*sessionSize)
		go acceptAll(l, func(c net.Conn) {
			ask := make([]byte, 256)
			for {
				n, err := c.Read(ask)
				if err != nil {
					return
				}
				size := 0
				_, _ = fmt.Sscanf(string(ask[:n]), "GET %d", &size)
				if _, err := c.Write(body[:min(size, len(body))]); err != nil {
					return
				}
			}
		})
	}
	return nil
}

// acceptAll serves connections until the listener closes.
func acceptAll(l net.Listener, f func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			f(c)
		}()
	}
}

func certificate(name string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		Subject: pkix.Name{CommonName: name, Organization: []string{"Example " + name}, Country: []string{"DE"}}, DNSNames: []string{name},
	}
	der, err := x509.CreateCertificate(crand.Reader, t, t, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// browseTLS is the offices' encrypted web.
func browseTLS(ctx context.Context, g *errgroup.Group) {
	for i := range officeCount {
		d := dice(fmt.Sprint("office with tls ", i))
		g.Go(func() error {
			return each(ctx, sessions, func(int) error {
				s := d.IntN(siteCount)
				raw, err := from(officeAddr(i)).DialContext(ctx, "tcp", at(siteAddr(s), 443))
				if err != nil {
					return err
				}
				// The certificates are made up for the recording: nobody vouches for them.
				c := tls.Client(raw, &tls.Config{ServerName: siteName(s), InsecureSkipVerify: true})
				defer c.Close()
				size := sessionSize/2 + d.IntN(sessionSize)
				if _, err := fmt.Fprintf(c, "GET %d", size); err != nil {
					return err
				}
				_, err = io.ReadFull(c, make([]byte, size))
				return err
			})
		})
	}
}
