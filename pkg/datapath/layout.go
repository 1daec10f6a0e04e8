package datapath

import (
	"encoding/binary"
	"net/netip"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

// The keys and values of the policy set's maps, as bpf/shared.h lays them out.
type (
	macKey struct {
		MAC  [6]byte
		_    [2]byte
		VLAN uint32
	}
	addrKey struct {
		VLAN uint32
		Addr [16]byte
	}
	prefixKey struct {
		Bits uint32
		VLAN [4]byte // big endian
		Addr [16]byte
	}
	deviceValue struct {
		Via         uint16
		Side, Flags uint8
		PPS, KBps   uint32
	}
	ruleKey struct {
		From, To, Service uint16
		_                 uint16
	}
	ruleValue struct {
		Mask uint64
		Rule uint16
		Punt uint8
		_    [5]byte
	}
)

// Numbers of bpf/shared.h.
const (
	slots       = 4
	devices     = int(ipc.MaxDeviceID) + 1
	portsTCP    = 0
	portsUDP    = 65536
	portsICMP   = 131072
	portsICMP6  = 131328
	portsProto  = 131584
	ports       = 131840
	vlanAny     = 0xffffffff
	servicePair = 0xffff
	servicePeer = 0xfffe
	vlanBits    = 32
	xskQueues   = 64 // per port
)

// portRange is where a service's ports stand in the ports map.
func portRange(s ipc.ServiceEntry) (lo, hi int) {
	switch s.Proto {
	case flow.TCP:
		return portsTCP + int(s.Lo), portsTCP + int(s.Hi)
	case flow.UDP:
		return portsUDP + int(s.Lo), portsUDP + int(s.Hi)
	case flow.ICMP:
		return portsICMP + int(s.Lo&0xff), portsICMP + int(s.Hi&0xff)
	case flow.ICMPv6:
		return portsICMP6 + int(s.Lo&0xff), portsICMP6 + int(s.Hi&0xff)
	}
	return portsProto + int(s.Proto), portsProto + int(s.Proto)
}

func newAddrKey(v flow.VLAN, a netip.Addr) addrKey { return addrKey{uint32(v), a.As16()} }

func newPrefixKey(v flow.VLAN, p netip.Prefix) prefixKey {
	k := prefixKey{Bits: vlanBits + uint32(prefixBits(p)), Addr: p.Masked().Addr().As16()}
	binary.BigEndian.PutUint32(k.VLAN[:], uint32(v))
	return k
}

// prefixBits counts from the start of the 16-byte form.
func prefixBits(p netip.Prefix) int {
	if p.Addr().Is4() {
		return p.Bits() + 96
	}
	return p.Bits()
}
