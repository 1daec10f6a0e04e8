package signature

import (
	"fmt"
	"strings"
	"testing"
)

func tuning(t *testing.T, disable, enable, drop, modify string) *Tuning {
	t.Helper()
	tu, err := ReadTuning(strings.NewReader(disable), strings.NewReader(enable), strings.NewReader(drop), strings.NewReader(modify))
	if err != nil {
		t.Fatal(err)
	}
	return tu
}

func TestTuning(t *testing.T) {
	const one, off = `alert tcp any any -> any any (msg:"ET one"; sid:1; metadata:affected Camera, tag x;)`, `# alert tcp any any -> any any (msg:"off"; sid:2;)`
	tests := []struct {
		name                          string
		disable, enable, drop, modify string
		file, line                    string
		text                          string
		on                            bool
	}{
		{name: "nothing", line: one, text: one, on: true},
		{name: "by sid", disable: "7, 1:1", line: one, text: one},
		{name: "another gid", disable: "2:1", line: one, text: one, on: true},
		{name: "by group", disable: "group:emerging-scan.rules", file: "/x/emerging-scan.rules", line: one, text: one},
		{name: "by pattern of groups", disable: "group:emerging-*", file: "emerging-scan.rules", line: one, text: one},
		{name: "another group", disable: "group:scan", file: "emerging-scan.rules", line: one, text: one, on: true},
		{name: "by expression", disable: "re:msg:\"et ", line: one, text: one},
		{name: "by metadata", disable: "metadata: affected camera", line: one, text: one},
		{name: "by other metadata", disable: "metadata: affected switch", line: one, text: one, on: true},
		{name: "off", line: off, text: off[2:]},
		{name: "enabled", enable: "2", line: off, text: off[2:], on: true},
		{name: "enabled wins", disable: "1", enable: "1", line: one, text: one, on: true},
		{name: "dropped", drop: "1", line: one, text: "drop" + one[5:], on: true},
		{name: "silent rules stay", drop: "1", line: `alert tcp any any -> any any (noalert; sid:1;)`, text: `alert tcp any any -> any any (noalert; sid:1;)`, on: true},
		{name: "modified", modify: `1 "any any \(" "any [80,$HTTP_PORTS] ("`, line: one, text: strings.Replace(one, "any any (", "any [80,$HTTP_PORTS] (", 1), on: true},
		{name: "modified with a group", modify: `re:et "msg:\"(\w+) one" "msg:\"\1 two"`, line: one, text: strings.Replace(one, "ET one", "ET two", 1), on: true},
		{name: "modified to drop", modify: `modifysid 1 "^alert" | "drop"`, line: one, text: "drop" + one[5:], on: true},
		{name: "modified and dropped", modify: `1 "one" "two"`, drop: `re:two`, line: one, text: "drop" + strings.Replace(one, "one", "two", 1)[5:], on: true},
		{name: "a comment", enable: "re:.", line: "# alert: this is no rule", text: ""},
		{name: "an empty line", line: "", text: ""},
		{name: "nonsense is for the reading to refuse", line: "nonsense", text: "nonsense", on: true},
	}
	for _, test := range tests {
		tu := tuning(t, test.disable, test.enable, test.drop, test.modify)
		if text, on := tu.Apply(test.file, test.line); text != test.text || on != test.on {
			t.Errorf("%s: %v %s\nwant %v %s", test.name, on, text, test.on, test.text)
		}
	}
}

func TestTuningRefused(t *testing.T) {
	for _, line := range []string{"x", "1:x", "0", "re:", "re:(", "re:a(?=b)", "re:a(?<!b)", `re:(?P<n>a)(?P=n)`, "group:", "group:[", "metadata: alone", "filename:x"} {
		if _, err := ReadTuning(strings.NewReader("\n"+line), nil, nil, nil); err == nil || !strings.HasPrefix(err.Error(), "disable.conf:2: ") {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, line := range []string{"1", `1 "a"`, `1 a b`, `"a" "b"`, `1 "(" "b"`, `1 "a" "\1"`, `1 "a" "\g<1"`, `x "a" "b"`, `1 "a(?=b)" "c"`} {
		if _, err := ReadTuning(nil, nil, nil, strings.NewReader(line)); err == nil || !strings.HasPrefix(err.Error(), "modify.conf:1: ") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestReadTuned(t *testing.T) {
	text := "# alert tcp any any -> any any (msg:\"a\"; sid:1;)\nalert tcp any any -> any any (msg:\"b\"; sid:2;)\nalert tcp any any -> any any (msg:\"c\"; sid:3;)\n"
	rules := Rules{Tuning: tuning(t, "2", "1", "3", "")}
	if err := rules.Read("f", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range rules.Signatures {
		got = append(got, fmt.Sprint(s.Action, " ", s.Msg))
	}
	if fmt.Sprint(got) != "[alert a drop c]" || len(rules.Refused) != 0 {
		t.Errorf("%v, refused %v", got, rules.Refused)
	}
}
