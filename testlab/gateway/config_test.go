package gateway

import (
	"testing"

	"citygate/pkg/config"
	"citygate/pkg/policy"
)

// TestTexts checks the lab's config and policy by the product's own parsers.
func TestTexts(t *testing.T) {
	for _, mode := range []string{"enforce", "monitor"} {
		if _, err := config.Parse("citygate.yaml", []byte(Config(mode)), func(string) (string, bool) { return "", false }); err != nil {
			t.Errorf("config in mode %s: %v", mode, err)
		}
	}
	for _, text := range []string{Policy(), Policy(`attic-1: {mac: "02:00:00:00:00:66", ip: [10.0.0.66], role: camera}`)} {
		if _, err := policy.Parse("policy.yaml", []byte(text)); err != nil {
			t.Errorf("policy: %v\n%s", err, text)
		}
	}
}
