// Package control is the box's API and its decisions: policies, DHCP bindings, blocks and device sightings go in; tables
// for the guard, events for the journal and answers for people come out. What must outlive a restart is in its folder.
package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/device"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/policy"
)

// Guard changes the kernel. The generation is that of the policy in force afterwards.
type Guard interface {
	Load(ctx context.Context, set ipc.PolicySet) (generation uint32, err error)
	Bind(ctx context.Context, d ipc.DeviceID, vlan flow.VLAN, addr netip.Addr) error
	Unbind(ctx context.Context, d ipc.DeviceID, vlan flow.VLAN, addr netip.Addr) error
	Block(ctx context.Context, src, dst netip.Addr, until time.Time, reason string) error
	Lift(ctx context.Context, src, dst netip.Addr) error
	Ports(ctx context.Context) ([]ipc.PortState, uint32, error)
}

// Errors that the API turns into its status codes.
var (
	errNotFound = errors.New("not found")
	errInvalid  = errors.New("not valid")
	errConflict = errors.New("not now")
)

// Config is what a Control is made of.
type Config struct {
	Boot     *ipc.Boot
	StateDir string
	Guard    Guard
	Events   func(event.Event) // takes an event at once and keeps nobody waiting
	Kernel   *Kernel
	InForce  func(*policy.Compiled, uint32) // hears of each policy that comes into force, with its generation
	// ReadPolicy reads the config's policy file.
	ReadPolicy func() ([]byte, error)
	Now        func() time.Time
}

// Control is the state of a box. change is held by whoever changes the kernel; the rest is for readers.
type Control struct {
	Config
	store     store
	inventory sights
	started   time.Time

	change  sync.Mutex
	pending atomic.Pointer[pendingPolicy]
	timer   *time.Timer // of pending

	running atomic.Pointer[running]

	mu        sync.Mutex // of what follows
	bindings  map[device.ID]netip.Addr
	blocks    map[blockKey]api.Block
	degraded  map[string]api.Degraded
	processes map[ipc.Process]ipc.ProcessExit
	restarts  uint32
	journal   ipc.JournalState
}

// Open loads the state. What is damaged is set aside and left empty: a box must come up.
func Open(c Config) (*Control, error) {
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
		return nil, fmt.Errorf("open control's state: %w", err)
	}
	k := &Control{
		Config: c, store: store{c.StateDir}, started: c.Now(),
		bindings: map[device.ID]netip.Addr{}, blocks: map[blockKey]api.Block{},
		degraded: map[string]api.Degraded{}, processes: map[ipc.Process]ipc.ProcessExit{},
	}
	k.loadInventory()
	k.loadBindings()
	k.loadBlocks()
	return k, nil
}

// load reads a state file, and sets a damaged one aside. It reports whether there is one.
func (c *Control) load(name string, v any) bool {
	err := c.store.load(name, v)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err == nil
	}
	text := err.Error()
	if errors.Is(err, errCorrupt) {
		aside, asideErr := c.store.setAside(name, c.Now())
		if asideErr == nil {
			text += "; it is kept as " + aside
		}
	}
	c.degrade("state", text, "what it held is lost: see what citygate status and citygate devices now say")
	c.Events(&event.Anomaly{Type: event.AnomalyBox, Event: "state_damaged", Text: text, Object: name})
	return false
}

// save writes a state file. When it cannot, the box goes on with what it has in memory and says so.
func (c *Control) save(name string, v any) bool {
	if err := c.store.save(name, v); err != nil {
		c.degrade("disk", err.Error(), "free space in state_dir: a restart would forget the last change")
		c.Events(&event.Anomaly{Type: event.AnomalyBox, Event: "state_not_saved", Text: err.Error(), Object: name})
		return false
	}
	c.recover("disk")
	return true
}

func (c *Control) degrade(what, text, remedy string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.degraded[what] = api.Degraded{What: what, Text: text, Remedy: remedy}
}

func (c *Control) recover(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.degraded, what)
}

// audit records who asked for what.
func (c *Control) audit(who Caller, verb, object, reason string, err error) {
	result := event.AuditAllowed
	if err != nil {
		result = event.AuditFailed
		reason = strings.TrimPrefix(reason+": "+err.Error(), ": ")
	}
	c.Events(&event.Audit{UID: who.UID, Who: who.String(), Verb: verb, Object: object, Result: result, Reason: reason})
}

// Caller is who asks, by SO_PEERCRED.
type Caller struct{ UID uint32 }

func (c Caller) String() string {
	if c.UID == 0 {
		return "root"
	}
	return fmt.Sprintf("uid %d", c.UID)
}
