package event

import (
	"net/netip"

	"citygate/pkg/flow"
)

// What a Device event reports. The list grows with the inventory; readers must accept others.
const (
	DeviceNew  = "new"  // the first frame of a hardware address
	DeviceBack = "back" // heard again after a silence

	DeviceAddressChanged = "address_changed" // another IP address than before
)

// Device says what became known of a device on the wire.
type Device struct {
	Header
	Event       string // DeviceNew, ...
	MAC         flow.MAC
	VLAN        flow.VLAN
	Side        flow.Side  // where it was heard
	Addr        netip.Addr // zero if not known yet
	Vendor      string     // by the MAC's prefix
	Name        string     // its name in the policy; empty if not listed
	Role        string     // its role in the policy
	Listed      bool       // the policy names it
	Hostname    string     // as it calls itself (DHCP option 12): not trusted
	VendorClass string     // as it calls itself (DHCP option 60): not trusted
}

// EventType is TypeDevice.
func (*Device) EventType() Type { return TypeDevice }

func (d *Device) wire(c *coder) {
	c.text(&d.Event, maxName)
	c.mac(&d.MAC)
	u32(c, &d.VLAN)
	u8(c, &d.Side)
	c.addr(&d.Addr)
	c.text(&d.Vendor, maxName)
	c.text(&d.Name, maxName)
	c.text(&d.Role, maxName)
	c.bool(&d.Listed)
	c.text(&d.Hostname, maxText)
	c.text(&d.VendorClass, maxText)
}

type deviceOurs struct {
	Bridge string     `json:"bridge,omitempty"`
	Device deviceBody `json:"device"`
}

type deviceBody struct {
	Event       string `json:"event"`
	MAC         string `json:"mac"`
	IP          string `json:"ip,omitempty"`
	Port        string `json:"port"`
	VLAN        string `json:"vlan,omitempty"`
	Vendor      string `json:"vendor,omitempty"`
	Listed      bool   `json:"listed"`
	Name        string `json:"name,omitempty"`
	Role        string `json:"role,omitempty"`
	Hostname    string `json:"hostname,omitempty"`
	VendorClass string `json:"vendor_class,omitempty"`
}

func (d *Device) eve(l *line) {
	l.vlan(d.VLAN)
	body := deviceBody{
		Event: d.Event, MAC: d.MAC.String(), Port: d.Side.String(), VLAN: vlanText(d.VLAN), Vendor: d.Vendor,
		Listed: d.Listed, Name: d.Name, Role: d.Role, Hostname: d.Hostname, VendorClass: d.VendorClass,
	}
	if d.Addr.IsValid() {
		body.IP = d.Addr.String()
	}
	l.Ours = deviceOurs{d.Bridge, body}
}
