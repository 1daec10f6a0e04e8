package sight

import (
	"fmt"

	"citygate/pkg/datapath/reader"
	"citygate/pkg/event"
	"citygate/pkg/flow"
)

// Maps is what can be read of a bridge; *reader.Reader is one.
type Maps interface {
	Flows(fn func(reader.Flow) bool) error
	Reasons() ([]reader.ReasonCount, error)
	Devices() ([]reader.DeviceCount, error)
	Losses() (sent, lost [2]uint64, err error)
	Suppressed() (uint64, error)
	Generation() (uint32, error)
}

// stats reads a bridge's counters into an event.
func stats(b Bridge, m Maps, flows uint32, now Moment) (*event.Stats, error) {
	e := &event.Stats{Header: b.head(now, flow.AnySide), Flows: flows}
	reasons, err := m.Reasons()
	if err != nil {
		return nil, fmt.Errorf("bridge %s: %w", b.Name, err)
	}
	for _, r := range reasons {
		if r.Frames > 0 || r.WouldDropCount > 0 {
			e.Reasons = append(e.Reasons, event.ReasonCount{
				Reason: r.Reason, Verdict: r.Verdict, Frames: r.Frames, Bytes: r.Bytes, WouldDrop: r.WouldDropCount,
			})
		}
	}
	devices, err := m.Devices()
	if err != nil {
		return nil, fmt.Errorf("bridge %s: %w", b.Name, err)
	}
	for _, d := range devices {
		if d.Device != 0 { // 0 stands for all unknown ones
			e.Devices++
		}
	}
	_, lost, err := m.Losses()
	if err != nil {
		return nil, fmt.Errorf("bridge %s: %w", b.Name, err)
	}
	e.DevmapLost = lost[0] + lost[1]
	if e.Suppressed, err = m.Suppressed(); err != nil {
		return nil, fmt.Errorf("bridge %s: %w", b.Name, err)
	}
	if e.Generation, err = m.Generation(); err != nil {
		return nil, fmt.Errorf("bridge %s: %w", b.Name, err)
	}
	return e, nil
}
