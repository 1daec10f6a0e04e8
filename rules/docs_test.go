package rules_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

const page = "../docs/reference/rules.md"

// tables is the line of the page behind which the tables stand.
const tables = "## The rules\n"

var (
	ofMessage   = regexp.MustCompile(`msg:"((?:[^"\\]|\\.)*)"`)
	ofSID       = regexp.MustCompile(`\bsid:(\d+);`)
	ofReference = regexp.MustCompile(`reference:(\w+),([^;]+);`)
)

// TestDocs holds the tables of docs/reference/rules.md to the files of rules: they are made from the comments above the rules.
func TestDocs(t *testing.T) {
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := strings.Cut(string(have), tables)
	if !ok {
		t.Fatalf("%s has no line %q", page, tables)
	}
	var want bytes.Buffer
	want.WriteString(head + tables)
	for _, f := range shipped(t) {
		fmt.Fprintf(&want, "\n### %s\n\n| sid | message | what it means | reference |\n|---|---|---|---|\n", f.Name)
		describe(t, &want, f.Name, bufio.NewScanner(f))
	}
	if *update {
		if err := os.WriteFile(page, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(have) != want.String() {
		t.Errorf("%s is not what the rules say: run go test ./rules -update", page)
	}
}

// describe writes a line for every rule of a file: what it means is the comment above it.
func describe(t *testing.T, to *bytes.Buffer, file string, lines *bufio.Scanner) {
	t.Helper()
	meaning := ""
	for lines.Scan() {
		line := lines.Text()
		if comment, ok := strings.CutPrefix(line, "# "); ok {
			meaning = strings.TrimSpace(meaning + " " + comment)
			continue
		}
		if line != "" {
			sid, message := ofSID.FindStringSubmatch(line), ofMessage.FindStringSubmatch(line)
			if sid == nil || message == nil {
				t.Errorf("%s: no rule: %s", file, line)
				continue
			}
			if meaning == "" {
				t.Errorf("%s: %s has no comment above it that says what it means", file, sid[1])
			}
			cell := strings.NewReplacer("|", `\|`)
			fmt.Fprintf(to, "| %s | %s | %s | %s |\n", sid[1], cell.Replace(message[1]), cell.Replace(meaning), references(line))
		}
		meaning = ""
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// references are links to what a rule refers to.
func references(rule string) string {
	var links []string
	for _, m := range ofReference.FindAllStringSubmatch(rule, -1) {
		switch system, id := m[1], m[2]; system {
		case "cve":
			links = append(links, fmt.Sprintf("[CVE-%s](https://nvd.nist.gov/vuln/detail/CVE-%s)", id, id))
		default:
			host, _, _ := strings.Cut(id, "/")
			links = append(links, fmt.Sprintf("[%s](https://%s)", host, id))
		}
	}
	return strings.Join(links, ", ")
}
