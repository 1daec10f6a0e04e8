package journal

import (
	"encoding/json"
	"slices"
	"time"
)

// Filter chooses EVE lines. Its zero value matches all.
type Filter struct {
	Types []string // event_type; empty = all
	Since time.Time
}

// Match reports whether a line is wanted. A line that is no EVE record is not, unless everything is.
func (f Filter) Match(line []byte) bool {
	if len(f.Types) == 0 && f.Since.IsZero() {
		return true
	}
	var r struct {
		EventType string `json:"event_type"`
		Timestamp string `json:"timestamp"`
	}
	if json.Unmarshal(line, &r) != nil {
		return false
	}
	if len(f.Types) > 0 && !slices.Contains(f.Types, r.EventType) {
		return false
	}
	if f.Since.IsZero() {
		return true
	}
	at, err := time.Parse("2006-01-02T15:04:05.999999999-0700", r.Timestamp)
	return err == nil && !at.Before(f.Since)
}
