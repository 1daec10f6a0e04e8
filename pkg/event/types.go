package event

// Type is an event type's number in a channel and in the journal. Numbers are stable: append only.
type Type uint16

// The types.
const (
	TypeDevice  Type = 1
	TypeDrop    Type = 2
	TypeFlow    Type = 3
	TypeStats   Type = 4
	TypeAnomaly Type = 5
	TypePolicy  Type = 6
	TypeAudit   Type = 7
)

// Class says which log keeps a record, so that a flood in one cannot push out another's.
type Class uint8

// The classes.
const (
	LifeSafety Class = 0 // fire, forced door, loss of the bridge
	Security   Class = 1 // audit and security events
	Readings   Class = 2
	Bulk       Class = 3 // captures and bulk evidence
	Classes          = 4
)

type typeInfo struct {
	typ   Type
	name  string // EVE's event_type
	class Class
	make  func() Event
}

// types is the one table of event types. Flow and stats records are evidence in bulk: they must not push out security events.
var types = [...]typeInfo{
	{TypeDevice, "device", Security, func() Event { return new(Device) }},
	{TypeDrop, "drop", Security, func() Event { return new(Drop) }},
	{TypeFlow, "flow", Bulk, func() Event { return new(Flow) }},
	{TypeStats, "stats", Bulk, func() Event { return new(Stats) }},
	{TypeAnomaly, "anomaly", Security, func() Event { return new(Anomaly) }},
	{TypePolicy, "policy", Security, func() Event { return new(Policy) }},
	{TypeAudit, "audit", Security, func() Event { return new(Audit) }},
}

func (t Type) info() (typeInfo, bool) {
	for _, i := range types {
		if i.typ == t {
			return i, true
		}
	}
	return typeInfo{}, false
}

// String is the type's name as EVE's event_type.
func (t Type) String() string {
	if i, ok := t.info(); ok {
		return i.name
	}
	return "unknown"
}

// Class is the log that keeps events of this type.
func (t Type) Class() Class {
	i, ok := t.info()
	if !ok {
		return Security
	}
	return i.class
}

// Types lists all types in the order of their numbers.
func Types() []Type {
	all := make([]Type, len(types))
	for i, t := range types {
		all[i] = t.typ
	}
	return all
}
