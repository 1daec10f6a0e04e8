package detect

import (
	"fmt"

	"citygate/pkg/app/layer"
	"citygate/pkg/signature"
)

// check looks whether every place in an image lies inside of it, so that evaluation need not.
func (r *Rules) check() error {
	c := checker{r: r, keywords: len(signature.KeywordNames())}
	if len(r.addresses) == 0 || len(r.ports) == 0 || len(r.groups) == 0 || len(r.portIndex) != portIndexes ||
		len(r.protocols) != listCount || len(r.numbers) != 4 {
		return fmt.Errorf("%w: a table is missing", errImage)
	}
	for i := range r.records {
		c.record(&r.records[i])
	}
	for i := range r.lists {
		l := &r.lists[i]
		c.span(l.Transforms, len(r.matches))
		c.span(l.Matches, len(r.matches))
		c.below(uint32(l.Buffer), int(layer.Buffers))
	}
	for i := range r.matches {
		m := &r.matches[i]
		c.text(m.Data)
		c.below(uint32(m.Kind), c.keywords)
	}
	for i := range r.thresholds {
		c.below(r.thresholds[i].IPs, len(r.addresses))
	}
	for i := range r.addresses {
		c.span(r.addresses[i].V4, len(r.range4))
		c.span(r.addresses[i].V6, len(r.range6))
	}
	for _, p := range r.ports {
		c.span(p, len(r.portRanges))
	}
	c.grouping()
	if c.bad != "" {
		return fmt.Errorf("%w: a %s lies outside", errImage, c.bad)
	}
	return nil
}

// checker remembers the first thing that lies outside.
type checker struct {
	r        *Rules
	keywords int
	bad      string
}

func (c *checker) fail(what string) {
	if c.bad == "" {
		c.bad = what
	}
}

func (c *checker) span(s span, n int) {
	if uint64(s.First)+uint64(s.N) > uint64(n) {
		c.fail("list")
	}
}

func (c *checker) text(s signature.Span) {
	if uint64(s.Off)+uint64(s.Len) > uint64(len(c.r.blob)) {
		c.fail("text")
	}
}

func (c *checker) below(i uint32, n int) {
	if uint64(i) >= uint64(n) {
		c.fail("number")
	}
}

func (c *checker) record(s *record) {
	r := c.r
	c.span(s.Packet, len(r.matches))
	c.span(s.Post, len(r.matches))
	c.span(s.Lists, len(r.lists))
	c.span(s.Thresholds, len(r.thresholds))
	for _, t := range []signature.Span{s.Msg, s.Classtype, s.Metadata, s.References, s.Text, s.File} {
		c.text(t)
	}
	c.below(s.Src, len(r.addresses))
	c.below(s.Dst, len(r.addresses))
	c.below(s.SrcPort, len(r.ports))
	c.below(s.DstPort, len(r.ports))
	c.below(uint32(s.App), int(layer.Protos))
	c.below(uint32(s.Action), int(signature.Alert)+1)
}

// ids checks a list of signatures or of views.
func (c *checker) ids(s span, n int) {
	c.span(s, len(c.r.members))
	if c.bad != "" {
		return
	}
	for _, id := range c.r.ids(s) {
		c.below(id, n)
	}
}

func (c *checker) grouping() {
	r := c.r
	for i := range r.groups {
		c.ids(r.groups[i].Always, len(r.records))
	}
	for i := range r.portIndex {
		c.below(r.portIndex[i].Any, len(r.groups))
		c.span(r.portIndex[i].Dst, len(r.portEntries))
		c.span(r.portIndex[i].Src, len(r.portEntries))
	}
	for i := range r.portEntries {
		c.below(r.portEntries[i].Group, len(r.groups))
	}
	for i := range r.views {
		v := &r.views[i]
		c.below(uint32(v.Buffer), int(layer.Buffers))
		c.span(v.Transforms, len(r.matches))
		c.below(v.Groups[0], len(r.groups))
		c.below(v.Groups[1], len(r.groups))
	}
	for i := range r.protocols {
		p := &r.protocols[i]
		c.ids(p.Views, len(r.views))
		c.ids(p.Always[0], len(r.records))
		c.ids(p.Always[1], len(r.records))
	}
}
