package signature

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"citygate/pkg/app"
	"citygate/pkg/app/layer"
	"citygate/pkg/packet"
	"citygate/pkg/reassembly"
)

var update = flag.Bool("update", false, "rewrite the golden files and docs/reference/keywords.md")

const keywordsPage = "../../docs/reference/keywords.md"

// The page of keywords is made from the tables.
func TestKeywordsPage(t *testing.T) {
	want := keywordsText()
	if *update {
		if err := os.WriteFile(keywordsPage, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(keywordsPage)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the tables say (%v): go test ./pkg/signature -run TestKeywordsPage -update", keywordsPage, err)
	}
}

func keywordsText() []byte {
	var b bytes.Buffer
	b.WriteString(`# Keywords of rules

Made from the tables of pkg/signature and pkg/app/layer; ` + "`go test ./pkg/signature -update`" + ` writes it. The language is Suricata's: a rule that uses a keyword that is not here, or one that is refused, is refused by that name, and the rest is loaded.

` + "```" + `
ACTION PROTOCOL ADDRESS PORT -> ADDRESS PORT (OPTION; OPTION: VALUE; ...)
` + "```" + `

Actions: alert, pass, drop, reject (rejectsrc), rejectdst, rejectboth. Protocols: ip (ip4, ipv4, ip6, ipv6), pkthdr, tcp, tcp-pkt, tcp-stream, udp, icmp, icmpv4, icmpv6, igmp, sctp, gre, esp, ah, `)
	b.WriteString(applicationNames() + ".\n\n")
	b.WriteString("`N` is a number, in decimal or behind 0x in hexadecimal, or a comparison: `N`, `!N`, `<N`, `<=N`, `>N`, `>=N`, `N<>N` and `N-N` (both ends out).\n\n")
	b.WriteString("| keyword | what it is |\n|---|---|\n")
	for _, k := range keywords {
		fmt.Fprintf(&b, "| %s | %s |\n", names(append([]string{k.Name}, k.Aliases...)), cell(k.Doc))
	}
	for _, name := range sortedKeys(legacy) {
		fmt.Fprintf(&b, "| %s | %s, in one word for `%s; content` |\n", names([]string{name}), cell(legacy[name].doc), legacy[name].buffer)
	}
	b.WriteString("\n## Done otherwise than in Suricata\n\n" +
		"- EXTERNAL_NET is any unless it is set; the other variables have Suricata's defaults.\n" +
		"- A negated list is the complement of the list, also where the list has negations of its own, as in `![10.0.0.0/8,!10.1.0.0/16]`.\n" +
		"- Of two rules with one gid and sid the higher rev is used, in whatever order and file they come; the same rev twice is refused.\n" +
		"- `tag`, `prefilter` and `rawbytes` change nothing. Bits of hosts (xbits, hostbits) are kept for 65,536 hosts and pairs; beyond that the one that was not used for the longest time is forgotten, and counted.\n" +
		"- A rule that asks for a newer version, or for a feature or a keyword that is not here (`requires`), is skipped, not refused; the version is 8.0.0.\n")
	b.WriteString("\n## Sticky buffers\n\nThe options behind a sticky buffer are about its value. A content modifier, the older form, moves the content before it. Way is the direction in which the buffer has values; buffers with several values are matched on each.\n\n")
	b.WriteString("| buffer | content modifier | protocols | way | what it is |\n|---|---|---|---|---|\n")
	for i := layer.Buffer(0); i < layer.Buffers; i++ {
		info := i.Info()
		doc := cell(info.Doc)
		if info.Multi {
			doc += "; several values"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", names(append([]string{info.Name}, info.Old...)), names(info.Modify), protoList(info.Protos), wayName(info.Way), doc)
	}
	writeEvents(&b)
	return b.Bytes()
}

func writeEvents(b *bytes.Buffer) {
	b.WriteString("\n## Events\n\ndecode-event: ")
	for e := packet.EventNone + 1; e < packet.EventCount; e++ {
		fmt.Fprintf(b, "%s%v", comma(e > packet.EventNone+1), e)
	}
	b.WriteString(".\n\nstream-event: ")
	for e := reassembly.Event(0); e.String() != "unknown"; e++ {
		fmt.Fprintf(b, "%s%v", comma(e > 0), e)
	}
	b.WriteString(".\n\napp-layer-event: " + strings.Join(app.Events, ", "))
	for _, p := range app.Protocols() {
		for _, e := range p.Events {
			fmt.Fprintf(b, ", %v.%s", p.Proto, e)
		}
	}
	b.WriteString(".\n")
}

func comma(yes bool) string {
	if yes {
		return ", "
	}
	return ""
}

// cell makes a text one cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func names(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return "`" + strings.Join(list, "`, `") + "`"
}

func protoList(list []layer.Proto) string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return strings.Join(out, ", ")
}

func wayName(w layer.Way) string {
	switch w {
	case layer.Request:
		return "request"
	case layer.Response:
		return "response"
	}
	return "both"
}

// A keyword has a name of its own, a sentence, and what its place needs.
func TestKeywordTable(t *testing.T) {
	seen := map[string]string{}
	take := func(name, of string) {
		if other := seen[name]; other != "" && other != of {
			t.Errorf("%s is a name of %s and of %s", name, other, of)
		}
		seen[name] = of
	}
	for _, k := range keywords {
		for _, name := range append([]string{k.Name}, k.Aliases...) {
			take(name, k.Name)
			if name != strings.ToLower(name) {
				t.Errorf("%s is not in small letters", name)
			}
		}
		judged := k.Where != Meta && k.Where != OnValue && k != &uricontent // which becomes a content
		if k.Doc == "" || k.Parse == nil || judged != (k.Eval != nil || k.Find != nil) || (k.Where == OnValue) != (k.Apply != nil) {
			t.Errorf("%s: doc %q, where %d, and what that needs", k.Name, k.Doc, k.Where)
		}
	}
	for name := range legacy {
		take(name, "the older keywords")
	}
	for i := layer.Buffer(0); i < layer.Buffers; i++ {
		for _, name := range append([]string{i.Info().Name}, i.Info().Old...) {
			take(name, "buffers")
		}
	}
}
