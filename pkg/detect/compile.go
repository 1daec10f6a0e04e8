package detect

import (
	"slices"
	"strings"

	"citygate/pkg/app/layer"
	"citygate/pkg/signature"
)

// Set is what is compiled: signatures in the order in which they are judged (signature.Sort), and what they share.
type Set struct {
	Signatures []*signature.Signature
	Symbols    *signature.Symbols
	Thresholds []signature.ThresholdRule // threshold.config
}

// Compile lays a set of rules out as an image.
func Compile(s Set) []byte {
	c := &compiler{strings: map[string]signature.Span{}, sets: map[string]uint32{}}
	c.addresses = append(c.addresses, addresses{}) // number 0 is any
	c.ports = append(c.ports, span{})
	c.groups = append(c.groups, group{}) // number 0 is none
	for _, sig := range s.Signatures {
		c.signature(sig, s.Thresholds)
	}
	c.assemble(s.Signatures)
	for _, r := range s.Symbols.Regexes.List {
		c.regexes = append(c.regexes, c.text(r))
	}
	c.numbers = []uint32{
		uint32(len(s.Symbols.Flowbits.List)), uint32(len(s.Symbols.Flowints.List)),
		uint32(len(s.Symbols.Xbits.List)), uint32(len(s.Symbols.Hostbits.List)),
	}
	return layout([sectionCount][]byte{
		inBlob: c.blob, inSignatures: bytesOf(c.records), inLists: bytesOf(c.lists), inMatches: bytesOf(c.matches),
		inThresholds: bytesOf(c.thresholds), inAddresses: bytesOf(c.addresses), inRange4: bytesOf(c.range4),
		inRange6: bytesOf(c.range6), inPorts: bytesOf(c.ports), inPortRanges: bytesOf(c.portRanges),
		inGroups: bytesOf(c.groups), inMembers: bytesOf(c.members), inTables: c.tables,
		inPortIndex: bytesOf(c.portIndex), inPortEntries: bytesOf(c.portEntries), inViews: bytesOf(c.views),
		inProtocols: bytesOf(c.protocols), inNumbers: bytesOf(c.numbers), inRegexes: bytesOf(c.regexes),
	})
}

type compiler struct {
	blob        []byte
	records     []record
	lists       []list
	matches     []signature.Match
	thresholds  []threshold
	addresses   []addresses
	range4      []signature.Range4
	range6      []signature.Range6
	ports       []span
	portRanges  []signature.PortRange
	groups      []group
	members     []uint32
	tables      []byte
	portIndex   []portIndex
	portEntries []portEntry
	views       []view
	protocols   []protocol
	numbers     []uint32
	regexes     []signature.Span

	strings map[string]signature.Span
	sets    map[string]uint32 // sets of addresses and ports by their bytes
}

// signature lays one signature out.
func (c *compiler) signature(s *signature.Signature, config []signature.ThresholdRule) {
	base := uint32(len(c.blob))
	c.blob = append(c.blob, s.Blob...)
	r := record{
		Protocols: s.Protocols, Flags: s.Flags, GID: s.GID, SID: s.SID, Rev: s.Rev, Priority: s.Priority,
		Src: c.addressSet(&s.Src), Dst: c.addressSet(&s.Dst), SrcPort: c.portSet(s.SrcPort), DstPort: c.portSet(s.DstPort),
		Msg: c.text(s.Msg), Classtype: c.text(s.Classtype), Text: c.text(s.Text), File: c.text(s.File),
		Line: uint32(s.Line), Action: s.Action, App: uint8(s.App),
		Metadata: c.text(metadataJSON(s.Metadata)), References: c.text(listJSON(s.References)),
		Way: wayOf(s), scope: scopeOf(s),
	}
	switch s.Target {
	case "src_ip":
		r.Target = 1
	case "dest_ip":
		r.Target = 2
	}
	r.Packet = c.matchList(s.Packet, base)
	r.Lists = span{uint32(len(c.lists)), uint32(len(s.Lists))}
	for _, l := range s.Lists {
		c.lists = append(c.lists, list{
			Buffer: uint8(l.Buffer), Way: l.Way, Transforms: c.matchList(l.Transforms, base), Matches: c.matchList(l.Matches, base),
		})
	}
	r.Post = c.matchList(s.Post, base)
	c.thresholdsOf(&r, s, config)
	c.records = append(c.records, r)
}

func (c *compiler) matchList(ms []signature.Match, base uint32) span {
	s := span{uint32(len(c.matches)), uint32(len(ms))}
	for _, m := range ms {
		if m.Data.Len > 0 {
			m.Data.Off += base
		}
		c.matches = append(c.matches, m)
	}
	return s
}

// thresholdsOf takes the rule's own thresholds, unless threshold.config says something of the same kind about it.
func (c *compiler) thresholdsOf(r *record, s *signature.Signature, config []signature.ThresholdRule) {
	all, replaced := []signature.Threshold{}, false
	for _, t := range config {
		if (t.GID == 0 || t.GID == s.GID) && (t.SID == 0 || t.SID == s.SID) {
			counts := t.Type != signature.Suppress && t.Type != signature.RateFilter
			if counts && t.SID == 0 && len(s.Thresholds) > 0 {
				continue // a rule's own threshold is worth more than one for all
			}
			replaced = replaced || counts
			all = append(all, t.Threshold)
		}
	}
	for _, t := range s.Thresholds {
		if t.Type == signature.DetectionFilter || !replaced {
			all = append(all, t)
		}
	}
	slices.SortStableFunc(all, func(a, b signature.Threshold) int { return thresholdOrder(a.Type) - thresholdOrder(b.Type) })
	r.Thresholds = span{uint32(len(c.thresholds)), uint32(len(all))}
	for _, t := range all {
		c.thresholds = append(c.thresholds, threshold{
			Type: t.Type, Track: t.Track, NewAction: t.NewAction, Distinct: t.Distinct, AnyIP: flag(t.AnyIP),
			Count: t.Count, Seconds: t.Seconds, Timeout: t.Timeout, Multiplier: t.Multiplier, IPs: c.addressSet(&t.IPs),
		})
	}
}

// thresholdOrder: what suppresses comes before what counts.
func thresholdOrder(t signature.ThresholdType) int {
	switch t {
	case signature.Suppress:
		return 0
	case signature.DetectionFilter:
		return 1
	case signature.RateFilter:
		return 2
	}
	return 3
}

func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func (c *compiler) text(s string) signature.Span {
	if s == "" {
		return signature.Span{}
	}
	if at, ok := c.strings[s]; ok {
		return at
	}
	at := signature.Span{Off: uint32(len(c.blob)), Len: uint32(len(s))}
	c.blob = append(c.blob, s...)
	c.strings[s] = at
	return at
}

// addressSet gives the number of a set of addresses; sets that are equal share one.
func (c *compiler) addressSet(a *signature.Addresses) uint32 {
	if anyAddress(a) {
		return 0
	}
	key := "a" + string(bytesOf(a.V4)) + "/" + string(bytesOf(a.V6))
	if n, ok := c.sets[key]; ok {
		return n
	}
	n := uint32(len(c.addresses))
	c.addresses = append(c.addresses, addresses{
		V4: span{uint32(len(c.range4)), uint32(len(a.V4))}, V6: span{uint32(len(c.range6)), uint32(len(a.V6))},
	})
	c.range4, c.range6 = append(c.range4, a.V4...), append(c.range6, a.V6...)
	c.sets[key] = n
	return n
}

func anyAddress(a *signature.Addresses) bool {
	return len(a.V4) == 1 && a.V4[0] == signature.Range4{Lo: 0, Hi: 1<<32 - 1} &&
		len(a.V6) == 1 && a.V6[0].Lo == [16]byte{} && a.V6[0].Hi == [16]byte(slices.Repeat([]byte{0xff}, 16))
}

func anyPort(p signature.Ports) bool {
	return len(p) == 1 && p[0] == signature.PortRange{Lo: 0, Hi: 65535}
}

func (c *compiler) portSet(p signature.Ports) uint32 {
	if anyPort(p) {
		return 0
	}
	key := "p" + string(bytesOf([]signature.PortRange(p)))
	if n, ok := c.sets[key]; ok {
		return n
	}
	n := uint32(len(c.ports))
	c.ports = append(c.ports, span{uint32(len(c.portRanges)), uint32(len(p))})
	c.portRanges = append(c.portRanges, p...)
	c.sets[key] = n
	return n
}

// wayOf says on which paths a signature is judged.
func wayOf(s *signature.Signature) (w way) {
	payload, tx := false, false
	for _, l := range s.Lists {
		if l.Buffer.Packet() {
			payload = true
		} else {
			tx = true
		}
	}
	switch {
	case tx || s.Flags&signature.AppEvent != 0 && s.App != layer.Unknown:
		return onTx
	case s.Flags&signature.IPOnly != 0:
		return onAddress
	case payload && s.Flags&signature.OnStream != 0:
		w = onStream
		if s.Flags&signature.OnPacket != 0 || !onlyTCP(s.Protocols) {
			w |= onPacket
		}
		return w
	}
	return onPacket
}

func onlyTCP(p signature.Protocols) bool {
	var tcp signature.Protocols
	tcp.Add(6)
	return p == tcp
}

// scopeOf: a signature that looks at more than one packet decides for the flow, and so does one that looks at the ends
// only.
func scopeOf(s *signature.Signature) uint8 {
	const judged = signature.ToServer | signature.ToClient | signature.Established | signature.NotEstablished |
		signature.Stateless | signature.OnlyStream | signature.NoStream | signature.OnlyFrag | signature.NoFrag
	header := len(s.Packet) == 0 && len(s.Lists) == 0 && s.Flags&judged == 0
	if header || wayOf(s)&(onTx|onStream|onAddress) != 0 || s.App != layer.Unknown {
		return scopeFlow
	}
	return scopePacket
}

// metadataJSON is the inside of EVE's alert.metadata: values by key, keys in order.
func metadataJSON(pairs []signature.Pair) string {
	if len(pairs) == 0 {
		return ""
	}
	keys, values := []string{}, map[string][]string{}
	for _, p := range pairs {
		if values[p.Key] == nil {
			keys = append(keys, p.Key)
		}
		values[p.Key] = append(values[p.Key], p.Value)
	}
	slices.Sort(keys)
	o := layer.NewObject(nil)
	for _, k := range keys {
		o.Array(strings.ReplaceAll(k, `"`, ""))
		for _, v := range values[k] {
			o.Item(v)
		}
		o.EndArray()
	}
	return string(o.Bytes())
}

func listJSON(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	o := layer.NewObject(nil)
	for _, t := range texts {
		o.Item(t)
	}
	return string(o.Bytes())
}
