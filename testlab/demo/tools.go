package demo

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"citygate/pkg/flow"
	"citygate/testlab/attacker"
	"citygate/testlab/stream"
	"citygate/testlab/topology"
)

// tools are attackers' and viewers' own programs, as far as they are installed.
func tools() []tool {
	return []tool{
		{"nmap", "nmap", []step{{name: "nmap, both sides", expected: "0 open ports", hostile: true, run: nmap}}},
		{"arpspoof", "dsniff", []step{{
			name: "arpspoof", hostile: true, run: arpspoof,
			expected: "main keeps gate-1 at " + topology.Find("gate-1").MAC.String(),
		}}},
		{"ffmpeg", "ffmpeg", []step{{name: "ffmpeg plays gate-1", expected: "a picture, 0 packets missed", run: ffmpeg}}},
	}
}

// underAttackSteps come when the attacks are over; the flood of flows has an account of its own.
func underAttackSteps() []step {
	return []step{
		{name: "rogue DHCP server", expected: "0 messages cross, hall-1 keeps to main", hostile: true, run: rogueServer},
		{name: "video under attack", expected: "0 packets lost", run: video},
		{name: "flood of flows", expected: fmt.Sprintf("0 packets lost to over %s allowed flows", number(leastFlows)), hostile: true, run: flood},
		{name: costName, expected: fmt.Sprintf("under %s ns per frame", number(mostNs)), run: perFrame},
	}
}

// nmap scans across the gateway from both sides at once.
func nmap(ctx context.Context, p *play) (string, bool, error) {
	var open [2][]int
	both, ctx := errgroup.WithContext(ctx)
	for i, scan := range [][2]string{{"attacker-cam", topology.Main}, {"attacker-srv", "lobby-1"}} {
		both.Go(func() (err error) {
			open[i], err = p.city.Nmap(ctx, scan[0], scan[1])
			return err
		})
	}
	if err := both.Wait(); err != nil {
		return "", false, err
	}
	n := len(open[0]) + len(open[1])
	seen := fmt.Sprintf("%d open ports", n)
	if n > 0 {
		seen += fmt.Sprintf(": %v on main, %v on lobby-1", open[0], open[1])
	}
	return seen, n == 0, nil
}

func arpspoof(ctx context.Context, p *play) (string, bool, error) {
	believed, err := p.city.ARPSpoof(ctx, "attacker-cam", topology.Main, "gate-1", 3*time.Second)
	return "main has gate-1 at " + believed.String(), believed == topology.Find("gate-1").MAC, err
}

// ffmpeg is a client that is not of the lab's own making.
func ffmpeg(ctx context.Context, p *play) (string, bool, error) {
	played, err := p.city.FFmpeg(ctx, topology.Main, "gate-1", stream.UDP, 3)
	return fmt.Sprintf("%d pictures, %d packets missed", played.Frames, played.Missed), played.Frames > 0 && played.Missed == 0, err
}

func rogueServer(ctx context.Context, p *play) (string, bool, error) {
	offers, crossed, server := 0, 0, ""
	for _, side := range bothSides {
		r, err := p.city.RogueDHCP(ctx, side, 2*time.Second)
		if err != nil {
			return "", false, err
		}
		offers, crossed = offers+r.Offers, crossed+r.Crossed
		if side == flow.ServerSide {
			server = r.Lease.Server.String()
		}
	}
	seen := fmt.Sprintf("%d of %d crossed, hall-1 has its lease from %s", crossed, offers, server)
	return seen, offers > 0 && crossed == 0 && server == topology.Find(topology.Main).Addr4().String(), nil
}

// video is the account of the streams since the last one.
func video(ctx context.Context, p *play) (string, bool, error) {
	l, err := p.loss(ctx)
	if err != nil {
		return "", false, err
	}
	seen, ok := intact(l)
	return seen, ok, nil
}

// floodFlows is nearly what the kernel's table of flows holds. On a busy machine the attacker's own socket refuses a few
// frames, which says nothing of the gateway: leastFlows is a flood too.
const (
	floodFlows = 100_000
	leastFlows = floodFlows * 9 / 10
)

// flood opens a new flow with each packet, all of them allowed.
func flood(ctx context.Context, p *play) (string, bool, error) {
	start := time.Now()
	done, err := p.city.Flood(ctx, flow.CameraSide, attacker.Flood{Count: floodFlows})
	if err != nil {
		return "", false, err
	}
	took := time.Since(start)
	l, err := p.loss(ctx)
	if err != nil {
		return "", false, err
	}
	seen, ok := intact(l)
	return fmt.Sprintf("%s; %s flows in %s", seen, number(uint64(done.Frames)), seconds(took)), ok && done.Frames >= leastFlows, nil
}

// costName is the check that measures the program.
const costName = "cost"

// mostNs is what a frame may cost on the slowest machine that we have in mind: 10 µs are 100,000 frames a second and core.
const mostNs = 10_000

// perFrame reads the kernel's statistics of the program: its run time by its runs, wall clock, both ports.
func perFrame(_ context.Context, p *play) (string, bool, error) {
	now, err := readCost()
	if err != nil {
		return "", false, err
	}
	video, frames, err := p.quiet[1].since(p.quiet[0])
	if err != nil {
		return "", false, err
	}
	attacks, more, err := now.since(p.quiet[1])
	if err != nil {
		return "", false, err
	}
	seen := fmt.Sprintf("%.0f ns for video alone (%s frames), %.0f ns with the attacks (%s)",
		video, number(frames), attacks, number(more))
	return seen, video < mostNs && attacks < mostNs, nil
}
