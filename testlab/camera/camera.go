// Package camera is a camera: a host of the lab in, the network services of a camera out. RTSP with real H.264,
// ONVIF's device service, a web page, WS-Discovery and a DHCP client; ARP and neighbour discovery are the kernel's.
package camera

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"citygate/testlab/stream"
	"citygate/testlab/topology"
)

// Camera runs in its host's network namespace. Its exported methods of two arguments are called over net/rpc.
type Camera struct {
	host  topology.Host
	meter *meter
	rtsp  *rtsp

	renewing sync.Mutex
	mu       sync.Mutex
	leased   Lease
}

// New opens the camera's sockets.
func New(host topology.Host) (*Camera, error) {
	c := &Camera{host: host, meter: newMeter()}
	var err error
	if c.rtsp, err = newRTSP(c.meter); err != nil {
		return nil, err
	}
	return c, nil
}

// Run serves until ctx ends.
func (c *Camera) Run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return c.rtsp.run(ctx) })
	tasks.Go(func() error { return c.serveWeb(ctx) })
	tasks.Go(func() error { return c.serveDiscovery(ctx) })
	if c.host.DHCP {
		tasks.Go(func() error { return c.lease(ctx) })
	}
	return tasks.Wait()
}

func (c *Camera) serveWeb(ctx context.Context) error {
	server := &http.Server{Addr: ":80", Handler: c.web(), ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.ListenAndServe(); ctx.Err() == nil {
		return fmt.Errorf("serve the web page: %w", err)
	}
	return nil
}

func (c *Camera) serveDiscovery(ctx context.Context) error {
	eth0, err := net.InterfaceByName("eth0")
	if err != nil {
		return fmt.Errorf("find eth0: %w", err)
	}
	conn, err := net.ListenMulticastUDP("udp4", eth0, discoveryGroup)
	if err != nil {
		return fmt.Errorf("join WS-Discovery: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := c.discovery(conn); ctx.Err() == nil {
		return fmt.Errorf("answer WS-Discovery: %w", err)
	}
	return nil
}

// addr4 is the camera's IPv4 address, which may be a leased one.
func (c *Camera) addr4() (netip.Addr, bool) {
	if !c.host.DHCP {
		return c.host.Addr4(), true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leased.Addr, c.leased.Addr.IsValid()
}

// Stats is what a camera knows about itself.
type Stats struct {
	Addr    netip.Addr    `json:"addr"`
	Lease   Lease         `json:"lease"`
	Held    bool          `json:"held"`
	Streams []stream.Sent `json:"streams"`
}

// Stats says what the camera sent so far.
func (c *Camera) Stats(_ struct{}, out *Stats) error {
	addr, _ := c.addr4()
	*out = Stats{Addr: addr, Held: c.rtsp.held.Load(), Streams: c.meter.list()}
	c.mu.Lock()
	defer c.mu.Unlock()
	out.Lease = c.leased
	return nil
}

// Hold stops (true) or resumes (false) sending pictures; sessions stay open.
func (c *Camera) Hold(on bool, _ *struct{}) error {
	c.rtsp.held.Store(on)
	return nil
}
