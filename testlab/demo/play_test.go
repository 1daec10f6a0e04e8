package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"citygate/testlab/attacker"
	"citygate/testlab/city"
	"citygate/testlab/stream"
)

// TestStory holds that no check is named twice, that every kind of attack is made, and that its blame is known.
func TestStory(t *testing.T) {
	steps, _ := story()
	names := map[string]bool{}
	for _, s := range steps {
		if names[s.name] || s.name == "" || s.expected == "" || s.run == nil {
			t.Errorf("check %q: named before, or without a meaning", s.name)
		}
		names[s.name] = true
	}
	made := map[string]bool{}
	for _, a := range assaults() {
		for _, k := range a.kinds {
			made[k] = true
			if len(attacker.Blame(k)) == 0 {
				t.Errorf("nobody says what stops %s", k)
			}
		}
		if a.frames() <= 0 || a.count > attacker.MaxCount {
			t.Errorf("%s has %d frames", a.name, a.frames())
		}
	}
	for _, k := range attacker.Names() {
		if !made[k] {
			t.Errorf("nobody makes %s", k)
		}
	}
}

func TestMissingTools(t *testing.T) {
	all, none := toolSteps(func(string) (string, error) { return "/bin/it", nil })
	if len(all) == 0 || len(none) != 0 {
		t.Errorf("with all tools: %d checks, notes %q", len(all), none)
	}
	few, notes := toolSteps(func(name string) (string, error) {
		if name == "arpspoof" {
			return "", errors.New("not here")
		}
		return "/bin/it", nil
	})
	if len(few) != len(all)-1 || len(notes) != 1 || !strings.Contains(notes[0], "apt-get install dsniff") {
		t.Errorf("without arpspoof: %d checks, notes %q", len(few), notes)
	}
}

// TestPerform plays checks that pass, fail and break, and reads what the screen gets to know.
func TestPerform(t *testing.T) {
	steps := []step{
		{name: "passes", hostile: true, run: func(context.Context, *play) (string, bool, error) { return "well\x1b[2J", true, nil }},
		{name: "fails", run: func(context.Context, *play) (string, bool, error) { return "badly", false, nil }},
		{name: "breaks", run: func(context.Context, *play) (string, bool, error) { return "", true, errors.New("no\n  wire") }},
		{name: "is late", run: func(context.Context, *play) (string, bool, error) { return "", true, nil }},
	}
	var out bytes.Buffer
	p := &play{board: newBoard(&out, steps)}
	for i, s := range steps[:3] {
		if err := p.perform(t.Context(), i, s); (err != nil) != (s.name == "breaks") {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	var states []State
	for d := json.NewDecoder(&out); ; {
		var s State
		if err := d.Decode(&s); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		states = append(states, s)
	}
	if len(states) != 6 || !states[0].Hostile || states[0].running() != 0 || states[1].Hostile {
		t.Fatalf("states: %+v", states)
	}
	var got []Check
	got = append(got, states[5].Checks...)
	want := []Check{
		{"passes", "", "well?[2J", Passed},
		{"fails", "", "badly", Failed},
		{"breaks", "", "no wire", Failed},
		{"is late", "", "", Pending},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestEventsAreBounded(t *testing.T) {
	b := newBoard(io.Discard, nil)
	for range 3 * maxEvents {
		b.event(Event{Text: "again"})
	}
	if n := len(b.now().Events); n != maxEvents {
		t.Errorf("%d events are kept", n)
	}
}

func TestEVE(t *testing.T) {
	tests := []struct{ line, want string }{
		{`{"event_type":"drop","src_ip":"10.0.0.11","src_port":4000,"dest_ip":"fd00::1","dest_port":22,"citygate":{"reason":"no_rule","device":"lobby-1","count":3,"suppressed":1000}}`, "no_rule: 10.0.0.11:4000 -> [fd00::1]:22, 1,003 frames, from lobby-1"},
		{`{"event_type":"drop","citygate":{"reason":"vlan_hop","src_mac":"02:00:00:00:00:66","count":1}}`, "vlan_hop, from 02:00:00:00:00:66"},
		{`{"event_type":"device","citygate":{"device":{"event":"new","mac":"02:00:00:00:00:66","port":"camera","vendor":"Evil\u001b"}}}`, "new 02:00:00:00:00:66 on the camera side, not in the policy, Evil?"},
		{`{"event_type":"device","citygate":{"device":{"event":"new","mac":"02:00:00:00:00:11","port":"camera","listed":true,"name":"lobby-1"}}}`, "new 02:00:00:00:00:11 on the camera side, lobby-1"},
		{`{"event_type":"policy","citygate":{"policy":{"action":"applied","who":"root","generation":3,"summary":"1 added"}}}`, "applied by root, generation 3: 1 added"},
		{`{"event_type":"audit","citygate":{"audit":{"who":"root","verb":"apply","object":"policy","result":"refused"}}}`, "root: apply policy: refused"},
		{`{"event_type":"anomaly","anomaly":{"event":"log_cut"},"citygate":{"object":"audit"}}`, "log_cut audit"},
		{`{"event_type":"stats"}`, ""},
	}
	for _, tt := range tests {
		e, err := parseEVE([]byte(tt.line))
		if err != nil {
			t.Fatal(err)
		}
		if got := e.tell().Text; got != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.line, got, tt.want)
		}
	}
	for _, bad := range []string{`{`, `{"event_type":"device","citygate":{"device":"a name"}}`} {
		if e, err := parseEVE([]byte(bad)); err == nil {
			t.Errorf("%s is %+v", bad, e)
		}
	}
}

func TestEVELog(t *testing.T) {
	var l eveLog
	device := func(event, mac string) eve { return eve{Type: "device", sighting: sighting{Event: event, MAC: mac}} }
	if _, news := l.device("a"); news == nil {
		t.Fatal("a is known before it spoke")
	}
	found := make(chan heard, 1)
	go func() {
		h, err := l.await(t.Context(), "a")
		if err != nil {
			t.Error(err)
		}
		found <- h
	}()
	l.add(device("back", "a"), at)
	l.add(device("new", "b"), at)
	l.add(device("new", "a"), at)
	l.add(device("new", "a"), at.Add(time.Hour))
	if h := <-found; h.at != at || h.MAC != "a" {
		t.Errorf("%+v", h)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.await(ctx, "c"); !errors.Is(err, context.Canceled) {
		t.Errorf("c: %v", err)
	}
	for _, reason := range []string{"vlan_hop", "no_rule", "vlan_hop"} {
		e := eve{Type: "drop"}
		e.Ours.Reason = reason
		l.add(e, at)
	}
	if reasons, n := l.drops(); n != 3 || !reflect.DeepEqual(reasons, []string{"no_rule", "vlan_hop"}) {
		t.Errorf("%d events for %v", n, reasons)
	}
	counters := map[string]uint64{"no_rule": 3, "vlan_hop": 0, "rogue_ra": 1, "cached": 5, "loss:devmap": 1}
	if n, silent := unnamed(counters, []string{"no_rule"}); n != 2 || !reflect.DeepEqual(silent, []string{"rogue_ra"}) {
		t.Errorf("%d reasons, silent %v", n, silent)
	}
}

func TestBlamed(t *testing.T) {
	before := map[string]uint64{"no_rule": 10, "no_state": 5, "cached": 1}
	after := map[string]uint64{"no_rule": 20, "no_state": 5, "cached": 99, "vlan_hop": 2000}
	if n, text := blamed([]string{"wrong_port", "vlan_hop"}, before, after); n != 2010 || text != "vlan_hop 2,000, no_rule 10" {
		t.Errorf("%d, %q", n, text)
	}
	many := map[string]uint64{"malformed_ipv4": 6, "malformed_ipv6": 5, "malformed_arp": 4, "unknown_ethertype": 3, "unknown_device": 2, "source_group": 1}
	if n, text := blamed([]string{"malformed_ethernet"}, nil, many); n != 21 || !strings.HasSuffix(text, " and 2 more") {
		t.Errorf("%d, %q", n, text)
	}
}

func TestFired(t *testing.T) {
	tests := []struct {
		f       fired
		stopped bool
		want    string
	}{
		{fired{sent: 1000, reached: 1000}, true, "0 of 1,000 arrived"},
		{fired{sent: 10, reached: 9}, false, "0 of 10 arrived (9 reached the gateway, the receivers missed 0)"},
		{fired{sent: 10, reached: 10, blind: 1}, false, "0 of 10 arrived (10 reached the gateway, the receivers missed 1)"},
		{fired{sent: 10, reached: 10, arrived: 1, through: []string{"1 vlan_hop"}}, false, "1 of 10 arrived (1 vlan_hop)"},
		{fired{}, false, "0 of 0 arrived"},
	}
	for _, tt := range tests {
		if tt.f.stopped() != tt.stopped || tt.f.String() != tt.want {
			t.Errorf("%+v: stopped %v, %q", tt.f, tt.f.stopped(), tt.f)
		}
	}
}

func TestIntact(t *testing.T) {
	for _, tt := range []struct {
		loss city.Loss
		ok   bool
		want string
	}{
		{city.Loss{Sent: 1500}, true, "0 of 1,500 packets lost"},
		{city.Loss{Sent: 1500, Lost: 1}, false, "1 of 1,500 packets lost"},
		{city.Loss{Sent: 1500, Broken: []string{"a", "b"}}, false, "0 of 1,500 packets lost; broken: a; b"},
		{city.Loss{}, false, "0 of 0 packets lost"},
	} {
		if got, ok := intact(tt.loss); ok != tt.ok || got != tt.want {
			t.Errorf("%+v: %v, %q", tt.loss, ok, got)
		}
	}
}

// TestSummary adds two sessions of a stream, and takes the rate from two looks.
func TestSummary(t *testing.T) {
	session := func(client string, packets, bytes uint64, open bool) city.Stream {
		return city.Stream{
			Received: stream.Received{
				ID:     stream.ID{Transport: stream.UDP, Client: netip.MustParseAddrPort(client)},
				Camera: "yard-1", Open: open, Packets: packets, Bytes: bytes, Missing: 3, SocketDrop: 2,
			},
			VMS: "main", Sent: packets + 5,
		}
	}
	first := []city.Stream{session("[fd00::2]:9", 10, 1000, false), session("[fd00::2]:11", 0, 0, false)}
	second := append(first[:1:1], session("[fd00::2]:11", 20, 126_000, true), session("10.0.0.2:9", 1, 1, true))
	live := summary(second, missing)
	if len(live) != 2 || live[0].Transport != "udp" || live[1].Name() != "yard-1 -> main udp6" {
		t.Fatalf("%+v", live)
	}
	if s := live[1]; s.Sent != 40 || s.Received != 30 || s.Lost != 2 || !s.Open {
		t.Errorf("%+v", s)
	}
	if settled := summary(second, city.Stream.Lost); settled[1].Lost != 6 {
		t.Errorf("%+v", settled[1])
	}
	var r rateMeter
	r.add(summary(first, missing), first, at)
	r.add(live, second, at.Add(time.Second))
	if live[1].Kbps != 1008 {
		t.Errorf("%v kbit/s", live[1].Kbps)
	}
}

func TestCostSince(t *testing.T) {
	before := cost{7, 1000, 10}
	if ns, n, err := (cost{7, 3000, 20}).since(before); ns != 200 || n != 10 || err != nil {
		t.Errorf("%v ns, %d frames, %v", ns, n, err)
	}
	for _, c := range []cost{{8, 3000, 20}, {7, 1000, 10}} {
		if _, _, err := c.since(before); err == nil {
			t.Errorf("%+v since %+v is no error", c, before)
		}
	}
}

func TestDrops(t *testing.T) {
	k := kernel{reasons: map[string]uint64{"no_rule": 2, "arp_spoof": 9, "cached": 100, "vlan_hop": 0, "rogue_ra": 2}}
	want := []Drop{{"arp_spoof", 9}, {"no_rule", 2}, {"rogue_ra", 2}}
	if got := k.drops(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestModel presses the keys that end a demo; others do not.
func TestModel(t *testing.T) {
	for key, want := range map[rune]int{'c': 1, 'x': 0} {
		asked := 0
		var m tea.Model = model{interrupt: func() { asked++ }}
		m, _ = m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
		m, _ = m.Update(midway())
		m, _ = m.Update(tea.KeyPressMsg{Code: key, Mod: tea.ModCtrl})
		if asked != want {
			t.Errorf("ctrl+%c: asked %d times to end, want %d", key, asked, want)
		}
		v := m.View()
		if !v.AltScreen || strings.Contains(v.Content, "ending") != (want == 1) {
			t.Errorf("ctrl+%c: %+v", key, v)
		}
	}
}

func TestSaying(t *testing.T) {
	var s saying
	for range 100 {
		if n, err := s.Write(bytes.Repeat([]byte{'x'}, 1000)); n != 1000 || err != nil {
			t.Fatal(n, err)
		}
	}
	if n := len(s.String()); n != mostSaid {
		t.Errorf("%d bytes are kept", n)
	}
}
