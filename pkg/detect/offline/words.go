package offline

import (
	"fmt"
	"strings"

	"citygate/pkg/detect/offline/job"
	"citygate/pkg/signature"
)

// words say what a rule looks at, in the order in which a reader asks.
func words(s *signature.Signature) (out []job.Word) {
	add := func(what, text string) {
		if text != "" {
			out = append(out, job.Word{What: what, Text: text})
		}
	}
	add("action", actionWords[s.Action])
	add("traffic", traffic(s.Text))
	add("direction", direction(s.Flags))
	add("looked at", lookedAt(s.Flags))
	names := signature.KeywordNames()
	for i := range s.Packet {
		add("condition", keyword(names, &s.Packet[i]))
	}
	for _, l := range s.Lists {
		what := l.Buffer.String()
		for i := range l.Transforms {
			what += ", " + names[l.Transforms[i].Kind]
		}
		for i := range l.Matches {
			add(what, match(names, s, &l.Matches[i]))
		}
	}
	for i := range s.Post {
		add("then", keyword(names, &s.Post[i]))
	}
	for i := range s.Thresholds {
		add("alerts", thresholdWords(&s.Thresholds[i]))
	}
	add("fast pattern", fastPattern(s))
	if s.Target != "" {
		add("attacked", map[string]string{"src_ip": "the source", "dest_ip": "the destination"}[s.Target])
	}
	for _, r := range s.References {
		add("reference", r)
	}
	for _, p := range s.Metadata {
		add("metadata", p.Key+" "+p.Value)
	}
	return out
}

var actionWords = map[signature.Action]string{
	signature.Pass:       "pass: nothing else is inspected in the flow",
	signature.Drop:       "drop: the packet and the rest of its flow, and an alert",
	signature.Reject:     "reject: drop, tell the sender, and an alert",
	signature.RejectDst:  "rejectdst: drop, tell the receiver, and an alert",
	signature.RejectBoth: "rejectboth: drop, tell both ends, and an alert",
	signature.Alert:      "alert",
}

// traffic is the rule's head as its author wrote it, in words.
func traffic(text string) string {
	head, _, _ := strings.Cut(text, "(")
	w := strings.Fields(head)
	if len(w) != 7 {
		return strings.TrimSpace(head) // lists with spaces
	}
	between := map[string]string{"->": "to", "=>": "to and back", "<>": "to or from"}[w[4]]
	return fmt.Sprintf("%s from %s port %s %s %s port %s", w[1], w[2], w[3], between, w[5], w[6])
}

func direction(f signature.Flags) string {
	var out []string
	for _, x := range []struct {
		flag signature.Flags
		text string
	}{
		{signature.ToServer, "from client to server"},
		{signature.ToClient, "from server to client"},
		{signature.Established, "after the handshake"},
		{signature.NotEstablished, "before the handshake is done"},
		{signature.Stateless, "whatever the connection's state"},
		{signature.Bidirectional, "either way"},
		{signature.TransactionTwo, "both ways of one transaction"},
	} {
		if f&x.flag != 0 {
			out = append(out, x.text)
		}
	}
	return strings.Join(out, ", ")
}

func lookedAt(f signature.Flags) string {
	var out []string
	for _, x := range []struct {
		flag signature.Flags
		text string
	}{
		{signature.OnPacket, "single packets"},
		{signature.OnStream, "the stream's bytes"},
		{signature.OnlyStream, "only packets of streams"},
		{signature.NoStream, "only packets of no stream"},
		{signature.OnlyFrag, "only fragments"},
		{signature.NoFrag, "no fragments"},
		{signature.DecodeEvent, "packets that could not be decoded, too"},
		{signature.IPOnly, "addresses only: once in a flow and direction"},
		{signature.ProtocolOnly, "the protocol alone: once, when it becomes known"},
		{signature.NoAlert, "it says nothing, and only remembers"},
		{signature.Bypass, "a match ends the inspection of the flow"},
	} {
		if f&x.flag != 0 {
			out = append(out, x.text)
		}
	}
	return strings.Join(out, ", ")
}

// keyword names a condition; what it compares with stands in the rule's text.
func keyword(names []string, m *signature.Match) string {
	if m.Flags&signature.MatchNot != 0 {
		return "not " + names[m.Kind]
	}
	return names[m.Kind]
}

// match says what a buffer must have.
func match(names []string, s *signature.Signature, m *signature.Match) string {
	c, ok := m.Content()
	if !ok {
		return keyword(names, m)
	}
	text := "has "
	if c.Negated {
		text = "does not have "
	}
	text += quoted(s.Blob[m.Data.Off : m.Data.Off+m.Data.Len])
	if c.NoCase {
		text += " in any case"
	}
	switch {
	case c.StartsWith && c.EndsWith:
		text += ", and nothing else"
	case c.StartsWith:
		text += " at its start"
	case c.EndsWith:
		text += " at its end"
	case c.Relative:
		text += " behind the one before"
	case c.Depth > 0:
		text += fmt.Sprintf(" in bytes %d to %d", c.Offset, c.Offset+c.Depth)
	case c.Offset > 0:
		text += fmt.Sprintf(" from byte %d on", c.Offset)
	}
	return text
}

func thresholdWords(t *signature.Threshold) string {
	by := map[signature.Track]string{
		signature.BySrc: "source", signature.ByDst: "destination", signature.ByRule: "rule", signature.ByPair: "pair of addresses", signature.ByFlow: "flow",
	}[t.Track]
	per := fmt.Sprintf("in %d s per %s", t.Seconds, by)
	switch t.Type {
	case signature.Limit:
		return fmt.Sprintf("the first %d %s", t.Count, per)
	case signature.ThresholdEach:
		return fmt.Sprintf("every %d. match %s", t.Count, per)
	case signature.LimitThreshold:
		return fmt.Sprintf("one, after %d matches %s", t.Count, per)
	case signature.DetectionFilter:
		return fmt.Sprintf("all matches beyond %d %s", t.Count, per)
	case signature.Backoff:
		return fmt.Sprintf("match %d of a %s, then each time after %d times as many", t.Count, by, t.Multiplier)
	}
	return ""
}

// fastPattern is the content by which the engine looks for the rule, if the rule names it.
func fastPattern(s *signature.Signature) string {
	contents := 0
	for _, l := range s.Lists {
		for i := range l.Matches {
			c, ok := l.Matches[i].Content()
			if !ok || c.Negated {
				continue
			}
			contents++
			if c.FastPattern {
				at := l.Matches[i].Data
				return quoted(s.Blob[at.Off:at.Off+at.Len]) + " in " + l.Buffer.String() + ", as the rule says"
			}
		}
	}
	if contents == 0 {
		return "none: the rule is judged on all traffic of its head"
	}
	return "the engine chooses the rarest content"
}

// quoted writes bytes as rules do: what does not print stands in hex between bars.
func quoted(data []byte) string {
	var b strings.Builder
	hex := false
	for _, c := range data {
		plain := c >= ' ' && c < 0x7f && c != '|' && c != '"'
		switch {
		case plain == hex:
			b.WriteByte('|')
			hex = !hex
		case hex:
			b.WriteByte(' ')
		}
		if plain {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%02x", c)
		}
	}
	if hex {
		b.WriteByte('|')
	}
	return `"` + b.String() + `"`
}
