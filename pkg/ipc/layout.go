package ipc

// layouts gives the fields of each kind in their order on the wire.
var layouts = map[Kind]layout{
	KindReady: of(func(*codec, *Ready) {}),
	KindProcessExit: of(func(c *codec, m *ProcessExit) {
		u8(c, &m.Process)
		u32(c, &m.Code)
		u32(c, &m.Signal)
		u8(c, &m.Violator)
		u32(c, &m.Restarts)
	}),
	KindPolicyBegin: of(func(c *codec, m *PolicyBegin) { u32(c, &m.ID); array(c, m.Counts[:], u32) }),
	KindPolicyPut:   of(putLayout),
	KindPolicyCommit: of(func(c *codec, m *PolicyCommit) {
		u32(c, &m.ID)
		u32(c, &m.Count)
		array(c, m.Sum[:], u8)
	}),
	KindPolicyAbort:  of(func(c *codec, m *PolicyAbort) { u32(c, &m.ID) }),
	KindSetBinding:   of(bindingLayout),
	KindClearBinding: of(func(c *codec, m *ClearBinding) { bindingLayout(c, (*SetBinding)(m)) }),
	KindSetBlock: of(func(c *codec, m *SetBlock) {
		u32(c, &m.ID)
		c.addr(&m.Src)
		c.addr(&m.Dst)
		u64(c, &m.Until)
		c.text(&m.Reason, MaxReason)
	}),
	KindLiftBlock: of(func(c *codec, m *LiftBlock) { u32(c, &m.ID); c.addr(&m.Src); c.addr(&m.Dst) }),
	KindGetPorts:  of(func(c *codec, m *GetPorts) { u32(c, &m.ID) }),
	KindResult: of(func(c *codec, m *Result) {
		u32(c, &m.ID)
		c.bool(&m.OK)
		u32(c, &m.Generation)
		c.text(&m.Error, MaxText)
	}),
	KindPortState: of(func(c *codec, m *PortState) {
		c.text(&m.Bridge, MaxName)
		c.text(&m.Port, MaxName)
		u8(c, &m.Side)
		c.bool(&m.Up)
		c.text(&m.Mode, MaxName)
		u32(c, &m.MTU)
		u32(c, &m.SpeedMbps)
		list(c, &m.Checks, 10, checkLayout)
	}),
	KindMapFD: of(func(c *codec, m *MapFD) { c.text(&m.Bridge, MaxName); c.text(&m.Name, MaxName) }),
	KindDeviceSeen: of(func(c *codec, m *DeviceSeen) {
		array(c, m.MAC[:], u8)
		u32(c, &m.VLAN)
		u8(c, &m.Side)
		c.text(&m.Bridge, MaxName)
		c.addr(&m.Addr)
		u64(c, &m.Boot)
		list(c, &m.Evidence, 12, func(c *codec, v *string) { c.text(v, MaxText) })
	}),
	KindDHCPBinding: of(func(c *codec, m *DHCPBinding) {
		array(c, m.MAC[:], u8)
		u32(c, &m.VLAN)
		c.text(&m.Bridge, MaxName)
		c.addr(&m.Addr)
		u32(c, &m.LeaseSeconds)
		c.addr(&m.Server)
	}),
	KindEvent: of(func(c *codec, m *Event) { u16(c, &m.Type); c.bytes(&m.Payload) }),
	KindJournalState: of(func(c *codec, m *JournalState) {
		u64(c, &m.Written)
		u64(c, &m.Suppressed)
		u64(c, &m.Lost)
		c.bool(&m.DiskFull)
		c.text(&m.LastError, MaxText)
	}),
}

func bindingLayout(c *codec, m *SetBinding) {
	u32(c, &m.ID)
	u16(c, &m.Device)
	u32(c, &m.VLAN)
	c.addr(&m.Addr)
}

func checkLayout(c *codec, v *PortCheck) {
	c.text(&v.Name, MaxName)
	u8(c, &v.State)
	c.text(&v.Detail, MaxText)
}
