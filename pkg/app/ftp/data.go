package ftp

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// maxFile is how many bytes of a transferred file are kept; the rest is passed over.
const maxFile = 256 << 10

// The events of a data connection.
const (
	dataTruncated uint8 = iota
	dataGap
	dataMemory
)

// DataProtocol describes data connections. They are known only by what the control connection announced.
func DataProtocol() *layer.Protocol {
	return &layer.Protocol{
		Proto: layer.FTPData, TCP: true,
		New:    func(p *layer.Pool) layer.Parser { return NewData(p) },
		Events: []string{dataTruncated: "file_truncated", dataGap: "gap", dataMemory: "memory_exceeded"},
	}
}

// Data reads one data connection: its only transaction is the file.
type Data struct {
	pool     *layer.Pool
	list     tx.List[*DataTx]
	transfer *Transfer
	current  *DataTx
	ended    [2]bool
	begun    bool
}

// NewData makes a parser that takes its memory from pool.
func NewData(pool *layer.Pool) *Data { return &Data{pool: pool} }

// Attach says what is transferred.
func (p *Data) Attach(t *Transfer) { p.transfer = t }

// Reset makes the parser fit for another flow.
func (p *Data) Reset() {
	for p.list.Len() > 0 {
		p.Release(0)
	}
	*p = Data{pool: p.pool, list: p.list}
	p.list.Restart()
}

// DataTx is a transferred file.
type DataTx struct {
	Direction  flow.Direction // in which it goes
	Size       int            // bytes so far
	transfer   *Transfer
	store      tx.Store
	content    tx.Span
	full       bool
	complete   bool
	events     layer.EventSet
	inspection layer.Inspection
}

// Data keeps the next bytes as far as maxFile.
func (p *Data) Data(d flow.Direction, data []byte, end bool) (n int, ok bool) {
	t := p.current
	if len(data) > 0 && !p.begun {
		p.begun = true
		if t, ok = p.list.Reuse(); !ok {
			t = new(DataTx)
		}
		p.list.Add(t)
		t.Direction, t.transfer = d, p.transfer
		p.current = t
	}
	if t != nil && t.Direction == d {
		t.add(p.pool, data)
	}
	p.ended[d] = p.ended[d] || end
	if t != nil && p.ended[t.Direction] {
		t.complete = true
	}
	return len(data), true
}

func (t *DataTx) add(pool *layer.Pool, data []byte) {
	t.Size += len(data)
	if room := maxFile - t.content.Len(); len(data) > room {
		data = data[:room]
		t.events.Add(dataTruncated)
	}
	if len(data) > 0 && !t.full {
		ok := true
		if t.content.Present() {
			t.content, ok = t.store.Extend(pool, t.content, data)
		} else {
			t.content, ok = t.store.Keep(pool, data)
		}
		if !ok {
			t.full = true
			t.events.Add(dataMemory)
		}
	}
	t.full = t.full || t.content.Len() == maxFile
}

// Gap goes on behind missing bytes.
func (p *Data) Gap(d flow.Direction, n int) bool {
	if t := p.current; t != nil && t.Direction == d {
		t.Size += n
		t.events.Add(dataGap)
	}
	return true
}

// Txs is the file, if there is one.
func (p *Data) Txs() []layer.Tx { return p.list.Txs() }

// Release forgets it.
func (p *Data) Release(i int) {
	t := p.list.Release(i)
	if p.current == t {
		p.current = nil
	}
	t.store.Free(p.pool)
	*t = DataTx{inspection: t.inspection}
}

// Opaque says that no more is kept.
func (p *Data) Opaque(d flow.Direction) bool {
	return p.begun && (p.current == nil || d == p.current.Direction && p.current.full)
}

// Verb is Retr, Stor, List, or Other if the command was not seen.
func (t *DataTx) Verb() Verb {
	if t.transfer == nil {
		return Other
	}
	return t.transfer.Verb
}

// Inspection is the engine's state.
func (t *DataTx) Inspection() *layer.Inspection { return &t.inspection }

// Ready says that the file is complete as far as it is kept.
func (t *DataTx) Ready(b layer.Buffer, d flow.Direction) bool {
	return t.complete || t.full || d != t.Direction
}

// Get is the file's content, or its name.
func (t *DataTx) Get(b layer.Buffer, d flow.Direction, i int) ([]byte, bool) {
	if d != t.Direction || i != 0 {
		return nil, false
	}
	switch {
	case b == layer.FileData && t.content.Present():
		return t.store.Bytes(t.content), true
	case b == layer.FileName && t.transfer != nil && t.transfer.n > 0:
		return t.transfer.Name(), true
	}
	return nil, false
}

// Complete says that the connection ended.
func (t *DataTx) Complete(d flow.Direction) bool { return t.complete || d != t.Direction }

// Events are those of the file's direction.
func (t *DataTx) Events(d flow.Direction) layer.EventSet {
	if d != t.Direction {
		return 0
	}
	return t.events
}

// Log writes the object "ftp_data".
func (t *DataTx) Log(o *layer.Object, d flow.Direction) bool {
	if d != t.Direction || t.transfer == nil {
		return false
	}
	o.Begin("ftp_data")
	if t.transfer.n > 0 {
		o.Raw("filename", t.transfer.Name())
	}
	switch t.transfer.Verb {
	case Retr:
		o.Text("command", "RETR")
	case Stor:
		o.Text("command", "STOR")
	case List:
		o.Text("command", "LIST")
	}
	o.End()
	return true
}
