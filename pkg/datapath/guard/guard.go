// Package guard turns typed requests of control into changes of the kernel: policies, bindings, blocks. It holds the
// bridges of a gateway, and parses nothing but fixed records.
package guard

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"citygate/pkg/datapath"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/link"
)

// Guard holds the bridges.
type Guard struct {
	bridges []*datapath.Bridge
	policy  *ipc.Assembly // being received
}

// Dir is the folder of a bridge's pins.
func Dir(boot *ipc.Boot, name string) string { return filepath.Join(boot.BPFDir, name) }

// Open loads or adopts the bridges of the boot record, and detaches those that it no longer has.
func Open(boot *ipc.Boot) (*Guard, error) {
	g := &Guard{}
	for _, b := range boot.Bridges {
		opened, err := datapath.Open(Dir(boot, b.Name), b)
		if err != nil {
			g.Close()
			return nil, fmt.Errorf("bridge %s: %w", b.Name, err)
		}
		g.bridges = append(g.bridges, opened)
	}
	return g, detachOthers(boot)
}

func detachOthers(boot *ipc.Boot) error {
	wanted := map[string]bool{}
	for _, b := range boot.Bridges {
		wanted[Dir(boot, b.Name)] = true
	}
	pinned, _ := filepath.Glob(Dir(boot, "*"))
	for _, dir := range pinned {
		if !wanted[dir] {
			if err := datapath.Detach(dir); err != nil {
				return fmt.Errorf("detach the former bridge %s: %w", filepath.Base(dir), err)
			}
		}
	}
	return nil
}

// Detach takes all bridges off their ports and gives the ports back.
func Detach(boot *ipc.Boot) error {
	none := *boot
	none.Bridges = nil
	return detachOthers(&none)
}

// Close lets go of the bridges; the kernel goes on forwarding.
func (g *Guard) Close() {
	for _, b := range g.bridges {
		b.Close()
	}
}

// Share sends descriptors of the maps that readers may have.
func (g *Guard) Share(to ...*ipc.Conn) error {
	for _, b := range g.bridges {
		maps, err := b.Maps()
		if err != nil {
			return fmt.Errorf("bridge %s: %w", b.Name, err)
		}
		for name, m := range maps {
			for _, c := range to {
				if err := c.Send(ipc.MapFD{Bridge: b.Name, Name: name}, m.FD()); err != nil {
					return fmt.Errorf("hand out the map %s: %w", name, err)
				}
			}
			m.Close()
		}
	}
	return nil
}

// Serve answers control until the channel ends.
func (g *Guard) Serve(c *ipc.Conn) error {
	for {
		r, err := c.Recv()
		if err != nil {
			return err
		}
		for _, answer := range g.answer(r.Message) {
			if err := c.Send(answer); err != nil {
				return fmt.Errorf("answer control: %w", err)
			}
		}
	}
}

// answer carries out a request; what has no answer of its own is answered by the next one that has.
func (g *Guard) answer(m ipc.Message) []ipc.Message {
	switch m := m.(type) {
	case ipc.PolicyBegin:
		g.policy = ipc.NewAssembly(m)
	case ipc.PolicyPut:
		if g.policy != nil && g.policy.Put(m) != nil {
			g.policy = nil // the commit will say so
		}
	case ipc.PolicyAbort:
		g.policy = nil
		return g.result(m.ID, nil)
	case ipc.PolicyCommit:
		return g.result(m.ID, g.commit(m))
	case ipc.SetBinding:
		return g.result(m.ID, g.each(func(b *datapath.Bridge) error { return b.SetBinding(m.Device, m.VLAN, m.Addr) }))
	case ipc.ClearBinding:
		return g.result(m.ID, g.each(func(b *datapath.Bridge) error { return b.ClearBinding(m.Device, m.VLAN, m.Addr) }))
	case ipc.SetBlock:
		return g.result(m.ID, g.setBlock(m))
	case ipc.LiftBlock:
		return g.result(m.ID, g.each(func(b *datapath.Bridge) error { return b.LiftBlock(m.Src, m.Dst) }))
	case ipc.GetPorts:
		states, err := g.ports()
		return append(states, g.result(m.ID, err)...)
	}
	return nil
}

func (g *Guard) result(id uint32, err error) []ipc.Message {
	r := ipc.Result{ID: id, OK: err == nil}
	if len(g.bridges) > 0 {
		r.Generation = g.bridges[0].Generation()
	}
	if err != nil {
		r.Error = err.Error()
	}
	return []ipc.Message{r}
}

var errNoTransfer = errors.New("no policy is being transferred, or one of its pieces was refused")

// commit checks that the whole set arrived as it was sent, stages it for every bridge, and then switches them.
func (g *Guard) commit(m ipc.PolicyCommit) error {
	assembly := g.policy
	g.policy = nil
	if assembly == nil {
		return errNoTransfer
	}
	set, err := assembly.Commit(m)
	if err != nil {
		return err
	}
	staged := make([]*datapath.Staged, 0, len(g.bridges))
	err = g.each(func(b *datapath.Bridge) error {
		s, err := b.Stage(&set)
		if err == nil {
			staged = append(staged, s)
		}
		return err
	})
	if err != nil {
		for _, s := range staged {
			s.Discard()
		}
		return err
	}
	var errs []error
	for _, s := range staged {
		_, err := s.Activate()
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (g *Guard) setBlock(m ipc.SetBlock) error {
	var until time.Time
	if m.Until != 0 {
		until = time.Unix(0, m.Until)
	}
	return g.each(func(b *datapath.Bridge) error { return b.SetBlock(m.Src, m.Dst, until, m.Reason) })
}

// each stops at the first bridge that fails: the answer names it.
func (g *Guard) each(fn func(*datapath.Bridge) error) error {
	for _, b := range g.bridges {
		if err := fn(b); err != nil {
			return fmt.Errorf("bridge %s: %w", b.Name, err)
		}
	}
	return nil
}

func (g *Guard) ports() (out []ipc.Message, err error) {
	for _, b := range g.bridges {
		names := b.Ports()
		for side, name := range names {
			s, err := link.Inspect(name, names[1-side])
			if err != nil {
				return out, err
			}
			s.Bridge, s.Side = b.Name, flow.Side(side)
			out = append(out, s)
		}
	}
	return out, nil
}
