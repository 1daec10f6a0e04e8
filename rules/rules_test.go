package rules_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"citygate/pkg/detect/offline"
	"citygate/pkg/signature"
	"citygate/rules"
	"citygate/testlab/rulecaptures"
)

var update = flag.Bool("update", false, "write the captures, what they must give, and the table of docs/reference/rules.md")

// Our sids.
const firstSID, lastSID = 9300000, 9309999

// expectation is expect.json.
type expectation struct {
	Alerts []expected `json:"alerts"`
}

type expected struct {
	SID   uint32 `json:"sid"`
	Count int    `json:"count"`
}

// shipped opens every file of rules.
func shipped(t testing.TB) (files []offline.File) {
	t.Helper()
	names, err := filepath.Glob("*.rules")
	if err != nil || len(names) == 0 {
		t.Fatal("no rules", err)
	}
	for _, name := range names {
		b, err := rules.Inspection.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, offline.File{Name: name, Reader: bytes.NewReader(b)})
	}
	return files
}

// signatures are the shipped rules, read with the default variables.
func signatures(t testing.TB) []*signature.Signature {
	t.Helper()
	set := signature.Rules{Env: signature.NewEnv()}
	for _, f := range shipped(t) {
		if err := set.Read(f.Name, f); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range set.Refused {
		t.Errorf("refused: %v", r)
	}
	if set.Skipped != 0 {
		t.Errorf("%d rules are skipped", set.Skipped)
	}
	return set.Signatures
}

// images are the compiled rules by their settings.
var images = map[string][]byte{}

// replay counts the alerts of all shipped rules on a capture.
func replay(t testing.TB, capture []byte, sets []string) map[uint32]int {
	t.Helper()
	s := offline.NewSettings()
	s.AlertsOnly = true
	for _, kv := range sets {
		if err := s.Set(kv); err != nil {
			t.Fatal(err)
		}
	}
	key := strings.Join(sets, " ")
	if images[key] == nil {
		image, _, err := s.Load(offline.Rules{Files: shipped(t)})
		if err != nil {
			t.Fatal(err)
		}
		images[key] = image
	}
	var out bytes.Buffer
	if _, err := s.Replay(bytes.NewReader(capture), images[key], &out); err != nil {
		t.Fatal(err)
	}
	return count(t, out.Bytes())
}

// count counts the alerts among EVE lines.
func count(t testing.TB, eve []byte) map[uint32]int {
	t.Helper()
	got := map[uint32]int{}
	for line := range bytes.Lines(eve) {
		var e struct {
			Type  string `json:"event_type"`
			Alert struct {
				SID uint32 `json:"signature_id"`
			} `json:"alert"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if e.Type == "alert" {
			got[e.Alert.SID]++
		}
	}
	return got
}

func folder(sid uint32) string { return filepath.Join("tests", fmt.Sprint(sid)) }

// TestCaptures replays the captures of every rule: the attack gives the alerts that are written beside it and no others, the
// twin gives none.
func TestCaptures(t *testing.T) {
	if *update {
		write(t)
	}
	for _, sig := range signatures(t) {
		t.Run(fmt.Sprint(sig.SID), func(t *testing.T) {
			dir := folder(sig.SID)
			want := map[uint32]int{}
			var e expectation
			if err := json.Unmarshal(read(t, dir, "expect.json"), &e); err != nil {
				t.Fatal(err)
			}
			for _, c := range e.Alerts {
				want[c.SID] = c.Count
			}
			if want[sig.SID] == 0 {
				t.Errorf("expect.json does not expect the rule itself")
			}
			sets := settings(t, dir)
			if got := replay(t, read(t, dir, "capture.pcap"), sets); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("capture.pcap gives %v, want %v", got, want)
			}
			if got := replay(t, read(t, dir, "clean.pcap"), sets); len(got) > 0 {
				t.Errorf("clean.pcap gives %v", got)
			}
		})
	}
}

// TestFolders holds the folders to the rules and to the stories that they are made from.
func TestFolders(t *testing.T) {
	known := map[string]bool{}
	for _, sig := range signatures(t) {
		known[fmt.Sprint(sig.SID)] = true
	}
	stories := map[string]bool{}
	for _, s := range rulecaptures.All() {
		name := fmt.Sprint(s.SID)
		if stories[name] {
			t.Errorf("%s has two stories", name)
		}
		stories[name] = true
		if !known[name] {
			t.Errorf("the story %s has no rule", name)
		}
		for file, want := range files(t, s) {
			if got := read(t, folder(s.SID), file); !bytes.Equal(got, want) {
				t.Errorf("tests/%s/%s is not what its story makes: run go test ./rules -update", name, file)
			}
		}
	}
	entries, err := os.ReadDir("tests")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !known[e.Name()] {
			t.Errorf("tests/%s has no rule", e.Name())
		}
	}
	for name := range known {
		if !stories[name] {
			t.Errorf("the rule %s has no story in testlab/rulecaptures", name)
		}
	}
}

// TestForm holds every rule to what its readers rely on.
func TestForm(t *testing.T) {
	messages := map[string]uint32{}
	for _, s := range signatures(t) {
		if s.SID < firstSID || s.SID > lastSID {
			t.Errorf("%s:%d: sid %d is not ours (%d to %d)", s.File, s.Line, s.SID, firstSID, lastSID)
		}
		if other, ok := messages[s.Msg]; ok {
			t.Errorf("%d and %d have one message: %s", other, s.SID, s.Msg)
		}
		messages[s.Msg] = s.SID
		if !strings.HasPrefix(s.Msg, "CITYGATE ") {
			t.Errorf("%d: the message begins with CITYGATE: %s", s.SID, s.Msg)
		}
		for _, word := range []string{"classtype:", "rev:", "target:", "reference:"} {
			if !strings.Contains(s.Text, word) {
				t.Errorf("%d lacks %s", s.SID, word)
			}
		}
		for _, key := range []string{"attack_target", "confidence", "created_at"} {
			if !slices.ContainsFunc(s.Metadata, func(p signature.Pair) bool { return p.Key == key }) {
				t.Errorf("%d lacks the metadata %s", s.SID, key)
			}
		}
	}
}

// inPackets are the rules that look at packets, not at streams: of attacks that are one packet.
var inPackets = []uint32{9300616}

// TestSplits plays every attack and every twin in segments of a few bytes: the alerts are the same.
func TestSplits(t *testing.T) {
	for _, s := range rulecaptures.All() {
		if slices.Contains(inPackets, s.SID) {
			continue
		}
		want := map[uint32]int{s.SID: max(1, s.Count)}
		for sid, n := range s.Also {
			want[sid] = n
		}
		for _, size := range []int{1, 7, 100} {
			if got := replay(t, capture(t, s.Attack, size), s.Settings); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%d in segments of %d bytes gives %v, want %v", s.SID, size, got, want)
			}
			if got := replay(t, capture(t, s.Clean, size), s.Settings); len(got) > 0 {
				t.Errorf("the twin of %d in segments of %d bytes gives %v", s.SID, size, got)
			}
		}
	}
}

// capture plays a story, in segments of size bytes unless that is 0.
func capture(t testing.TB, play func(*rulecaptures.Scene), size int) []byte {
	t.Helper()
	scene := rulecaptures.NewScene()
	scene.Segment = size
	play(scene)
	var b bytes.Buffer
	if _, err := scene.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t testing.TB, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// settings are the lines of the optional file settings.
func settings(t testing.TB, dir string) (sets []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "settings"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Fields(string(b))
}

// files are the files of a story's folder.
func files(t testing.TB, s rulecaptures.Story) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	out["capture.pcap"], out["clean.pcap"] = capture(t, s.Attack, 0), capture(t, s.Clean, 0)
	e := expectation{[]expected{{s.SID, max(1, s.Count)}}}
	for sid, n := range s.Also {
		e.Alerts = append(e.Alerts, expected{sid, n})
	}
	slices.SortFunc(e.Alerts, func(a, b expected) int { return int(a.SID) - int(b.SID) })
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	out["expect.json"] = append(text, '\n')
	if len(s.Settings) > 0 {
		out["settings"] = []byte(strings.Join(s.Settings, "\n") + "\n")
	}
	return out
}

// write makes the folders anew.
func write(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll("tests"); err != nil {
		t.Fatal(err)
	}
	for _, s := range rulecaptures.All() {
		if err := os.MkdirAll(folder(s.SID), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, b := range files(t, s) {
			if err := os.WriteFile(filepath.Join(folder(s.SID), name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
