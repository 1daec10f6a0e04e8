package sight

import (
	"testing"
	"time"

	"citygate/pkg/ipc"
)

func TestNames(t *testing.T) {
	var none *Names
	if none.Device(1) != "" {
		t.Error("nil knows a name")
	}
	n := &Names{}
	n.Learn(ipc.Names{Generation: 7, Table: ipc.NamesOfDevices, First: 1, Names: []string{"lobby-1", "main"}})
	n.Learn(ipc.Names{Generation: 7, Table: ipc.NamesOfRules, First: 1, Names: []string{"allow main -> cameras rtsp"}})
	n.Learn(ipc.Names{Generation: 7, Table: ipc.NamesOfServices, Names: []string{"rtsp"}})
	if n.Device(2) != "main" || n.Rule(1, 7) != "allow main -> cameras rtsp" || n.Service(0, 7) != "rtsp" {
		t.Errorf("learned %v", n.tables)
	}
	if n.Rule(1, 6) != "" || n.Service(0, 8) != "" || n.Device(3) != "" {
		t.Error("a name of another policy")
	}
	n.Learn(ipc.Names{Generation: 8, Table: ipc.NamesOfDevices, First: 2, Names: []string{"vms"}})
	if n.Device(1) != "" || n.Device(2) != "vms" || n.Rule(1, 7) != "" {
		t.Errorf("after another generation: %v", n.tables)
	}
}

func TestFlowEventsCarryNames(t *testing.T) {
	n := &Names{}
	n.Learn(ipc.Names{Generation: 7, Table: ipc.NamesOfDevices, First: 1, Names: []string{"lobby-1", "main"}})
	n.Learn(ipc.Names{Generation: 7, Table: ipc.NamesOfServices, Names: []string{"rtsp"}})
	n.Learn(ipc.Names{Generation: 7, Table: ipc.NamesOfRules, First: 1, Names: []string{"allow main -> cameras rtsp"}})
	ask := way(2, 11, 40000, 554, 10, time.Second)
	ask.From, ask.To, ask.Service, ask.Rule, ask.Generation = 2, 1, 0, 1, 7
	reply := answerTo(ask, 20, 2*time.Second)
	reply.From, reply.To, reply.Service, reply.Rule, reply.Generation = 1, 2, 0, 1, 7
	for name, c := range map[string]cache{"both ways": {reply, ask}, "only the answer": {reply}} {
		fs := NewFlows(cctv, n)
		scan(t, fs, c, 3*time.Second, 0)
		e := scan(t, fs, nil, 10*time.Second, 1)[0]
		if e.Client != "main" || e.Server != "lobby-1" || e.Service != "rtsp" || e.PolicyLine != "allow main -> cameras rtsp" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
