//go:build lab

package scenario

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"citygate/pkg/control/api"
	"citygate/testlab/gateway"
	"citygate/testlab/topology"
)

// swaps is how many policies are applied; CITYGATE_SOAK asks for the whole thousand.
func swaps() int {
	if os.Getenv("CITYGATE_SOAK") != "" {
		return 1000
	}
	return 100
}

// TestPolicySwaps applies one policy after the other while the streams play: none of their packets is lost.
func TestPolicySwaps(t *testing.T) {
	s := raise(t)
	client := api.NewClient(gateway.Socket)
	s.intact(func() {
		start := time.Now()
		for i := range swaps() {
			extra := fmt.Sprintf(`attic-%d: {mac: "02:00:00:00:02:%02x", ip: [10.0.0.%d], role: camera}`, i, i%256, 100+i%100)
			var a api.PolicyApply
			s.must(client.Do(s.ctx, "POST", "/v1/policy/apply", api.PolicyRequest{Text: gateway.Policy(extra), File: "swap.yaml"}, &a))
			if !a.Applied {
				t.Fatalf("swap %d: %+v", i, a)
			}
		}
		t.Logf("%d policies in %v", swaps(), time.Since(start))
	})
}

// apply gives the gateway another policy by its command.
func (s *story) apply(text string, args ...string) {
	s.Helper()
	s.must(gateway.WritePolicy(text))
	out, err := s.gateway.CLI(s.ctx, append([]string{"policy", "apply", gateway.PolicyFile}, args...)...)
	s.must(err)
	if out.Code != 0 {
		s.Fatalf("policy apply: exit code %d: %s%s", out.Code, out.Stdout, out.Stderr)
	}
}

// without is the policy less one camera.
func without(camera string) string {
	var kept []string
	for line := range strings.Lines(gateway.Policy()) {
		if !strings.HasPrefix(line, "  "+camera+":") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// arrivals is how many packets of a camera the servers have received.
func (s *story) arrivals(camera string) uint64 {
	s.Helper()
	streams, err := s.city.Streams(s.ctx)
	s.must(err)
	n := uint64(0)
	for _, st := range streams {
		if st.Camera == camera {
			n += st.Packets
		}
	}
	return n
}

// silent checks that nothing of a camera arrives; what was under way may.
func (s *story) silent(camera string) {
	s.Helper()
	s.wait(300 * time.Millisecond)
	before := s.arrivals(camera)
	s.wait(time.Second)
	if n := s.arrivals(camera) - before; n > 0 {
		s.Errorf("%d packets of %s arrived", n, camera)
	}
}

// TestPolicyTakesEffect takes a camera out of the policy: its running streams end at once, the others do not notice.
// Then the policy that was not confirmed goes back by itself.
func TestPolicyTakesEffect(t *testing.T) {
	s := raise(t)
	s.apply(without("lobby-1"), "--confirm-within", "5s")
	s.silent("lobby-1")
	before := s.arrivals("gate-1")
	s.eventually(3*time.Second, func() error {
		if s.arrivals("gate-1") == before {
			return fmt.Errorf("gate-1 is silent too")
		}
		return nil
	})
	s.awaitStreams()
}

// TestBadPolicy refuses what is wrong and keeps what is running.
func TestBadPolicy(t *testing.T) {
	s := raise(t)
	s.intact(func() {
		s.must(gateway.WritePolicy(gateway.Policy(`lobby-1: {mac: "02:00:00:00:00:11", ip: [10.0.0.11], role: camera}`)))
		out, err := s.gateway.CLI(s.ctx, "policy", "apply", gateway.PolicyFile)
		s.must(err)
		if out.Code != 1 || !strings.Contains(out.Stderr, "lobby-1") {
			t.Errorf("exit code %d: %s%s", out.Code, out.Stdout, out.Stderr)
		}
		s.wait(time.Second)
	})
}

// TestBlocks isolates a camera by hand and lets it go again.
func TestBlocks(t *testing.T) {
	s := raise(t)
	var b api.Block
	main, lobby := topology.Find(topology.Main).Addr4().String(), topology.Find("lobby-1").Addr4().String()
	remote := topology.Find(topology.Remote).Addr4().String()
	for _, server := range []string{main, remote} {
		s.must(s.gateway.Ask(s.ctx, &b, "blocks", "add", lobby, server, "--for", "10m", "--reason", "a story"))
	}
	s.silent("lobby-1")
	s.must(s.gateway.Kill(s.ctx))
	s.silent("lobby-1")
	s.must(s.gateway.Start(s.ctx))
	s.silent("lobby-1")
	for _, server := range []string{main, remote} {
		s.must(s.gateway.Ask(s.ctx, &b, "blocks", "lift", lobby, server))
	}
	s.awaitStreams()
}
