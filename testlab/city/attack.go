package city

import (
	"context"
	"fmt"
	"time"

	"citygate/pkg/flow"
	"citygate/testlab/attacker"
	"citygate/testlab/receiver"
	"citygate/testlab/topology"
)

// Result is what became of an attack with tagged frames.
type Result struct {
	Kind    string    `json:"kind"`
	Side    flow.Side `json:"side"`
	Sent    int       `json:"sent"`
	Reached int       `json:"reached"` // of the sent, on the wire to the gateway
	Arrived int       `json:"arrived"` // on the wire behind the gateway
	Blind   uint64    `json:"blind"`   // frames that a receiver lost: then Arrived proves nothing
	Example []byte    `json:"example,omitempty"`
}

// Stopped reports whether the attack was made, and nothing of it got through.
func (r Result) Stopped() bool {
	return r.Sent > 0 && r.Reached == r.Sent && r.Arrived == 0 && r.Blind == 0
}

func switches(side flow.Side) (near, far string) {
	if side == flow.CameraSide {
		return topology.CameraSwitch, topology.ServerSwitch
	}
	return topology.ServerSwitch, topology.CameraSwitch
}

// Attack sends Count tagged frames of a kind from a side and counts them on both wires.
func (c *City) Attack(ctx context.Context, o attacker.Order) (Result, error) {
	near, far := switches(o.Side)
	kind, _, err := attacker.Find(o.Kind)
	if err != nil {
		return Result{}, err
	}
	from := "attacker-cam"
	if o.Side == flow.ServerSide {
		from = "attacker-srv"
	}
	if kind.Uplink {
		from = near
	}
	before, err := c.wires(ctx, o.Kind, near, far)
	if err != nil {
		return Result{}, err
	}
	var done attacker.Done
	if err := c.Call(ctx, from, "Attack", o, &done); err != nil {
		return Result{}, err
	}
	after, err := c.quiet(ctx, o.Kind, near, far, before.to+done.Attacks)
	if err != nil {
		return Result{}, err
	}
	return Result{
		Kind: o.Kind, Side: o.Side, Sent: done.Attacks, Reached: after.to - before.to,
		Arrived: after.from - before.from, Blind: after.blind - before.blind, Example: after.example,
	}, nil
}

type wires struct {
	to, from int
	blind    uint64
	example  []byte
}

// wires reads the counts of a kind on the wire that the attackers' side has to the gateway, and on the one behind it.
func (c *City) wires(ctx context.Context, kind, near, far string) (wires, error) {
	var a, b receiver.Counts
	if err := c.Call(ctx, near, "Counts", struct{}{}, &a); err != nil {
		return wires{}, err
	}
	if err := c.Call(ctx, far, "Counts", struct{}{}, &b); err != nil {
		return wires{}, err
	}
	return wires{
		to: a.Kinds[kind].ToGateway, from: b.Kinds[kind].FromGateway,
		blind: a.Dropped + b.Dropped, example: b.Kinds[kind].Example,
	}, nil
}

// Times of the wait for frames that are under way.
const (
	quietLook = 50 * time.Millisecond
	quietMost = 2 * time.Second
)

// quiet reads the counts when nothing comes any more.
func (c *City) quiet(ctx context.Context, kind, near, far string, expected int) (wires, error) {
	deadline := time.Now().Add(quietMost)
	last := wires{to: -1}
	for {
		select {
		case <-ctx.Done():
			return wires{}, ctx.Err()
		case <-time.After(quietLook):
		}
		now, err := c.wires(ctx, kind, near, far)
		if err != nil {
			return wires{}, err
		}
		still := now.to == last.to && now.from == last.from
		if still && (now.to >= expected || time.Now().After(deadline)) {
			return now, nil
		}
		last = now
	}
}

// Flood sends allowed packets of many flows from a side.
func (c *City) Flood(ctx context.Context, side flow.Side, f attacker.Flood) (attacker.Done, error) {
	near, _ := switches(side)
	var done attacker.Done
	if err := c.Call(ctx, near, "Flood", f, &done); err != nil {
		return done, fmt.Errorf("flood: %w", err)
	}
	return done, nil
}
