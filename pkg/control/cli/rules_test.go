package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRulesCheck(t *testing.T) {
	d := newDesk(t)
	d.write("bad.rules", `# rules with errors
alert tcp any any -> any any (msg:"a"; nonsense; sid:10;)
alert tcp any any -> any any (msg:"b"; nonsense; sid:11;)
alert tcp any any -> any any (msg:"c"; content:"x; sid:12;)
alert tcp any any -> any any (msg:"d"; sid:13;)
alert tcp any any -> any any (msg:"e"; sid:13;)
alert tcp any any -> any any (msg:"f"; requires:version >= 99; sid:14;)
`)
	if code := d.run("rules check test.rules bad.rules"); code != ExitNo || d.errs.Len() > 0 {
		t.Errorf("exit code %d: %s", code, &d.errs)
	}
	golden(t, "rules_check", d.out.Bytes())
	if code := d.run("rules check --json test.rules bad.rules"); code != ExitNo {
		t.Errorf("exit code %d: %s", code, &d.errs)
	}
	var c rulesCheck
	if err := json.Unmarshal(d.out.Bytes(), &c); err != nil || c.Rules != 8 || c.Loaded != 3 || len(c.Refused) != 4 || c.Skipped != 1 ||
		c.Refused[0].File != "bad.rules" || c.Refused[0].Line != 2 || c.Refused[0].SID != 10 || c.Refused[0].Keyword != "nonsense" {
		t.Errorf("%v, %+v", err, c)
	}
	if code := d.run("rules check test.rules"); code != ExitOK || d.out.String() != "2 rules: 2 loaded, 0 refused\n" {
		t.Errorf("exit code %d: %s", code, &d.out)
	}
	if code := d.run("rules check --json test.rules"); code != ExitOK || !strings.Contains(d.out.String(), `"refused": []`) {
		t.Errorf("exit code %d: %s", code, &d.out)
	}
	if code := d.run("rules check"); code != ExitOK {
		t.Errorf("the rules that ship: exit code %d: %s", code, &d.out)
	}
}

func TestRulesList(t *testing.T) {
	d := newDesk(t)
	if code := d.run("rules list -S test.rules"); code != ExitOK {
		t.Errorf("exit code %d: %s", code, &d.errs)
	}
	golden(t, "rules_list", d.out.Bytes())
	for words, want := range map[string]string{"--sid 2": "word", "--grep LOGIN": "log-in", "--class attempted-recon": "log-in"} {
		if code := d.run("rules list -S test.rules " + words); code != ExitOK || strings.Count(d.out.String(), "\n") != 2 || !strings.Contains(d.out.String(), want) {
			t.Errorf("%s: exit code %d: %s", words, code, &d.out)
		}
	}
	if code := d.run("rules list -S test.rules --json --sid 77"); code != ExitOK || d.out.String() != "[]\n" {
		t.Errorf("exit code %d: %s", code, &d.out)
	}
}

func TestRulesShow(t *testing.T) {
	d := newDesk(t)
	if code := d.run("rules show 1 -S test.rules"); code != ExitOK {
		t.Errorf("exit code %d: %s", code, &d.errs)
	}
	golden(t, "rules_show", d.out.Bytes())
	if code := d.run("rules show 3 -S test.rules"); code != ExitNo || d.errs.String() != "no rule that loads has the sid 3\n" {
		t.Errorf("exit code %d: %s", code, &d.errs)
	}
	d.write("bad.rules", "alert tcp any any -> any any (nonsense; sid:3;)\n")
	if code := d.run("rules show 3 -S bad.rules"); code != ExitNo || !strings.Contains(d.errs.String(), "refused: bad.rules:1: sid 3: nonsense: ") {
		t.Errorf("exit code %d: %s", code, &d.errs)
	}
}

func TestRulesTest(t *testing.T) {
	d := newDesk(t)
	trial := func(sid, expect, clean string) {
		d.write("tests/"+sid+"/capture.pcap", string(testCapture(t, "/login?password")))
		d.write("tests/"+sid+"/expect.json", expect)
		d.write("tests/"+sid+"/clean.pcap", string(testCapture(t, clean)))
	}
	trial("1", `{"alerts":[{"sid":1,"count":1},{"sid":2,"count":1}]}`, "/index")
	trial("2", `{"alerts":[{"sid":2,"count":1}]}`, "/login")
	d.write("tests/2/settings", "# ours\nstream.midstream=yes\n")
	d.write("tests/README", "not a rule")
	if code := d.run("rules test tests -S test.rules"); code != ExitOK || d.out.String() != "ok    1\nok    2\n2 rules tested, 0 wrong\n" {
		t.Errorf("exit code %d: %s %s", code, &d.out, &d.errs)
	}
	trial("1", `{"alerts":[{"sid":1,"count":3}]}`, "/login")
	const want = "WRONG 1 sid 1: 1 alerts, want 3; sid 1: 1 alerts on clean.pcap, want none\nok    2\n2 rules tested, 1 wrong\n"
	if code := d.run("rules test tests -S test.rules"); code != ExitNo || d.out.String() != want {
		t.Errorf("exit code %d: %s", code, &d.out)
	}
	if code := d.run("rules test tests -S test.rules --json"); code != ExitNo || !json.Valid(d.out.Bytes()) {
		t.Errorf("exit code %d: %s", code, &d.out)
	}
	d.write("tests/2/settings", "nonsense=1\n")
	if code := d.run("rules test tests -S test.rules"); code != ExitError || !strings.Contains(d.errs.String(), "rule 2: --set nonsense: unknown key") {
		t.Errorf("exit code %d: %s", code, &d.errs)
	}
}
