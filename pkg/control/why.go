package control

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/flow"
	"citygate/pkg/flow/notation"
	"citygate/pkg/policy"
	"citygate/pkg/verdict"
)

// Why says what happens now to a frame of this five-tuple: blocks first, as the kernel does, then the policy.
func (c *Control) Why(t flow.FiveTuple, vlan flow.VLAN) api.Why {
	run := c.running.Load()
	t.Src, t.Dst = t.Src.Unmap(), t.Dst.Unmap()
	a := run.compiled.Why(policy.Question{Tuple: t, VLAN: vlan})
	w := api.Why{
		SrcIP: t.Src.String(), SrcPort: t.SrcPort, DestIP: t.Dst.String(), DestPort: t.DstPort, Proto: t.Proto.String(),
		VLAN: vlan.String(), Mode: c.mode(), From: a.From, To: a.To, Service: a.Service, Reply: a.Reply, Change: a.Remedy,
		Verdict: a.Verdict.String(), Reason: a.Reason.String(), Text: a.Text,
	}
	if a.Rule != nil {
		w.Rule = &api.Rule{File: run.policy.File, Line: a.Rule.Line, Text: lineOf(run.saved.Text, a.Rule.Line), Rendered: a.Rule.Text}
	}
	w.Change = strings.ReplaceAll(w.Change, policy.UnknownMAC, c.macOf(vlan, t.Src, t.Dst))
	w.Flow = c.cached(t, vlan)
	if w.Drops = c.drops(run, a.From); run.saved.Source == sourceNone {
		w.Reason, w.Text = verdict.ReasonNoPolicy.String(), verdict.ReasonNoPolicy.Text()
		w.Change = "citygate policy apply"
	}
	if b := c.blocked(t.Src, t.Dst); b != nil {
		w.Block, w.Verdict = b, verdict.Drop.String()
		w.Reason, w.Text = verdict.ReasonBlocked.String(), verdict.ReasonBlocked.Text()
		w.Change = "citygate blocks lift " + b.Src.String() + " " + b.Dst.String()
	}
	return w
}

// macOf is the MAC of the unlisted device that last showed one of these addresses, else a stand-in.
func (c *Control) macOf(vlan flow.VLAN, addrs ...netip.Addr) string {
	rows, _ := c.inventory.all()
	found, last := policy.UnknownMAC, time.Time{}
	for _, d := range rows {
		shown := slices.ContainsFunc(addrs, func(a netip.Addr) bool { return slices.Contains(d.Addrs, a) })
		if shown && !d.Listed && d.VLAN == vlan && d.Last.After(last) {
			found, last = d.MAC.String(), d.Last
		}
	}
	return found
}

// mode is enforce unless every bridge only monitors.
func (c *Control) mode() string {
	for _, b := range c.Boot.Bridges {
		if b.Enforce {
			return "enforce"
		}
	}
	return "monitor"
}

// drops counts, by reason, what a device sent and the kernel dropped.
func (c *Control) drops(run *running, device string) map[string]uint64 {
	if device == "" {
		return nil
	}
	out := map[string]uint64{}
	for r, n := range c.deviceCounts()[run.compiled.IDs[device]].DropsByReason {
		out[r.String()] = n
	}
	return out
}

// lineOf is a line of a text, from 1.
func lineOf(text string, n int) string {
	lines := strings.Split(text, "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[n-1])
}

// question reads the query of a why request.
func question(src, srcPort, dst, dstPort, proto, vlan string) (t flow.FiveTuple, v flow.VLAN, err error) {
	if t.Src, err = netip.ParseAddr(src); err != nil {
		return t, v, err
	}
	if t.Dst, err = netip.ParseAddr(dst); err != nil {
		return t, v, err
	}
	if t.SrcPort, err = parsePort(srcPort); err != nil {
		return t, v, err
	}
	if t.DstPort, err = parsePort(dstPort); err != nil {
		return t, v, err
	}
	if t.Proto, err = notation.ParseProto(proto); err != nil {
		return t, v, err
	}
	v, err = notation.ParseVLAN(vlan)
	return t, v, err
}
