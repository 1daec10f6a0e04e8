package ipc

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"citygate/pkg/flow"
)

// MaxBoot is the longest boot record in bytes.
const MaxBoot = 1 << 16

// bootFormat is the first number of a record, so that binaries of two versions do not misread each other.
const bootFormat = 0x43470001

// Boot is what the processes need to know of the config before control has read it. All paths are absolute.
type Boot struct {
	Site                             string
	Config, Policy                   string // files
	StateDir, LogDir, RunDir, BPFDir string
	UIDBase                          uint32 // process n of Process runs as UIDBase + n - 1
	Bridges                          []BootBridge
	Management                       Management
}

// BootBridge is a bridge of two ports.
type BootBridge struct {
	Name, CameraPort, ServerPort string
	Enforce                      bool // mode: enforce, else monitor
	FailOpen                     bool // on_failure: open, else closed
	OverloadPass                 bool // on_overload: pass, else drop
	STP, LLDP                    bool // forwarded
}

// Ports are the bridge ports by flow.Side.
func (b *BootBridge) Ports() [2]string { return [2]string{b.CameraPort, b.ServerPort} }

// Management is the box's own firewall; no Interface means none.
type Management struct {
	Interface string
	AllowFrom []netip.Prefix
	Ports     []PortRange
}

// PortRange is a range of TCP or UDP ports.
type PortRange struct {
	Proto  flow.Proto
	Lo, Hi uint16
}

// UID is the user (and group) that a process runs as.
func (b *Boot) UID(p Process) uint32 { return b.UIDBase + uint32(p) - 1 }

// StateOf is the state folder of a process.
func (b *Boot) StateOf(p Process) string { return filepath.Join(b.StateDir, p.String()) }

// Append adds the record. The error names what it may not contain.
func (b *Boot) Append(dst []byte) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("write the boot record: %w", err)
	}
	c := codec{b: dst}
	b.layout(&c)
	return c.b, nil
}

// ParseBoot is the inverse of Append.
func ParseBoot(data []byte) (*Boot, error) {
	b := new(Boot)
	err := errors.New("it is too long")
	if len(data) <= MaxBoot {
		err = decode(data, b.layout)
	}
	if err == nil {
		err = b.check()
	}
	if err != nil {
		return nil, fmt.Errorf("read the boot record: %w", err)
	}
	return b, nil
}

// InheritBoot reads the record that the launcher left in the environment. It may be called more than once.
func InheritBoot() (*Boot, error) {
	fd, err := strconv.Atoi(os.Getenv(BootEnv))
	if err != nil {
		return nil, fmt.Errorf("no boot record in %s: this program is started by citygate-launch", BootEnv)
	}
	// The descriptor is shared by all processes, so its offset is not touched.
	data := make([]byte, MaxBoot+1)
	n, err := syscall.Pread(fd, data, 0)
	if err != nil {
		return nil, fmt.Errorf("read the boot record: %w", err)
	}
	return ParseBoot(data[:n])
}

func (b *Boot) layout(c *codec) {
	format := uint32(bootFormat)
	number(c, &format)
	c.check(format == bootFormat, "it is of another version")
	for _, s := range []*string{&b.Site, &b.Config, &b.Policy, &b.StateDir, &b.LogDir, &b.RunDir, &b.BPFDir} {
		c.text(s, maxPath)
	}
	c.fields(num(&b.UIDBase), list(&b.Bridges, maxBridges, (*BootBridge).layout), &b.Management.Interface,
		list(&b.Management.AllowFrom, maxManagement, field[netip.Prefix]),
		list(&b.Management.Ports, maxManagement, (*PortRange).layout))
}

func (b *BootBridge) layout(c *codec) {
	c.fields(&b.Name, &b.CameraPort, &b.ServerPort, &b.Enforce, &b.FailOpen, &b.OverloadPass, &b.STP, &b.LLDP)
}

func (r *PortRange) layout(c *codec) { c.fields(num(&r.Proto), num(&r.Lo), num(&r.Hi)) }

const (
	maxPath       = 1024
	maxBridges    = 16
	maxManagement = 256 // prefixes, and port ranges
	minUID        = 1000
)

// check keeps root from acting on a record that a wrong or taken-over parser wrote.
func (b *Boot) check() error {
	for _, p := range []string{b.Config, b.Policy, b.StateDir, b.LogDir, b.RunDir, b.BPFDir} {
		if !filepath.IsAbs(p) || filepath.Clean(p) != p || p == "/" || clean(p, maxPath) != p {
			return fmt.Errorf("%q is not a clean absolute path", p)
		}
	}
	switch m := b.Management; {
	case b.UIDBase < minUID || b.UIDBase > 1<<31:
		return fmt.Errorf("uid_base %d is not between %d and %d", b.UIDBase, minUID, 1<<31)
	case len(b.Bridges) == 0 || len(b.Bridges) > maxBridges:
		return fmt.Errorf("%d bridges, want 1 to %d", len(b.Bridges), maxBridges)
	case len(m.AllowFrom) > maxManagement || len(m.Ports) > maxManagement:
		return fmt.Errorf("management has more than %d addresses or ports", maxManagement)
	case m.Interface != "" && !interfaceName(m.Interface):
		return fmt.Errorf("%q is no interface name", m.Interface)
	}
	for _, r := range b.Management.Ports {
		if (r.Proto != flow.TCP && r.Proto != flow.UDP) || r.Lo == 0 || r.Lo > r.Hi {
			return fmt.Errorf("management port %v/%d-%d is no range of ports", r.Proto, r.Lo, r.Hi)
		}
	}
	for _, v := range b.Bridges {
		// A bridge's name is a folder of bpffs, so it obeys the same rules as an interface.
		if !interfaceName(v.Name) || !interfaceName(v.CameraPort) || !interfaceName(v.ServerPort) {
			return fmt.Errorf("bridge %q with ports %q and %q: a name has 1 to 15 letters, digits, '-', '_', '.'",
				v.Name, v.CameraPort, v.ServerPort)
		}
	}
	return nil
}

// interfaceName allows less than the kernel does: names end up in paths.
func interfaceName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return s != "" && len(s) <= 15 && strings.Trim(s, letters) == "" && strings.Trim(s, ".") != ""
}
