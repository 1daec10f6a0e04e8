package policy

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const docs = "../../docs/reference/"

// The reference page has every key, role and service, with its ports.
func TestReferencePage(t *testing.T) {
	text, err := os.ReadFile(docs + "policy.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, keys := range [][]string{deviceKeys, groupKeys, allowKeys, multicastKeys} {
		for _, key := range keys {
			if !strings.Contains(page, "`"+key+"`") {
				t.Errorf("policy.md does not explain the key %s", key)
			}
		}
	}
	for _, key := range topKeys {
		if !strings.Contains(page, "\n## "+key+"\n") {
			t.Errorf("policy.md has no section %s", key)
		}
	}
	for _, r := range Roles {
		if row := fmt.Sprintf("| `%s` | %v | %s |", r.Name, r.Side, r.About); !strings.Contains(page, row) {
			t.Errorf("policy.md lacks the row %s", row)
		}
	}
	for i := range builtin {
		s := &builtin[i]
		if row := fmt.Sprintf("| `%s` | %s |", s.Name, strings.ReplaceAll(s.portList(), ",", ", ")); !strings.Contains(page, row) {
			t.Errorf("policy.md lacks the row %s", row)
		}
		for _, g := range s.Groups {
			if g != broadcast[0] && !strings.Contains(page, g.String()) {
				t.Errorf("policy.md does not say that %s opens %v", s.Name, g)
			}
		}
	}
	example := page[strings.Index(page, "```yaml\n")+8:]
	if _, err := Parse("policy.md", []byte(example[:strings.Index(example, "```")])); err != nil {
		t.Errorf("the example of policy.md: %v", err)
	}
}

// schema is the part of a JSON Schema that the tables of keys decide.
type schema struct {
	Properties           map[string]schema
	AdditionalProperties json.RawMessage
	Items                *schema
	AnyOf                []schema
	Enum                 []any
}

func (s schema) keys() []string {
	var keys []string
	for k := range s.Properties {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// values is the schema of a map's values.
func (s schema) values(t *testing.T) schema {
	t.Helper()
	var v schema
	if err := json.Unmarshal(s.AdditionalProperties, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSchema(t *testing.T) {
	text, err := os.ReadFile(docs + "policy.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var top schema
	if err := json.Unmarshal(text, &top); err != nil {
		t.Fatal(err)
	}
	device, group := top.Properties["devices"].values(t), top.Properties["groups"].values(t)
	allow, multicast := *top.Properties["allow"].Items, *top.Properties["multicast"].Items
	for _, test := range []struct {
		of   string
		got  schema
		want []string
	}{
		{"the file", top, topKeys},
		{"a device", device, deviceKeys},
		{"a group", group, groupKeys},
		{"an allow line", allow, allowKeys},
		{"a multicast line", multicast, multicastKeys},
	} {
		want := slices.Sorted(slices.Values(test.want))
		if !slices.Equal(test.got.keys(), want) {
			t.Errorf("%s: the schema has the keys %v, the parser %v", test.of, test.got.keys(), want)
		}
		if string(test.got.AdditionalProperties) != "false" {
			t.Errorf("%s: the schema allows unknown keys", test.of)
		}
	}
	var roles, services []any
	for _, r := range Roles {
		roles = append(roles, string(r.Name))
	}
	for _, s := range BuiltinServices() {
		services = append(services, s.Name)
	}
	for of, got := range map[string][]any{"device": device.Properties["role"].Enum, "group": group.Properties["role"].Enum} {
		if !slices.Equal(got, roles) {
			t.Errorf("role of a %s: the schema has %v, the table %v", of, got, roles)
		}
	}
	for of, line := range map[string]schema{"allow": allow, "multicast": multicast} {
		if got := line.Properties["services"].Items.AnyOf[0].Enum; !slices.Equal(got, services) {
			t.Errorf("services of %s: the schema has %v, the table %v", of, got, services)
		}
	}
}

// The example of the reference, the table and the parser agree on what a service's name may be.
func TestServiceTable(t *testing.T) {
	seen := make(map[string]bool)
	for i := range builtin {
		s := &builtin[i]
		if seen[s.Name] || !nameForm.MatchString(s.Name) || len(s.Ports) == 0 || len(s.Ports) > maxRanges || s.About == "" {
			t.Errorf("service %+v: its name is here twice or no name, or it has no ports or no text", s)
		}
		seen[s.Name] = true
		if s.Answer != "" && builtinService(s.Answer) == nil {
			t.Errorf("%s is answered by %s, which is no service", s.Name, s.Answer)
		}
		for _, r := range s.Ports {
			if back, err := ParsePorts(r.String()); err != nil || back != r {
				t.Errorf("%s: %v reads back as %v, %v", s.Name, r, back, err)
			}
		}
	}
}
