package detect

import (
	"net/netip"
	"time"

	"citygate/pkg/app/ftp"
	"citygate/pkg/flow"
)

// Limits of announced connections.
const (
	maxExpected     = 1024 // beyond it the oldest is forgotten: its connection is inspected as any other
	expectedTimeout = time.Minute
)

// expected are connections that others announced, by where they go to.
type expected struct {
	byAddr map[netip.AddrPort]announcement
	order  []netip.AddrPort
}

type announcement struct {
	transfer *ftp.Transfer
	until    time.Time
}

// announced takes what a flow announced.
func (e *Engine) announced(f *Flow) {
	for {
		x, ok := f.conn.Expected()
		if !ok {
			return
		}
		addr := x.Addr
		if !addr.Addr().IsValid() {
			addr = netip.AddrPortFrom(f.Tuple.Dst, addr.Port())
		}
		if e.expected.byAddr == nil {
			e.expected.byAddr = map[netip.AddrPort]announcement{}
		}
		if len(e.expected.order) >= maxExpected {
			delete(e.expected.byAddr, e.expected.order[0])
			e.expected.order = append(e.expected.order[:0], e.expected.order[1:]...)
		}
		e.expected.byAddr[addr] = announcement{x.Transfer, e.p.Time.Add(expectedTimeout)}
		e.expected.order = append(e.expected.order, addr)
	}
}

// awaited tells a new flow that it is what another one announced.
func (e *Engine) awaited(f *Flow) {
	if f.Tuple.Proto != flow.TCP || len(e.expected.byAddr) == 0 {
		return
	}
	addr := netip.AddrPortFrom(f.Tuple.Dst, f.Tuple.DstPort)
	if x, ok := e.expected.byAddr[addr]; ok {
		delete(e.expected.byAddr, addr)
		if e.p.Time.Before(x.until) {
			f.conn.ExpectData(e.apps, x.transfer)
		}
	}
}
