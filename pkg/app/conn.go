package app

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Hint is what is known of a flow besides its bytes.
type Hint struct {
	Client, Server uint16 // ports
	// Midstream says that the flow's start was not seen, so that its client may be its server.
	Midstream bool
}

// Conn is the application side of a flow. The zero value is a flow that said nothing yet.
type Conn struct {
	parser    layer.Parser
	earlier   *earlier // what the flow spoke before an upgrade
	events    layer.EventSet
	refused   [2][2]uint32 // lines that said No, by direction, for its bytes as they are and as the other direction's
	missed    [2]int       // bytes that were missing while the protocol was unknown
	proto     layer.Proto
	protos    [2]layer.Proto // by direction
	orig      layer.Proto    // before the upgrade
	expect    layer.Proto    // agreed by the upgrade
	done      [2]bool        // nothing more to find in a direction
	held      [2]bool        // the caller keeps bytes of a direction
	first     dir            // of the flow's first bytes
	turn      dir            // whose bytes have to come first
	swapped   bool
	transport transport
	stopped   bool // the parser cannot go on
}

// dir is a direction that may be absent.
type dir uint8

const none dir = 0

func of(d flow.Direction) dir { return dir(d) + 1 }

// Stream reads the next bytes of a TCP direction, those that were not consumed so far and what came behind them; end
// says that nothing follows. It returns how many it consumed; n may exceed len(data): that many bytes that will come
// are of no use and need not be given. While the protocol is unknown nothing is consumed.
//
// When the protocol becomes known (or Failed) while the other direction has bytes waiting, Turn names that direction:
// its bytes come first, then these again (nothing of these is consumed unless it Failed).
func (c *Conn) Stream(t *Table, d flow.Direction, h Hint, data []byte, end bool) (n int) {
	if c.turn == of(d) {
		c.turn = none
	}
	for {
		if c.protos[d] == layer.Unknown {
			swapped := c.swapped
			if !c.settle(t, d, h, data[n:], end) {
				return n
			}
			if c.swapped != swapped {
				d = d.Reverse()
			}
			if c.turn == of(d.Reverse()) && c.parser != nil {
				return n
			}
		}
		if c.parser == nil || c.stopped {
			return max(n, len(data))
		}
		m, ok := c.parser.Data(d, data[n:], end)
		n += m
		if !ok {
			c.stop()
			return max(n, len(data))
		}
		if !c.upgrade(t) || n >= len(data) {
			return n
		}
	}
}

// Turn is the direction whose waiting bytes have to be offered now; ok is false if there is none.
func (c *Conn) Turn() (d flow.Direction, ok bool) {
	return flow.Direction(c.turn - 1), c.turn != none
}

// Datagram reads one UDP datagram.
func (c *Conn) Datagram(t *Table, d flow.Direction, h Hint, data []byte) {
	if c.protos[d] == layer.Unknown && len(data) > 0 {
		swapped := c.swapped
		c.settleDatagram(t, d, h, data)
		if c.swapped != swapped {
			d = d.Reverse()
		}
	}
	if c.parser == nil || c.stopped {
		return
	}
	if _, ok := c.parser.Data(d, data, false); !ok {
		c.stop()
	}
}

// Gap says that n bytes of a direction are missing, and that those the caller kept are gone.
func (c *Conn) Gap(t *Table, d flow.Direction, n int) {
	if c.protos[d] == layer.Unknown {
		c.missed[d] += n
		c.held[d] = false
		c.refused[d] = [2]uint32{^uint32(0), ^uint32(0)}
		c.finish(t, d)
		if c.proto != layer.Unknown && c.proto != layer.Failed {
			c.protos[d] = c.proto
			c.gaps()
		}
		return
	}
	if c.parser != nil && !c.stopped && !c.parser.Gap(d, n) {
		c.stop()
	}
}

// stop ends parsing. What the parser found so far can still be inspected.
func (c *Conn) stop() {
	c.stopped = true
	c.events.Add(ParserStopped)
}

// Expect sets the protocol of a flow that another one announced, such as FTP's data connection.
func (c *Conn) Expect(t *Table, p layer.Proto) {
	if c.proto == layer.Unknown {
		c.protos = [2]layer.Proto{p, p}
		c.start(t, tcp, p)
	}
}

// Proto is the flow's protocol: Unknown while it may become known, Failed when it will not.
func (c *Conn) Proto() layer.Proto { return c.proto }

// ProtoOf is the protocol that the bytes of one direction look like.
func (c *Conn) ProtoOf(d flow.Direction) layer.Proto { return c.protos[d] }

// Orig is the protocol before an upgrade; Unknown if there was none.
func (c *Conn) Orig() layer.Proto { return c.orig }

// Swapped says that the flow's client is its server: the one that was taken for the client answers, the other asks.
// The call that found out already acted so; from the next call on directions and ports are the right ones.
func (c *Conn) Swapped() bool { return c.swapped }

// Stopped says that the parser could not go on.
func (c *Conn) Stopped() bool { return c.stopped }

// Opaque says that what follows in a direction needs no inspection.
func (c *Conn) Opaque(d flow.Direction) bool {
	return c.parser != nil && c.parser.Opaque(d)
}

// Events are the events of the connection itself, by their place in Events.
func (c *Conn) Events() layer.EventSet { return c.events }

// Txs are the open transactions, oldest first, valid until the next call.
func (c *Conn) Txs() []layer.Tx {
	if c.earlier != nil {
		return c.earlier.txs(c.parser)
	}
	if c.parser == nil {
		return nil
	}
	return c.parser.Txs()
}

// TxProto is the protocol of the transaction at place i of Txs.
func (c *Conn) TxProto(i int) layer.Proto {
	if c.earlier != nil && i < len(c.earlier.parser.Txs()) {
		return c.earlier.proto
	}
	return c.proto
}

// Release forgets the transaction at place i of Txs.
func (c *Conn) Release(i int) {
	if c.earlier != nil {
		n := len(c.earlier.parser.Txs())
		if i < n {
			c.earlier.parser.Release(i)
			return
		}
		i -= n
	}
	c.parser.Release(i)
}

// Close gives the parsers back. The flow's Conn is as new.
func (c *Conn) Close(t *Table) {
	if c.earlier != nil {
		t.recycle(c.transport, c.earlier.proto, c.earlier.parser)
	}
	if c.parser != nil {
		t.recycle(c.transport, c.proto, c.parser)
	}
	*c = Conn{}
}
