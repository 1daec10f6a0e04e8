// Package config turns the text of citygate.yaml into a valid Config, or gives every error with its place.
package config

import (
	"fmt"
	"net/netip"

	"citygate/pkg/flow"
	"citygate/pkg/policy/document"
)

// Error is one thing wrong with a config file; Errors is all of it, in the order of the file.
type (
	Error  = document.Error
	Errors = document.Errors
)

// Defaults of keys that may be left out.
const (
	DefaultFile     = "/etc/citygate/citygate.yaml"
	DefaultStateDir = "/var/lib/citygate"
	DefaultLogDir   = "/var/log/citygate"
	DefaultRunDir   = "/run/citygate"
	DefaultBPFDir   = "/sys/fs/bpf/citygate"
	DefaultUIDBase  = 47100
)

// Mode says whether a bridge drops what the policy does not allow, or only marks it.
type Mode string

// The modes.
const (
	Monitor Mode = "monitor"
	Enforce Mode = "enforce"
)

// OnFailure says what happens to flows that would be inspected while the inspector is down.
type OnFailure string

// The answers to a dead inspector.
const (
	Open   OnFailure = "open"
	Closed OnFailure = "closed"
)

// OnOverload says what happens to frames that the inspector has no room for.
type OnOverload string

// The answers to a full inspector.
const (
	Pass OnOverload = "pass"
	Drop OnOverload = "drop"
)

// Config is a valid configuration. All its paths are absolute, unless the config file itself was named by a relative one:
// then Policy is relative to the same folder.
type Config struct {
	File       string
	Site       Site
	Bridges    []Bridge
	Policy     string // path of the policy file
	Management *Management
	StateDir   string
	LogDir     string
	RunDir     string
	BPFDir     string
	UIDBase    int

	ports []port
}

// Site is the place that the box protects.
type Site struct {
	Name string
}

// Bridge is a pair of ports that the box stands between.
type Bridge struct {
	Name       string
	CameraPort string
	ServerPort string
	Mode       Mode
	Inspect    bool // false until the inspector exists
	OnFailure  OnFailure
	OnOverload OnOverload
	STP        bool // forward spanning tree
	LLDP       bool // forward LLDP
}

// Management is the box's own interface, and who may reach it there.
type Management struct {
	Interface string
	AllowFrom []netip.Prefix
	Ports     []Port
}

// Port is a port of the box itself.
type Port struct {
	Proto  flow.Proto // TCP or UDP
	Number uint16
}

func (p Port) String() string {
	if p.Proto == flow.TCP {
		return fmt.Sprintf("tcp/%d", p.Number)
	}
	return fmt.Sprintf("udp/%d", p.Number)
}

// port is a network interface that the config names, and where.
type port struct {
	name string
	at   document.Place
}

// CheckPorts reports the interfaces that do not exist. The error is an Errors.
func (c *Config) CheckPorts(exists func(name string) bool) error {
	var errs Errors
	for _, p := range c.ports {
		if !exists(p.name) {
			errs = append(errs, p.at.Error(c.File, fmt.Sprintf("there is no interface %s on this machine", p.name), "name one that `ip link` lists"))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}
