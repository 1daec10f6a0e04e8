package sight

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"citygate/pkg/datapath/reader"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/verdict"
)

// cache is the data path's flows, as a test sets them.
type cache []reader.Flow

func (c cache) read(fn func(reader.Flow) bool) error {
	for _, f := range c {
		if !fn(f) {
			return nil
		}
	}
	return nil
}

// way is a direction of a flow from one device to another, first seen at start and last at another moment.
func way(from, to int, sport, dport uint16, frames uint64, last time.Duration) reader.Flow {
	return reader.Flow{
		Tuple:  flow.FiveTuple{Src: ipN(from), Dst: ipN(to), SrcPort: sport, DstPort: dport, Proto: flow.TCP},
		Frames: frames, Bytes: 100 * frames, First: start.Boot, Last: start.Boot + last, Side: flow.ServerSide, Generation: 7,
		TCPFlags: packet.SYN | packet.ACK,
	}
}

func answerTo(f reader.Flow, frames uint64, last time.Duration) reader.Flow {
	r := way(0, 0, 0, 0, frames, last)
	r.Tuple, r.Side, r.Reply = f.Tuple.Reverse(), 1-f.Side, true
	return r
}

// scan expects so many events and gives them.
func scan(t *testing.T, fs *Flows, c cache, at time.Duration, want int) []*event.Flow {
	t.Helper()
	ended, err := fs.Scan(c.read, after(at))
	if err != nil || len(ended) != want {
		t.Fatalf("at %v: %d events, %v, want %d", at, len(ended), err, want)
	}
	var out []*event.Flow
	for _, e := range ended {
		out = append(out, e.(*event.Flow))
	}
	return out
}

func TestFlowEnds(t *testing.T) {
	ask := way(2, 11, 40000, 554, 10, 5*time.Second)
	c := cache{answerTo(ask, 20, 6*time.Second), ask}
	fs := NewFlows(cctv, nil)
	scan(t, fs, c, 10*time.Second, 0)
	scan(t, fs, c, 66*time.Second, 0)
	e := scan(t, fs, c, 67*time.Second, 1)[0]
	if e.Tuple != ask.Tuple || e.FramesToServer != 10 || e.BytesToServer != 1000 || e.FramesToClient != 20 || e.BytesToClient != 2000 ||
		e.Side != flow.ServerSide || e.Iface != "g1" || e.Bridge != "cctv" || e.State != event.FlowEstablished ||
		e.EndReason != event.FlowTimeout || !e.Start.Equal(start.Wall) || !e.End.Equal(start.Wall.Add(6*time.Second)) ||
		e.Verdict != verdict.Pass || e.Reason != verdict.ReasonPolicy || e.Generation != 7 || e.Boot != start.Boot+67*time.Second {
		t.Errorf("got %+v", e)
	}

	scan(t, fs, c, 80*time.Second, 0) // it is told once
	scan(t, fs, nil, 90*time.Second, 0)
	if len(fs.rows) != 0 {
		t.Errorf("%d rows of flows that are gone", len(fs.rows))
	}
}

// A flow that wakes up after its event tells only what came since.
func TestFlowGoesOn(t *testing.T) {
	fs := NewFlows(cctv, nil)
	scan(t, fs, cache{way(2, 11, 40000, 554, 10, 0)}, 10*time.Second, 0)
	scan(t, fs, cache{way(2, 11, 40000, 554, 10, 0)}, 70*time.Second, 1)
	scan(t, fs, cache{way(2, 11, 40000, 554, 13, 100*time.Second)}, 101*time.Second, 0)
	e := scan(t, fs, nil, 110*time.Second, 1)[0]
	if e.FramesToServer != 3 || e.BytesToServer != 300 || !e.Start.Equal(start.Wall.Add(100*time.Second)) {
		t.Errorf("got %+v", e)
	}
}

func TestFlowGone(t *testing.T) {
	fs := NewFlows(cctv, nil)
	ask := way(2, 11, 40000, 554, 10, 9*time.Second)
	ask.TCPFlags |= packet.FIN
	scan(t, fs, cache{ask}, 10*time.Second, 0)
	if e := scan(t, fs, nil, 20*time.Second, 1)[0]; e.State != event.FlowClosed || e.FramesToServer != 10 {
		t.Errorf("got %+v", e)
	}

	// Evicted and taken into the cache again: the counts begin anew, and add up.
	scan(t, fs, cache{ask}, 30*time.Second, 0)
	again := ask
	again.First, again.Frames, again.Bytes, again.Last = start.Boot+35*time.Second, 4, 400, start.Boot+36*time.Second
	scan(t, fs, cache{again}, 40*time.Second, 0)
	if e := scan(t, fs, nil, 50*time.Second, 1)[0]; e.FramesToServer != 14 || !e.Start.Equal(start.Wall) {
		t.Errorf("got %+v", e)
	}
}

func TestFlowDirections(t *testing.T) {
	early, late := way(11, 2, 8000, 32112, 5, 9*time.Second), way(2, 11, 32112, 8000, 1, 9*time.Second)
	late.First += time.Second
	echo := way(2, 11, 77, 0, 3, 9*time.Second)
	echo.Tuple.Proto = flow.ICMP
	pong := echo
	pong.Tuple.Src, pong.Tuple.Dst, pong.Reply = echo.Tuple.Dst, echo.Tuple.Src, true
	for name, c := range map[string]struct {
		cache
		want  string
		state string
	}{
		"both allowed, the first opened": {cache{late, early}, "10.0.0.11:8000 -> 10.0.0.2:32112 TCP 5 1", event.FlowEstablished},
		"one way":                        {cache{late}, "10.0.0.2:32112 -> 10.0.0.11:8000 TCP 1 0", event.FlowNew},
		"only the answer is cached":      {cache{answerTo(late, 9, 9*time.Second)}, "10.0.0.2:32112 -> 10.0.0.11:8000 TCP 0 9", event.FlowNew},
		"echo":                           {cache{pong, echo}, "10.0.0.2:77 -> 10.0.0.11:0 ICMP 3 3", event.FlowEstablished},
		"pong":                           {cache{pong}, "10.0.0.2:77 -> 10.0.0.11:0 ICMP 0 3", event.FlowNew},
	} {
		fs := NewFlows(cctv, nil)
		scan(t, fs, c.cache, 10*time.Second, 0)
		e := scan(t, fs, nil, 20*time.Second, 1)[0]
		if got := fmt.Sprint(e.Tuple, " ", e.FramesToServer, " ", e.FramesToClient); got != c.want || e.State != c.state {
			t.Errorf("%s: got %s %s, want %s %s", name, got, e.State, c.want, c.state)
		}
	}
}

// A restarted process must not tell again what ended before.
func TestFlowEndedBefore(t *testing.T) {
	fs := NewFlows(cctv, nil)
	c := cache{way(2, 11, 40000, 554, 10, 0)}
	scan(t, fs, c, 100*time.Second, 0)
	scan(t, fs, c, 200*time.Second, 0)
	scan(t, fs, nil, 210*time.Second, 0)
}

func TestFlowsBound(t *testing.T) {
	var c cache
	for i := range maxFlows + 10 {
		c = append(c, way(2, 11, uint16(i), 554, 1, 9*time.Second))
	}
	fs := NewFlows(cctv, nil)
	scan(t, fs, c, 10*time.Second, 0)
	if len(fs.rows) != maxFlows || fs.missed != 10 || fs.total != maxFlows+10 {
		t.Errorf("%d rows, %d missed, %d in all", len(fs.rows), fs.missed, fs.total)
	}
	scan(t, fs, c[:1], 20*time.Second, maxFlows-1)
	if len(fs.rows) != 1 || fs.missed != 0 {
		t.Errorf("%d rows, %d missed", len(fs.rows), fs.missed)
	}
}

// What could not be read is not gone.
func TestFlowScanFails(t *testing.T) {
	fs := NewFlows(cctv, nil)
	scan(t, fs, cache{way(2, 11, 40000, 554, 10, 9*time.Second)}, 10*time.Second, 0)
	broken := errors.New("no")
	if ended, err := fs.Scan(func(func(reader.Flow) bool) error { return broken }, after(20*time.Second)); !errors.Is(err, broken) || ended != nil {
		t.Errorf("got %v, %v", ended, err)
	}
	if len(fs.rows) != 1 {
		t.Errorf("%d rows", len(fs.rows))
	}
}

// kernel is a bridge's maps, as a test sets them.
type kernel struct {
	cache
	fails string // the name of the read that fails
}

func (k *kernel) fail(name string) error {
	if k.fails == name {
		return errors.New(name + " fails")
	}
	return nil
}

func (k *kernel) Flows(fn func(reader.Flow) bool) error {
	return errors.Join(k.read(fn), k.fail("flows"))
}

func (k *kernel) Reasons() ([]reader.ReasonCount, error) {
	return []reader.ReasonCount{
		{Reason: verdict.ReasonCached, Frames: 100, Bytes: 1000},
		{Reason: verdict.ReasonReply},
		{Reason: verdict.ReasonNoRule, Verdict: verdict.Drop, Frames: 3, Bytes: 30, WouldDropCount: 3},
	}, k.fail("reasons")
}

func (k *kernel) Devices() ([]reader.DeviceCount, error) {
	return []reader.DeviceCount{{Device: 0}, {Device: 1}, {Device: 7}}, k.fail("devices")
}

func (k *kernel) Losses() (sent, lost [2]uint64, err error) {
	return [2]uint64{9, 9}, [2]uint64{1, 2}, k.fail("losses")
}
func (k *kernel) Suppressed() (uint64, error) { return 5, k.fail("suppressed") }
func (k *kernel) Generation() (uint32, error) { return 7, k.fail("generation") }

func TestStats(t *testing.T) {
	e, err := stats(cctv, &kernel{}, 11, start)
	if err != nil {
		t.Fatal(err)
	}
	want := []event.ReasonCount{
		{Reason: verdict.ReasonCached, Frames: 100, Bytes: 1000},
		{Reason: verdict.ReasonNoRule, Verdict: verdict.Drop, Frames: 3, Bytes: 30, WouldDrop: 3},
	}
	if !slices.Equal(e.Reasons, want) || e.DevmapLost != 3 || e.Suppressed != 5 || e.Flows != 11 || e.Devices != 2 || e.Generation != 7 ||
		e.Bridge != "cctv" || e.Iface != "" {
		t.Errorf("got %+v", e)
	}
	for _, name := range []string{"reasons", "devices", "losses", "suppressed", "generation"} {
		if e, err := stats(cctv, &kernel{fails: name}, 0, start); e != nil || err == nil || !strings.Contains(err.Error(), "bridge cctv: "+name) {
			t.Errorf("%s: got %v, %v", name, e, err)
		}
	}
}
