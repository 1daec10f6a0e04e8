package demo

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", path, got, want)
	}
}

// midway is a demo in its 40th second, with one failed check.
func midway() State {
	s := State{
		Elapsed: 40 * time.Second, Hostile: true,
		Gateway: Gateway{
			Processes: 5, Generation: 2, Passed: 12345, Dropped: 6789, NsPerFrame: 212.4,
			Drops: []Drop{{"no_rule", 5000}, {"arp_spoof", 1500}, {"vlan_hop", 289}},
		},
		Streams: []Stream{
			{Camera: "lobby-1", Server: "main", Transport: "udp", Open: true, Kbps: 261.4, History: []uint32{9, 40, 41, 44, 20, 3}, Sent: 1001, Received: 1001},
			{Camera: "yard-1", Server: "main", Transport: "tcp6", Open: true, Kbps: 259, History: []uint32{1, 2}, Sent: 1000, Received: 998, Lost: 2},
			{Camera: "gate-1", Server: "remote", Transport: "udp", Sent: 10, Received: 10},
		},
		Events: []Event{
			{at, "device", "new 02:00:00:00:00:66 on the camera side, not in the policy"},
			{at, "drop", "no_rule: 10.0.0.11:40000 -> 10.0.0.2:22, 20 frames, from lobby-1"},
			{at, "policy", "applied by root, generation 3: 1 added"},
			{at, "drop", "vlan_hop: a line that is longer than the screen " + strings.Repeat("is wide ", 20)},
		},
		Notes: []string{"nmap is not installed, so it was not tried (apt-get install nmap)"},
	}
	s.Checks = []Check{
		{"city and gateway", "5 processes, enforce", "5 processes, enforce, g0 native, g1 native", Passed},
		{"video alone", "0 packets lost", "2 of 1,500 packets lost", Failed},
		{"VLAN hopping", "0 of 1,000 arrive, all counted", "", Running},
	}
	for i := range 30 {
		s.Checks = append(s.Checks, Check{Name: "later " + string(rune('a'+i%26)), Expected: "nothing", Phase: Pending})
	}
	return s
}

var at = time.Date(2026, 11, 23, 21, 0, 0, 0, time.UTC)

func TestRender(t *testing.T) {
	time.Local = time.UTC
	dead := midway()
	dead.Gateway.Processes, dead.Done, dead.Hostile = 0, true, false
	tests := []struct {
		name   string
		state  State
		w, h   int
		ending bool
	}{
		{"start-80x24", State{Checks: midway().Checks[2:]}, 80, 24, false},
		{"midway-80x24", midway(), 80, 24, false},
		{"midway-120x40", midway(), 120, 40, false},
		{"dead-120x40", dead, 120, 40, true},
		{"tiny-30x10", midway(), 30, 10, false},
		{"huge-200x60", midway(), 200, 60, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			screen := ansi.Strip(render(tt.state, tt.w, tt.h, tt.ending))
			lines := strings.Split(screen, "\n")
			if len(lines) != tt.h {
				t.Errorf("%d lines on a screen of %d", len(lines), tt.h)
			}
			for i, l := range lines {
				if w := ansi.StringWidth(l); w > tt.w {
					t.Errorf("line %d has %d cells on a screen of %d: %q", i, w, tt.w, l)
				}
				lines[i] = strings.TrimRight(l, " ")
			}
			golden(t, tt.name, strings.Join(lines, "\n")+"\n")
		})
	}
}

func TestRenderNothing(t *testing.T) {
	if s := render(midway(), 0, 0, false); s != "" {
		t.Errorf("a screen without a size shows %q", s)
	}
}

// TestChecksInView looks at every moment of a long list: the check that is being made is always to be seen.
func TestChecksInView(t *testing.T) {
	s := State{}
	for i := range 48 {
		s.Checks = append(s.Checks, Check{Name: "check " + string(rune('A'+i)), Phase: Pending})
	}
	for i := range s.Checks {
		s.Checks[i].Phase = Running
		if shown := strings.Join(checkLines(s, 46, 11), "\n"); !strings.Contains(ansi.Strip(shown), "▸ "+s.Checks[i].Name) {
			t.Errorf("check %d is out of sight:\n%s", i, shown)
		}
		s.Checks[i].Phase = Passed
	}
}

func TestScorecard(t *testing.T) {
	s := Score(midway().Checks[:4])
	if s.Passed != 1 || s.Failed != 3 || s.Well() || s.Checks[2].Seen != "not reached" {
		t.Errorf("%+v", s)
	}
	if all := Score([]Check{{Name: "a", Phase: Passed}}); !all.Well() {
		t.Errorf("%+v is not well", all)
	}
	if Score(nil).Well() {
		t.Error("nothing is well")
	}
	var b bytes.Buffer
	s.WriteTable(&b, 0)
	b.WriteByte('\n')
	s.WriteTable(&b, 60)
	b.WriteByte('\n')
	WriteStreams(&b, midway().Streams)
	golden(t, "scorecard", b.String())
	for line := range strings.Lines(b.String()[strings.Index(b.String(), "\n\n")+2:]) {
		if w := ansi.StringWidth(strings.TrimSpace(line)); w > 60 {
			t.Errorf("a line of a table of 60 has %d cells: %q", w, line)
		}
	}
}

// TestScorecardKeys holds the file's keys, which other programs read.
func TestScorecardKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "demo", "scorecard.json")
	if err := Score(midway().Checks[:2]).Write(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "scorecard-json", string(b))
	var back Scorecard
	if err := json.Unmarshal(b, &back); err != nil || len(back.Checks) != 2 {
		t.Errorf("%v: %+v", err, back)
	}
	if none := string(Score(nil).JSON()); !strings.Contains(none, `"checks": []`) {
		t.Errorf("no checks are %s", none)
	}
}

func TestLines(t *testing.T) {
	first := midway()
	first.Checks = first.Checks[:3]
	second := midway()
	second.Checks = second.Checks[:3]
	second.Elapsed += time.Second
	second.Checks[2].Phase, second.Checks[2].Seen = Passed, "0 of 1,000 arrived"
	feed := make(chan State, 3)
	feed <- first
	feed <- first
	feed <- second
	close(feed)
	var b bytes.Buffer
	if err := (lines{&b}).run(feed, nil); err != nil {
		t.Fatal(err)
	}
	golden(t, "lines", b.String())
}

func TestWrap(t *testing.T) {
	tests := []struct {
		text  string
		width int
		want  string
	}{
		{"", 5, ""},
		{"a b c", 5, "a b c"},
		{"a b c", 3, "a b|c"},
		{"hall-1 is here", 8, "hall-1|is here"},
		{"/etc/citygate/bad.yaml: no", 10, "/etc/cityg|ate/bad.ya|ml: no"},
		{"weiß grün", 4, "weiß|grün"},
	}
	for _, tt := range tests {
		if got := strings.Join(wrap(tt.text, tt.width), "|"); got != tt.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 100000: "100,000", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %q, want %q", n, got, want)
		}
	}
}
