package attacker

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"

	"citygate/pkg/flow"
	"citygate/testlab/topology"
)

// identity is who a frame claims to come from, or goes to.
type identity struct {
	mac flow.MAC
	ip4 netip.Addr
	ip6 netip.Addr
}

func identify(h topology.Host) identity {
	return identity{mac: h.MAC, ip4: h.Addr4(), ip6: h.Addr6()}
}

// scene is what an attacker on one side knows: the listed device that it stands in for, the pair's other end,
// its own unlisted identity, and others on both sides.
type scene struct {
	side     flow.Side
	listed   identity // a device of this side that may talk to peer
	peer     identity
	self     identity // the attacker's own
	near     identity // another listed device of this side
	far      identity // another host of the other side
	router   identity
	toCamera bool
}

func newScene(side flow.Side) scene {
	id := func(name string) identity { return identify(topology.Find(name)) }
	s := scene{side: side, router: id(topology.Core)}
	if side == flow.CameraSide {
		s.listed, s.peer, s.self, s.near, s.far = id("lobby-1"), id(topology.Main), id("attacker-cam"), id("gate-1"), id("attacker-srv")
		return s
	}
	s.toCamera = true
	s.listed, s.peer, s.self, s.near, s.far = id(topology.Main), id("lobby-1"), id("attacker-srv"), s.router, id("attacker-cam")
	return s
}

// dice are the choices of one frame: the same for the same kind, side, seed and number.
type dice struct{ *rand.Rand }

func newDice(t Tag) dice {
	hi := uint64(t.Seed)<<32 | uint64(t.Kind)<<8 | uint64(t.Side)
	return dice{rand.New(rand.NewPCG(hi, uint64(t.Number)))}
}

func (d dice) u16() uint16 { return uint16(d.Uint32()) }

// between gives a number from lo to hi.
func (d dice) between(lo, hi int) int { return lo + d.IntN(hi-lo+1) }

// port is an ephemeral one that no session of the lab uses.
func (d dice) port() uint16 { return uint16(d.between(20000, 39999)) }

func (d dice) mac() flow.MAC {
	var m flow.MAC
	binary.BigEndian.PutUint16(m[:], 0x02c7)
	binary.BigEndian.PutUint32(m[2:], d.Uint32())
	return m
}

func (d dice) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(d.Uint32())
	}
	return b
}

// pick is one of several.
func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }
