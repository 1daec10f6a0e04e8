package control

import (
	"context"
	"errors"
	"testing"

	"citygate/pkg/ipc"
)

func TestNamesOfAPolicy(t *testing.T) {
	b := newBox(t, goodPolicy)
	compiled := b.running.Load().compiled
	got := map[string]bool{}
	for _, m := range namesOf(compiled, 9) {
		if len(m.Names) > ipc.MaxNames || m.Generation != 9 {
			t.Errorf("piece %+v", m)
		}
		for i, name := range m.Names {
			switch n := m.First + uint16(i); m.Table {
			case ipc.NamesOfDevices:
				got[name] = compiled.DeviceName(ipc.DeviceID(n)) == name
			case ipc.NamesOfServices:
				got[name] = compiled.ServiceName(uint8(n)) == name
			case ipc.NamesOfRules:
				got[name] = compiled.Rules[n-1].Text == name
			}
		}
	}
	for _, want := range []string{"gate-2", "main", "rtsp", compiled.Rules[0].Text} {
		if !got[want] {
			t.Errorf("%q is not named rightly", want)
		}
	}
}

// Of two policies in a row only the names of the latest are told.
func TestNamingTellsTheLatest(t *testing.T) {
	compiled := newBox(t, goodPolicy).running.Load().compiled
	n := newNaming()
	n.put(compiled, 1)
	n.put(compiled, 2)
	gone := errors.New("watch is gone")
	err := n.run(context.Background(), func(m ipc.Message) error {
		if g := m.(ipc.Names).Generation; g != 2 {
			t.Errorf("names of generation %d", g)
		}
		return gone
	})
	if !errors.Is(err, gone) {
		t.Error(err)
	}
}
