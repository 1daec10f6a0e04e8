package traffic

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sync/errgroup"
)

const lookups = 260 // of an office

// serveNames is a resolver over UDP.
func serveNames(ctx context.Context) error {
	return listenUDP(ctx, resolver, 53, func(b []byte) []byte {
		var m dnsmessage.Message
		if m.Unpack(b) != nil || len(m.Questions) == 0 {
			return nil
		}
		q := m.Questions[0]
		m.Response, m.RecursionAvailable = true, true
		h := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 300}
		switch n := len(q.Name.String()); {
		case n%11 == 0:
			m.RCode = dnsmessage.RCodeNameError
		case q.Type == dnsmessage.TypeTXT:
			m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.TXTResource{TXT: []string{"v=spf1 include:" + q.Name.String() + " ~all"}}}}
		default:
			for i := range 1 + n%4 {
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: siteAddr(i).As4()}})
			}
		}
		out, err := m.Pack()
		if err != nil {
			return nil
		}
		return out
	})
}

// listenUDP answers datagrams until ctx ends.
func listenUDP(ctx context.Context, a netip.Addr, port uint16, f func([]byte) []byte) error {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, port)))
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { c.Close() })
	go func() {
		b := make([]byte, 65536)
		for {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if out := f(b[:n]); out != nil {
				_, _ = c.WriteToUDPAddrPort(out, from) // it asks again
			}
		}
	}()
	return nil
}

// exchange sends a datagram from a fresh port and waits for an answer, if one is wanted.
func exchange(a netip.Addr, to netip.AddrPort, b []byte, wanted bool) error {
	c, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 0)), net.UDPAddrFromAddrPort(to))
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write(b); err != nil || !wanted {
		return err
	}
	if err := c.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 4096))
	return err
}

var suffixes = []string{"com", "net", "org", "de", "io", "example.com", "co.uk", "internal", "top", "cloud.example.net"}

// askNames is what offices look up.
func askNames(ctx context.Context, g *errgroup.Group) {
	for i := range officeCount {
		d := dice(fmt.Sprint("names of office ", i))
		g.Go(func() error {
			return each(ctx, lookups, func(n int) error {
				name := word(d) + "." + word(d) + "-" + word(d) + "." + suffixes[d.IntN(len(suffixes))] + "."
				kind := dnsmessage.TypeA
				if n%9 == 0 {
					kind = dnsmessage.TypeTXT
				}
				return look(officeAddr(i), name, kind, uint16(d.Uint32()))
			})
		})
	}
}

func look(a netip.Addr, name string, kind dnsmessage.Type, id uint16) error {
	n, err := dnsmessage.NewName(name)
	if err != nil {
		return err
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: n, Type: kind, Class: dnsmessage.ClassINET}},
	}
	b, err := m.Pack()
	if err != nil {
		return err
	}
	return exchange(a, netip.AddrPortFrom(resolver, 53), b, true)
}
