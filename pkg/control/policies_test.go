package control

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/event"
	"citygate/pkg/policy"
)

func (b *box) apply(text string, within uint32) (api.PolicyApply, error) {
	return b.Apply(context.Background(), Caller{UID: 0}, api.PolicyRequest{Text: text, File: "new.yaml", Reason: "test", ConfirmWithinS: within})
}

func TestApply(t *testing.T) {
	b := newBox(t, goodPolicy)
	b.runs(goodPolicy)
	ids := b.Control.running.Load().compiled.IDs
	b.events = nil
	r, err := b.apply(otherPolicy, 0)
	if err != nil {
		t.Fatal(err)
	}
	b.runs(otherPolicy)
	if !r.Applied || r.Policy.Source != sourceApplied || r.Policy.By != "root" || r.Policy.Generation != 2 || r.Diff.Same {
		t.Errorf("got %+v", r)
	}
	if got := b.Control.running.Load().compiled.IDs; got["main"] != ids["main"] || got["lobby-1"] != ids["lobby-1"] {
		t.Errorf("devices changed their numbers: %v, before %v", got, ids)
	}
	audit, ok := b.events[0].(*event.Audit)
	if !ok || audit.Verb != "apply" || audit.Who != "root" || audit.Result != event.AuditAllowed || !strings.HasSuffix(audit.Reason, "; test") {
		t.Errorf("audit %+v", b.events[0])
	}
	if got := b.policyActions(); !slices.Equal(got, []string{event.PolicyApplied}) {
		t.Errorf("events %v", got)
	}
}

// A policy with errors, and one that the kernel refuses, leave everything as it was.
func TestApplyRefused(t *testing.T) {
	b := newBox(t, goodPolicy)
	before, err := os.ReadFile(filepath.Join(b.dir, policyFile))
	if err != nil {
		t.Fatal(err)
	}
	b.events = nil
	var errs policy.Errors
	if _, err := b.apply(badPolicy, 60); !errors.As(err, &errs) || len(errs) < 2 || errs[0].File != "new.yaml" {
		t.Errorf("got %v", err)
	}
	b.guard.fail = errors.New("table full")
	if _, err := b.apply(otherPolicy, 60); !errors.Is(err, b.guard.fail) {
		t.Errorf("got %v", err)
	}
	b.guard.fail = nil
	b.runs(goodPolicy)
	if got := b.policyActions(); !slices.Equal(got, []string{event.PolicyRefused, event.PolicyRefused}) {
		t.Errorf("events %v", got)
	}
	after, err := os.ReadFile(filepath.Join(b.dir, policyFile))
	if err != nil || string(after) != string(before) || b.has(pendingFile) {
		t.Errorf("the state changed: %v", err)
	}
	if _, err := b.Confirm(Caller{}); !errors.Is(err, errConflict) {
		t.Errorf("there is something to confirm: %v", err)
	}
}

func TestDryRun(t *testing.T) {
	b := newBox(t, goodPolicy)
	r, err := b.Apply(context.Background(), Caller{}, api.PolicyRequest{Text: otherPolicy, File: "new.yaml", DryRun: true})
	if err != nil || r.Applied || r.Diff.Same || r.Diff.Summary != "1 added, 4 removed, 0 changed" {
		t.Errorf("got %+v, %v", r, err)
	}
	b.runs(goodPolicy)
}

func TestConfirmInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, goodPolicy)
		r, err := b.apply(otherPolicy, 60)
		if err != nil || !r.ConfirmBy.Equal(time.Now().Add(time.Minute)) {
			t.Fatalf("got %+v, %v", r, err)
		}
		time.Sleep(59 * time.Second)
		if _, err := b.Confirm(Caller{UID: 1000}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		b.runs(otherPolicy)
		if b.has(pendingFile) || !b.Status(context.Background()).Policy.ConfirmBy.IsZero() {
			t.Error("something still waits")
		}
	})
}

func TestRevert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, goodPolicy)
		if _, err := b.apply(otherPolicy, 60); err != nil {
			t.Fatal(err)
		}
		b.policyActions()
		time.Sleep(59 * time.Second)
		synctest.Wait()
		b.runs(otherPolicy)
		time.Sleep(time.Second)
		synctest.Wait()
		b.runs(goodPolicy)
		if got := b.policyActions(); !slices.Equal(got, []string{event.PolicyReverted}) || b.has(pendingFile) {
			t.Errorf("events %v", got)
		}
		b.start()
		b.runs(goodPolicy)
	})
}

// What was never confirmed is nothing to go back to: two unconfirmed policies go back to the one before both.
func TestRevertOverTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, goodPolicy)
		for _, text := range []string{otherPolicy, otherPolicy + "# again\n"} {
			if _, err := b.apply(text, 60); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Second)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		b.runs(goodPolicy)
	})
}

// An apply without --confirm-within is a decision: the timer of the one before is off.
func TestApplySettles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, goodPolicy)
		if _, err := b.apply(otherPolicy, 60); err != nil {
			t.Fatal(err)
		}
		final := otherPolicy + "# final\n"
		if _, err := b.apply(final, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		b.runs(final)
	})
}

func TestRevertSurvivesRestart(t *testing.T) {
	for _, c := range []struct {
		name       string
		down, then time.Duration // how long control is down, and then up
		want       string
	}{
		{"still waiting", 10 * time.Second, 49 * time.Second, otherPolicy},
		{"over while up", 10 * time.Second, 50 * time.Second, goodPolicy},
		{"over while down", 2 * time.Minute, 0, goodPolicy},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBox(t, goodPolicy)
				if _, err := b.apply(otherPolicy, 60); err != nil {
					t.Fatal(err)
				}
				b.stop()
				time.Sleep(c.down)
				b.start()
				time.Sleep(c.then)
				synctest.Wait()
				b.runs(c.want)
				b.stop()
			})
		})
	}
}

// A guard that refuses the revert is asked again.
func TestRevertIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, goodPolicy)
		if _, err := b.apply(otherPolicy, 60); err != nil {
			t.Fatal(err)
		}
		b.refuse(errors.New("busy"))
		time.Sleep(time.Minute)
		synctest.Wait()
		b.refuse(nil)
		if !b.degradedBy("policy") {
			t.Error("nobody is told")
		}
		time.Sleep(retryRevert)
		synctest.Wait()
		b.runs(goodPolicy)
		if b.degradedBy("policy") {
			t.Error("still degraded")
		}
	})
}

func TestWhichPolicyAtStart(t *testing.T) {
	for _, c := range []struct {
		name     string
		do       func(*box)
		want     string
		source   string
		degraded bool
	}{
		{"the file", func(b *box) {}, goodPolicy, sourceFile, false},
		{"the applied one", func(b *box) { b.must(b.apply(otherPolicy, 0)) }, otherPolicy, sourceApplied, false},
		{"the file has changed since", func(b *box) {
			b.must(b.apply(otherPolicy, 0))
			b.file = goodPolicy + "# edited\n"
		}, goodPolicy + "# edited\n", sourceFile, false},
		{"the file was applied", func(b *box) {
			b.file = otherPolicy
			b.must(b.apply(otherPolicy, 0))
		}, otherPolicy, sourceFile, false},
		{"the file has errors now", func(b *box) { b.file = badPolicy }, goodPolicy, sourceFile, true},
		{"the file is gone", func(b *box) { b.file = "" }, goodPolicy, sourceFile, true},
		{"the state is damaged", func(b *box) { b.damage(policyFile) }, goodPolicy, sourceFile, false},
		{"the state is damaged, the file has errors", func(b *box) { b.damage(policyFile); b.file = badPolicy }, "", sourceNone, true},
		{"the state is damaged, the file is gone", func(b *box) { b.damage(policyFile); b.file = "" }, "", sourceNone, true},
		{"the state holds a policy that is no longer right", func(b *box) {
			if err := b.store.save(policyFile, savedPolicy{Text: badPolicy, Source: sourceApplied, FileHash: hashOf([]byte(b.file))}); err != nil {
				b.t.Fatal(err)
			}
		}, goodPolicy, sourceFile, true},
		{"an edited file settles what was pending", func(b *box) {
			b.must(b.apply(otherPolicy, 1))
			b.file = goodPolicy + "# edited\n"
		}, goodPolicy + "# edited\n", sourceFile, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox(t, goodPolicy)
			c.do(b)
			b.start()
			b.runs(c.want)
			if got := b.info(b.Control.running.Load()).Source; got != c.source {
				t.Errorf("source %s, want %s", got, c.source)
			}
			if got := b.degradedBy("policy"); got != c.degraded {
				t.Errorf("degraded %v, want %v", got, c.degraded)
			}
			b.stop()
		})
	}
}

func (b *box) must(_ api.PolicyApply, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// No state file that is damaged keeps a box from starting, and each is set aside and told of.
func TestDamagedState(t *testing.T) {
	for _, name := range []string{policyFile, pendingFile, devicesFile, inventoryFile, bindingsFile, blocksFile} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, goodPolicy)
			b.damage(name)
			b.events = nil
			b.start()
			b.runs(goodPolicy)
			aside, err := filepath.Glob(filepath.Join(b.dir, name+".damaged-*"))
			if err != nil || len(aside) != 1 {
				t.Errorf("set aside: %v, %v", aside, err)
			}
			told := slices.ContainsFunc(b.events, func(e event.Event) bool {
				a, ok := e.(*event.Anomaly)
				return ok && a.Event == "state_damaged" && a.Object == name
			})
			if !told || !b.degradedBy("state") {
				t.Errorf("nobody is told: %v", b.events)
			}
		})
	}
}

// A full disk refuses no policy: the box goes on and says that a restart would forget it.
func TestStateCannotBeWritten(t *testing.T) {
	b := newBox(t, goodPolicy)
	b.store.dir = filepath.Join(b.dir, "gone")
	b.must(b.apply(otherPolicy, 0))
	b.runs(otherPolicy)
	if !b.degradedBy("disk") {
		t.Error("nobody is told")
	}
	if _, err := b.apply(goodPolicy, 60); err == nil {
		t.Error("a policy that could not come back was applied")
	}
	b.runs(otherPolicy)
}
