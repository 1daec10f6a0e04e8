//go:build lab

package scenario

import (
	"strings"
	"testing"

	"citygate/pkg/control/api"
)

// TestWhy asks the gateway about five-tuples, and holds its answers.
func TestWhy(t *testing.T) {
	s := raise(t)
	tests := []struct {
		src, dst, proto string
		verdict, reason string
		line            string // of the policy, or of what would change it
	}{
		{"10.0.0.2:40000", "10.0.0.11:554", "tcp", "pass", "policy", "rtsp"},
		{"10.0.0.11:554", "10.0.0.2:40000", "tcp", "pass", "reply", "rtsp"},
		{"10.0.0.11:8000", "10.0.0.2:40000", "udp", "pass", "policy", "rtp"},
		{"10.7.0.2:40000", "10.0.0.12:554", "tcp", "pass", "policy", "remote"},
		{"[fd00:10::2]:40000", "[fd00:10::13]:554", "tcp", "pass", "policy", "rtsp"},
		{"10.0.0.11:40000", "10.0.0.2:22", "tcp", "drop", "no_rule", "ssh"},
		{"10.0.0.2:40000", "10.0.0.11:23", "tcp", "drop", "no_rule", "telnet"},
		{"10.0.0.11:40000", "10.0.0.12:80", "tcp", "drop", "same_side", ""},
		{"10.0.0.66:40000", "10.0.0.2:80", "tcp", "drop", "unknown_device", ""},
	}
	for _, tt := range tests {
		t.Run(tt.src+"_"+tt.dst+"_"+tt.proto, func(t *testing.T) {
			var w api.Why
			if err := s.gateway.Ask(s.ctx, &w, "why", "flow", tt.src, tt.dst, tt.proto); err != nil {
				t.Fatal(err)
			}
			told := w.Change
			if w.Rule != nil {
				told += w.Rule.Text
			}
			if w.Verdict != tt.verdict || w.Reason != tt.reason || !strings.Contains(told, tt.line) || w.Text == "" {
				t.Errorf("%s by %s (%s), %q; want %s by %s, with %q", w.Verdict, w.Reason, w.Text, told, tt.verdict, tt.reason, tt.line)
			}
		})
	}
}
