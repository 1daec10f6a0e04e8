package tls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"citygate/pkg/flow"
)

const (
	ts = flow.ToServer
	tc = flow.ToClient
)

// said is what one side wrote at once.
type said struct {
	d    flow.Direction
	data []byte
}

// wire is one end of a connection that writes down what it is given, and never makes a writer wait.
type wire struct {
	net.Conn
	mu   *sync.Mutex
	d    flow.Direction
	all  *[]said
	in   <-chan []byte
	out  chan<- []byte
	rest []byte
}

func (w *wire) Write(b []byte) (int, error) {
	b = append([]byte(nil), b...)
	w.mu.Lock()
	*w.all = append(*w.all, said{w.d, b})
	w.mu.Unlock()
	w.out <- b
	return len(b), nil
}

func (w *wire) Read(b []byte) (int, error) {
	if len(w.rest) == 0 {
		w.rest = <-w.in
	}
	n := copy(b, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// certificate is a certificate with names of all kinds.
func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0xab01),
		Subject: pkix.Name{Country: []string{"DE"}, Province: []string{"Köln"}, Organization: []string{"Example, Inc"}, CommonName: "camera.example",
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: []int{1, 2, 840, 113549, 1, 9, 1}, Value: "a@b.example"}, {Type: []int{1, 3, 6, 1, 4, 1, 99999, 1}, Value: "x"}}},
		NotBefore: time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC), NotAfter: time.Date(2051, 12, 31, 23, 59, 59, 0, time.UTC),
		DNSNames: []string{"camera.example", "*.example"}, EmailAddresses: []string{"a@b.example"}, IPAddresses: []net.IP{net.IPv4(10, 1, 2, 3).To4(), net.ParseIP("2001:db8::1")},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw, raw}, PrivateKey: key}
}

// talk is a handshake and a word each way.
func talk(t testing.TB, client, server *tls.Config) []said {
	t.Helper()
	up, down := make(chan []byte, 100), make(chan []byte, 100)
	var all []said
	mu := new(sync.Mutex)
	done := make(chan error, 1)
	go func() {
		s := tls.Server(&wire{mu: mu, d: tc, all: &all, in: up, out: down}, server)
		buf := make([]byte, 2000)
		_, err := io.ReadFull(s, buf)
		if err == nil {
			_, err = s.Write(buf)
		}
		done <- err
	}()
	c := tls.Client(&wire{mu: mu, d: ts, all: &all, in: down, out: up}, client)
	if _, err := c.Write(make([]byte, 2000)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 2000)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return all
}

// versions are configurations of both sides for one version.
func versions(t testing.TB, v uint16) (client, server *tls.Config) {
	cert := certificate(t)
	client = &tls.Config{InsecureSkipVerify: true, ServerName: "camera.example", NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS10, MaxVersion: v}
	server = &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS10, MaxVersion: v}
	return client, server
}
