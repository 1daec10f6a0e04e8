package sight

import (
	"sync"

	"citygate/pkg/ipc"
)

// Names are what control told of the policy's numbers. Nil knows none; it is safe for concurrent use.
type Names struct {
	mu         sync.Mutex
	generation uint32
	tables     map[nameKey]string
}

type nameKey struct {
	table  uint8
	number uint16
}

// Learn takes in a piece.
func (n *Names) Learn(m ipc.Names) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.tables == nil || n.generation != m.Generation {
		n.generation, n.tables = m.Generation, map[nameKey]string{}
	}
	for i, name := range m.Names {
		n.tables[nameKey{m.Table, m.First + uint16(i)}] = name
	}
}

// Device is the name of a device. Devices keep their numbers over policies.
func (n *Names) Device(id ipc.DeviceID) string { return n.find(ipc.NamesOfDevices, uint16(id), 0) }

// Service is the name of a service in the policy of a generation.
func (n *Names) Service(number uint8, generation uint32) string {
	return n.find(ipc.NamesOfServices, uint16(number), generation)
}

// Rule is the text of a line in the policy of a generation.
func (n *Names) Rule(number uint16, generation uint32) string {
	return n.find(ipc.NamesOfRules, number, generation)
}

// find gives "" for what was not told of that generation, 0 = of any.
func (n *Names) find(table uint8, number uint16, generation uint32) string {
	if n == nil {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if generation != 0 && generation != n.generation {
		return ""
	}
	return n.tables[nameKey{table, number}]
}
