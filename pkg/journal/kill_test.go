package journal

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"citygate/pkg/event"
)

const writerEnv = "CITYGATE_JOURNAL_WRITER"

// TestWriter is not a test but the process that TestKill kills: it goes on with the log that the environment names and
// says after each batch how many records are acknowledged.
func TestWriter(t *testing.T) {
	dir := os.Getenv(writerEnv)
	if dir == "" {
		t.Skip("runs as a child process of TestKill")
	}
	l, err := Open(dir, event.Security, Options{SegmentBytes: 4 << 10})
	if err != nil {
		t.Fatal(err)
	}
	for n := int(l.Next()) - 1; ; n += 3 {
		if err := l.Append([]Entry{entry(n), entry(n + 1), entry(n + 2)}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("acknowledged", l.Next()-1)
	}
}

// kill -9 in the middle of writing loses nothing that was acknowledged, time after time in the same log.
func TestKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "1")
	acked, records := 0, 0
	for round := range 20 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWriter$")
		cmd.Env = append(os.Environ(), writerEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 5+round*3 && lines.Scan(); n++ {
			if _, err := fmt.Sscanf(lines.Text(), "acknowledged %d", &acked); err != nil {
				t.Fatalf("%q: %v", lines.Text(), err)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it still said before it died counts too
			_, _ = fmt.Sscanf(lines.Text(), "acknowledged %d", &acked)
		}
		_ = cmd.Wait()
		l := open(t, dir, Options{})
		l.Close()
		got := numbers(t, dir)
		if records = len(got); records < acked || !slices.Equal(got, counting(records)) {
			t.Fatalf("round %d: %d records, %d acknowledged", round, records, acked)
		}
	}
	t.Logf("%d acknowledged, %d recorded", acked, records)
}
