// Package sight turns what the data path reports (samples of frames, flows, counters) into sightings and bindings for
// control, and events for the journal. What it decides depends only on its inputs and the time it is given.
package sight

import (
	"errors"
	"sync"
	"time"

	"citygate/pkg/datapath/reader"
	"citygate/pkg/device"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/packet"
	"citygate/pkg/verdict"
)

// Window is how long like events are gathered into one, and how often an identity's news go to control at most.
const Window = time.Second

// Bridge names a bridge and the interfaces of its ports, by flow.Side.
type Bridge struct {
	Name  string
	Ports [2]string
}

// head starts an event that happened at a moment on a side.
func (b Bridge) head(m Moment, side flow.Side) event.Header {
	h := event.Header{Boot: m.Boot, Wall: m.Wall, Bridge: b.Name}
	if int(side) < len(b.Ports) {
		h.Iface = b.Ports[side]
	}
	return h
}

// Moment is one moment by both clocks.
type Moment struct {
	Wall time.Time
	Boot time.Duration // CLOCK_MONOTONIC
}

// at is the moment of another reading of CLOCK_MONOTONIC, such as the kernel's stamp of a sample.
func (m Moment) at(boot time.Duration) Moment {
	return Moment{Wall: m.Wall.Add(boot - m.Boot), Boot: boot}
}

// Voice is how a Watch speaks. Its functions must not block; they report whether the word was taken.
type Voice struct {
	Seen  func(ipc.DeviceSeen) bool  // to control; what was not taken is said again
	Bound func(ipc.DHCPBinding) bool // to control
	Tell  func(event.Event) bool     // to the journal
	Names *Names                     // of the policy's devices
}

// Watch gathers samples. It is safe for concurrent use.
type Watch struct {
	voice Voice

	mu         sync.Mutex
	decoder    *packet.Decoder
	drops      drops
	anomalies  anomalies
	neighbours neighbours
}

// New makes a Watch.
func New(v Voice) *Watch {
	return &Watch{
		voice: v, decoder: packet.NewDecoder(),
		drops: newDrops(), anomalies: newAnomalies(), neighbours: newNeighbours(v.Seen),
	}
}

// Sample takes a sample in. It reports whether Flush has something to say one Window later.
func (w *Watch) Sample(b Bridge, s reader.Sample, now Moment) (held bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, err := w.decoder.Decode(s.Data, s.Length)
	var bad *packet.Malformed
	if errors.As(err, &bad) {
		h = bad.Headers
	}
	when := now.at(s.Boot)
	if what := malformed(s, bad); what != "" {
		w.anomalies.add(b, when, s.Side, what, &h)
	}
	if s.Kind == reader.SampleDrop || s.Kind == reader.SampleWouldDrop {
		w.drops.add(b, when, s, &h, w.voice.Names.Device(s.Device))
	}
	if bad == nil && h.Src != (flow.MAC{}) && !h.Src.Group() {
		w.identify(b, s, &h)
	}
	return w.held()
}

// Flush says what was gathered. It reports whether it must be called again after another Window.
func (w *Watch) Flush() (held bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.drops.take() {
		w.voice.Tell(d)
	}
	for _, a := range w.anomalies.take() {
		w.voice.Tell(a)
	}
	w.neighbours.flush()
	return w.held()
}

func (w *Watch) held() bool {
	return len(w.drops.held) > 0 || len(w.anomalies.held) > 0 || len(w.neighbours.news) > 0
}

// malformed names what is wrong with a sample's frame, "" if nothing is.
func malformed(s reader.Sample, bad *packet.Malformed) string {
	if bad != nil {
		return bad.Event
	}
	switch s.Reason {
	case verdict.ReasonMalformedEthernet, verdict.ReasonMalformedVLAN, verdict.ReasonMalformedARP, verdict.ReasonMalformedIPv4,
		verdict.ReasonMalformedIPv6, verdict.ReasonIPv6Extensions, verdict.ReasonMalformedTCP, verdict.ReasonMalformedUDP,
		verdict.ReasonMalformedICMP:
		return s.Reason.String() // such as TCP flags that no stack sends
	}
	return ""
}

// identify takes what a well-formed frame says of its sender, and of whom it is about.
func (w *Watch) identify(b Bridge, s reader.Sample, h *packet.Headers) {
	n := news{bridge: b.Name, side: s.Side, boot: s.Boot, first: s.Kind == reader.SampleDevice}
	n.id = device.ID{MAC: h.Src, VLAN: h.VLAN}
	if believable(s.Reason) {
		n.addr = ownAddress(h)
	}
	m, isDHCP := dhcp(h)
	switch {
	case isDHCP && m.Reply:
		if s.Kind == reader.SampleDHCP && s.Side == flow.ServerSide && m.Type == packet.DHCPAck && m.Assigned.IsValid() {
			w.bind(b, s, h, &m)
		}
	case isDHCP && m.Client == h.Src:
		n.evidence = said(&m)
	}
	if s.Reason != verdict.ReasonWrongSide { // a clone's place is not the device's
		w.neighbours.see(n)
	}
}

// bind tells control of an address that a server gave, and whose it is. The data path forwards only the answers of
// listed servers on the server side.
func (w *Watch) bind(b Bridge, s reader.Sample, h *packet.Headers, m *packet.DHCP) {
	w.voice.Bound(ipc.DHCPBinding{
		MAC: m.Client, VLAN: h.VLAN, Bridge: b.Name, Addr: m.Assigned, LeaseSeconds: uint32(m.Lease / time.Second), Server: m.Server,
	})
	w.neighbours.see(news{
		bridge: b.Name, side: flow.CameraSide, boot: s.Boot, addr: m.Assigned,
		id: device.ID{MAC: m.Client, VLAN: h.VLAN},
	})
}
