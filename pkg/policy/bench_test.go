package policy

import "testing"

// A full policy, from text to tables.
func BenchmarkFullPolicy(b *testing.B) {
	text := []byte(many(4080, 16, "allow: [{from: servers, to: cameras, services: [rtsp]}]"))
	for b.Loop() {
		p, err := Parse("policy.yaml", text)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Compile(Inputs{}); err != nil {
			b.Fatal(err)
		}
	}
}
