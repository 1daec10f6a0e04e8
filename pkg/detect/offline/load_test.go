package offline

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"citygate/pkg/detect/offline/job"
)

func check(files ...string) *job.Answer {
	a, _ := run(&job.Job{Verb: job.Check, Refusals: 3}, nil, files...)
	return a
}

// Each kind of error refuses its rule, by place, number and keyword; the rest loads.
func TestCheck(t *testing.T) {
	for rule, want := range map[string]string{
		`alert tcp any any -> any any (nonsense; sid:9;)`:                          "nonsense",
		`alert tcp any any -> any any (content:"a; sid:9;)`:                        "content",
		`alert tcp any any -> any any (content:"|zz|"; sid:9;)`:                    "content",
		`alert nonsense any any -> any any (sid:9;)`:                               "protocol",
		`alert tcp $NOBODY any -> any any (sid:9;)`:                                "address",
		`alert tcp any 99999 -> any any (sid:9;)`:                                  "port",
		`shout tcp any any -> any any (sid:9;)`:                                    "action",
		`alert tcp any any any any (sid:9;)`:                                       "syntax",
		`alert tcp any any -> any any sid:9;`:                                      "syntax",
		`alert tcp any any -> any any (pcre:"/(/"; sid:9;)`:                        "pcre",
		`alert tcp any any -> any any (dataset:isset,x,type string; sid:9;)`:       "dataset",
		`alert tcp any any -> any any (sid:1; rev:2;)`:                             "sid",
		`alert tcp any any -> any any (msg:"` + strings.Repeat("x", 1<<20) + `";)`: "syntax",
		"\xff alert (": "syntax",
		"alert \x00 (": "syntax",
	} {
		a := check("rules", "# a comment\n"+loginRules+"\r\n"+rule+"\n"+`alert tcp any any -> any any (sid:4;)`)
		l := a.Rules
		if a.Error != "" || l.Rules != 5 || l.Loaded != 4 || l.Refused != 1 || len(l.Refusals) != 1 {
			t.Errorf("%.60s: %s %+v", rule, a.Error, l)
			continue
		}
		if r := l.Refusals[0]; r.Keyword != want || r.Line != 6 || r.File != "rules-0" || r.Reason == "" {
			t.Errorf("%.60s: refused for %+v, want %s", rule, r, want)
		}
	}
}

func TestCheckCounts(t *testing.T) {
	var rules strings.Builder
	for n := range 20 {
		fmt.Fprintf(&rules, "alert tcp any any -> any any (nonsense%d; sid:%d;)\n", n%2, n+1)
	}
	rules.WriteString("alert tcp any any -> any any (nonsense1; sid:50;)\nalert tcp any any -> any any (requires:version >= 99; sid:51;)\n")
	rules.WriteString("alert tcp any any -> any any (sid:52; rev:1;)\nalert tcp any any -> any any (sid:52; rev:2;)\n")
	l := check("rules", rules.String()).Rules
	want := []job.Keyword{{Name: "nonsense1", Rules: 11}, {Name: "nonsense0", Rules: 10}}
	if l.Rules != 24 || l.Loaded != 1 || l.Replaced != 1 || l.Skipped != 1 || l.Refused != 21 || len(l.Refusals) != 3 || !slices.Equal(l.Keywords, want) {
		t.Errorf("got %+v", l)
	}
}

// What belongs to rules is read; an error in it names file and line.
func TestCheckFiles(t *testing.T) {
	const rule = `alert tcp any any -> any any (msg:"x"; classtype:mine; reference:ours,1; sid:7;)`
	for name, c := range map[string]struct {
		files   []string
		loaded  int
		problem string
	}{
		"classes":           {[]string{"rules", rule, "classification.config", "config classification: mine,Mine,1\n", "reference.config", "config reference: ours https://x/\n"}, 1, ""},
		"disabled":          {[]string{"rules", loginRules, "disable.conf", "1\nre:evil\n"}, 1, ""},
		"enabled":           {[]string{"rules", "# alert tcp any any -> any any (sid:8;)", "enable.conf", "8\n"}, 1, ""},
		"dropped":           {[]string{"rules", loginRules, "drop.conf", "1\n"}, 3, ""},
		"modified":          {[]string{"rules", loginRules, "modify.conf", `2 "sid:2" "sid:22"`}, 3, ""},
		"thresholds":        {[]string{"rules", loginRules, "threshold.config", "suppress gen_id 1, sig_id 1\n"}, 3, ""},
		"a wrong threshold": {[]string{"rules", loginRules, "threshold.config", "\nsuppress gen_id x\n"}, 0, "threshold.config-1:2: "},
		"a wrong class":     {[]string{"rules", loginRules, "classification.config", "nonsense\n"}, 0, "classification.config-1:1: "},
		"a wrong reference": {[]string{"rules", loginRules, "reference.config", "nonsense\n"}, 0, "reference.config-1:1: "},
		"a wrong disable":   {[]string{"rules", loginRules, "disable.conf", "filename:x\n"}, 0, "disable.conf:1: "},
		"twice":             {[]string{"disable.conf", "1", "disable.conf", "2"}, 0, "disable.conf-1 is a second or unknown disable.conf"},
		"unknown":           {[]string{"nonsense", "1"}, 0, "nonsense-0 is a second or unknown nonsense"},
	} {
		a := check(c.files...)
		if a.Rules.Loaded != c.loaded || !strings.Contains(a.Error, c.problem) || (a.Error == "") != (c.problem == "") {
			t.Errorf("%s: %q, %+v", name, a.Error, a.Rules)
		}
	}
}

func TestList(t *testing.T) {
	for name, c := range map[string]struct {
		job  job.Job
		want []uint32
	}{
		"all":           {job.Job{}, []uint32{1, 2, 3}},
		"by sid":        {job.Job{SIDs: []uint32{3, 2, 77}}, []uint32{2, 3}},
		"by expression": {job.Job{Grep: "PASS|/login"}, []uint32{1, 2}},
		"by class":      {job.Job{Class: "trojan-activity"}, nil},
		"by both":       {job.Job{Grep: "evil", SIDs: []uint32{1}}, nil},
	} {
		c.job.Verb = job.List
		a, _ := run(&c.job, nil, "rules", loginRules)
		var got []uint32
		for _, r := range a.List {
			got = append(got, r.SID)
		}
		if a.Error != "" || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %s", name, got, a.Error)
		}
	}
	if a, _ := run(&job.Job{Verb: job.List, Grep: "("}, nil); !strings.HasPrefix(a.Error, "--grep: ") {
		t.Errorf("got %q", a.Error)
	}
}

func TestWords(t *testing.T) {
	const rule = `drop http $HOME_NET any -> any 80 (msg:"m"; flow:established,to_server; http.uri; content:"/a|00 01|b"; startswith; fast_pattern;
http.user_agent; content:!"x"; nocase; http.host; to_lowercase; content:"q"; offset:2; depth:5; threshold:type limit,track by_src,count 1,seconds 60; sid:5; reference:cve,2020-1; metadata:a b;)`
	a, _ := run(&job.Job{Verb: job.List, SIDs: []uint32{5}, Words: true}, nil, "rules", strings.ReplaceAll(rule, "\n", " "))
	if len(a.List) != 1 {
		t.Fatalf("got %+v", a)
	}
	var got strings.Builder
	for _, w := range a.List[0].Words {
		fmt.Fprintf(&got, "%s: %s\n", w.What, w.Text)
	}
	for _, want := range []string{
		"action: drop: the packet and the rest of its flow, and an alert\n",
		"traffic: http from $HOME_NET port any to any port 80\n",
		"direction: from client to server, after the handshake\n",
		`http.uri: has "/a|00 01|b" at its start` + "\n",
		`http.user_agent: does not have "x" in any case` + "\n",
		`http.host, to_lowercase: has "q" in bytes 2 to 7` + "\n",
		"alerts: the first 1 in 60 s per source\n",
		`fast pattern: "/a|00 01|b" in http.uri, as the rule says` + "\n",
		"metadata: a b\n",
	} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("want %q in\n%s", want, &got)
		}
	}
}

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{"": `""`, "ab": `"ab"`, "\x00": `"|00|"`, "a\x00\x01b|": `"a|00 01|b|7c|"`, `"`: `"|22|"`} {
		if got := quoted([]byte(in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// A job that does not fit its files, or means nothing, is refused.
func TestDoRefuses(t *testing.T) {
	for _, c := range []struct {
		job  job.Job
		want string
	}{
		{job.Job{Verb: "dance"}, `nothing is known of "dance"`},
		{job.Job{Verb: job.Check, Files: make([]job.File, 2)}, "0 files of 2 were given"},
		{job.Job{Verb: job.Replay}, "there is no file for events"},
		{job.Job{Verb: job.Check, Set: []string{"x=1"}}, "--set x: unknown key"},
	} {
		if a := Do(&c.job, bytes.NewReader(nil), nil); !strings.HasPrefix(a.Error, c.want) {
			t.Errorf("got %q, want %s", a.Error, c.want)
		}
	}
	if a := Do(&job.Job{Verb: job.Keys}, nil, nil); len(a.Keys) == 0 {
		t.Errorf("got %+v", a)
	}
}
