package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestEVEGolden(t *testing.T) {
	var got bytes.Buffer
	for _, e := range samples {
		got.Write(append(EVE(e, "school-14"), '\n'))
	}
	const path = "testdata/eve.golden"
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("EVE lines differ from %s (-update rewrites it):\n%s", path, got.Bytes())
	}
}

// suricataFields are the names that Suricata's schema allows where we use them: top level, then our event types' objects.
var suricataFields = map[string]string{
	"": "timestamp flow_id in_iface event_type vlan src_ip src_port dest_ip dest_port proto ip_v icmp_type icmp_code " +
		"community_id host drop flow tcp stats anomaly citygate",
	"drop":    "len ttl hoplimit syn ack psh rst urg fin reason verdict",
	"verdict": "action",
	"flow":    "pkts_toserver pkts_toclient bytes_toserver bytes_toclient start end age state reason alerted",
	"tcp":     "tcp_flags tcp_flags_ts tcp_flags_tc",
	"stats":   "uptime capture decoder ips",
	"capture": "kernel_packets kernel_drops",
	"decoder": "pkts bytes",
	"ips":     "accepted blocked rejected",
	"anomaly": "type event",
}

func TestFieldNames(t *testing.T) {
	for _, e := range samples {
		var record map[string]any
		if err := json.Unmarshal(EVE(e, "school-14"), &record); err != nil {
			t.Fatal(err)
		}
		if _, ok := record["citygate"]; !ok {
			t.Errorf("%v: no citygate object", e.EventType())
		}
		delete(record, "citygate")
		checkNames(t, "", record)
	}
}

func checkNames(t *testing.T, object string, fields map[string]any) {
	allowed := strings.Fields(suricataFields[object])
	for name, value := range fields {
		found := false
		for _, a := range allowed {
			found = found || a == name
		}
		if !found {
			t.Errorf("%s.%s is not Suricata's", object, name)
		}
		if inner, ok := value.(map[string]any); ok {
			checkNames(t, name, inner)
		}
	}
}

// validate reads the schema's path as its argument and EVE lines from standard input.
const validate = `
import json, sys
from jsonschema import Draft202012Validator
check = Draft202012Validator(json.load(open(sys.argv[1])))
count = 0
for line in sys.stdin:
    record = json.loads(line)
    if record["event_type"] not in ("drop", "flow", "stats", "anomaly"):
        continue
    count += 1
    del record["citygate"]
    for e in check.iter_errors(record):
        print(record["event_type"], list(e.path), e.message)
print("checked", count)
`

// Suricata's own schema is the judge of our drop, flow, stats and anomaly records, our object taken off.
func TestSuricataSchema(t *testing.T) {
	const schema = "../../../shared/data/eve/schema.json"
	if _, err := os.Stat(schema); err != nil {
		t.Skip("Suricata's schema.json is not beside the repository")
	}
	if err := exec.Command("python3", "-c", "import jsonschema").Run(); err != nil {
		t.Skip("python3 with jsonschema is not installed")
	}
	in, err := os.ReadFile("testdata/eve.golden")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", "-c", validate, schema)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		t.Fatalf("%v: %s", err, exit.Stderr)
	}
	if string(out) != "checked 8\n" {
		t.Errorf("the schema refuses:\n%s", out)
	}
}

// The reference page names every event type, every field of ours and every word of Device, Flow, Policy and Audit events.
func TestReferencePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/events.md")
	if err != nil {
		t.Fatal(err)
	}
	words := []string{
		DeviceNew, DeviceBack, DeviceAddressChanged, PolicyApplied, PolicyConfirmed, PolicyReverted, PolicyRefused, AuditAllowed, AuditDenied,
		AuditFailed, FlowNew, FlowEstablished, FlowClosed, FlowTimeout, FlowShutdown, AnomalyDecode, AnomalyStream, AnomalyBox,
	}
	for _, typ := range Types() {
		words = append(words, typ.String())
	}
	for _, e := range samples {
		var record map[string]any
		if err := json.Unmarshal(EVE(e, "school-14"), &record); err != nil {
			t.Fatal(err)
		}
		words = append(words, names(record)...)
	}
	for _, w := range words {
		if !bytes.Contains(page, []byte("`"+w+"`")) {
			t.Errorf("docs/reference/events.md does not explain `%s`", w)
		}
	}
}

// names lists the names of all fields in v, at any depth.
func names(v any) (all []string) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			all = append(append(all, name), names(inner)...)
		}
	case []any:
		for _, inner := range v {
			all = append(all, names(inner)...)
		}
	}
	return all
}

func TestFlowID(t *testing.T) {
	id := flowID(rtsp, 10, "cctv")
	if back := flowID(rtsp.Reverse(), 10, "cctv"); back != id {
		t.Errorf("the directions differ: %d and %d", id, back)
	}
	if id == 0 || id >= 1<<53 {
		t.Errorf("%d does not fit 53 bits", id)
	}
	other := rtsp
	other.SrcPort++
	if flowID(other, 10, "cctv") == id || flowID(rtsp, 11, "cctv") == id || flowID(rtsp, 10, "plant") == id {
		t.Error("different flows have one id")
	}
}
