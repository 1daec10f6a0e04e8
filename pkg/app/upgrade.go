package app

import "citygate/pkg/app/layer"

// earlier is what a flow spoke before an upgrade: its transactions may still be open.
type earlier struct {
	parser layer.Parser
	proto  layer.Proto
	all    []layer.Tx
}

func (e *earlier) txs(now layer.Parser) []layer.Tx {
	e.all = append(e.all[:0], e.parser.Txs()...)
	if now != nil {
		e.all = append(e.all, now.Txs()...)
	}
	return e.all
}

// upgrade asks the parser whether it hands the flow over, and if so starts detection again. Only one upgrade is
// followed: a second one within the flow (a proxy behind a proxy, STARTTLS inside a tunnel) ends parsing.
func (c *Conn) upgrade(t *Table) bool {
	u, ok := c.parser.(Upgrader)
	if !ok {
		return false
	}
	expected, ok := u.Upgrade()
	if !ok {
		return false
	}
	if c.earlier != nil {
		if f, ok := c.parser.(UpgradeFailer); ok {
			f.UpgradeFailed()
		}
		c.stop()
		return true
	}
	c.earlier = &earlier{parser: c.parser, proto: c.proto}
	c.parser, c.orig, c.expect = nil, c.proto, expected
	c.proto, c.protos = layer.Unknown, [2]layer.Proto{}
	c.refused, c.missed = [2][2]uint32{}, [2]int{}
	c.done, c.held, c.first, c.turn = [2]bool{}, [2]bool{}, none, none
	return true
}

// upgraded judges what came after an upgrade.
func (c *Conn) upgraded(p layer.Proto) {
	if c.earlier == nil {
		return
	}
	if c.expect != layer.Unknown && p != c.expect {
		c.events.Add(Unexpected)
		if c.expect == layer.TLS {
			c.events.Add(NoTLS)
		}
	}
	if f, ok := c.earlier.parser.(UpgradeFailer); ok && p == layer.Failed {
		f.UpgradeFailed()
	}
}
