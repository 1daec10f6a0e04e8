//go:build lab

// Package scenario tells the product's stories in the lab city, one file each.
package scenario

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/flow"
	"citygate/testlab/attacker"
	"citygate/testlab/city"
	"citygate/testlab/enclave"
	"citygate/testlab/gateway"
)

// TestMain runs all stories in an enclave, and the city's hosts as further copies of the test program.
func TestMain(m *testing.M) {
	if city.IsHost(os.Args) {
		os.Exit(city.HostMain(os.Args))
	}
	os.Exit(enclave.Main(m.Run))
}

// seed gives every run of the stories the same frames.
const seed = 2026

var sides = []flow.Side{flow.CameraSide, flow.ServerSide}

// story is a running city with the product in it, in enforce mode.
type story struct {
	*testing.T
	ctx     context.Context
	city    *city.City
	gateway *gateway.Gateway
}

// raise builds a city of its own for a test; all streams play.
func raise(t *testing.T) *story { t.Helper(); return raiseIn(t, "enforce") }

// raiseIn raises a city whose gateway is in another mode.
func raiseIn(t *testing.T, mode string) *story {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	s := &story{T: t, ctx: ctx}
	t.Cleanup(s.end)
	var err error
	s.city, err = city.Up(func(c *city.City) (err error) {
		if s.gateway, err = gateway.New(c, mode); err != nil {
			return err
		}
		return s.gateway.Start(ctx)
	})
	s.must(err)
	s.awaitStreams()
	return s
}

// end ends the city, so that the next story finds nothing of it.
func (s *story) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if s.Failed() && s.gateway != nil {
		s.Logf("the gateway said:\n%s", tail(s.gateway.Output(), 60))
	}
	if s.gateway != nil {
		if err := s.gateway.Remove(ctx); err != nil {
			s.Errorf("remove the gateway: %v", err)
		}
	}
	if s.city != nil {
		s.city.Down()
	}
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

func (s *story) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *story) awaitStreams() {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	s.must(s.city.AwaitStreams(ctx))
}

// intact runs f while the streams play, and fails the test if one of their packets is lost or a session breaks.
func (s *story) intact(f func()) {
	s.Helper()
	first, err := s.city.Settle(s.ctx)
	s.must(err)
	f()
	second, err := s.city.Settle(s.ctx)
	s.must(err)
	loss := city.LossBetween(first, second)
	if loss.Lost != 0 || len(loss.Broken) > 0 || loss.Sent == 0 {
		s.Errorf("of %d packets %d were lost; broken: %q", loss.Sent, loss.Lost, loss.Broken)
		for _, st := range second {
			s.Log(st)
		}
	}
	s.Logf("streams: %d packets sent, %d lost", loss.Sent, loss.Lost)
}

// wait lets the city live for a while.
func (s *story) wait(d time.Duration) {
	s.Helper()
	select {
	case <-s.ctx.Done():
		s.Fatal(s.ctx.Err())
	case <-time.After(d):
	}
}

// eventually looks until f gives no error.
func (s *story) eventually(within time.Duration, f func() error) {
	s.Helper()
	deadline := time.Now().Add(within)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("not within %v: %v", within, err)
		}
		s.wait(50 * time.Millisecond)
	}
}

// attack sends hostile frames and checks that all of them reach the gateway and none passes it.
func (s *story) attack(kind string, side flow.Side, count int) city.Result {
	s.Helper()
	r, err := s.city.Attack(s.ctx, attacker.Order{Kind: kind, Side: side, Seed: seed, Count: count})
	s.must(err)
	if !r.Stopped() {
		s.Errorf("%s from the %v side: %d sent, %d reached the gateway, %d ARRIVED; receivers lost %d; the first: %x",
			kind, side, r.Sent, r.Reached, r.Arrived, r.Blind, r.Example)
	}
	return r
}

// kill ends a process at once.
func kill(pid int) error { return unix.Kill(pid, unix.SIGKILL) }

// needs skips a test when a tool is missing.
func (s *story) needs(err error) {
	s.Helper()
	if errors.Is(err, city.ErrNoTool) {
		s.Skip(err)
	}
	s.must(err)
}
