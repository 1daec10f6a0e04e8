package reader

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/verdict"
)

// Ring gives the samples of one bridge in their order.
type Ring struct {
	m      *ebpf.Map
	reader *ringbuf.Reader
	record ringbuf.Record
}

// ErrClosed is what Next returns after Close.
var ErrClosed = os.ErrClosed

// OpenRing takes over the ring buffer's descriptor. Call it before a sandbox that forbids mapping memory.
func OpenRing(fd int) (*Ring, error) {
	m, err := ebpf.NewMapFromFD(fd)
	if err != nil {
		return nil, fmt.Errorf("use the descriptor of the ring buffer: %w", err)
	}
	r, err := ringbuf.NewReader(m)
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("map the ring buffer: %w", err)
	}
	return &Ring{m: m, reader: r}, nil
}

// Next waits for a sample. Its Data is valid until the next call. A malformed record is an error, and the next call
// goes on behind it.
func (r *Ring) Next() (Sample, error) {
	if err := r.reader.ReadInto(&r.record); err != nil {
		if errors.Is(err, ringbuf.ErrClosed) {
			return Sample{}, ErrClosed
		}
		return Sample{}, fmt.Errorf("read the ring buffer: %w", err)
	}
	return parseSample(r.record.RawSample)
}

// Close ends a waiting Next.
func (r *Ring) Close() error {
	err := r.reader.Close()
	r.m.Close()
	return err
}

const sampleHead = 32

// parseSample reads struct sample of bpf/shared.h and the bytes behind it.
func parseSample(b []byte) (Sample, error) {
	if len(b) < sampleHead {
		return Sample{}, fmt.Errorf("a sample of %d bytes is shorter than its head", len(b))
	}
	captured := int(binary.NativeEndian.Uint16(b[30:]))
	if sampleHead+captured > len(b) {
		return Sample{}, fmt.Errorf("a sample of %d bytes says it holds %d bytes of a frame", len(b), captured)
	}
	return Sample{
		Boot:       time.Duration(binary.NativeEndian.Uint64(b)),
		VLAN:       flow.VLAN(binary.NativeEndian.Uint32(b[8:])),
		Generation: binary.NativeEndian.Uint32(b[12:]),
		Suppressed: binary.NativeEndian.Uint32(b[16:]),
		Length:     int(binary.NativeEndian.Uint32(b[20:])),
		Device:     ipc.DeviceID(binary.NativeEndian.Uint16(b[24:])),
		Kind:       SampleKind(b[26]),
		Reason:     verdict.Reason(b[27]),
		Side:       flow.Side(b[28]),
		Data:       b[sampleHead : sampleHead+captured],
	}, nil
}
