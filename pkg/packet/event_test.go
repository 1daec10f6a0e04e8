package packet

import (
	"strings"
	"testing"
)

func TestEventNames(t *testing.T) {
	seen := map[string]Event{}
	for e := EventNone; e < EventCount; e++ {
		name := e.String()
		if name == "" || strings.HasPrefix(name, eventPrefix) || e.EVE() != eventPrefix+name {
			t.Errorf("event %d: name %q, in EVE %q", e, name, e.EVE())
		}
		if other, ok := seen[name]; ok {
			t.Errorf("events %d and %d are both %s", other, e, name)
		}
		seen[name] = e
		if e == EventNone {
			continue
		}
		for _, n := range []string{name, e.EVE()} {
			if got, ok := EventByName(n); got != e || !ok {
				t.Errorf("EventByName(%q) = %d, %v; want %d", n, got, ok, e)
			}
		}
	}
	for _, n := range []string{"", "none", "decoder.none", "ipv4", "IPV4.trunc_pkt", "decoder.decoder.ipv4.trunc_pkt"} {
		if e, ok := EventByName(n); ok {
			t.Errorf("EventByName(%q) = %v", n, e)
		}
	}
	if EventCount.String() != "none" {
		t.Errorf("an unknown event is %v", EventCount)
	}
}

func TestEvents(t *testing.T) {
	var s, o Events
	if s.Any() {
		t.Error("an empty set has any")
	}
	last := EventCount - 1
	s.Add(EthernetTooSmall)
	o.Add(last)
	o.Add(EventCount) // no event: ignored
	o.Add(255)
	s.Merge(o)
	for e := EventNone; e < EventCount; e++ {
		if s.Has(e) != (e == EthernetTooSmall || e == last) {
			t.Errorf("%v: %v", e, s.Has(e))
		}
	}
	if !s.Any() || s.Has(EventCount) || s.Has(255) {
		t.Errorf("set %x", s)
	}
}
