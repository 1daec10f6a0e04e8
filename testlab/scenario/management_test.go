//go:build lab

package scenario

import (
	"os/exec"
	"strings"
	"testing"

	"citygate/testlab/topology"
)

// TestManagement knocks at the gateway's management port: what the config names answers, the rest does not.
func TestManagement(t *testing.T) {
	s := raise(t)
	tests := []struct{ host, port, want string }{
		{"admin", "22", "refused"}, // allowed, and nobody listens
		{"admin", "8443", "refused"},
		{"admin", "80", "timed out"},
		{"admin", "9999", "timed out"},
	}
	for _, tt := range tests {
		// bash alone can knock without further tools.
		out, err := s.city.Run(s.ctx, tt.host, "timeout", "1", "bash", "-c", "exec 3<>/dev/tcp/10.9.0.1/"+tt.port)
		s.must(err)
		got := "connected"
		switch {
		case out.Code == 124:
			got = "timed out"
		case strings.Contains(out.Stderr, "refused"):
			got = "refused"
		}
		if got != tt.want {
			t.Errorf("port %s from %s: %s, want %s: %s", tt.port, tt.host, got, tt.want, out.Stderr)
		}
	}
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("nft: not installed")
	}
	out, err := s.city.Run(s.ctx, topology.GatewayHost, "nft", "list", "table", "inet", "citygate")
	s.must(err)
	if !strings.Contains(out.Stdout, "policy drop") {
		t.Errorf("nft: %s%s", out.Stdout, out.Stderr)
	}
}
