package ipc

import (
	"crypto/sha256"
	"net/netip"
	"time"

	"citygate/pkg/flow"
)

// Message is a struct of this file. Its layout names its fields in their order on the wire.
type Message any

// Longest texts in bytes; a writer cuts what is longer.
const (
	MaxName   = 64 // a bridge, an interface, a map
	MaxReason = 32
	MaxText   = 256 // an error or a piece of evidence
)

// Ready says that a process has set itself up.
type Ready struct{}

func (*Ready) layout(*codec) {}

// ProcessExit says how a process ended before the last restart of all. Code is -1 if a signal ended it,
// Violator the peer that it accused (0 = none), Restarts how often all have been started anew.
type ProcessExit struct {
	Process  Process
	Code     int32
	Signal   int32
	Violator Process
	Restarts uint32
}

func (m *ProcessExit) layout(c *codec) {
	c.fields(num(&m.Process), num(&m.Code), num(&m.Signal), num(&m.Violator), num(&m.Restarts))
}

// PolicyBegin opens the transfer of a policy set.
type PolicyBegin struct{ ID uint32 }

func (m *PolicyBegin) layout(c *codec) { c.fields(num(&m.ID)) }

// PolicyPut is a piece of the encoded set, appended to what came before.
type PolicyPut struct{ Data []byte }

func (m *PolicyPut) layout(c *codec) { c.fields(&m.Data) }

// PolicyCommit closes it. Size is the number of bytes, Sum their SHA-256.
type PolicyCommit struct {
	ID   uint32
	Size uint32
	Sum  [sha256.Size]byte
}

func (m *PolicyCommit) layout(c *codec) { c.fields(num(&m.ID), num(&m.Size), m.Sum[:]) }

// PolicyAbort forgets what was put since PolicyBegin.
type PolicyAbort struct{ ID uint32 }

func (m *PolicyAbort) layout(c *codec) { c.fields(num(&m.ID)) }

// SetBinding gives a device its DHCP address.
type SetBinding struct {
	ID     uint32
	Device DeviceID
	VLAN   flow.VLAN
	Addr   netip.Addr
}

func (m *SetBinding) layout(c *codec) { c.fields(num(&m.ID), num(&m.Device), num(&m.VLAN), &m.Addr) }

// ClearBinding takes it away.
type ClearBinding SetBinding

func (m *ClearBinding) layout(c *codec) { (*SetBinding)(m).layout(c) }

// SetBlock blocks a pair in both directions until a Unix time in ns, 0 = for ever.
type SetBlock struct {
	ID       uint32
	Src, Dst netip.Addr
	Until    int64
	Reason   string
}

func (m *SetBlock) layout(c *codec) {
	c.fields(num(&m.ID), &m.Src, &m.Dst, num(&m.Until), text{&m.Reason, MaxReason})
}

// LiftBlock ends a block.
type LiftBlock struct {
	ID       uint32
	Src, Dst netip.Addr
}

func (m *LiftBlock) layout(c *codec) { c.fields(num(&m.ID), &m.Src, &m.Dst) }

// GetPorts asks for a PortState of each bridge port, then a Result.
type GetPorts struct{ ID uint32 }

func (m *GetPorts) layout(c *codec) { c.fields(num(&m.ID)) }

// Result answers the request of that ID. Generation is that of the policy now in force.
type Result struct {
	ID         uint32
	OK         bool
	Generation uint32
	Error      string
}

func (m *Result) layout(c *codec) { c.fields(num(&m.ID), &m.OK, num(&m.Generation), &m.Error) }

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

func (m *PortCheck) layout(c *codec) { c.fields(text{&m.Name, MaxName}, num(&m.State), &m.Detail) }

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

func (m *PortState) layout(c *codec) {
	c.fields(text{&m.Bridge, MaxName}, text{&m.Port, MaxName}, side(&m.Side), &m.Up,
		text{&m.Mode, MaxName}, num(&m.MTU), num(&m.SpeedMbps), list(&m.Checks, 12, (*PortCheck).layout))
}

// MapFD carries a read-only file descriptor of a BPF map.
type MapFD struct{ Bridge, Name string }

func (m *MapFD) layout(c *codec) { c.fields(text{&m.Bridge, MaxName}, text{&m.Name, MaxName}) }

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

func (m *DeviceSeen) layout(c *codec) {
	c.fields(m.MAC[:], num(&m.VLAN), side(&m.Side), text{&m.Bridge, MaxName}, &m.Addr, num(&m.Boot),
		list(&m.Evidence, 12, field[string]))
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

func (m *DHCPBinding) layout(c *codec) {
	c.fields(m.MAC[:], num(&m.VLAN), text{&m.Bridge, MaxName}, &m.Addr, num(&m.LeaseSeconds), &m.Server)
}

// Event is an event for the journal: its type and its fields in the codec of pkg/event.
type Event struct {
	Type    uint16
	Payload []byte
}

func (m *Event) layout(c *codec) { c.fields(num(&m.Type), &m.Payload) }

// JournalState counts what the journal did since its start.
type JournalState struct {
	Written, Suppressed, Lost uint64
	DiskFull                  bool
	LastError                 string
}

func (m *JournalState) layout(c *codec) {
	c.fields(num(&m.Written), num(&m.Suppressed), num(&m.Lost), &m.DiskFull, &m.LastError)
}

// The tables of Names.
const (
	NamesOfDevices uint8 = iota
	NamesOfServices
	NamesOfRules
)

// MaxNames is how many names one message carries.
const MaxNames = 12

// Names tells what numbers of a policy mean: Names[i] is that of First+i. Another generation ends what was told before.
type Names struct {
	Generation uint32
	Table      uint8
	First      uint16
	Names      []string
}

func (m *Names) layout(c *codec) {
	c.fields(num(&m.Generation), num(&m.Table), num(&m.First), list(&m.Names, MaxNames, field[string]))
}
