package ipc

import (
	"crypto/sha256"
	"net/netip"
	"time"

	"citygate/pkg/flow"
)

// Kind is the first byte of a message.
type Kind uint8

// The kinds. Numbers are only between processes of one version.
const (
	KindReady Kind = iota + 1
	KindProcessExit
	KindPolicyBegin
	KindPolicyPut
	KindPolicyCommit
	KindPolicyAbort
	KindSetBinding
	KindClearBinding
	KindSetBlock
	KindLiftBlock
	KindGetPorts
	KindResult
	KindPortState
	KindMapFD
	KindDeviceSeen
	KindDHCPBinding
	KindEvent
	KindJournalState
)

// Longest texts in bytes; a writer cuts what is longer.
const (
	MaxName   = 64 // a bridge, an interface, a map
	MaxReason = 32
	MaxText   = 256 // an error or a piece of evidence
)

// Ready says that a process has set itself up.
type Ready struct{}

// ProcessExit says how a process ended before the last restart of all. Code is -1 if a signal ended it,
// Violator the peer that it accused (0 = none), Restarts how often all have been started anew.
type ProcessExit struct {
	Process  Process
	Code     int32
	Signal   int32
	Violator Process
	Restarts uint32
}

// PolicyBegin opens the transfer of a policy set: how many records of each table, in the order of PolicySet, will follow.
type PolicyBegin struct {
	ID     uint32
	Counts [5]uint32
}

// PolicyPut is a piece of the set, appended to what came before.
type PolicyPut struct{ Part PolicySet }

// PolicyCommit closes it. Count is the number of records, Sum the SHA-256 over all encoded PolicyPuts.
type PolicyCommit struct {
	ID    uint32
	Count uint32
	Sum   [sha256.Size]byte
}

// PolicyAbort forgets what was put since PolicyBegin.
type PolicyAbort struct{ ID uint32 }

// SetBinding gives a device its DHCP address.
type SetBinding struct {
	ID     uint32
	Device DeviceID
	VLAN   flow.VLAN
	Addr   netip.Addr
}

// ClearBinding takes it away.
type ClearBinding SetBinding

// SetBlock blocks a pair in both directions until a Unix time in ns, 0 = for ever.
type SetBlock struct {
	ID       uint32
	Src, Dst netip.Addr
	Until    int64
	Reason   string
}

// LiftBlock ends a block.
type LiftBlock struct {
	ID       uint32
	Src, Dst netip.Addr
}

// GetPorts asks for a PortState of each bridge port, then a Result.
type GetPorts struct{ ID uint32 }

// Result answers the request of that ID. Generation is that of the policy now in force.
type Result struct {
	ID         uint32
	OK         bool
	Generation uint32
	Error      string
}

// CheckState is the outcome of a check of a port.
type CheckState uint8

// The outcomes; unknown is what cannot be seen from here.
const (
	CheckUnknown CheckState = iota
	CheckOK
	CheckBad
)

// PortCheck is one thing that inline forwarding needs of a port.
type PortCheck struct {
	Name   string
	State  CheckState
	Detail string
}

// PortState describes a bridge port. Mode is the XDP mode, native or generic.
type PortState struct {
	Bridge, Port string
	Side         flow.Side
	Up           bool
	Mode         string
	MTU          uint32
	SpeedMbps    uint32 // 0 = unknown
	Checks       []PortCheck
}

// MapFD carries a read-only file descriptor of a BPF map.
type MapFD struct{ Bridge, Name string }

// DeviceSeen says that an identity was seen on the wire. Boot is CLOCK_MONOTONIC.
type DeviceSeen struct {
	MAC      flow.MAC
	VLAN     flow.VLAN
	Side     flow.Side
	Bridge   string
	Addr     netip.Addr // the zero Addr if it showed none
	Boot     time.Duration
	Evidence []string
}

// DHCPBinding is an address that a server gave to a MAC.
type DHCPBinding struct {
	MAC          flow.MAC
	VLAN         flow.VLAN
	Bridge       string
	Addr         netip.Addr
	LeaseSeconds uint32
	Server       netip.Addr
}

// Event is an event for the journal: its type and its fields in the codec of pkg/event.
type Event struct {
	Type    uint16
	Payload []byte
}

// JournalState counts what the journal did since its start.
type JournalState struct {
	Written, Suppressed, Lost uint64
	DiskFull                  bool
	LastError                 string
}

func (Ready) Kind() Kind        { return KindReady }
func (ProcessExit) Kind() Kind  { return KindProcessExit }
func (PolicyBegin) Kind() Kind  { return KindPolicyBegin }
func (PolicyPut) Kind() Kind    { return KindPolicyPut }
func (PolicyCommit) Kind() Kind { return KindPolicyCommit }
func (PolicyAbort) Kind() Kind  { return KindPolicyAbort }
func (SetBinding) Kind() Kind   { return KindSetBinding }
func (ClearBinding) Kind() Kind { return KindClearBinding }
func (SetBlock) Kind() Kind     { return KindSetBlock }
func (LiftBlock) Kind() Kind    { return KindLiftBlock }
func (GetPorts) Kind() Kind     { return KindGetPorts }
func (Result) Kind() Kind       { return KindResult }
func (PortState) Kind() Kind    { return KindPortState }
func (MapFD) Kind() Kind        { return KindMapFD }
func (DeviceSeen) Kind() Kind   { return KindDeviceSeen }
func (DHCPBinding) Kind() Kind  { return KindDHCPBinding }
func (Event) Kind() Kind        { return KindEvent }
func (JournalState) Kind() Kind { return KindJournalState }
