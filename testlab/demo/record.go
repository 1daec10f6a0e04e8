package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/verdict"
)

func recordSteps() []step {
	return []step{
		{name: "events", expected: "a drop event for each reason counted", run: told},
		{name: "log verify", expected: "the chain is whole", run: verify},
	}
}

// told compares the reasons that the kernel counted drops for with those that the events name. An event may take a
// moment to its file.
func told(ctx context.Context, p *play) (string, bool, error) {
	for deadline := time.Now().Add(3 * time.Second); ; {
		counters, err := p.gateway.Counters(ctx)
		if err != nil {
			return "", false, err
		}
		named, events := p.journal.drops()
		counted, silent := unnamed(counters, named)
		if len(silent) == 0 || time.Now().After(deadline) {
			seen := fmt.Sprintf("%s drop events name %d of %d reasons", number(events), counted-len(silent), counted)
			if len(silent) > 0 {
				seen += fmt.Sprintf(", none of %v", silent)
			}
			return seen, counted > 0 && len(silent) == 0, nil
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return "", false, err
		}
	}
}

// unnamed counts the reasons with drops, and gives those that no event names.
func unnamed(counters map[string]uint64, named []string) (counted int, silent []string) {
	for name, n := range counters {
		reason, ok := verdict.ParseReason(name)
		if !ok || n == 0 || reason.Verdict() != verdict.Drop {
			continue
		}
		counted++
		if !slices.Contains(named, name) {
			silent = append(silent, name)
		}
	}
	slices.Sort(silent)
	return counted, silent
}

// verify checks the hash chains of the durable log.
func verify(ctx context.Context, p *play) (string, bool, error) {
	var v api.Verified
	if err := p.gateway.Ask(ctx, &v, "log", "verify"); err != nil {
		return "", false, err
	}
	answer := "not ok"
	if v.OK {
		answer = "ok"
	}
	return fmt.Sprintf("%s: %s records in %d chains", answer, number(v.Records), len(v.Classes)), v.OK && v.Records > 0, nil
}
