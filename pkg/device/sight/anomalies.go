package sight

import (
	"fmt"

	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

// maxAnomalies bounds the table; what does not fit joins those of the same fault, without their sender.
const maxAnomalies = 1024

// anomalies gathers malformed frames, by what is wrong and who sent them.
type anomalies struct {
	held  []event.Event
	alike map[anomalyKey]*event.Anomaly
}

type anomalyKey struct {
	bridge, what string
	src          flow.MAC
}

func newAnomalies() anomalies { return anomalies{alike: map[anomalyKey]*event.Anomaly{}} }

func (as *anomalies) add(b Bridge, when Moment, side flow.Side, what string, h *packet.Headers) {
	key := anomalyKey{b.Name, what, h.Src}
	if as.alike[key] == nil && len(as.held) >= maxAnomalies {
		key.src = flow.MAC{}
	}
	if a := as.alike[key]; a != nil {
		a.Count++
		return
	}
	text := fmt.Sprintf("malformed frame from the %v side", side)
	if h.Tuple.Src.IsValid() {
		text += ": " + h.Tuple.String()
	}
	a := &event.Anomaly{
		Header: b.head(when, side), Type: event.AnomalyDecode, Event: what, Text: text, Object: key.src.String(), Count: 1,
	}
	as.held = append(as.held, a)
	as.alike[key] = a
}

// take empties the table, in the order of arrival.
func (as *anomalies) take() []event.Event {
	held := as.held
	as.held = nil
	clear(as.alike)
	return held
}
