package main

import (
	"fmt"
	"net/netip"
	"strings"

	"citygate/pkg/app/layer"
	"citygate/pkg/detect"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/reassembly"
	"citygate/pkg/signature"
	"citygate/testlab/forge"
)

// alert is which rule spoke and between which ends.
type alert struct {
	sid  int
	a, b netip.Addr
}

// alerts collects them, without order of the ends.
type alerts map[alert]int

func (s alerts) add(sid int, a, b netip.Addr) {
	if b.Less(a) {
		a, b = b, a
	}
	s[alert{sid, a, b}]++
}

// of counts the alerts of a story's rule between its ends.
func (s alerts) of(t *story) int {
	a, b := t.src.Addr(), t.dst.Addr()
	if b.Less(a) {
		a, b = b, a
	}
	return s[alert{t.rule.sid, a, b}]
}

// Alert takes an alert of the engine.
func (s alerts) Alert(a *detect.Alert) {
	s.add(int(a.Rule.SID()), a.Packet.Headers.Tuple.Src, a.Packet.Headers.Tuple.Dst)
}
func (s alerts) Anomaly(*detect.Packet, detect.Anomaly) {}
func (s alerts) Drop(*detect.Packet, string)            {}
func (s alerts) Flow(*detect.Flow)                      {}
func (s alerts) Transaction(*detect.Packet, *detect.Flow, layer.Proto, layer.Tx, flow.Direction) {
}

// audible is a rule's text without what keeps it from alerting.
func (r *rule) audible() string {
	text := r.text
	for _, o := range []string{"flowbits:noalert;", "flowbits: noalert;", "noalert;"} {
		text = strings.Replace(text, o, "", 1)
	}
	return text
}

// load makes the engine's rules of texts.
func load(texts []string) (*detect.Rules, error) {
	var set signature.Rules
	if err := set.Read("sample.rules", strings.NewReader(strings.Join(texts, "\n"))); err != nil {
		return nil, err
	}
	if len(set.Refused) > 0 && len(texts) < 100 {
		return nil, fmt.Errorf("refused: %s: %s", set.Refused[0].Keyword, set.Refused[0].Reason)
	}
	signature.Sort(set.Signatures)
	return detect.Open(detect.Compile(detect.Set{Signatures: set.Signatures, Symbols: set.Env.Symbols}))
}

// inspect gives a capture to the engine.
func inspect(r *detect.Rules, c *forge.Capture) alerts {
	out := alerts{}
	e := detect.New(detect.Config{Checksums: true, Streams: reassembly.Config{DropInvalid: true, Depth: reassembly.DefaultDepth}}, r, out)
	for _, f := range c.Frames {
		e.Packet(packet.Record{Data: f.Data, Time: f.Time, Length: len(f.Data), Link: packet.LinkEthernet})
	}
	e.Close()
	return out
}
