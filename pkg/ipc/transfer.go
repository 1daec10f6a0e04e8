package ipc

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

const (
	putRoom   = MaxMessage - 1 - 2 // bytes of a set in a PolicyPut: its place in the table and a length go off
	maxPolicy = 4 << 20            // bytes of a set; the largest that the kernel's tables hold has 2.3 million
)

// Messages is the transfer of a set under an ID: PolicyBegin, PolicyPuts, PolicyCommit.
func (s *PolicySet) Messages(id uint32) []Message {
	var c codec
	s.layout(&c)
	out := []Message{PolicyBegin{ID: id}}
	for piece := range slices.Chunk(c.b, putRoom) {
		out = append(out, PolicyPut{Data: piece})
	}
	return append(out, PolicyCommit{ID: id, Size: uint32(len(c.b)), Sum: sha256.Sum256(c.b)})
}

// Assembly puts a set together from its transfer.
type Assembly struct {
	id   uint32
	data []byte
}

// NewAssembly begins one.
func NewAssembly(b PolicyBegin) *Assembly { return &Assembly{id: b.ID} }

// Put adds a piece; more than the largest set has is an error.
func (a *Assembly) Put(p PolicyPut) error {
	if a.data = append(a.data, p.Data...); len(a.data) > maxPolicy {
		return fmt.Errorf("policy %d has more than %d bytes", a.id, maxPolicy)
	}
	return nil
}

// Commit gives the set if it is complete, arrived as it was sent, and fits into the kernel's tables.
func (a *Assembly) Commit(c PolicyCommit) (s PolicySet, err error) {
	switch {
	case c.ID != a.id:
		return s, fmt.Errorf("commit of policy %d, but policy %d was begun", c.ID, a.id)
	case int(c.Size) != len(a.data):
		return s, fmt.Errorf("policy %d is incomplete: %d bytes of %d", c.ID, len(a.data), c.Size)
	case sha256.Sum256(a.data) != c.Sum:
		return s, errors.New("the policy's hash differs from what was sent")
	}
	if err := decode(a.data, s.layout); err != nil {
		return PolicySet{}, fmt.Errorf("read policy %d: %w", c.ID, err)
	}
	return s, nil
}
