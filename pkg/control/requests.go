package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"citygate/pkg/control/api"
	"citygate/pkg/ipc"
	"citygate/pkg/policy"
)

func (c *Control) postBlock(r *http.Request) (any, error) {
	var req api.BlockRequest
	if err := body(r, &req); err != nil {
		return nil, err
	}
	return c.AddBlock(r.Context(), caller(r), req)
}

func (c *Control) deleteBlock(r *http.Request) (any, error) {
	src, err := netip.ParseAddr(r.URL.Query().Get("src"))
	if err != nil {
		return nil, fmt.Errorf("%w: src: %w", errInvalid, err)
	}
	dst, err := netip.ParseAddr(r.URL.Query().Get("dst"))
	if err != nil {
		return nil, fmt.Errorf("%w: dst: %w", errInvalid, err)
	}
	return c.LiftBlock(r.Context(), caller(r), src, dst)
}

// Policy is the running policy.
func (c *Control) Policy() api.Policy {
	run := c.running.Load()
	return api.Policy{PolicyInfo: c.info(run), Text: run.saved.Text, Rendered: list(run.policy.Show()), Warnings: list(run.compiled.Warnings)}
}

func policyBody(r *http.Request) (api.PolicyRequest, error) {
	var req api.PolicyRequest
	if err := body(r, &req); err != nil {
		return req, err
	}
	switch {
	case len(req.Text) > api.MaxPolicy:
		return req, fmt.Errorf("%w: the policy is longer than %d bytes", errInvalid, api.MaxPolicy)
	case len(req.File) > 1024 || strings.ContainsAny(req.File, "\n\r\x1b\x00"):
		return req, fmt.Errorf("%w: the file's name is too long, or has characters that no terminal should get", errInvalid)
	case len(req.Reason) > 256:
		return req, fmt.Errorf("%w: the reason is longer than 256 bytes", errInvalid)
	case req.ConfirmWithinS > 24*60*60:
		return req, fmt.Errorf("%w: confirm_within_s is more than a day", errInvalid)
	}
	if req.File == "" {
		req.File = "policy"
	}
	return req, nil
}

func (c *Control) postCheck(r *http.Request) (any, error) {
	req, err := policyBody(r)
	if err != nil {
		return nil, err
	}
	next, err := c.compile(savedPolicy{Text: req.Text, File: req.File, Source: sourceApplied})
	return checked(req.File, next, err)
}

// checked is the outcome of a check; its errors are an answer, not a failure.
func checked(file string, r *running, err error) (api.PolicyCheck, error) {
	out := api.PolicyCheck{File: file, Errors: []api.PolicyError{}, Warnings: []string{}}
	var errs policy.Errors
	if errors.As(err, &errs) {
		out.Errors = policyErrors(errs)
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.OK, out.Warnings = true, list(r.compiled.Warnings)
	out.Devices, out.Rules, out.Entries = len(r.policy.Devices), len(r.policy.Rules), r.compiled.Entries
	return out, nil
}

func (c *Control) postDiff(r *http.Request) (any, error) {
	req, err := policyBody(r)
	if err != nil {
		return nil, err
	}
	next, err := c.compile(savedPolicy{Text: req.Text, File: req.File, Source: sourceApplied})
	if err != nil {
		return nil, err
	}
	return diff(c.running.Load(), next), nil
}

func (c *Control) postApply(r *http.Request) (any, error) {
	req, err := policyBody(r)
	if err != nil {
		return nil, err
	}
	// A caller who goes away does not end half of an apply.
	return c.Apply(context.WithoutCancel(r.Context()), caller(r), req)
}

// Doctor is what the gateway sees of itself: the ports as the guard finds them, and what its status complains of.
func (c *Control) Doctor(ctx context.Context) api.Doctor {
	out := api.Doctor{Healthy: true, Checks: []api.Check{}}
	add := func(name, state, text, remedy string) {
		out.Checks = append(out.Checks, api.Check{Name: name, State: state, Text: text, Remedy: remedy})
		out.Healthy = out.Healthy && state != "fail"
	}
	s := c.Status(ctx)
	for _, d := range s.Degraded {
		if d.What != "port" { // each of its checks follows
			add(d.What, "fail", d.Text, d.Remedy)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	ports, _, err := c.Guard.Ports(ctx)
	if err != nil {
		return out
	}
	states := map[ipc.CheckState]string{ipc.CheckOK: "ok", ipc.CheckBad: "fail", ipc.CheckUnknown: "unknown"}
	words := map[ipc.CheckState]string{ipc.CheckOK: "yes", ipc.CheckBad: "no", ipc.CheckUnknown: "cannot be seen from here"}
	for _, p := range ports {
		add("port "+p.Port, map[bool]string{true: "ok", false: "warn"}[p.Mode == "native"], p.Mode+" XDP", "")
		for _, check := range p.Checks {
			add("port "+p.Port+": "+check.Name, states[check.State], words[check.State], check.Detail)
		}
	}
	return out
}
