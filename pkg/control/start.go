package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"citygate/pkg/event"
)

// Start puts into force what has to be: the policy applied last or, if that has changed since, the config's policy file.
// A file with errors leaves the last good policy in force. Then come the blocks, and a confirmation that still waits.
func (c *Control) Start(ctx context.Context) error {
	c.change.Lock()
	defer c.change.Unlock()
	var saved savedPolicy
	hasSaved := c.load(policyFile, &saved)
	next, why := c.choose(saved, hasSaved)
	if err := c.force(ctx, next); err != nil {
		return err
	}
	if next.saved != saved {
		c.settle() // a new file is a decision: nothing is to come back
	}
	c.tell(event.PolicyApplied, next, "boot", why)
	if err := c.resendBlocks(ctx); err != nil {
		return err
	}
	c.resumePending(ctx)
	return nil
}

// choose gives the policy to start with, and says why it is that one.
func (c *Control) choose(saved savedPolicy, hasSaved bool) (*running, string) {
	text, err := c.ReadPolicy()
	file := savedPolicy{Text: string(text), File: c.Boot.Policy, Source: sourceFile, FileHash: hashOf(text), By: "boot", Applied: c.Now().UTC()}
	var order []savedPolicy
	if err == nil {
		order = append(order, file)
	}
	switch {
	case hasSaved && err == nil && saved.FileHash == file.FileHash: // the file was known when saved came into force
		order = []savedPolicy{saved, file}
	case hasSaved:
		order = append(order, saved)
	}
	for _, p := range order {
		r, compileErr := c.compile(p)
		if compileErr == nil {
			c.complain(err, "in force is the policy of "+p.Applied.Format(time.DateTime))
			return r, map[string]string{sourceFile: "the policy file", sourceApplied: "the policy applied last"}[p.Source]
		}
		err = errors.Join(err, compileErr)
		c.tell(event.PolicyRefused, nil, "boot", brief(compileErr))
	}
	c.complain(err, "everything is dropped")
	r, err := c.compile(savedPolicy{Source: sourceNone, File: c.Boot.Policy, By: "boot", Applied: c.Now().UTC()})
	if err != nil {
		panic("the empty policy does not compile: " + err.Error()) // no text, no bindings: it cannot depend on anything
	}
	return r, "no policy"
}

// complain notes why the policy file is not in force.
func (c *Control) complain(err error, instead string) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.degrade("policy", fmt.Sprintf("%s does not exist; %s", c.Boot.Policy, instead), "write it, then: citygate policy apply")
	case err != nil:
		c.degrade("policy", brief(err)+"; "+instead, "correct it (citygate policy check), then: citygate policy apply")
	}
}

// resumePending goes on waiting for a confirmation, or goes back at once if its time is over. A clock that was set back
// does not make the wait longer than it was.
func (c *Control) resumePending(ctx context.Context) {
	var p pendingPolicy
	if !c.load(pendingFile, &p) {
		return
	}
	c.pending.Store(&p)
	left := min(p.ConfirmBy.Sub(c.Now()), time.Duration(p.WithinS)*time.Second)
	if left <= 0 {
		c.revert(ctx)
		return
	}
	c.arm(left)
}
