package city

import (
	"context"
	"errors"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"time"

	"citygate/pkg/flow"
	"citygate/testlab/attacker"
	"citygate/testlab/topology"
)

// Service is what a running city answers on its control socket (JSON-RPC of net/rpc).
type Service struct {
	city    *City
	Gateway string // what connects the gateway's ports
}

// patience bounds every question to the hosts.
const patience = time.Minute

// HostStatus is one line of Status.
type HostStatus struct {
	Name  string   `json:"name"`
	Role  string   `json:"role"`
	Side  string   `json:"side"`
	MAC   string   `json:"mac,omitempty"`
	Addrs []string `json:"addrs,omitempty"`
	PID   int      `json:"pid"` // inside the enclave
}

// Status is the city at a glance.
type Status struct {
	Gateway string       `json:"gateway"`
	Hosts   []HostStatus `json:"hosts"`
	Streams []Stream     `json:"streams"`
}

// Serve answers on a listener until ctx ends.
func Serve(ctx context.Context, c *City, gateway string, l net.Listener) error {
	server := rpc.NewServer()
	if err := server.RegisterName("City", &Service{city: c, Gateway: gateway}); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go server.ServeCodec(jsonrpc.NewServerCodec(conn)) // ends with its caller
	}
}

// Status lists hosts and streams.
func (s *Service) Status(_ struct{}, out *Status) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out.Gateway = s.Gateway
	for _, h := range topology.City() {
		line := HostStatus{Name: h.Name, Role: string(h.Role), Side: h.Side.String(), PID: s.city.PID(h.Name)}
		if h.Role != topology.Switch && h.Role != topology.Gateway {
			line.MAC = h.MAC.String()
		}
		for _, a := range h.Addrs {
			line.Addrs = append(line.Addrs, a.String())
		}
		out.Hosts = append(out.Hosts, line)
	}
	var err error
	out.Streams, err = s.city.Streams(ctx)
	return err
}

// Attack makes an attack.
func (s *Service) Attack(o attacker.Order, out *Result) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	*out, err = s.city.Attack(ctx, o)
	return err
}

// ToolOrder asks for an attack with a real tool.
type ToolOrder struct {
	Name string    `json:"name"`
	Side flow.Side `json:"side"`
}

// Tool attacks with a real tool.
func (s *Service) Tool(o ToolOrder, out *ToolResult) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	*out, err = s.city.Tool(ctx, o.Name, o.Side)
	return err
}

// Settled gives the streams when nothing is under way.
func (s *Service) Settled(_ struct{}, out *[]Stream) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	*out, err = s.city.Settle(ctx)
	return err
}
