package ipc

import "citygate/pkg/flow"

// decoders reads each kind.
var decoders = map[Kind]func([]byte) (Message, error){
	KindReady:        read[Ready],
	KindProcessExit:  read[ProcessExit],
	KindPolicyBegin:  read[PolicyBegin],
	KindPolicyPut:    read[PolicyPut],
	KindPolicyCommit: read[PolicyCommit],
	KindPolicyAbort:  read[PolicyAbort],
	KindSetBinding:   read[SetBinding],
	KindClearBinding: read[ClearBinding],
	KindSetBlock:     read[SetBlock],
	KindLiftBlock:    read[LiftBlock],
	KindGetPorts:     read[GetPorts],
	KindResult:       read[Result],
	KindPortState:    read[PortState],
	KindMapFD:        read[MapFD],
	KindDeviceSeen:   read[DeviceSeen],
	KindDHCPBinding:  read[DHCPBinding],
	KindEvent:        read[Event],
	KindJournalState: read[JournalState],
}

func read[T Message, P interface {
	*T
	layout
}](b []byte) (Message, error) {
	var m T
	if err := decode(b, P(&m)); err != nil {
		return nil, err
	}
	return m, nil
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

func (m Ready) Append(b []byte) []byte        { return encode(b, &m) }
func (m ProcessExit) Append(b []byte) []byte  { return encode(b, &m) }
func (m PolicyBegin) Append(b []byte) []byte  { return encode(b, &m) }
func (m PolicyPut) Append(b []byte) []byte    { return encode(b, &m) }
func (m PolicyCommit) Append(b []byte) []byte { return encode(b, &m) }
func (m PolicyAbort) Append(b []byte) []byte  { return encode(b, &m) }
func (m SetBinding) Append(b []byte) []byte   { return encode(b, &m) }
func (m ClearBinding) Append(b []byte) []byte { return encode(b, &m) }
func (m SetBlock) Append(b []byte) []byte     { return encode(b, &m) }
func (m LiftBlock) Append(b []byte) []byte    { return encode(b, &m) }
func (m GetPorts) Append(b []byte) []byte     { return encode(b, &m) }
func (m Result) Append(b []byte) []byte       { return encode(b, &m) }
func (m PortState) Append(b []byte) []byte    { return encode(b, &m) }
func (m MapFD) Append(b []byte) []byte        { return encode(b, &m) }
func (m DeviceSeen) Append(b []byte) []byte   { return encode(b, &m) }
func (m DHCPBinding) Append(b []byte) []byte  { return encode(b, &m) }
func (m Event) Append(b []byte) []byte        { return encode(b, &m) }
func (m JournalState) Append(b []byte) []byte { return encode(b, &m) }

func (*Ready) layout(*codec) {}

func (m *ProcessExit) layout(c *codec) {
	u8(c, &m.Process)
	u32(c, &m.Code)
	u32(c, &m.Signal)
	u8(c, &m.Violator)
	u32(c, &m.Restarts)
}

func (m *PolicyBegin) layout(c *codec) {
	u32(c, &m.ID)
	for i := range m.Counts {
		u32(c, &m.Counts[i])
	}
}

func (m *PolicyCommit) layout(c *codec) {
	u32(c, &m.ID)
	u32(c, &m.Count)
	for i := range m.Sum {
		u8(c, &m.Sum[i])
	}
}

func (m *PolicyAbort) layout(c *codec) { u32(c, &m.ID) }

func (m *SetBinding) layout(c *codec) {
	u32(c, &m.ID)
	c.device(&m.Device)
	u32(c, &m.VLAN)
	c.addr(&m.Addr)
}

func (m *ClearBinding) layout(c *codec) { (*SetBinding)(m).layout(c) }

func (m *SetBlock) layout(c *codec) {
	u32(c, &m.ID)
	c.addr(&m.Src)
	c.addr(&m.Dst)
	u64(c, &m.Until)
	c.text(&m.Reason, MaxReason)
}

func (m *LiftBlock) layout(c *codec) {
	u32(c, &m.ID)
	c.addr(&m.Src)
	c.addr(&m.Dst)
}

func (m *GetPorts) layout(c *codec) { u32(c, &m.ID) }

func (m *Result) layout(c *codec) {
	u32(c, &m.ID)
	c.bool(&m.OK)
	u32(c, &m.Generation)
	c.text(&m.Error, MaxText)
}

func (m *PortState) layout(c *codec) {
	c.text(&m.Bridge, MaxName)
	c.text(&m.Port, MaxName)
	c.side(&m.Side)
	c.bool(&m.Up)
	c.text(&m.Mode, MaxName)
	u32(c, &m.MTU)
	u32(c, &m.SpeedMbps)
	list(c, &m.Checks, 10, func(c *codec, v *PortCheck) {
		c.text(&v.Name, MaxName)
		u8(c, &v.State)
		c.check(v.State <= CheckBad, "a check has an unknown state")
		c.text(&v.Detail, MaxText)
	})
}

func (m *MapFD) layout(c *codec) {
	c.text(&m.Bridge, MaxName)
	c.text(&m.Name, MaxName)
}

func (m *DeviceSeen) layout(c *codec) {
	c.mac(&m.MAC)
	u32(c, &m.VLAN)
	c.side(&m.Side)
	c.text(&m.Bridge, MaxName)
	c.addr(&m.Addr)
	u64(c, &m.Boot)
	list(c, &m.Evidence, 12, func(c *codec, v *string) { c.text(v, MaxText) })
}

func (m *DHCPBinding) layout(c *codec) {
	c.mac(&m.MAC)
	u32(c, &m.VLAN)
	c.text(&m.Bridge, MaxName)
	c.addr(&m.Addr)
	u32(c, &m.LeaseSeconds)
	c.addr(&m.Server)
}

func (m *Event) layout(c *codec) {
	u16(c, &m.Type)
	c.bytes(&m.Payload)
}

func (m *JournalState) layout(c *codec) {
	u64(c, &m.Written)
	u64(c, &m.Suppressed)
	u64(c, &m.Lost)
	c.bool(&m.DiskFull)
	c.text(&m.LastError, MaxText)
}

func (c *codec) side(v *flow.Side) {
	u8(c, v)
	c.check(*v <= flow.AnySide, "a side is neither camera, server nor any")
}

func (c *codec) device(v *DeviceID) {
	u16(c, v)
	c.check(*v <= MaxDeviceID, "a device number is too large")
}
