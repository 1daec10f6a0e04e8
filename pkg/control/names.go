package control

import (
	"context"

	"citygate/pkg/ipc"
	"citygate/pkg/policy"
)

// naming tells watch what the numbers of the policy in force mean, the latest policy only.
type naming struct{ latest chan []ipc.Names }

func newNaming() *naming { return &naming{make(chan []ipc.Names, 1)} }

// put takes a policy's names, and forgets those of one that was not told yet. One goroutine calls it at a time.
func (n *naming) put(c *policy.Compiled, generation uint32) {
	select {
	case <-n.latest:
	default:
	}
	n.latest <- namesOf(c, generation)
}

// run sends the names until ctx ends.
func (n *naming) run(ctx context.Context, send func(ipc.Message) error) error {
	for {
		select {
		case pieces := <-n.latest:
			for _, p := range pieces {
				if err := send(p); err != nil {
					return err
				}
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// namesOf cuts a policy's names into messages.
func namesOf(c *policy.Compiled, generation uint32) (out []ipc.Names) {
	table := func(which uint8, first, count uint16, name func(uint16) string) {
		for at := first; at < first+count; at += ipc.MaxNames {
			m := ipc.Names{Generation: generation, Table: which, First: at}
			for i := at; i < min(at+ipc.MaxNames, first+count); i++ {
				m.Names = append(m.Names, name(i))
			}
			out = append(out, m)
		}
	}
	last := ipc.NoDevice
	for _, d := range c.Set.Devices {
		last = max(last, d.ID)
	}
	table(ipc.NamesOfDevices, 1, uint16(last), func(i uint16) string { return c.DeviceName(ipc.DeviceID(i)) })
	table(ipc.NamesOfServices, 0, ipc.MaxServices, func(i uint16) string { return c.ServiceName(uint8(i)) })
	table(ipc.NamesOfRules, 1, uint16(min(len(c.Rules), maxNamedRules)), func(i uint16) string { return c.Rules[i-1].Text })
	return out
}

// maxNamedRules bounds what is sent at a policy swap; lines beyond it have no text in flow events.
const maxNamedRules = 4096
