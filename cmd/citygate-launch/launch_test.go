package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"citygate/pkg/ipc"
)

func TestBackOff(t *testing.T) {
	var delay time.Duration
	for i, want := range []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000} {
		if delay = backOff(delay, time.Second); delay != want*time.Millisecond {
			t.Errorf("wait %d: %v, want %v ms", i, delay, want)
		}
	}
	if delay = backOff(delay, time.Minute); delay != 100*time.Millisecond {
		t.Errorf("after a good minute: %v", delay)
	}
}

func TestCauses(t *testing.T) {
	killed := ipc.ProcessExit{Process: ipc.Journal, Code: -1, Signal: 9}
	accuses := ipc.ProcessExit{Process: ipc.Guard, Code: 102, Violator: ipc.Control}
	failed := ipc.ProcessExit{Process: ipc.Control, Code: 1}
	followed := ipc.ProcessExit{Process: ipc.Watch}
	for _, tt := range []struct{ exits, want []ipc.ProcessExit }{
		{[]ipc.ProcessExit{followed, failed, killed}, []ipc.ProcessExit{killed}},
		{[]ipc.ProcessExit{accuses, failed, killed}, []ipc.ProcessExit{accuses, killed}},
		{[]ipc.ProcessExit{followed, failed}, []ipc.ProcessExit{failed}},
		{[]ipc.ProcessExit{followed}, []ipc.ProcessExit{followed}},
	} {
		if got := causes(slices.Clone(tt.exits)); !slices.Equal(got, tt.want) {
			t.Errorf("%v: got %v, want %v", tt.exits, got, tt.want)
		}
	}
}

func TestLines(t *testing.T) {
	var out strings.Builder
	relay(&out, "watch: ", strings.NewReader("one\ntwo\x1b[31m\nthree\n\n"+strings.Repeat("x", 2*maxLine)+"\nrest"))
	got := strings.Split(out.String(), "\n")
	want := []string{"one", "two?[31m", "three", ""}
	for i, w := range want {
		if got[i] != "watch: "+w {
			t.Errorf("line %d is %q, want %q", i, got[i], w)
		}
	}
	for _, line := range got {
		if len(line) > maxLine+len("watch: ") {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	if !strings.HasSuffix(out.String(), "watch: rest\n") {
		t.Error("the last line is lost")
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-x"}, {"attach"}, {"detach", "more"}} {
		var stderr strings.Builder
		if err := run(t.Context(), args, &stderr, nil); err != errUsage {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// The unit is as tight as a process that makes namespaces and users can be (systemd-analyze: 10 is open, 0 is closed).
func TestUnitScore(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("needs systemd-analyze (systemd)")
	}
	out, err := exec.Command(tool, "security", "--offline=true", "--no-pager", "--threshold=35", "citygate.service").CombinedOutput()
	if err != nil || strings.Contains(string(out), "ignoring") {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
}
