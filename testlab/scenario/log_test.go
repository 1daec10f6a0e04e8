//go:build lab

package scenario

import (
	"testing"

	"citygate/pkg/control/api"
	"citygate/pkg/flow"
)

// TestLogVerify checks the durable log after an attack, a death and a new start.
func TestLogVerify(t *testing.T) {
	s := raise(t)
	s.attack("wrong_port", flow.CameraSide, 500)
	s.must(s.gateway.Kill(s.ctx))
	s.verified()
	s.must(s.gateway.Start(s.ctx))
	s.attack("wrong_peer", flow.ServerSide, 500)
	s.verified()
}

func (s *story) verified() {
	s.Helper()
	var v api.Verified
	s.must(s.gateway.Ask(s.ctx, &v, "log", "verify"))
	if !v.OK || v.Records == 0 {
		s.Errorf("log verify: %+v", v)
	}
}
