package verdict

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The BPF program and user space must speak of the same reasons by the same numbers.
func TestReasonsMatchBPF(t *testing.T) {
	src, err := os.ReadFile("../../bpf/reason.h")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`X\((\w+), "([^"]+)"\)`).FindAllStringSubmatch(string(src), -1)
	if len(lines) != Reasons {
		t.Fatalf("bpf/reason.h has %d reasons, pkg/verdict %d", len(lines), Reasons)
	}
	for i, l := range lines {
		r := Reason(i)
		if r.String() != strings.ToLower(l[1]) || r.Text() != l[2] {
			t.Errorf("reason %d: bpf %q %q, Go %q %q", i, l[1], l[2], r, r.Text())
		}
		if back, ok := ParseReason(r.String()); !ok || back != r {
			t.Errorf("ParseReason(%q) = %v, %v", r, back, ok)
		}
	}
}
