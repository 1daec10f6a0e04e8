// Package vms is a video server: it pulls streams from cameras, counts what arrives, and leases addresses by DHCP.
package vms

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"citygate/testlab/stream"
	"citygate/testlab/topology"
)

// Pull is one stream that a video server wants.
type Pull struct {
	Camera    string           `json:"camera"`
	Transport stream.Transport `json:"transport"`
	IPv6      bool             `json:"ipv6,omitempty"`
}

// Plan says which streams a video server pulls.
func Plan(host string) []Pull {
	if host == topology.Remote {
		return []Pull{{Camera: "lobby-1", Transport: stream.TCP}, {Camera: "gate-1", Transport: stream.UDP}}
	}
	return []Pull{
		{Camera: "lobby-1", Transport: stream.UDP},
		{Camera: "gate-1", Transport: stream.TCP},
		{Camera: "yard-1", Transport: stream.UDP, IPv6: true},
		{Camera: "yard-1", Transport: stream.TCP, IPv6: true},
		{Camera: "hall-1", Transport: stream.UDP},
	}
}

// VMS runs in its host's network namespace. Its exported methods of two arguments are called over net/rpc.
type VMS struct {
	host  topology.Host
	lease *leases // nil but on main

	mu       sync.Mutex
	sessions []*session // bounded by maxSessions; the newest of a pull is the last
	opened   int
	places   map[string]netip.Addr // of cameras that moved
}

// maxSessions bounds the memory of a server whose cameras come and go.
const maxSessions = 256

// New prepares a server; main is the DHCP server too.
func New(host topology.Host) (*VMS, error) {
	v := &VMS{host: host, places: map[string]netip.Addr{}}
	if host.Name == topology.Main {
		v.lease = newLeases()
	}
	return v, nil
}

// Run pulls all streams of the Plan until ctx ends, each again a second after it broke.
func (v *VMS) Run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	if v.lease != nil {
		tasks.Go(func() error { return v.lease.serve(ctx, v.host) })
	}
	tasks.Go(func() error { return v.page(ctx) })
	for _, p := range Plan(v.host.Name) {
		tasks.Go(func() error { return v.keep(ctx, p) })
	}
	return tasks.Wait()
}

// page is the server's web page: something that a port scan can find.
func (v *VMS) page(ctx context.Context) error {
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "<!doctype html><title>video server %s</title>\n", v.host.Name)
	})
	server := &http.Server{Addr: ":80", Handler: hello, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.ListenAndServe(); ctx.Err() == nil {
		return fmt.Errorf("serve the web page: %w", err)
	}
	return nil
}

const againAfter = time.Second

func (v *VMS) keep(ctx context.Context, p Pull) error {
	for ctx.Err() == nil {
		s := newSession(p, v.place(p))
		v.remember(s)
		err := s.play(ctx)
		s.closed(err)
		select {
		case <-ctx.Done():
		case <-time.After(againAfter):
		}
	}
	return nil
}

func (v *VMS) remember(s *session) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.opened++
	// A session that never got a packet is not worth keeping; the newest error of its pull is in its successor.
	kept := v.sessions[:0]
	for _, old := range v.sessions {
		if old.pull != s.pull || old.worth() {
			kept = append(kept, old)
		}
	}
	if len(kept) >= maxSessions {
		kept = kept[1:]
	}
	v.sessions = append(kept, s)
}

// Stats is what a video server knows.
type Stats struct {
	Sessions []stream.Received `json:"sessions"`
	Opened   int               `json:"opened"` // tries, from the first on
}

// Stats gives all sessions so far.
func (v *VMS) Stats(_ struct{}, out *Stats) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	out.Opened = v.opened
	for _, s := range v.sessions {
		out.Sessions = append(out.Sessions, s.stats(time.Now()))
	}
	return nil
}

// Reserve makes the DHCP server give a hardware address another IP address from now on.
func (v *VMS) Reserve(r Reservation, _ *struct{}) error {
	if v.lease == nil {
		return fmt.Errorf("%s is no DHCP server", v.host.Name)
	}
	return v.lease.reserve(r)
}
