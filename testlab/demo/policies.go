package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"citygate/pkg/control/api"
	"citygate/testlab/gateway"
)

func policySteps() []step {
	return []step{
		{name: "bad policy", expected: "refused with its error, the running one stays", run: badPolicy},
		{name: "policy swap", expected: "attic-1 drop -> pass, 0 packets lost", run: swap},
		{name: "why: pass", expected: "pass, by a policy line", run: whyPass},
		{name: "why: drop", expected: "drop, and the line that would change it", run: whyDrop},
	}
}

// running is the policy in force.
func (p *play) running(ctx context.Context) (api.PolicyInfo, error) {
	var s api.Status
	err := p.gateway.Ask(ctx, &s, "status")
	return s.Policy, err
}

// apply writes a policy beside the city's and gives it to the gateway.
func (p *play) apply(ctx context.Context, name, text string) (said string, code int, err error) {
	path := filepath.Join(filepath.Dir(gateway.PolicyFile), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return "", 0, err
	}
	out, err := p.gateway.CLI(ctx, "policy", "apply", path)
	return strings.TrimSpace(out.Stderr), out.Code, err
}

// badPolicy applies a policy that names the same device twice.
func badPolicy(ctx context.Context, p *play) (string, bool, error) {
	before, err := p.running(ctx)
	if err != nil {
		return "", false, err
	}
	said, code, err := p.apply(ctx, "bad.yaml", gateway.Policy(`lobby-1: {mac: "02:00:00:00:00:11", ip: [10.0.0.11], role: camera}`))
	if err != nil {
		return "", false, err
	}
	after, err := p.running(ctx)
	if err != nil {
		return "", false, err
	}
	same := after.Hash == before.Hash && after.Generation == before.Generation
	lines := strings.Split(said, "\n")
	seen := fmt.Sprintf("exit code %d, generation stays %d: %s", code, after.Generation, strings.TrimSpace(lines[len(lines)-1]))
	if !same {
		seen = fmt.Sprintf("exit code %d, but generation %d became %d", code, before.Generation, after.Generation)
	}
	return seen, code == 1 && same && strings.Contains(said, "lobby-1"), nil
}

func (p *play) why(ctx context.Context, src, dst, proto string) (api.Why, error) {
	var w api.Why
	err := p.gateway.Ask(ctx, &w, "why", "flow", src, dst, proto)
	return w, err
}

// swap adds a camera to the policy while the streams play, and looks whether the gateway then judges it otherwise.
func swap(ctx context.Context, p *play) (string, bool, error) {
	ask := func() (string, uint32, error) {
		w, err := p.why(ctx, "10.0.0.40:8000", "10.0.0.2:40000", "udp")
		if err != nil {
			return "", 0, err
		}
		running, err := p.running(ctx)
		return w.Verdict, running.Generation, err
	}
	before, first, err := ask()
	if err != nil {
		return "", false, err
	}
	said, code, err := p.apply(ctx, "next.yaml", gateway.Policy(`attic-1: {mac: "02:00:00:00:00:40", ip: [10.0.0.40], role: camera}`))
	if err != nil {
		return "", false, err
	}
	if code != 0 {
		return fmt.Sprintf("exit code %d: %s", code, said), false, nil
	}
	after, second, err := ask()
	if err != nil {
		return "", false, err
	}
	l, err := p.loss(ctx)
	if err != nil {
		return "", false, err
	}
	seen, ok := intact(l)
	seen = fmt.Sprintf("attic-1 %s -> %s; %s; generation %d -> %d", before, after, seen, first, second)
	return seen, ok && before == "drop" && after == "pass" && second > first, nil
}

func whyPass(ctx context.Context, p *play) (string, bool, error) {
	w, err := p.why(ctx, "10.0.0.2:40000", "10.0.0.11:554", "tcp")
	if err != nil || w.Rule == nil {
		return w.Text, false, err
	}
	seen := fmt.Sprintf("%s by %s:%d: %s", w.Verdict, filepath.Base(w.Rule.File), w.Rule.Line, w.Rule.Rendered)
	return seen, w.Verdict == "pass" && w.Rule.Line > 0, nil
}

func whyDrop(ctx context.Context, p *play) (string, bool, error) {
	w, err := p.why(ctx, "10.0.0.2:40000", "10.0.0.11:23", "tcp")
	if err != nil {
		return "", false, err
	}
	seen := fmt.Sprintf("%s, %s: add %s", w.Verdict, w.Reason, strings.Join(strings.Fields(w.Change), " "))
	return seen, w.Verdict == "drop" && w.Reason == "no_rule" && w.Change != "", nil
}
