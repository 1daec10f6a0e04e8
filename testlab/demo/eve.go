package demo

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// eve is what the demo reads of an EVE record.
type eve struct {
	Timestamp string `json:"timestamp"`
	Type      string `json:"event_type"`
	SrcIP     string `json:"src_ip"`
	SrcPort   uint16 `json:"src_port"`
	DestIP    string `json:"dest_ip"`
	DestPort  uint16 `json:"dest_port"`
	Proto     string `json:"proto"`
	Anomaly   struct {
		Event string `json:"event"`
	} `json:"anomaly"`
	Ours struct {
		Device     json.RawMessage `json:"device"` // an object in a device event, a name in others
		SrcMAC     string          `json:"src_mac"`
		Reason     string          `json:"reason"`
		Count      uint64          `json:"count"`
		Suppressed uint64          `json:"suppressed"`
		Object     string          `json:"object"`
		Policy     struct {
			Action     string `json:"action"`
			Generation uint32 `json:"generation"`
			Who        string `json:"who"`
			Summary    string `json:"summary"`
		} `json:"policy"`
		Audit struct {
			Who    string `json:"who"`
			Verb   string `json:"verb"`
			Object string `json:"object"`
			Result string `json:"result"`
		} `json:"audit"`
	} `json:"citygate"`
	sighting sighting
}

// sighting is what a device event is about.
type sighting struct {
	Event  string `json:"event"`
	MAC    string `json:"mac"`
	IP     string `json:"ip"`
	Port   string `json:"port"`
	Vendor string `json:"vendor"`
	Name   string `json:"name"`
	Listed bool   `json:"listed"`
}

// parseEVE reads a line of eve.json.
func parseEVE(line []byte) (eve, error) {
	var e eve
	if err := json.Unmarshal(line, &e); err != nil {
		return eve{}, fmt.Errorf("read an event: %w", err)
	}
	if e.Type == "device" {
		if err := json.Unmarshal(e.Ours.Device, &e.sighting); err != nil {
			return eve{}, fmt.Errorf("read a device event: %w", err)
		}
	}
	return e, nil
}

// short is the event in a line; empty for those that would only fill the screen.
func (e eve) short() string {
	o := e.Ours
	switch e.Type {
	case "drop":
		return e.drop()
	case "device":
		return e.sighting.String()
	case "policy":
		return strings.TrimSpace(fmt.Sprintf("%s by %s, generation %d: %s", o.Policy.Action, o.Policy.Who, o.Policy.Generation, o.Policy.Summary))
	case "audit":
		return fmt.Sprintf("%s: %s %s: %s", o.Audit.Who, o.Audit.Verb, o.Audit.Object, o.Audit.Result)
	case "anomaly":
		return strings.TrimSpace(e.Anomaly.Event + " " + o.Object)
	}
	return ""
}

func (e eve) drop() string {
	var name string
	_ = json.Unmarshal(e.Ours.Device, &name) // it stays empty: the sender is unknown
	if name == "" {
		name = e.Ours.SrcMAC
	}
	text := e.Ours.Reason
	if e.DestIP != "" {
		text += ": " + end(e.SrcIP, e.SrcPort) + " -> " + end(e.DestIP, e.DestPort)
	}
	if n := e.Ours.Count + e.Ours.Suppressed; n > 1 {
		text += fmt.Sprintf(", %s frames", number(n))
	}
	return text + ", from " + name
}

func end(ip string, port uint16) string {
	switch {
	case port == 0:
		return ip
	case strings.Contains(ip, ":"):
		return fmt.Sprintf("[%s]:%d", ip, port)
	}
	return fmt.Sprintf("%s:%d", ip, port)
}

func (d sighting) String() string {
	who := "not in the policy"
	if d.Listed {
		who = d.Name
	}
	text := fmt.Sprintf("%s %s on the %s side, %s", d.Event, d.MAC, d.Port, who)
	if d.Vendor != "" {
		text += ", " + d.Vendor
	}
	return text
}

// tell makes a line of the screen of it.
func (e eve) tell() Event {
	at, err := time.Parse("2006-01-02T15:04:05.999999999-0700", e.Timestamp)
	if err != nil {
		at = time.Now()
	}
	return Event{Time: at, Type: e.Type, Text: harmless(e.short())}
}

// harmless replaces what a device might have put into its name to play with a terminal.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// mostSeen bounds what a check may say, in cells.
const mostSeen = 400

// oneLine makes a cell of the scorecard of what a program or an error said.
func oneLine(s string) string {
	return ansi.Truncate(harmless(strings.Join(strings.Fields(s), " ")), mostSeen, "…")
}
