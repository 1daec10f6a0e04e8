package app

import "citygate/pkg/app/layer"

// Limits of detection and of a table.
const (
	// detectDepth is how many bytes of a direction are looked at: no protocol of ours needs more to be known, and what
	// is not known by then is Failed once the other direction is not known either.
	detectDepth = 2048
	// detectHold is how many bytes of one direction wait for the other to say something. It covers a client that talks
	// blindly for four times the depth; beyond that the flow is Failed with the event Skipped.
	detectHold = 4 * detectDepth
	// freeParsers is how many parsers of a protocol wait to be used again; more go to the garbage collector.
	freeParsers = 4096
)

// transport is what carries a flow. DNS has a line for each, since its messages look different.
type transport uint8

const (
	tcp transport = iota
	udp
)

// resetter is a parser that can be used for another flow.
type resetter interface{ Reset() }

// Upgrader is a parser that can hand its flow over to another protocol: STARTTLS, CONNECT, Upgrade. After each Data
// the connection asks; when ok, the bytes after those consumed so far, in both directions, are detected anew.
// expected is the protocol that was agreed on, layer.Unknown if any may come.
type Upgrader interface {
	Upgrade() (expected layer.Proto, ok bool)
}

// UpgradeFailer is an Upgrader that wants to know that no protocol was found after its upgrade.
type UpgradeFailer interface{ UpgradeFailed() }

// Table is what the connections of an engine share: the protocols by port, and parsers to use again. It is not safe
// for concurrent use.
type Table struct {
	lines  []*layer.Protocol
	line   [2][layer.Protos]*layer.Protocol
	ported [2]map[uint16][]uint8 // lines to try on a port, in order
	rest   [2][]uint8            // lines to try on any other port
	free   [2][layer.Protos][]layer.Parser
	pool   *layer.Pool
}

// NewTable prepares protocols (at most 32) for an engine whose parsers take their memory from pool.
func NewTable(protocols []*layer.Protocol, pool *layer.Pool) *Table {
	t := &Table{lines: protocols, pool: pool}
	for _, p := range protocols {
		if p.TCP {
			t.line[tcp][p.Proto] = p
		}
		if p.UDP {
			t.line[udp][p.Proto] = p
		}
	}
	for _, transport := range []transport{tcp, udp} {
		t.ported[transport] = map[uint16][]uint8{}
		t.rest[transport] = t.order(transport, 0, false)
		for _, p := range protocols {
			for _, port := range p.Ports {
				if t.ported[transport][port] == nil {
					t.ported[transport][port] = t.order(transport, port, true)
				}
			}
		}
	}
	return t
}

// EventNames are the names of a protocol's events, by their numbers.
func (t *Table) EventNames(p layer.Proto) []string {
	for _, l := range t.lines {
		if l.Proto == p {
			return l.Events
		}
	}
	return nil
}

// order is the order of probes on a port: protocols known by content, those of the port first, then the hinted ones.
func (t *Table) order(transport transport, port uint16, ported bool) []uint8 {
	var here, others, hinted []uint8
	for i, p := range t.lines {
		if p.Probe == nil || transport == tcp && !p.TCP || transport == udp && !p.UDP {
			continue
		}
		on := false
		for _, q := range p.Ports {
			on = on || ported && q == port
		}
		switch {
		case on && p.Hinted:
			hinted = append(hinted, uint8(i))
		case on:
			here = append(here, uint8(i))
		case !p.Hinted:
			others = append(others, uint8(i))
		}
	}
	return append(append(here, others...), hinted...)
}

// candidates are the lines to try on a server port.
func (t *Table) candidates(transport transport, port uint16) []uint8 {
	if c, ok := t.ported[transport][port]; ok {
		return c
	}
	return t.rest[transport]
}

// parser is a parser for a flow; nil if the protocol has none.
func (t *Table) parser(transport transport, p layer.Proto) layer.Parser {
	if f := t.free[transport][p]; len(f) > 0 {
		t.free[transport][p] = f[:len(f)-1]
		return f[len(f)-1]
	}
	if l := t.line[transport][p]; l != nil && l.New != nil {
		return l.New(t.pool)
	}
	return nil
}

// recycle takes a parser back. Its Reset gives the memory of its transactions to the pool; a parser without one is left to the
// garbage collector.
func (t *Table) recycle(transport transport, p layer.Proto, parser layer.Parser) {
	r, ok := parser.(resetter)
	if !ok {
		return
	}
	r.Reset()
	if len(t.free[transport][p]) < freeParsers {
		t.free[transport][p] = append(t.free[transport][p], parser)
	}
}
