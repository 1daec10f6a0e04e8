package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"citygate/pkg/flow"
	"citygate/testlab/attacker"
	"citygate/testlab/city"
	"citygate/testlab/topology"
)

// Frames of each kind and side, and how fast they come: slowly enough to be seen.
const (
	attackFrames = 500
	attackPPS    = 700
	attackSeed   = 2026
	deadSeed     = 2027 // other frames for the dead gateway
)

var bothSides = []flow.Side{flow.CameraSide, flow.ServerSide}

// assault is an attack in the scorecard: one or more kinds of hostile frames, from both sides.
type assault struct {
	name  string
	kinds []string
	count int // frames of each kind and side
	pps   int
}

func assaults() []assault {
	frames := func(name string, kinds ...string) assault {
		count := attackFrames / len(kinds)
		return assault{name, kinds, count, attackPPS}
	}
	return []assault{
		frames("closed ports", "wrong_port"),
		frames("wrong peers", "wrong_peer"),
		frames("own side", "same_side"),
		frames("spoofed MAC", "spoofed_mac"),
		frames("spoofed IP", "spoofed_ip"),
		frames("ARP spoofing", "arp_spoof"),
		frames("ND spoofing", "nd_spoof"),
		frames("rogue DHCP", "rogue_dhcp"),
		frames("rogue RA", "rogue_ra"),
		frames("tiny fragments", "tiny_fragment"),
		frames("overlapping fragments", "overlap_fragment", "early_fragment"),
		frames("malformed headers", "malformed_ethernet", "malformed_vlan", "malformed_arp", "malformed_ipv4",
			"malformed_ipv6", "malformed_tcp", "malformed_udp", "malformed_icmp"),
		frames("unknown ethertypes", "unknown_ethertype"),
		frames("VLAN hopping", "vlan_hop"),
		frames("ICMP redirects", "icmp_redirect"),
		frames("forged ICMP errors", "forged_icmp_error"),
		{"UDP flood", []string{"udp_flood"}, 3000, 4000},
		{"MAC flood", []string{"mac_flood"}, 3000, 4000},
	}
}

// frames is how many hostile frames an assault has.
func (a assault) frames() int { return len(a.kinds) * len(bothSides) * a.count }

func attackSteps() []step {
	steps := []step{{
		name: "new device", expected: "an event within 1 s", hostile: true, run: newDevice,
	}}
	for _, a := range assaults() {
		steps = append(steps, step{
			name: a.name, hostile: true, run: a.run,
			expected: fmt.Sprintf("0 of %s arrive, all counted", number(uint64(a.frames()))),
		})
	}
	return steps
}

// newDevice lets the camera side's attacker, of whom nobody has heard yet, say one word.
func newDevice(ctx context.Context, p *play) (string, bool, error) {
	mac := topology.Find("attacker-cam").MAC.String()
	if h, news := p.journal.device(mac); news == nil {
		return fmt.Sprintf("%s was reported before it spoke", h.MAC), false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	spoke := time.Now()
	sent := make(chan error, 1)
	go func() {
		_, err := p.city.Attack(ctx, attacker.Order{Kind: "udp_flood", Side: flow.CameraSide, Seed: deadSeed, Count: 1})
		sent <- err
	}()
	h, err := p.journal.await(ctx, mac)
	if err := cmp.Or(err, <-sent); err != nil {
		return "", false, err
	}
	took := h.at.Sub(spoke)
	return fmt.Sprintf("after %d ms: %v", took.Milliseconds(), h.sighting), took < time.Second && !h.Listed, nil
}

// run makes the assault, and asks the receivers what arrived and the kernel's counters why not.
func (a assault) run(ctx context.Context, p *play) (string, bool, error) {
	before, err := p.gateway.Counters(ctx)
	if err != nil {
		return "", false, err
	}
	f, err := p.fire(ctx, a, attackSeed)
	if err != nil {
		return "", false, err
	}
	after, err := p.gateway.Counters(ctx)
	if err != nil {
		return "", false, err
	}
	counted, why := blamed(a.kinds, before, after)
	// Other devices' noise may leave for the same reason: more is right, less is not.
	return f.String() + "; " + why, f.stopped() && counted >= uint64(f.sent), nil
}

// fired is what became of hostile frames.
type fired struct {
	sent, reached, arrived int
	blind                  uint64
	through                []string // the kinds of which something arrived, each with a frame of it
}

func (f fired) stopped() bool {
	return f.sent > 0 && f.reached == f.sent && f.arrived == 0 && f.blind == 0
}

func (f fired) String() string {
	text := fmt.Sprintf("%s of %s arrived", number(uint64(f.arrived)), number(uint64(f.sent)))
	if len(f.through) > 0 {
		text += " (" + strings.Join(f.through, ", ") + ")"
	}
	if f.reached != f.sent || f.blind != 0 {
		text += fmt.Sprintf(" (%d reached the gateway, the receivers missed %d)", f.reached, f.blind)
	}
	return text
}

// fire sends all kinds of an assault, from both sides at once.
func (p *play) fire(ctx context.Context, a assault, seed uint32) (fired, error) {
	var sum fired
	for _, kind := range a.kinds {
		results := make([]city.Result, len(bothSides))
		both, ctx := errgroup.WithContext(ctx)
		for i, side := range bothSides {
			both.Go(func() (err error) {
				o := attacker.Order{Kind: kind, Side: side, Seed: seed, Count: a.count, PPS: a.pps}
				results[i], err = p.city.Attack(ctx, o)
				return err
			})
		}
		if err := both.Wait(); err != nil {
			return fired{}, err
		}
		for _, r := range results {
			if r.Arrived > 0 {
				sum.through = append(sum.through, fmt.Sprintf("%d %s from the %v side, such as %x", r.Arrived, kind, r.Side, r.Example))
			}
			sum.sent, sum.reached, sum.arrived, sum.blind = sum.sent+r.Sent, sum.reached+r.Reached, sum.arrived+r.Arrived, sum.blind+r.Blind
		}
	}
	return sum, nil
}

// mostReasons bounds a line of the scorecard.
const mostReasons = 4

// blamed adds up what was counted for the reasons that may stop some kinds, and names them, the most frequent first.
func blamed(kinds []string, before, after map[string]uint64) (total uint64, text string) {
	var reasons []string
	for _, k := range kinds {
		reasons = append(reasons, attacker.Blame(k)...)
	}
	slices.Sort(reasons)
	reasons = slices.DeleteFunc(slices.Compact(reasons), func(r string) bool { return after[r] <= before[r] })
	slices.SortStableFunc(reasons, func(a, b string) int { return cmp.Compare(after[b]-before[b], after[a]-before[a]) })
	for i, r := range reasons {
		total += after[r] - before[r]
		reasons[i] = r + " " + number(after[r]-before[r])
	}
	if more := len(reasons) - mostReasons; more > 0 {
		return total, fmt.Sprintf("%s and %d more", strings.Join(reasons[:mostReasons], ", "), more)
	}
	return total, strings.Join(reasons, ", ")
}
