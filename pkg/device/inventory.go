// Package device turns observations of frames into the inventory: which identities were seen on the wire, where, with
// which addresses, and what changed.
package device

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"citygate/pkg/flow"
)

// Bounds, so that a sweep or a flood of addresses cannot grow the inventory.
const (
	MaxDevices  = 4096
	maxAddrs    = 8
	maxEvidence = 16
	maxWord     = 256 // bytes of one piece of evidence
)

// Silences after which a device counts as back, and after which an unlisted one makes room in a full inventory.
const (
	Away   = time.Hour
	Forget = 24 * time.Hour
)

// ID is a hardware address in a VLAN: the same address in two VLANs is two identities.
type ID struct {
	MAC  flow.MAC  `json:"mac"`
	VLAN flow.VLAN `json:"vlan"`
}

// Observation is one sighting of an identity.
type Observation struct {
	ID
	Bridge   string
	Side     flow.Side
	Addr     netip.Addr // zero if the frame showed none
	Evidence []string   // key=value, see Evidence
	Listed   bool       // the policy names it
	At       time.Time
}

// Device is what is known of an identity.
type Device struct {
	ID
	Bridge   string       `json:"bridge"`
	Side     flow.Side    `json:"side"`
	Addrs    []netip.Addr `json:"addrs"`    // the latest first
	Evidence []string     `json:"evidence"` // one value for each key
	Vendor   string       `json:"-"`        // by the MAC's prefix
	Listed   bool         `json:"listed"`
	First    time.Time    `json:"first"`
	Last     time.Time    `json:"last"`
	Name     string       `json:"name,omitempty"` // the operator's
	Tags     []string     `json:"tags,omitempty"` // the operator's
}

// Keys of evidence that watch sends.
const (
	Hostname    = "dhcp.hostname"     // DHCP option 12
	VendorClass = "dhcp.vendor_class" // DHCP option 60
	Parameters  = "dhcp.parameters"   // DHCP option 55, in its order
)

// Evidence makes a piece of evidence: something that a device said of itself. It is not trusted.
func Evidence(key, value string) string { return key + "=" + value }

// Fact gives the value of a piece of evidence, "" if there is none.
func (d Device) Fact(key string) string {
	for _, e := range d.Evidence {
		if k, value, _ := strings.Cut(e, "="); k == key {
			return value
		}
	}
	return ""
}

// Change is what an observation tells that was not known.
type Change uint8

// The changes.
const (
	New            Change = iota + 1 // its first sight
	AddressChanged                   // it had addresses of this IP version, but not this one
	Back                             // heard again after Away
)

func (c Change) String() string {
	switch c {
	case New:
		return "new"
	case AddressChanged:
		return "address_changed"
	case Back:
		return "back"
	}
	return "none"
}

// Inventory is every identity that was seen. It is not safe for concurrent use.
type Inventory struct {
	vendor  func(flow.MAC) string
	rows    map[ID]*Device
	refused uint64
}

// NewInventory makes an empty one. Vendor names a MAC's vendor, such as Vendors.Lookup.
func NewInventory(vendor func(flow.MAC) string) *Inventory {
	return &Inventory{vendor: vendor, rows: make(map[ID]*Device)}
}

// Observe merges an observation. It reports the change, if there is one. In a full inventory a listed device takes the
// place of the unlisted one that has been silent the longest; an unlisted one does so only after Forget, else it is
// refused and counted.
func (v *Inventory) Observe(o Observation) (Change, bool) {
	d, known := v.rows[o.ID]
	if !known {
		if len(v.rows) >= MaxDevices && !v.makeRoom(o) {
			v.refused++
			return 0, false
		}
		d = &Device{ID: o.ID, First: o.At, Last: o.At}
		v.rows[o.ID] = d
	}
	silence := o.At.Sub(d.Last)
	d.Bridge, d.Side, d.Listed = o.Bridge, o.Side, o.Listed
	if silence > 0 { // else the clock was set back
		d.Last = o.At
	}
	d.believe(o.Evidence)
	moved := d.address(o.Addr)
	switch {
	case !known:
		return New, true
	case silence > Away:
		return Back, true
	case moved:
		return AddressChanged, true
	}
	return 0, false
}

func (v *Inventory) makeRoom(o Observation) bool {
	var oldest *Device
	for _, d := range v.rows {
		if !d.Listed && (oldest == nil || d.Last.Before(oldest.Last)) {
			oldest = d
		}
	}
	if oldest == nil { // the policy's own bound holds
		return o.Listed
	}
	if !o.Listed && o.At.Sub(oldest.Last) <= Forget {
		return false
	}
	delete(v.rows, oldest.ID)
	return true
}

// address puts a at the head of the addresses. It reports whether it takes the place of others.
func (d *Device) address(a netip.Addr) (moved bool) {
	if a = a.Unmap(); !a.IsValid() || a.IsUnspecified() || a.IsMulticast() {
		return false
	}
	known := slices.Contains(d.Addrs, a)
	for _, b := range d.Addrs {
		moved = moved || b.Is4() == a.Is4() && !known
	}
	rest := slices.DeleteFunc(d.Addrs, func(b netip.Addr) bool { return a == b })
	d.Addrs = slices.Insert(rest, 0, a)
	d.Addrs = d.Addrs[:min(len(d.Addrs), maxAddrs)]
	return moved
}

// believe keeps the latest value of each key.
func (d *Device) believe(evidence []string) {
	for _, e := range evidence {
		e = strings.ToValidUTF8(e[:min(len(e), maxWord)], "?")
		key, _, _ := strings.Cut(e, "=")
		same := func(old string) bool { k, _, _ := strings.Cut(old, "="); return k == key }
		if i := slices.IndexFunc(d.Evidence, same); i >= 0 {
			d.Evidence[i] = e
		} else if len(d.Evidence) < maxEvidence {
			d.Evidence = append(d.Evidence, e)
		}
	}
}

// Describe sets the operator's own name and tags. It reports whether the identity is known.
func (v *Inventory) Describe(id ID, name string, tags []string) bool {
	d, ok := v.rows[id]
	if ok {
		d.Name, d.Tags = name, slices.Clone(tags)
	}
	return ok
}

// Get gives a copy of a row.
func (v *Inventory) Get(id ID) (Device, bool) {
	d, ok := v.rows[id]
	if !ok {
		return Device{}, false
	}
	return v.copy(d), true
}

// All gives copies of the rows by first sight.
func (v *Inventory) All() []Device {
	all := make([]Device, 0, len(v.rows))
	for _, d := range v.rows {
		all = append(all, v.copy(d))
	}
	slices.SortFunc(all, func(a, b Device) int {
		return cmp.Or(a.First.Compare(b.First), slices.Compare(a.MAC[:], b.MAC[:]), cmp.Compare(a.VLAN, b.VLAN))
	})
	return all
}

func (v *Inventory) copy(d *Device) Device {
	c := *d
	c.Addrs, c.Evidence, c.Tags = slices.Clone(d.Addrs), slices.Clone(d.Evidence), slices.Clone(d.Tags)
	c.Vendor = v.vendor(d.MAC)
	return c
}

// Len is how many identities there are, Refused how many first sights found no room.
func (v *Inventory) Len() int        { return len(v.rows) }
func (v *Inventory) Refused() uint64 { return v.refused }

// state is the inventory in its file.
type state struct {
	Devices []Device `json:"devices"`
	Refused uint64   `json:"refused"`
}

// MarshalJSON exports the inventory.
func (v *Inventory) MarshalJSON() ([]byte, error) {
	return json.Marshal(state{v.All(), v.refused})
}

// UnmarshalJSON imports what MarshalJSON exported. It changes nothing if there is an error.
func (v *Inventory) UnmarshalJSON(b []byte) error {
	var s state
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("inventory: %w", err)
	}
	rows := make(map[ID]*Device, len(s.Devices))
	for i := range s.Devices {
		d := &s.Devices[i]
		if len(d.Addrs) > maxAddrs || len(d.Evidence) > maxEvidence || rows[d.ID] != nil {
			return fmt.Errorf("inventory: device %d (%v in VLAN %v) is there twice or has too many addresses", i, d.MAC, d.VLAN)
		}
		rows[d.ID] = d
	}
	if len(rows) > 2*MaxDevices { // listed devices may exceed MaxDevices, by as many as a policy can list
		return errors.New("inventory: too many devices")
	}
	v.rows, v.refused = rows, s.Refused
	return nil
}
