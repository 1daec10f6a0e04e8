package ipc

import (
	"bytes"
	"errors"
	"io"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func pair(t *testing.T, a, b Process) (*Conn, *Conn) {
	t.Helper()
	ca, cb, err := NewPair(a, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = ca.Close(), cb.Close() })
	return ca, cb
}

// raw writes a datagram past Send's checks, as a process would that was taken over.
func raw(t *testing.T, c *Conn, b []byte, fds ...int) {
	t.Helper()
	var rights []byte
	if len(fds) > 0 {
		rights = syscall.UnixRights(fds...)
	}
	err := c.raw.Write(func(fd uintptr) bool {
		return syscall.Sendmsg(int(fd), b, rights, nil, 0) != syscall.EAGAIN
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Each line of the table can be said, and heard as it was said.
func TestTableIsSpoken(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, s := range table {
		from, to := pair(t, s.from, s.to)
		for _, m := range samples {
			if _, ok := s.write(nil, m); !ok {
				continue
			}
			var fds []int
			for range s.fds {
				fds = append(fds, int(null.Fd()))
			}
			if err := from.Send(m, fds...); err != nil {
				t.Errorf("%v to %v: %v", s.from, s.to, err)
				continue
			}
			got, err := to.Recv()
			if err != nil || !reflect.DeepEqual(got.Message, m) || len(got.FDs) != s.fds {
				t.Errorf("%v to %v: said %+v, heard %+v, %v", s.from, s.to, m, got, err)
			}
			closeAll(got.FDs)
		}
	}
}

func TestSendRefuses(t *testing.T) {
	control, _ := pair(t, Control, Guard)
	for name, err := range map[string]error{
		"not its sentence":      control.Send(Result{}),
		"a descriptor too many": control.Send(GetPorts{}, 0),
	} {
		if err == nil {
			t.Errorf("%s: sent", name)
		}
	}
	watch, _ := pair(t, Watch, Journal)
	if err := watch.Send(Event{Payload: make([]byte, MaxMessage)}); err == nil {
		t.Error("a message over the limit was sent")
	}
}

func TestViolations(t *testing.T) {
	openFDs := func() int {
		e, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(e)
	}
	ports, _ := encode(budgets(Control, Guard, 0), GetPorts{ID: 1})
	place := byte(len(budgets(Control, Guard, 0))) // the first that control may not say
	for name, say := range map[string]func(*Conn){
		"not its sentence": func(c *Conn) { raw(t, c, append([]byte{place}, ports[1:]...)) },
		"unknown kind":     func(c *Conn) { raw(t, c, []byte{200}) },
		"too long":         func(c *Conn) { raw(t, c, append(ports, make([]byte, MaxMessage)...)) },
		"bad codec":        func(c *Conn) { raw(t, c, ports[:3]) },
		"a descriptor":     func(c *Conn) { raw(t, c, ports, 0) },
		"many descriptors": func(c *Conn) { raw(t, c, ports, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) },
	} {
		control, guard := pair(t, Control, Guard)
		before := openFDs()
		say(control)
		_, err := guard.Recv()
		var v *Violation
		if !errors.As(err, &v) || v.From != Control {
			t.Errorf("%s: got %v", name, err)
		}
		if got := openFDs(); got != before-1 { // Recv closed the channel
			t.Errorf("%s: %d descriptors open, want %d", name, got, before-1)
		}
		if Violator(ExitViolation(v.From)) != Control {
			t.Errorf("%s: the exit code does not name control", name)
		}
	}
}

// A speaker that does not pace itself is caught, however long the hearer listened to nobody before.
func TestFlood(t *testing.T) {
	control, guard := pair(t, Control, Guard)
	flood, _ := encode(control.out, GetPorts{})
	go func() {
		_ = control.raw.Write(func(fd uintptr) bool {
			return syscall.Sendmsg(int(fd), flood, nil, nil, syscall.MSG_NOSIGNAL) == syscall.EPIPE
		})
	}()
	heard := 0
	for {
		_, err := guard.Recv()
		var v *Violation
		if errors.As(err, &v) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		heard++
	}
	if heard < queueSlack || heard > queueSlack+1000 {
		t.Errorf("caught after %d messages, want about %d", heard, queueSlack+20)
	}
}

// Send waits for its budget, so that an honest speaker keeps to the table. A bubble has its own clock.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, b := encode(budgets(Control, Guard, 0), GetPorts{})
		start := time.Now()
		for range 20 {
			if d := b.spend(); d != 0 {
				t.Fatalf("wait %v within the burst", d)
			}
		}
		for range 40 {
			time.Sleep(b.spend())
		}
		if took := time.Since(start).Round(time.Millisecond); took != 2*time.Second {
			t.Errorf("40 more at 20 a second took %v", took)
		}
		time.Sleep(time.Hour)
		for i := range 20 {
			if d := b.spend(); d != 0 {
				t.Fatalf("after a pause, wait %v at message %d", d, i)
			}
		}
		if b.spend() == 0 {
			t.Error("a pause saves more than a burst")
		}
	})
}

func TestEnds(t *testing.T) {
	control, guard := pair(t, Control, Guard)
	started := make(chan struct{})
	errs := make(chan error)
	go func() {
		close(started)
		_, err := guard.Recv()
		errs <- err
	}()
	<-started
	_ = guard.Close()
	if err := <-errs; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Recv after Close: %v", err)
	}
	if _, err := control.Recv(); err != io.EOF {
		t.Errorf("Recv after the peer's end: %v", err)
	}
	if err := control.Send(GetPorts{}); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Send after the peer's end: %v", err)
	}
	// Data that the peer never read makes the kernel reset the channel.
	watch, journal := pair(t, Watch, Journal)
	if err := watch.Send(Event{}); err != nil {
		t.Fatal(err)
	}
	_ = journal.Close()
	if _, err := watch.Recv(); err != io.EOF {
		t.Errorf("Recv after a reset: %v", err)
	}
}

func TestInherit(t *testing.T) {
	_, guard := pair(t, Launch, Guard)
	t.Setenv(ChannelsEnv, "journal=x,guard=2")
	if _, err := Inherit(Control, Guard); err == nil {
		t.Error("a standard stream is no channel")
	}
	fd, err := syscall.Dup(int(guard.File().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(ChannelsEnv, "launch="+strconv.Itoa(fd))
	c, err := Inherit(Guard, Launch)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := InheritedFDs(); len(got) != 1 || got[0] != fd {
		t.Errorf("inherited %v, want %d", got, fd)
	}
	if err := c.Send(Ready{}); err != nil {
		t.Error(err)
	}
}

// A channel that a process has no more use for must not look to its peer as if the process had ended.
func TestInheritedLasts(t *testing.T) {
	launch, guard := pair(t, Launch, Guard)
	fd, err := syscall.Dup(int(guard.File().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	_ = guard.Close()
	t.Setenv(ChannelsEnv, "launch="+strconv.Itoa(fd))
	if _, err := Inherit(Guard, Launch); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		runtime.GC()
	}
	err = nil
	_ = launch.raw.Control(func(fd uintptr) {
		err = syscall.Sendmsg(int(fd), []byte{1}, nil, nil, syscall.MSG_NOSIGNAL)
	})
	if err != nil {
		t.Errorf("the channel is closed: %v", err)
	}
}

func TestChannels(t *testing.T) {
	var text bytes.Buffer
	for _, c := range Channels() {
		text.WriteString(c[0].String() + "-" + c[1].String() + " ")
	}
	want := "guard-control guard-watch control-watch journal-watch control-journal launch-control launch-guard launch-journal launch-watch "
	if text.String() != want {
		t.Errorf("got %s", &text)
	}
}
