package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/event"
	"citygate/pkg/ipc"
	"citygate/pkg/policy"
)

// Where a policy comes from.
const (
	sourceFile    = "file"
	sourceApplied = "applied"
	sourceNone    = "none"
)

// savedPolicy is a policy that came into force, and all that is needed to put it into force again.
type savedPolicy struct {
	Text     string    `json:"text"`
	File     string    `json:"file"` // its name in errors and answers
	Source   string    `json:"source"`
	FileHash string    `json:"file_hash"` // of the config's policy file at that time: when it changes, the file counts again
	By       string    `json:"by"`
	Reason   string    `json:"reason"`
	Applied  time.Time `json:"applied"`
}

func (p savedPolicy) hash() string { return hashOf([]byte(p.Text)) }

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// pendingPolicy is what comes back when nobody confirms.
type pendingPolicy struct {
	Previous  savedPolicy `json:"previous"`
	ConfirmBy time.Time   `json:"confirm_by"`
	WithinS   uint32      `json:"within_s"`
}

// running is the policy in force. It is never changed, only replaced.
type running struct {
	saved      savedPolicy
	policy     *policy.Policy
	compiled   *policy.Compiled
	generation uint32
}

const (
	policyFile  = "policy.json"
	pendingFile = "pending.json"
	devicesFile = "devices.json"
)

// compile turns a text into tables. Devices keep their numbers and bindings.
func (c *Control) compile(s savedPolicy) (*running, error) {
	r := &running{saved: s, policy: &policy.Policy{File: s.File}}
	if s.Source != sourceNone {
		var err error
		if r.policy, err = policy.Parse(s.File, []byte(s.Text)); err != nil {
			return nil, err
		}
	}
	var ids map[string]ipc.DeviceID
	if now := c.running.Load(); now != nil {
		ids = now.compiled.IDs
	} else {
		c.load(devicesFile, &ids)
	}
	var err error
	r.compiled, err = r.policy.Compile(policy.Inputs{IDs: ids, Bindings: c.bindingsOf(r.policy)})
	return r, err
}

// force puts a compiled policy into the kernel, and then into the state folder.
func (c *Control) force(ctx context.Context, r *running) error {
	generation, err := c.Guard.Load(ctx, r.compiled.Set)
	if err != nil {
		return fmt.Errorf("put the policy into force: %w", err)
	}
	r.generation = generation
	c.running.Store(r)
	c.InForce(r.compiled, generation)
	c.save(devicesFile, r.compiled.IDs)
	if r.saved.Source != sourceNone {
		c.save(policyFile, r.saved)
	}
	return nil
}

// tell makes the event of a policy that came into force, or did not.
func (c *Control) tell(action string, r *running, who, summary string) {
	e := &event.Policy{Action: action, Who: who, Summary: summary}
	if r != nil {
		hash, _ := hex.DecodeString(r.saved.hash())
		e.Hash = [32]byte(hash)
		e.Entries = uint32(r.compiled.Entries)
	}
	if now := c.running.Load(); now != nil {
		e.Generation = now.generation
	}
	c.Events(e)
}

// Apply checks a policy and puts it into force, for good or until it has to be confirmed.
func (c *Control) Apply(ctx context.Context, who Caller, req api.PolicyRequest) (out api.PolicyApply, err error) {
	c.change.Lock()
	defer c.change.Unlock()
	now := c.running.Load()
	next, err := c.compile(savedPolicy{
		Text: req.Text, File: req.File, Source: sourceApplied, FileHash: now.saved.FileHash,
		By: who.String(), Reason: req.Reason, Applied: c.Now().UTC(),
	})
	if err != nil {
		if !req.DryRun {
			c.audit(who, "apply", "policy", req.Reason, errors.New("the policy has errors"))
			c.tell(event.PolicyRefused, nil, who.String(), brief(err))
		}
		return out, err
	}
	out.Diff = diff(now, next)
	out.Warnings = list(next.compiled.Warnings)
	if req.DryRun {
		out.Policy = c.info(now)
		return out, nil
	}
	if file, err := c.ReadPolicy(); err == nil {
		next.saved.FileHash = hashOf(file)
		if next.saved.FileHash == next.saved.hash() {
			next.saved.Source = sourceFile
		}
	}
	err = c.commit(ctx, now, next, time.Duration(req.ConfirmWithinS)*time.Second)
	c.audit(who, "apply", "policy", clip(out.Diff.Summary+"; "+req.Reason), err)
	if err != nil {
		c.tell(event.PolicyRefused, next, who.String(), brief(err))
		return out, err
	}
	c.recover("policy")
	c.tell(event.PolicyApplied, next, who.String(), clip(out.Diff.Summary+": "+changesText(out.Diff.Changes)))
	out.Applied, out.Policy = true, c.info(next)
	out.ConfirmBy = out.Policy.ConfirmBy
	return out, nil
}

// commit notes what to go back to, then changes the kernel, so that a crash in between goes back too.
func (c *Control) commit(ctx context.Context, now, next *running, within time.Duration) error {
	before := c.pending.Load()
	if within > 0 {
		p := &pendingPolicy{Previous: now.saved, ConfirmBy: c.Now().Add(within), WithinS: uint32(within / time.Second)}
		if before != nil { // what was never confirmed is nothing to go back to
			p.Previous = before.Previous
		}
		if err := c.store.save(pendingFile, p); err != nil {
			return fmt.Errorf("note the policy to go back to: %w", err)
		}
		c.pending.Store(p)
	}
	if err := c.force(ctx, next); err != nil {
		c.pending.Store(before)
		if before == nil {
			return errors.Join(err, c.store.remove(pendingFile))
		}
		return errors.Join(err, c.store.save(pendingFile, before))
	}
	if within == 0 {
		c.settle()
		return nil
	}
	c.arm(within)
	return nil
}

// Confirm keeps the policy that waits for it.
func (c *Control) Confirm(who Caller) (api.PolicyApply, error) {
	c.change.Lock()
	defer c.change.Unlock()
	now := c.running.Load()
	if c.pending.Load() == nil {
		return api.PolicyApply{}, fmt.Errorf("%w: no policy waits to be confirmed", errConflict)
	}
	c.settle()
	c.audit(who, "confirm", "policy", "", nil)
	c.tell(event.PolicyConfirmed, now, who.String(), "")
	return api.PolicyApply{Applied: true, Policy: c.info(now), Diff: api.PolicyDiff{Same: true, Changes: []api.Change{}}, Warnings: []string{}}, nil
}

// settle forgets what was to come back.
func (c *Control) settle() {
	c.pending.Store(nil)
	if c.timer != nil {
		c.timer.Stop()
	}
	if err := c.store.remove(pendingFile); err != nil {
		c.degrade("disk", err.Error(), "remove the file: at a restart the policy would go back")
	}
}

// arm goes back after a while unless the policy was settled by then.
func (c *Control) arm(after time.Duration) {
	if c.timer != nil {
		c.timer.Stop()
	}
	waited := c.pending.Load()
	c.timer = time.AfterFunc(after, func() {
		c.change.Lock()
		defer c.change.Unlock()
		if c.pending.Load() == waited {
			c.revert(context.Background())
		}
	})
}

// retryRevert is the pause after a revert that the guard refused.
const retryRevert = 5 * time.Second

// revert brings the policy before the unconfirmed one back.
func (c *Control) revert(ctx context.Context) {
	previous := c.pending.Load().Previous
	r, err := c.compile(previous)
	if err == nil {
		err = c.force(ctx, r)
	}
	if err != nil {
		c.degrade("policy", "the unconfirmed policy is still in force: "+brief(err), "apply another policy")
		c.arm(retryRevert)
		return
	}
	if previous.Source == sourceNone {
		if err := c.store.remove(policyFile); err != nil {
			c.degrade("disk", err.Error(), "remove the file: at a restart its policy would come back")
		}
	}
	c.settle()
	c.recover("policy")
	c.tell(event.PolicyReverted, r, "timer", "nobody confirmed in time")
}
