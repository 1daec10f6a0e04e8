package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"citygate/pkg/control/api"
	"citygate/testlab/city"
	"citygate/testlab/gateway"
	"citygate/testlab/topology"
	"citygate/testlab/vms"
)

// workers is how many processes a gateway has: launcher, guard, control, journal, watch.
const workers = 5

func raiseSteps() []step {
	return []step{
		{
			name: "city and gateway", vital: true, run: raise,
			expected: fmt.Sprintf("%d processes, enforce, XDP native on both ports", workers),
		},
		{name: "streams open", expected: fmt.Sprintf("%d of %d play", city.Wanted(), city.Wanted()), vital: true, run: open},
		{name: "video alone", expected: "0 packets lost", run: alone},
		{name: "other services", expected: "ONVIF, web page, WS-Discovery work", run: services},
	}
}

// raise builds the city around a gateway in enforce mode, and starts to watch it.
func raise(ctx context.Context, p *play) (string, bool, error) {
	var err error
	if p.stats, err = enableStats(); err != nil {
		return "", false, err
	}
	p.city, err = city.Up(func(c *city.City) (err error) {
		if p.gateway, err = gateway.New(c, "enforce"); err != nil {
			return err
		}
		return p.gateway.Start(ctx)
	})
	if err != nil {
		return "", false, err
	}
	p.sampler.start(p.sample)
	p.tail.start(p.follow)
	var s api.Status
	if err := p.gateway.Ask(ctx, &s, "status"); err != nil {
		return "", false, err
	}
	pids, err := p.gateway.PIDs()
	if err != nil {
		return "", false, err
	}
	b := s.Bridges[0]
	seen, ok := fmt.Sprintf("%d processes, %s", len(pids), b.Mode), len(pids) == workers && b.Mode == "enforce"
	for _, port := range b.Ports {
		seen += fmt.Sprintf(", %s %s", port.Name, port.XDP)
		ok = ok && port.XDP == "native"
	}
	return seen, ok, nil
}

// open waits for all streams, and begins the account of their packets.
func open(ctx context.Context, p *play) (string, bool, error) {
	start := time.Now()
	if err := p.city.AwaitStreams(ctx); err != nil {
		return "", false, err
	}
	took := time.Since(start)
	var err error
	p.settled, err = p.city.Settle(ctx)
	playing := 0
	for _, s := range p.settled {
		if s.Open && s.Packets > 0 {
			playing++
		}
	}
	return fmt.Sprintf("%d of %d after %s", playing, city.Wanted(), seconds(took)), playing == city.Wanted(), err
}

// loss is what the streams lost since it was asked the last time.
func (p *play) loss(ctx context.Context) (city.Loss, error) {
	now, err := p.city.Settle(ctx)
	if err != nil {
		return city.Loss{}, err
	}
	l := city.LossBetween(p.settled, now)
	p.settled = now
	return l, nil
}

// intact tells of a loss; it is right when packets were sent, and all of them arrived.
func intact(l city.Loss) (string, bool) {
	seen := fmt.Sprintf("%d of %s packets lost", l.Lost, number(l.Sent))
	if len(l.Broken) > 0 {
		seen += "; broken: " + strings.Join(l.Broken, "; ")
	}
	return seen, l.Sent > 0 && l.Lost == 0 && len(l.Broken) == 0
}

// alone lets the video play while nothing else happens, and measures the program meanwhile.
func alone(ctx context.Context, p *play) (seen string, ok bool, err error) {
	if p.quiet[0], err = readCost(); err != nil {
		return "", false, err
	}
	if err := wait(ctx, p.length); err != nil {
		return "", false, err
	}
	if p.quiet[1], err = readCost(); err != nil {
		return "", false, err
	}
	l, err := p.loss(ctx)
	if err != nil {
		return "", false, err
	}
	seen, ok = intact(l)
	return seen, ok, nil
}

// services uses what the policy allows besides video.
func services(ctx context.Context, p *play) (string, bool, error) {
	var q vms.Inquiry
	if err := p.city.Call(ctx, topology.Remote, "Inquire", "gate-1", &q); err != nil {
		return "", false, err
	}
	var found []string
	if err := p.city.Call(ctx, topology.Main, "Discover", struct{}{}, &found); err != nil {
		return "", false, err
	}
	cameras := 0
	for _, h := range topology.City() {
		if h.Role == topology.Camera {
			cameras++
		}
	}
	seen := fmt.Sprintf("ONVIF says model %q, the page has %d bytes, WS-Discovery finds %d of %d cameras",
		q.Model, len(q.Page), len(found), cameras)
	return seen, q.Model != "" && q.Page != "" && len(found) == cameras, nil
}

// streamSteps are the last ones: the account of all packets from the first to the last.
func streamSteps() []step {
	steps := []step{
		{name: "data path", expected: "0 passed frames that a port did not take", run: untaken},
		{name: "all video", expected: "0 packets lost", run: total},
	}
	for _, server := range []string{topology.Main, topology.Remote} {
		for _, pull := range vms.Plan(server) {
			s := Stream{Camera: pull.Camera, Server: server, Transport: string(pull.Transport)}
			if pull.IPv6 {
				s.Transport += "6"
			}
			steps = append(steps, step{name: s.Name(), expected: "0 packets lost", run: one(s.Name())})
		}
	}
	return steps
}

// untaken reads what the kernel counts behind the program: frames that passed and were lost on their way out.
func untaken(ctx context.Context, p *play) (string, bool, error) {
	counters, err := p.gateway.Counters(ctx)
	if err != nil {
		return "", false, err
	}
	lost, kinds := uint64(0), 0
	for name, n := range counters {
		if strings.HasPrefix(name, "loss:") {
			lost += n
			kinds++
		}
	}
	return fmt.Sprintf("%d in %d counters", lost, kinds), lost == 0 && kinds > 0, nil
}

// total ends the picture's sampling: from here on the streams stand as they were when nothing was under way.
func total(ctx context.Context, p *play) (string, bool, error) {
	p.sampler.stop()
	if _, err := p.loss(ctx); err != nil {
		return "", false, err
	}
	streams := summary(p.settled, city.Stream.Lost)
	var sent, received uint64
	var lost int64
	p.change(func(s *State) {
		s.Streams = streams
		sent, received, lost = s.video()
	})
	seen := fmt.Sprintf("%d of %s packets lost, %s received, in %d streams", lost, number(sent), number(received), len(streams))
	return seen, lost == 0 && sent > 0 && len(streams) == city.Wanted(), nil
}

// one looks at a single stream.
func one(name string) func(context.Context, *play) (string, bool, error) {
	return func(_ context.Context, p *play) (string, bool, error) {
		for _, s := range summary(p.settled, city.Stream.Lost) {
			if s.Name() == name {
				seen := fmt.Sprintf("%d of %s packets lost, %s received", s.Lost, number(s.Sent), number(s.Received))
				return seen, s.Lost == 0 && s.Sent > 0 && s.Open, nil
			}
		}
		return "it never played", false, nil
	}
}
