package demo

import (
	"context"
	"fmt"
	"time"

	"citygate/pkg/control/api"
)

func deathSteps() []step {
	a := deadAssault()
	return []step{
		{name: "kill -9", expected: fmt.Sprintf("0 packets lost, %d killed, 0 alive", workers), run: kill},
		{
			name: "attacks on the dead", hostile: true, run: attackDead,
			expected: fmt.Sprintf("0 of %s arrive, all counted", number(uint64(a.frames()))),
		},
		{name: "restart", expected: "0 packets lost, the counters go on", run: restart},
	}
}

// kill kills all processes of the gateway, and lets the video play without them.
func kill(ctx context.Context, p *play) (string, bool, error) {
	before, err := p.gateway.PIDs()
	if err != nil {
		return "", false, err
	}
	if err := p.gateway.Kill(ctx); err != nil {
		return "", false, err
	}
	start := time.Now()
	if err := wait(ctx, max(3*time.Second, p.length/2)); err != nil {
		return "", false, err
	}
	after, err := p.gateway.PIDs()
	if err != nil {
		return "", false, err
	}
	took := time.Since(start)
	l, err := p.loss(ctx)
	if err != nil {
		return "", false, err
	}
	seen, ok := intact(l)
	seen = fmt.Sprintf("%s; %d killed, %d alive after %s", seen, len(before), len(after), seconds(took))
	return seen, ok && len(before) == workers && len(after) == 0, nil
}

func deadAssault() assault {
	return assault{"", []string{"wrong_port", "spoofed_ip", "arp_spoof", "rogue_dhcp", "vlan_hop"}, 200, attackPPS}
}

// attackDead attacks while no process of the gateway lives: the receivers and the pinned counters say what became of it.
func attackDead(ctx context.Context, p *play) (string, bool, error) {
	a := deadAssault()
	before, err := readKernel()
	if err != nil {
		return "", false, err
	}
	f, err := p.fire(ctx, a, deadSeed)
	if err != nil {
		return "", false, err
	}
	after, err := readKernel()
	if err != nil {
		return "", false, err
	}
	alive, err := p.gateway.PIDs()
	if err != nil {
		return "", false, err
	}
	counted, why := blamed(a.kinds, before.reasons, after.reasons)
	seen := fmt.Sprintf("%v, %d processes alive; %s", f, len(alive), why)
	return seen, f.stopped() && counted >= uint64(f.sent) && len(alive) == 0, nil
}

// restart starts the gateway again. It has adopted what stands in the kernel when the counters go on.
func restart(ctx context.Context, p *play) (string, bool, error) {
	before, err := readKernel()
	if err != nil {
		return "", false, err
	}
	start := time.Now()
	if err := p.gateway.Start(ctx); err != nil {
		return "", false, err
	}
	took := time.Since(start)
	if err := wait(ctx, 2*time.Second); err != nil {
		return "", false, err
	}
	l, err := p.loss(ctx)
	if err != nil {
		return "", false, err
	}
	var now api.Status
	if err := p.gateway.Ask(ctx, &now, "status"); err != nil {
		return "", false, err
	}
	adopted := before.dropped > 0 && now.Frames.Dropped >= before.dropped && now.Frames.Passed > before.passed
	seen, ok := intact(l)
	seen = fmt.Sprintf("%s; ready after %s, frames passed go on from %s to %s",
		seen, seconds(took), number(before.passed), number(now.Frames.Passed))
	return seen, ok && adopted, nil
}
