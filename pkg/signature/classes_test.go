package signature

import (
	"strings"
	"testing"
)

func TestReadClasses(t *testing.T) {
	c := DefaultClasses()
	if c["trojan-activity"] != (Class{"A Network Trojan was detected", 1}) || c["protocol-command-decode"].Description != "Generic Protocol Command Decode" {
		t.Errorf("defaults %v", c)
	}
	text := "# a comment\n\nconfig classification: camera-attack,An attack, on a camera,1\r\nconfig  classification : Unknown,Nobody knows,4\n"
	if err := c.ReadClasses("classification.config", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if c["camera-attack"] != (Class{"An attack, on a camera", 1}) || c["unknown"] != (Class{"Nobody knows", 4}) {
		t.Errorf("got %v, %v", c["camera-attack"], c["unknown"])
	}
	if DefaultClasses()["unknown"].Priority != 3 {
		t.Error("reading changed the defaults")
	}
	for _, wrong := range []string{"config reference: a b", "config classification: a,b", "config classification: a,b,0", "config classification: ,b,1", "x"} {
		err := c.ReadClasses("c", strings.NewReader("\n"+wrong))
		if err == nil || !strings.HasPrefix(err.Error(), "c:2: ") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestReadReferences(t *testing.T) {
	r := DefaultReferences()
	if err := ReadReferences("r", strings.NewReader("config reference: ADVISORY https://example.org/a/\n"), r); err != nil {
		t.Fatal(err)
	}
	env := NewEnv()
	env.References = r
	s, err := Parse("f", 1, `alert tcp any any -> any any (reference:advisory,7; reference:strange,8; sid:1;)`, env)
	if err != nil || strings.Join(s.References, " ") != "https://example.org/a/7 strange:8" {
		t.Errorf("%v, %v", s, err)
	}
	for _, wrong := range []string{"config reference: a", "config classification: a b", "reference a b"} {
		if err := ReadReferences("r", strings.NewReader(wrong), r); err == nil || !strings.HasPrefix(err.Error(), "r:1: ") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestClasstype(t *testing.T) {
	tests := []struct {
		options  string
		class    string
		priority uint32
	}{
		{"", "", 3},
		{"classtype:attempted-recon;", "Attempted Information Leak", 2},
		{"classtype:Attempted-Recon;", "Attempted Information Leak", 2},
		{"classtype:attempted-recon; priority:7;", "Attempted Information Leak", 7},
		{"priority:7; classtype:attempted-recon;", "Attempted Information Leak", 7},
		{"classtype:never-heard-of;", "", 3},
	}
	for _, test := range tests {
		s := parse(t, "alert tcp any any -> any any ("+test.options+" sid:1;)")
		if s.Classtype != test.class || s.Priority != test.priority {
			t.Errorf("%s: %q, %d", test.options, s.Classtype, s.Priority)
		}
	}
}
