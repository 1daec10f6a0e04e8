package config

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

const docs = "../../docs/reference/"

func TestReferencePage(t *testing.T) {
	text, err := os.ReadFile(docs + "config.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, keys := range [][]string{topKeys, bridgeKeys, managementKeys} {
		for _, key := range keys {
			if !strings.Contains(page, "`"+key+"`") && !strings.Contains(page, "`"+key+".name`") {
				t.Errorf("config.md does not explain the key %s", key)
			}
		}
	}
	for _, value := range []string{DefaultFile, DefaultStateDir, DefaultLogDir, DefaultRunDir, DefaultBPFDir, "47100"} {
		if !strings.Contains(page, value) {
			t.Errorf("config.md lacks the default %s", value)
		}
	}
	example := page[strings.Index(page, "```yaml\n")+8:]
	if _, err := Parse("config.md", []byte(example[:strings.Index(example, "```")]), noEnv); err != nil {
		t.Errorf("the example of config.md: %v", err)
	}
}

// schema is the part of a JSON Schema that the tables of keys decide.
type schema struct {
	Properties           map[string]schema
	Items                *schema
	AdditionalProperties *bool
	Default              any
}

func TestSchema(t *testing.T) {
	text, err := os.ReadFile(docs + "citygate.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var top schema
	if err := json.Unmarshal(text, &top); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		of   string
		got  schema
		want []string
	}{
		{"the file", top, topKeys},
		{"site", top.Properties["site"], siteKeys},
		{"a bridge", *top.Properties["bridges"].Items, bridgeKeys},
		{"management", top.Properties["management"], managementKeys},
	} {
		var keys []string
		for k := range test.got.Properties {
			keys = append(keys, k)
		}
		if slices.Sort(keys); !slices.Equal(keys, slices.Sorted(slices.Values(test.want))) {
			t.Errorf("%s: the schema has the keys %v, the parser %v", test.of, keys, test.want)
		}
		if test.got.AdditionalProperties == nil || *test.got.AdditionalProperties {
			t.Errorf("%s: the schema allows unknown keys", test.of)
		}
	}
	for key, want := range map[string]any{"state_dir": DefaultStateDir, "log_dir": DefaultLogDir, "run_dir": DefaultRunDir, "bpf_dir": DefaultBPFDir, "uid_base": float64(DefaultUIDBase)} {
		if got := top.Properties[key].Default; got != want {
			t.Errorf("%s: the schema's default is %v, the parser's %v", key, got, want)
		}
	}
}
