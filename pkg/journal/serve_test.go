package journal

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"citygate/pkg/event"
	"citygate/pkg/ipc"
)

// speaker is a source that says what the test sends, then that its peer is gone or what end says.
type speaker struct {
	said   chan ipc.Message
	end    error
	closed chan struct{}
}

func newSpeaker(end error) *speaker {
	return &speaker{said: make(chan ipc.Message), end: end, closed: make(chan struct{}, 9)}
}

func (s *speaker) Recv() (ipc.Received, error) {
	m, ok := <-s.said
	if !ok {
		return ipc.Received{}, s.end
	}
	return ipc.Received{Message: m}, nil
}

func (s *speaker) Close() error { s.closed <- struct{}{}; return nil }

func (s *speaker) say(e event.Event) {
	typ, payload := event.Encode(e)
	s.said <- ipc.Event{Type: typ, Payload: payload}
}

func TestService(t *testing.T) {
	dir := t.TempDir()
	control, watch := newSpeaker(io.EOF), newSpeaker(&ipc.Violation{From: ipc.Watch, Why: "too often"})
	reopen, states := make(chan os.Signal), make(chan ipc.JournalState)
	service := Service{
		Store:   openStore(t, dir, &disk{}),
		Sources: map[ipc.Process]Source{ipc.Control: control, ipc.Watch: watch},
		Report: func(s ipc.JournalState) error {
			select {
			case states <- s:
			default: // the test listens no more
			}
			return nil
		},
		Reopen: reopen,
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- service.Run(ctx) }()

	for range 3 {
		watch.say(&event.Drop{})
	}
	for st := range states { // one comes each second
		if st == (ipc.JournalState{Written: 3}) {
			break
		}
	}
	if err := os.Rename(filepath.Join(dir, "eve.json"), filepath.Join(dir, "old")); err != nil {
		t.Fatal(err)
	}
	reopen <- syscall.SIGHUP
	close(watch.said)
	<-watch.closed
	control.say(&event.Audit{Verb: "survived"})
	cancel()
	control.say(&event.Audit{Verb: "on its way"})
	close(control.said)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	names := recorded(t, dir, event.Security)
	slices.Sort(names) // the two sources have no order between them
	want(t, "class 1", names, "audit", "audit", "drop", "drop", "drop", "ipc_violation")
	if got := eveNames(t, dir); len(got) != 3 {
		t.Errorf("eve.json has %v after the reopening", got)
	}
}

// What is no event, or decodes to none, breaks the rules.
func TestServiceRefuses(t *testing.T) {
	for _, m := range []ipc.Message{
		ipc.Ready{}, ipc.Event{Type: 99}, ipc.Event{Type: uint16(event.TypeDrop), Payload: []byte{1, 2, 3}},
	} {
		dir := t.TempDir()
		watch := newSpeaker(io.EOF)
		service := Service{Store: openStore(t, dir, &disk{}), Sources: map[ipc.Process]Source{ipc.Watch: watch}}
		service.Report = func(ipc.JournalState) error { return nil }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- service.Run(ctx) }()
		watch.said <- m
		<-watch.closed
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		want(t, "class 1", recorded(t, dir, event.Security), "ipc_violation")
	}
}
