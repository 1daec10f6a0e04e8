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
		{name: "kill -9", expected: fmt.Sprintf("%d killed, 0 alive, 0 packets lost", workers), run: kill},
		{
			name: "attacks on the dead", hostile: true, run: attackDead,
			expected: fmt.Sprintf("0 of %s arrive", number(uint64(a.frames()))),
		},
		{name: "restart", expected: "the kernel's state is adopted, 0 packets lost", run: restart},
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
	seen = fmt.Sprintf("%d killed, %d alive after %s; %s", len(before), len(after), seconds(took), seen)
	return seen, ok && len(before) == workers && len(after) == 0, nil
}

func deadAssault() assault {
	return assault{"", []string{"wrong_port", "spoofed_ip", "arp_spoof", "rogue_dhcp", "vlan_hop"}, 200, attackPPS}
}

// attackDead attacks while no process of the gateway lives: only the receivers can say what became of it.
func attackDead(ctx context.Context, p *play) (string, bool, error) {
	f, err := p.fire(ctx, deadAssault(), deadSeed)
	if err != nil {
		return "", false, err
	}
	alive, err := p.gateway.PIDs()
	return fmt.Sprintf("%v, %d processes alive", f, len(alive)), f.stopped() && len(alive) == 0, err
}

// restart starts the gateway again. It has adopted what stands in the kernel when the counters go on.
func restart(ctx context.Context, p *play) (string, bool, error) {
	before := p.now().Gateway.Passed // as the last look before the kill saw it
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
	passed := now.Frames.Passed
	seen, ok := intact(l)
	seen = fmt.Sprintf("ready after %s, passed frames go on from %s to %s; %s", seconds(took), number(before), number(passed), seen)
	return seen, ok && before > 0 && passed > before, nil
}
