package control

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

// guardTimeout is how long the guard may take for one request; a policy of 65,536 entries takes under a second.
const guardTimeout = 20 * time.Second

var errNoAnswer = errors.New("the guard does not answer")

// guard asks citygate-guard to change the kernel, one request at a time.
type guard struct {
	conn  *ipc.Conn
	maps  *Kernel
	turn  sync.Mutex // one request at a time
	mu    sync.Mutex
	id    uint32
	reply chan answer // of the request that waits, nil if none
	ports []ipc.PortState
}

type answer struct {
	ipc.Result
	ports []ipc.PortState
}

func newGuard(conn *ipc.Conn, maps *Kernel) *guard { return &guard{conn: conn, maps: maps} }

// listen hears the guard until its channel ends.
func (g *guard) listen() error {
	for {
		r, err := g.conn.Recv()
		if err != nil {
			return fmt.Errorf("listen to the guard: %w", err)
		}
		switch m := r.Message.(type) {
		case ipc.MapFD:
			if err := g.maps.Take(m, r.FDs[0]); err != nil {
				return err
			}
		case ipc.PortState:
			g.gather(m)
		case ipc.Result:
			g.answer(m)
		}
	}
}

// maxPorts is how many ports a gateway can have: 16 bridges of two.
const maxPorts = 32

func (g *guard) gather(p ipc.PortState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.ports) < maxPorts {
		g.ports = append(g.ports, p)
	}
}

// answer wakes who waits for this result. An answer that comes after its time is not waited for any more.
func (g *guard) answer(r ipc.Result) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.reply == nil || r.ID != g.id {
		return
	}
	g.reply <- answer{Result: r, ports: g.ports}
	g.reply = nil
}

// ask sends the messages that the ID makes and waits for the result.
func (g *guard) ask(ctx context.Context, messages func(id uint32) []ipc.Message) (answer, error) {
	g.turn.Lock()
	defer g.turn.Unlock()
	reply := make(chan answer, 1)
	g.mu.Lock()
	g.id++
	id := g.id
	g.reply, g.ports = reply, nil
	g.mu.Unlock()
	for _, m := range messages(id) {
		if err := g.conn.Send(m); err != nil {
			return answer{}, fmt.Errorf("ask the guard: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, guardTimeout)
	defer cancel()
	select {
	case a := <-reply:
		if !a.OK {
			return a, fmt.Errorf("the guard refused: %s", a.Error)
		}
		return a, nil
	case <-ctx.Done():
		return answer{}, fmt.Errorf("%w: %w", errNoAnswer, ctx.Err())
	}
}

// Load puts a policy into force and gives its generation. An error leaves the one before in force.
func (g *guard) Load(ctx context.Context, set ipc.PolicySet) (uint32, error) {
	a, err := g.ask(ctx, set.Messages)
	if errors.Is(err, errNoAnswer) {
		// The next policy's PolicyBegin would do it too; this one frees the guard's memory at once.
		g.turn.Lock()
		defer g.turn.Unlock()
		return 0, errors.Join(err, g.conn.Send(ipc.PolicyAbort{ID: g.id}))
	}
	return a.Generation, err
}

// Bind gives a device its DHCP address.
func (g *guard) Bind(ctx context.Context, d ipc.DeviceID, vlan flow.VLAN, addr netip.Addr) error {
	_, err := g.ask(ctx, one(func(id uint32) ipc.Message {
		return ipc.SetBinding{ID: id, Device: d, VLAN: vlan, Addr: addr}
	}))
	return err
}

// Unbind takes it away.
func (g *guard) Unbind(ctx context.Context, d ipc.DeviceID, vlan flow.VLAN, addr netip.Addr) error {
	_, err := g.ask(ctx, one(func(id uint32) ipc.Message {
		return ipc.ClearBinding{ID: id, Device: d, VLAN: vlan, Addr: addr}
	}))
	return err
}

// Block drops all frames between two addresses until a time, the zero time = until Lift.
func (g *guard) Block(ctx context.Context, src, dst netip.Addr, until time.Time, reason string) error {
	var ns int64
	if !until.IsZero() {
		ns = until.UnixNano()
	}
	_, err := g.ask(ctx, one(func(id uint32) ipc.Message {
		return ipc.SetBlock{ID: id, Src: src, Dst: dst, Until: ns, Reason: reason}
	}))
	return err
}

// Lift ends a block.
func (g *guard) Lift(ctx context.Context, src, dst netip.Addr) error {
	_, err := g.ask(ctx, one(func(id uint32) ipc.Message { return ipc.LiftBlock{ID: id, Src: src, Dst: dst} }))
	return err
}

// Ports gives the state of the bridge ports and the generation in force.
func (g *guard) Ports(ctx context.Context) ([]ipc.PortState, uint32, error) {
	a, err := g.ask(ctx, one(func(id uint32) ipc.Message { return ipc.GetPorts{ID: id} }))
	return a.ports, a.Generation, err
}

func one(m func(id uint32) ipc.Message) func(uint32) []ipc.Message {
	return func(id uint32) []ipc.Message { return []ipc.Message{m(id)} }
}
