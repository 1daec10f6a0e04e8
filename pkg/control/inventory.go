package control

import (
	"fmt"
	"sync"
	"time"

	"citygate/pkg/device"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

const inventoryFile = "inventory.json"

// How often the inventory is written, and a full one told of.
const (
	saveEvery = 2 * time.Second
	tellEvery = time.Minute
)

// sights is the inventory with a lock.
type sights struct {
	mu    sync.Mutex
	rows  *device.Inventory
	dirty bool
	told  uint64 // refused first sights that an event has told of
}

func (c *Control) loadInventory() {
	vendor := func(flow.MAC) string { return "" }
	if v, err := device.Embedded(); err == nil {
		vendor = v.Lookup
	}
	c.inventory.rows = device.NewInventory(vendor)
	c.load(inventoryFile, c.inventory.rows)
	c.inventory.told = c.inventory.rows.Refused()
}

func (v *sights) all() ([]device.Device, uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.rows.All(), v.rows.Refused()
}

// See takes a sighting from watch. A new identity makes one event, ever; so do another address, and a return after long.
func (c *Control) See(m ipc.DeviceSeen) {
	run := c.running.Load()
	listed, known := run.policy.Device(run.owner(m.MAC, m.VLAN))
	id := device.ID{MAC: m.MAC, VLAN: m.VLAN}
	c.inventory.mu.Lock()
	change, told := c.inventory.rows.Observe(device.Observation{
		ID: id, Bridge: m.Bridge, Side: m.Side, Addr: m.Addr, Evidence: m.Evidence,
		Listed: known, At: wall(m.Boot, monotonic(), c.Now()),
	})
	row, _ := c.inventory.rows.Get(id)
	c.inventory.dirty = true
	c.inventory.mu.Unlock()
	if !told {
		return
	}
	e := &event.Device{
		Header: event.Header{Boot: m.Boot, Bridge: m.Bridge, Iface: c.iface(m.Bridge, m.Side)},
		Event:  change.String(), MAC: m.MAC, VLAN: m.VLAN, Side: m.Side, Addr: m.Addr, Vendor: row.Vendor,
		Hostname: row.Fact(device.Hostname), VendorClass: row.Fact(device.VendorClass), Name: row.Name,
	}
	if known {
		e.Listed, e.Name, e.Role = true, listed.Name, string(listed.Role)
	}
	c.Events(e)
}

func (c *Control) iface(bridge string, side flow.Side) string {
	for _, b := range c.Boot.Bridges {
		if b.Name == bridge && side == flow.CameraSide {
			return b.CameraPort
		}
		if b.Name == bridge && side == flow.ServerSide {
			return b.ServerPort
		}
	}
	return ""
}

// tellFull makes an event of the first sights that found no room since the last one.
func (c *Control) tellFull() {
	v := &c.inventory
	v.mu.Lock()
	more := v.rows.Refused() - v.told
	v.told += more
	v.mu.Unlock()
	if more > 0 {
		c.Events(&event.Anomaly{
			Type: event.AnomalyBox, Event: "inventory_full", Count: more,
			Text: fmt.Sprintf("the inventory holds %d devices: %d first sights are only counted", device.MaxDevices, more),
		})
	}
}

// saveInventory writes the inventory if it has changed.
func (c *Control) saveInventory() {
	v := &c.inventory
	v.mu.Lock()
	dirty := v.dirty
	v.dirty = false
	v.mu.Unlock()
	if dirty && !c.save(inventoryFile, lockedInventory{v}) {
		v.mu.Lock()
		v.dirty = true
		v.mu.Unlock()
	}
}

// lockedInventory keeps the inventory still while it is written out.
type lockedInventory struct{ *sights }

func (l lockedInventory) MarshalJSON() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rows.MarshalJSON()
}
