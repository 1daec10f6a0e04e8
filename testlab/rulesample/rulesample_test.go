package main

import (
	"bytes"
	"strings"
	"testing"
)

// The shipped rules answer right to traffic that is made from their texts; the generator knows little of RTSP.
func TestShippedRules(t *testing.T) {
	var out, progress bytes.Buffer
	err := run([]string{"-rules", "../../rules", "-count", "40", "-seed", "5", "-need", "0.9", "-dir", t.TempDir()}, &out, &progress)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "right ") {
		t.Errorf("no score: %s", out.String())
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{{"-count", "0"}, {"-seed", "x"}, {"-frobnicate"}} {
		if _, err := parse(args, &bytes.Buffer{}); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}
