package sight

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"time"

	"citygate/pkg/device"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/packet"
	"citygate/pkg/verdict"
)

// Bounds of what is remembered of identities, so that control is told only what is new.
const (
	maxNeighbours = 4096
	maxAddrs      = 8
)

// neighbours remembers what control was told of each identity. To forget is harmless: control is told again.
type neighbours struct {
	seen func(ipc.DeviceSeen) bool
	rows map[device.ID]*neighbour
	news map[device.ID]*news // to be told at the next flush
}

// neighbour is what control was told.
type neighbour struct {
	addrs    []netip.Addr // the latest first
	evidence []string
}

func newNeighbours(seen func(ipc.DeviceSeen) bool) neighbours {
	return neighbours{seen: seen, rows: map[device.ID]*neighbour{}, news: map[device.ID]*news{}}
}

// news is what a frame tells of an identity.
type news struct {
	id       device.ID
	bridge   string
	side     flow.Side
	boot     time.Duration
	addr     netip.Addr // zero if it showed none
	evidence []string
	first    bool // the kernel says that it never saw the identity before
}

func (n *news) message() ipc.DeviceSeen {
	return ipc.DeviceSeen{
		MAC: n.id.MAC, VLAN: n.id.VLAN, Side: n.side, Bridge: n.bridge, Addr: n.addr, Boot: n.boot, Evidence: n.evidence,
	}
}

// see tells control of a first sight at once, and keeps what else is new for the next flush.
func (ns *neighbours) see(n news) {
	known := ns.rows[n.id]
	if known == nil {
		ns.makeRoom()
		known = &neighbour{}
		ns.rows[n.id] = known
		n.first = true
	}
	switch {
	case n.first:
		ns.tell(known, &n)
	case n.addr.IsValid() && !slices.Contains(known.addrs, n.addr), n.evidence != nil && !slices.Equal(n.evidence, known.evidence):
		ns.keep(&n)
	}
}

// keep joins news to those that wait.
func (ns *neighbours) keep(n *news) {
	if before := ns.news[n.id]; before != nil {
		if n.evidence == nil {
			n.evidence = before.evidence
		}
		if !n.addr.IsValid() {
			n.addr = before.addr
		}
	}
	ns.news[n.id] = n
}

// tell remembers what control heard; what it did not take is kept.
func (ns *neighbours) tell(known *neighbour, n *news) {
	if !ns.seen(n.message()) {
		ns.keep(n)
		return
	}
	if n.addr.IsValid() && !slices.Contains(known.addrs, n.addr) {
		known.addrs = slices.Insert(known.addrs, 0, n.addr)
		known.addrs = known.addrs[:min(len(known.addrs), maxAddrs)]
	}
	if n.evidence != nil {
		known.evidence = n.evidence
	}
}

// makeRoom forgets anyone.
func (ns *neighbours) makeRoom() {
	for id := range ns.rows {
		if len(ns.rows) < maxNeighbours {
			return
		}
		delete(ns.rows, id)
		delete(ns.news, id)
	}
}

func (ns *neighbours) flush() {
	waiting := ns.news
	ns.news = map[device.ID]*news{}
	for id, n := range waiting {
		ns.tell(ns.rows[id], n)
	}
}

// believable says whether a frame that was judged so may tell its sender's address: not if the address is known to be
// another's.
func believable(r verdict.Reason) bool {
	switch r {
	case verdict.ReasonIPSpoofed, verdict.ReasonARPSpoof, verdict.ReasonNDSpoof, verdict.ReasonSourceGroup:
		return false
	}
	return true
}

// ownAddress is the address that a frame claims for its sender, zero if none.
func ownAddress(h *packet.Headers) netip.Addr {
	a := h.Tuple.Src
	switch {
	case h.ARP.Op != 0 && h.ARP.SenderMAC == h.Src:
		a = h.ARP.Sender
	case h.ND.Target.IsValid() && h.ICMPType == neighbourAdvertisement && h.ND.Link == h.Src:
		a = h.ND.Target
	}
	if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}
	}
	return a
}

const neighbourAdvertisement = 136 // RFC 4861, 4.4

// dhcp reads the DHCP message of a frame, if it has one and enough of it was captured.
func dhcp(h *packet.Headers) (packet.DHCP, bool) {
	t := h.Tuple
	if t.Proto != flow.UDP || h.Fragment || (t.DstPort != packet.DHCPServerPort && t.DstPort != packet.DHCPClientPort) {
		return packet.DHCP{}, false
	}
	m, err := packet.ParseDHCP(h.Payload)
	return m, err == nil
}

// said is what a client's DHCP message says of it.
func said(m *packet.DHCP) (evidence []string) {
	if m.Hostname != "" {
		evidence = append(evidence, device.Evidence(device.Hostname, m.Hostname))
	}
	if m.VendorClass != "" {
		evidence = append(evidence, device.Evidence(device.VendorClass, m.VendorClass))
	}
	if m.ParameterN > 0 {
		evidence = append(evidence, device.Evidence(device.Parameters, hex.EncodeToString(m.Parameters[:m.ParameterN])))
	}
	return evidence
}
